#!/usr/bin/env bash
# A node of the test Kubernetes: its own containerd, kubelet, bridge, cgroups and mount namespace.
#   node.sh up | down | start-kubelet | kill-kubelet  NODE
# The mount namespace gives each node its own /run, /var/log and CephFS client, as on a machine of its own; when the last
# process in it ends, all its mounts go with it.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$HERE/kubernetes_files.sh"

NODE=${2:?name of the node}
NUMBER=${NODE#node}
FOLDER=$STATE/$NODE
BRIDGE=s2ps-br$NUMBER
SUBNET=10.244.$NUMBER.0/24
IN_NODE=()
require_own

controllers() { awk '$3 == "cgroup" {print $2}' /proc/mounts; }
hierarchies() { awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/mounts; } # runc also makes folders in that of cgroup v2

make_cgroups() {
  local controller
  for controller in $(controllers); do
    mkdir -p "$controller/s2ps-$NODE"
    case "$controller" in
      */cpuset) for file in cpuset.cpus cpuset.mems; do cat "$controller/$file" >"$controller/s2ps-$NODE/$file"; done ;;
    esac
  done
}

write_files() {
  mkdir -p "$FOLDER"/{cni,log,cni-cache,kubelet,plugins,containerd}
  write_network "$FOLDER/cni" "$BRIDGE" "$SUBNET"
  write_containerd "$FOLDER"
  write_kubelet "$FOLDER" "$NODE" $((KUBELET_PORT + NUMBER - 1)) "$(node_address)"
}

start_machine() { # a process that keeps the mount namespace
  local cephfs=
  if [ "$NUMBER" -gt 1 ] && mountpoint -q "$CEPHFS_2"; then cephfs="mount --bind '$CEPHFS_2' '$CEPHFS';"; fi
  if mkdir /var/lib/cni 2>/dev/null; then touch "$K8S/made-var-lib-cni"; fi
  rm -rf "$FOLDER/made" "$FOLDER/containerd/state" "$FOLDER/cni/addresses" # what a machine forgets when it starts
  spawn "$NODE-machine" unshare --mount sh -euc "
    mount -t tmpfs -o mode=755 tmpfs /run
    mount --bind '$FOLDER/log' /var/log
    mount --bind '$FOLDER/cni-cache' /var/lib/cni
    $cephfs
    : >'$FOLDER/made'
    exec sleep infinity"
  wait_for 10 test -e "$FOLDER/made"
}

enter() { IN_NODE=(nsenter --target "$(process_of "$NODE-machine")" --mount --); }

add_rules() { # pods reach the network behind the address of the machine
  iptables -w -t nat -C POSTROUTING -s "$SUBNET" ! -d 10.244.0.0/16 -m comment --comment $MARK -j MASQUERADE 2>/dev/null ||
    iptables -w -t nat -A POSTROUTING -s "$SUBNET" ! -d 10.244.0.0/16 -m comment --comment $MARK -j MASQUERADE
  iptables -w -C FORWARD -s "$SUBNET" -m comment --comment $MARK -j ACCEPT 2>/dev/null || {
    iptables -w -I FORWARD -s "$SUBNET" -m comment --comment $MARK -j ACCEPT
    iptables -w -I FORWARD -d "$SUBNET" -m comment --comment $MARK -j ACCEPT
  }
}

start_containerd() {
  local ctr=(ctr --address "$FOLDER/containerd.sock" --namespace k8s.io)
  spawn "$NODE-containerd" "${IN_NODE[@]}" containerd --config "$FOLDER/containerd.toml"
  wait_for 30 "${ctr[@]}" version
  "${ctr[@]}" images ls --quiet | grep -qx localhost/pause:1 ||
    "${IN_NODE[@]}" "${ctr[@]}" images import "$KUBERNETES/pause.tar" >>"$LOGS/images.log"
}

start_kubelet() {
  local endpoint=unix://$FOLDER/containerd.sock
  spawn "$NODE-kubelet" "${IN_NODE[@]}" "$KUBERNETES/kubelet" --config "$FOLDER/kubelet.yaml" \
    --kubeconfig "$K8S/$NODE.kubeconfig" --hostname-override "$NODE" --node-ip "$(node_address)" \
    --root-dir "$FOLDER/kubelet" --cert-dir "$FOLDER/kubelet/pki" \
    --container-runtime remote --container-runtime-endpoint "$endpoint" --image-service-endpoint "$endpoint" -v 2
}

up() {
  write_files
  make_cgroups
  if ! alive "$NODE-machine"; then start_machine; fi
  enter
  add_rules
  start_containerd
  start_kubelet
}

kill_kubelet() {
  local id
  if id=$(process_of "$NODE-kubelet"); then kill -KILL "$id"; fi
  wait_for 10 gone "$NODE-kubelet"
}

members() { # the processes of the node: those in its mount namespace and those of its pods
  local machine process here
  if machine=$(process_of "$NODE-machine"); then
    here=$(readlink "/proc/$machine/ns/mnt")
    for process in /proc/[0-9]*; do
      if [ "$(readlink "$process/ns/mnt" 2>/dev/null)" = "$here" ]; then echo "${process#/proc/}"; fi
    done
  fi
  # shellcheck disable=SC2046 # one path per controller
  find $(controllers | sed "s,$,/s2ps-$NODE,") -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u
}

remove_cgroups() {
  local controller
  for controller in $(hierarchies); do
    if [ -d "$controller/s2ps-$NODE" ]; then find "$controller/s2ps-$NODE" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
  done
}

kill_members() {
  local ids
  mapfile -t ids < <(members)
  if [ ${#ids[@]} -gt 0 ]; then kill -KILL "${ids[@]}" 2>/dev/null || true; fi
}

empty() { [ -z "$(members)" ]; }

down() { # as when the power is cut: no process of the node is left, and so none of its mounts
  local _
  for _ in 1 2 3; do
    kill_members
    wait_for 5 empty && break
  done
  rm -f "$STATE/run/$NODE-"{machine,containerd,kubelet}
  remove_cgroups
  ip link delete "$BRIDGE" 2>/dev/null || true
}

case "${1:-}" in
  up) up ;;
  down) down ;;
  start-kubelet) enter && start_kubelet ;;
  kill-kubelet) kill_kubelet ;;
  *) fail "expected up, down, start-kubelet or kill-kubelet" ;;
esac
