#!/usr/bin/env bash
# A Docker engine of its own: docker_engine.bash up FOLDER | down FOLDER | inside FOLDER COMMAND...
# It lives in network and mount namespaces of its own, so its bridges, iptables chains and mounts end with it. `inside`
# runs a command in its network, where the ports it publishes are on 127.0.0.1.
set -euo pipefail

action=$1
folder=$2
shift 2

write_configuration() {
  cat >"$folder/daemon.json" <<JSON
{"data-root": "$folder/data", "exec-root": "$folder/exec", "pidfile": "$folder/dockerd.pid",
 "hosts": ["unix://$folder/docker.sock"], "storage-driver": "overlay2", "cgroup-parent": "$(parent)"}
JSON
}

parent() { echo "s2ps-docker-$(basename "$folder")"; }

up() {
  mkdir -p "$folder"
  write_configuration
  setsid unshare --net --mount --propagation private bash -c "ip link set lo up && exec dockerd --config-file '$folder/daemon.json'" \
    >"$folder/dockerd.log" 2>&1 </dev/null &
  local end=$((SECONDS + 60))
  until DOCKER_HOST=unix://$folder/docker.sock docker info >/dev/null 2>&1; do
    ((SECONDS < end)) || { tail -n 20 "$folder/dockerd.log" >&2; exit 1; }
    sleep 0.2
  done
}

down() {
  local pid
  pid=$(cat "$folder/dockerd.pid" 2>/dev/null || true)
  if [[ -n $pid ]]; then
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 300); do
      [[ -d /proc/$pid ]] || break
      sleep 0.1
    done
  fi
  find /sys/fs/cgroup -depth -type d -path "*/$(parent)*" -exec rmdir {} + 2>/dev/null || true
  rm -rf "$folder"
}

inside() {
  nsenter --target "$(cat "$folder/dockerd.pid")" --net "$@"
}

case $action in
  up) up ;;
  down) down ;;
  inside) inside "$@" ;;
  *)
    sed -n '2,4p' "$0" >&2
    exit 2
    ;;
esac
