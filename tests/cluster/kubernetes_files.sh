# The certificates, tokens and configuration files of the test Kubernetes. Sourced by kubernetes.sh and node.sh.
# shellcheck shell=bash
K8S=$STATE/kubernetes
PKI=$K8S/pki

certificate() { # certificate NAME SUBJECT EXTENSIONS: signed by the authority of the cluster
  openssl req -newkey rsa:2048 -nodes -keyout "$PKI/$1.key" -out "$PKI/$1.csr" -subj "$2" 2>/dev/null
  openssl x509 -req -in "$PKI/$1.csr" -CA "$PKI/ca.crt" -CAkey "$PKI/ca.key" -CAcreateserial -days 365 \
    -out "$PKI/$1.crt" -extfile <(echo "$3") 2>/dev/null
}

write_certificates() { # write_certificates ADDRESS
  local names="IP:127.0.0.1,IP:$1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
  mkdir -p "$PKI"
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -keyout "$PKI/ca.key" -out "$PKI/ca.crt" -subj /CN=s2ps-test-ca 2>/dev/null
  certificate apiserver /CN=kube-apiserver "subjectAltName=$names"
  certificate kubelet-client /O=system:masters/CN=apiserver extendedKeyUsage=clientAuth
  openssl genrsa -out "$PKI/accounts.key" 2048 2>/dev/null
  openssl rsa -in "$PKI/accounts.key" -pubout -out "$PKI/accounts.pub" 2>/dev/null
}

kubeconfig() { # kubeconfig NAME USER GROUPS ADDRESS: a file with a token, and the token made known to the API server
  local token
  token=$(openssl rand -hex 24)
  echo "$token,$2,$1,\"$3\"" >>"$PKI/tokens.csv"
  cat >"$K8S/$1.kubeconfig" <<CONFIG
apiVersion: v1
kind: Config
clusters:
- name: s2ps-test
  cluster: {server: "https://$4:$API_PORT", certificate-authority-data: $(base64 -w 0 "$PKI/ca.crt")}
users:
- name: $1
  user: {token: $token}
contexts:
- name: s2ps-test
  context: {cluster: s2ps-test, user: $1, namespace: default}
current-context: s2ps-test
CONFIG
}

write_control_plane() { # write_control_plane ADDRESS
  local node
  write_certificates "$1"
  kubeconfig admin admin system:masters "$1"
  kubeconfig controllers system:kube-controller-manager system:kube-controller-manager 127.0.0.1
  kubeconfig scheduler system:kube-scheduler system:kube-scheduler 127.0.0.1
  for node in "${NODES[@]}"; do kubeconfig "$node" "system:node:$node" system:nodes 127.0.0.1; done
}

write_network() { # write_network FOLDER BRIDGE SUBNET: masquerading is done by a rule of our own
  cat >"$1/10-s2ps.conflist" <<CONFIG
{"cniVersion": "0.4.0", "name": "$2", "plugins": [{
  "type": "bridge", "bridge": "$2", "isGateway": true, "ipMasq": false, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "$1/addresses", "ranges": [[{"subnet": "$3"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
CONFIG
}

write_containerd() { # write_containerd FOLDER: the OOM score of a pod cannot be lowered without CAP_SYS_RESOURCE
  cat >"$1/containerd.toml" <<CONFIG
version = 2
root = "$1/containerd/root"
state = "$1/containerd/state"
[grpc]
  address = "$1/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$1/cni"
CONFIG
}

write_kubelet() { # write_kubelet FOLDER NODE PORT ADDRESS
  cat >"$1/kubelet.yaml" <<CONFIG
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $4
port: $3
readOnlyPort: 0
healthzPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: AlwaysAllow}
cgroupDriver: cgroupfs
cgroupRoot: /s2ps-$2
failSwapOn: false
maxOpenFiles: 20000
oomScoreAdj: 0
makeIPTablesUtilChains: false
resolvConf: $K8S/resolv.conf
volumePluginDir: $1/plugins
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
nodeStatusUpdateFrequency: 2s
nodeStatusReportFrequency: 20s
nodeLeaseDurationSeconds: 8
volumeStatsAggPeriod: 10s
kubeAPIQPS: 50
kubeAPIBurst: 100
eventRecordQPS: 50
maxPods: 110
CONFIG
}
