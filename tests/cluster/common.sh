# Where the test cluster is, and how its processes are started, found and ended. Sourced by the other scripts.
# shellcheck shell=bash disable=SC2034
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
STATE=${S2PS_TEST_CLUSTER:-/tmp/s2ps-test-cluster}
CACHE=${S2PS_TEST_CACHE:-$HOME/.cache/s2ps}
LOGS=$STATE/log
KUBERNETES_VERSION=1.20.2
KUBERNETES=$CACHE/kubernetes-$KUBERNETES_VERSION
API_PORT=${S2PS_TEST_API_PORT:-16443}
ETCD_PORT=${S2PS_TEST_ETCD_PORT:-12379}
KUBELET_PORT=${S2PS_TEST_KUBELET_PORT:-10250}
CEPH_PORT=${S2PS_TEST_CEPH_PORT:-33000}
S3_PORT=${S2PS_TEST_S3_PORT:-7480}
NODES=(node1 node2)
CEPHFS=$STATE/cephfs
CEPHFS_2=$STATE/cephfs-2
MARK=s2ps-test-cluster
OWNER=/run/s2ps-test-cluster # names the state folder of the one test cluster of this machine

node_address() { # the address pods reach this machine by; 192.0.2.1 belongs to nobody, only the route to it is looked up
  local address
  address=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p' | head -n 1)
  if [ -z "$address" ]; then address=$(hostname -I | awk '{print $1}'); fi
  [ -n "$address" ] || fail "this machine has no network address: the pods could not reach the API server"
  echo "$address"
}

fail() { echo "test cluster: $*" >&2; exit 1; }

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

step() { # step TEXT COMMAND...: run a command and say how long it took
  local what=$1 start took
  shift
  start=$(milliseconds)
  STEP=$what
  "$@"
  STEP=
  took=$(($(milliseconds) - start))
  printf '%4d.%d s  %s\n' $((took / 1000)) $((took % 1000 / 100)) "$what"
}

STEP=
say_where_it_failed() {
  local code=$?
  if [ "$code" -ne 0 ] && [ -n "$STEP" ]; then echo "test cluster: failed: $STEP; the logs are in $LOGS" >&2; fi
}
trap say_where_it_failed EXIT

wait_for() { # wait_for SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

require_root() { [ "$(id -u)" -eq 0 ] || fail "this needs root: mounts, cgroups, network bridges"; }

require_safe_state() {
  case "$STATE" in /?*/?*) ;; *) fail "S2PS_TEST_CLUSTER=$STATE: expected a folder of its own such as /tmp/s2ps-test-cluster" ;; esac
}

present() { case "$1" in /*) [ -e "$1" ] ;; *) command -v "$1" >/dev/null ;; esac; }

require_own() { # bridges, cgroups and rules have fixed names: never touch those of another test cluster
  local owner=
  if [ -s "$OWNER" ]; then owner=$(cat "$OWNER"); fi
  if [ -z "$owner" ] || [ "$owner" = "$STATE" ] || [ ! -d "$owner" ]; then return; fi
  fail "the test cluster of this machine is in $owner, not in $STATE: set S2PS_TEST_CLUSTER=$owner, or end that one first"
}

install_missing() { # install_missing COMMAND-OR-PATH=PACKAGE...: Debian packages for what is not there
  local pair packages=()
  for pair in "$@"; do
    present "${pair%%=*}" || packages+=("${pair#*=}")
  done
  if [ ${#packages[@]} -eq 0 ]; then return; fi
  mkdir -p "$LOGS"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=300 update >>"$LOGS/apt.log" 2>&1
  apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "${packages[@]}" >>"$LOGS/apt.log" 2>&1
}

# ---- processes: each is known by its id and its start time, so that a reused id is never ended
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '{print $20}'; }

spawn() { # spawn NAME COMMAND...: start a process of its own session, once
  local name=$1
  shift
  if alive "$name"; then return; fi
  mkdir -p "$STATE/run" "$LOGS"
  setsid nohup "$@" >>"$LOGS/$name.log" 2>&1 </dev/null &
  echo "$! $(started_at $!)" >"$STATE/run/$name"
  disown
}

process_of() { # print the id of a process that runs
  local id start
  [ -s "$STATE/run/$1" ] || return 1
  read -r id start <"$STATE/run/$1"
  [ -n "$start" ] && [ "$(started_at "$id")" = "$start" ] || return 1
  [ "$(sed 's/.*) //' "/proc/$id/stat" | cut -c 1)" != Z ] || return 1
  echo "$id"
}

alive() { process_of "$1" >/dev/null; }

gone() { ! alive "$1"; }

stop() { # stop NAME [SECONDS]: TERM, then KILL
  local name=$1 id
  if id=$(process_of "$name"); then
    kill -TERM "$id" 2>/dev/null || true
    wait_for "${2:-10}" gone "$name" || { kill -KILL "$id" 2>/dev/null || true; wait_for 10 gone "$name" || true; }
  fi
  rm -f "$STATE/run/$name"
}

describe() { # describe NAME...: one line per process
  local name id
  for name in "$@"; do
    if id=$(process_of "$name"); then
      printf '%-22s runs   process %-8s %5d MiB\n' "$name" "$id" "$(awk '/VmRSS/{print int($2/1024)}' "/proc/$id/status")"
    else
      printf '%-22s stopped\n' "$name"
    fi
  done
}
