#!/usr/bin/env bash
# Kubernetes 1.20.2 with two nodes on this machine.
#   kubernetes.sh up | down | status | start NAME | stop NAME      NAME: etcd, apiserver, controllers or scheduler
# A node that is lost is noticed after about 12 s, and its pods are evicted 3 s later.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$HERE/kubernetes_files.sh"

packages() {
  install_missing etcd=etcd-server containerd=containerd runc=runc /usr/lib/cni/bridge=containernetworking-plugins \
    iptables=iptables ip=iproute2 nsenter=util-linux openssl=openssl curl=curl
}

kubectl() { "$KUBERNETES/kubectl" --kubeconfig "$K8S/admin.kubeconfig" "$@"; }

require_machine() {
  grep -q ' cgroup ' /proc/mounts || fail "this machine has no cgroup v1 controllers; Kubernetes $KUBERNETES_VERSION needs them"
}

create() {
  rm -rf "$K8S"
  mkdir -p "$K8S" "$STATE/run" "$LOGS"
  chmod 700 "$K8S"
  sed '/^nameserver 127\./d' /etc/resolv.conf >"$K8S/resolv.conf"
  keep_sysctls
  write_control_plane "$(node_address)"
  touch "$K8S/created"
}

keep_sysctls() { # kubelets change these; `down` puts them back
  local name
  for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
    kernel/keys/root_maxbytes net/ipv4/ip_forward; do
    if [ -r "/proc/sys/$name" ]; then echo "$name $(cat "/proc/sys/$name")"; fi
  done >"$K8S/sysctls"
}

restore_sysctls() {
  local name value
  [ -s "$K8S/sysctls" ] || return 0
  while read -r name value; do echo "$value" >"/proc/sys/$name" || true; done <"$K8S/sysctls"
}

start_etcd() {
  spawn etcd etcd --data-dir "$K8S/etcd" --listen-client-urls "http://127.0.0.1:$ETCD_PORT" \
    --advertise-client-urls "http://127.0.0.1:$ETCD_PORT" --listen-peer-urls "http://127.0.0.1:$((ETCD_PORT + 1))" \
    --initial-advertise-peer-urls "http://127.0.0.1:$((ETCD_PORT + 1))" \
    --initial-cluster "default=http://127.0.0.1:$((ETCD_PORT + 1))" --unsafe-no-fsync
}

start_apiserver() {
  spawn apiserver "$KUBERNETES/kube-apiserver" --etcd-servers "http://127.0.0.1:$ETCD_PORT" --secure-port "$API_PORT" \
    --advertise-address "$(node_address)" --service-cluster-ip-range 10.96.0.0/16 --profiling=false --cert-dir "$PKI" \
    --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" \
    --client-ca-file "$PKI/ca.crt" --token-auth-file "$PKI/tokens.csv" --authorization-mode Node,RBAC \
    --kubelet-certificate-authority= --kubelet-preferred-address-types InternalIP \
    --kubelet-client-certificate "$PKI/kubelet-client.crt" --kubelet-client-key "$PKI/kubelet-client.key" \
    --service-account-issuer https://kubernetes.default.svc \
    --service-account-signing-key-file "$PKI/accounts.key" --service-account-key-file "$PKI/accounts.pub" \
    --enable-admission-plugins NodeRestriction,LimitRanger,ResourceQuota,Priority,ServiceAccount,DefaultTolerationSeconds \
    --default-not-ready-toleration-seconds 3 --default-unreachable-toleration-seconds 3
  wait_for 90 kubectl get --raw /readyz
}

start_controllers() { # an eviction rate of exactly 1 would stay 0 after all nodes were away: the two limiters are taken for the same
  spawn controllers "$KUBERNETES/kube-controller-manager" --kubeconfig "$K8S/controllers.kubeconfig" --leader-elect=false \
    --service-account-private-key-file "$PKI/accounts.key" --root-ca-file "$PKI/ca.crt" --use-service-account-credentials \
    --bind-address 127.0.0.1 --secure-port $((API_PORT + 11)) --port 0 --cert-dir "$PKI" --allocate-node-cidrs=false \
    --terminated-pod-gc-threshold 500 --node-monitor-period 2s --node-monitor-grace-period 12s --node-eviction-rate 2
}

start_scheduler() {
  spawn scheduler "$KUBERNETES/kube-scheduler" --kubeconfig "$K8S/scheduler.kubeconfig" --leader-elect=false \
    --bind-address 127.0.0.1 --secure-port $((API_PORT + 12)) --port 0 --cert-dir "$PKI"
}

start() {
  case "$1" in
    etcd) start_etcd ;;
    apiserver) start_apiserver ;;
    controllers) start_controllers ;;
    scheduler) start_scheduler ;;
    *) fail "$1: expected etcd, apiserver, controllers or scheduler" ;;
  esac
}

start_nodes() {
  local node
  echo 1 >/proc/sys/net/ipv4/ip_forward
  for node in "${NODES[@]}"; do "$HERE/node.sh" up "$node"; done
}

ready() { [ "$(kubectl get nodes --no-headers | grep -cw Ready)" -eq ${#NODES[@]} ]; }

wait_ready() {
  wait_for 90 ready
  wait_for 60 kubectl get serviceaccount default
}

up() {
  require_root
  require_safe_state
  require_own
  require_machine
  step "Debian packages of Kubernetes" packages
  "$HERE/build_kubernetes.sh"
  if [ ! -e "$K8S/created" ]; then step "certificates, tokens and configuration in $K8S" create; fi
  step "etcd is started" start_etcd
  step "API server is ready on https://$(node_address):$API_PORT" start_apiserver
  step "controllers and scheduler are started" start_all_controllers
  step "containerd and kubelet of ${NODES[*]} are started" start_nodes
  step "${NODES[*]} are ready" wait_ready
}

start_all_controllers() {
  start_controllers
  start_scheduler
}

remove_rules() { # only the rules of the test cluster
  local table
  for table in nat filter; do
    iptables-save -t "$table" 2>/dev/null | sed -n "/--comment $MARK /s/^-A/-D/p" |
      while read -r rule; do eval "iptables -w -t $table $rule"; done
  done
}

down() {
  local node name
  require_safe_state
  require_own
  for node in "${NODES[@]}"; do "$HERE/node.sh" down "$node"; done
  for name in scheduler controllers apiserver etcd; do stop "$name" 5; done
  if command -v iptables-save >/dev/null; then remove_rules; fi
  if [ -e "$K8S/made-var-lib-cni" ]; then rmdir /var/lib/cni 2>/dev/null || true; fi
  restore_sysctls
}

case "${1:-}" in
  up) up ;;
  down) down ;;
  status) describe etcd apiserver controllers scheduler "${NODES[@]/%/-containerd}" "${NODES[@]/%/-kubelet}" ;;
  start) start "${2:?name}" ;;
  stop) stop "${2:?name}" 2 ;;
  *) sed -n '2,4s/^# *//p' "$0" && exit 2 ;;
esac
