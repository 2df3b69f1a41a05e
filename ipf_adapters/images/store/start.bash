#!/usr/bin/env bash
# Makes a Ceph of one node on its first start and serves S3 on port 7480. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
# are the keys of its only user. When one part ends, all end, and the container engine starts them again.
set -euo pipefail
readonly DATA=/var/lib/store
declare -A PROCESSES=()

spawn() { # spawn NAME COMMAND...
  local name=$1
  shift
  "$@" &
  PROCESSES[$name]=$!
}

wait_for() { # wait_for SECONDS COMMAND...
  local end=$((SECONDS + $1)) name
  shift
  until "$@" >/dev/null 2>&1; do
    for name in "${!PROCESSES[@]}"; do
      kill -0 "${PROCESSES[$name]}" 2>/dev/null || { echo "$name has ended: read its messages above" >&2; exit 1; }
    done
    ((SECONDS < end)) || { echo "waited in vain for: $*" >&2; exit 1; }
    sleep 0.2
  done
}

key() { # key NAME CAPABILITIES...
  local name=$1
  shift
  ceph-authtool "$DATA/keyring" --gen-key -n "$name" "$@" >/dev/null
}

make_mon() {
  rm -rf "$DATA/mon"
  mkdir -p "$DATA/mon"
  (umask 077 && ceph-authtool --create-keyring "$DATA/keyring" >/dev/null)
  key mon. --cap mon 'allow *'
  key client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  key client.rgw.s3 --cap mon 'allow rw' --cap osd 'allow rwx' --cap mgr 'allow rw'
  key osd.0 --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *'
  monmaptool --create --clobber --fsid "$(ceph-conf fsid)" --addv a '[v2:127.0.0.1:3300]' /tmp/monmap >/dev/null
  ceph-mon --mkfs -i a --monmap /tmp/monmap --keyring "$DATA/keyring"
  touch "$DATA/mon/made"
}

make_osd() {
  local id
  rm -rf "$DATA/osd"
  mkdir -p "$DATA/osd"
  id=$(cat /proc/sys/kernel/random/uuid)
  ceph osd new "$id" 0 >/dev/null
  ceph-osd -i 0 --mkfs --osd-uuid "$id"
  ceph auth import -i "$DATA/keyring" >/dev/null 2>&1
  touch "$DATA/osd/made"
}

make_user() {
  local keys=(--uid=s2ps --access-key="$AWS_ACCESS_KEY_ID" --secret-key="$AWS_SECRET_ACCESS_KEY")
  radosgw-admin user info --uid=s2ps >/dev/null 2>&1 || {
    radosgw-admin user create --display-name=S2PS --max-buckets=0 "${keys[@]}" >/dev/null
    return
  }
  radosgw-admin key create --key-type=s3 "${keys[@]}" >/dev/null
}

# shellcheck disable=SC2317 # called by trap
finish() {
  local name
  trap - TERM INT EXIT
  for name in radosgw osd mon; do
    [[ -z ${PROCESSES[$name]:-} ]] || kill -TERM "${PROCESSES[$name]}" 2>/dev/null || true
    [[ -z ${PROCESSES[$name]:-} ]] || wait "${PROCESSES[$name]}" 2>/dev/null || true
  done
}

: "${AWS_ACCESS_KEY_ID:?set it: run make compose-env}" "${AWS_SECRET_ACCESS_KEY:?set it: run make compose-env}"
ulimit -c 0
trap 'exit 0' TERM INT
trap finish EXIT
[[ -e $DATA/mon/made ]] || make_mon
spawn mon ceph-mon -i a -f
wait_for 60 ceph --connect-timeout 5 mon stat
[[ -e $DATA/osd/made ]] || make_osd
spawn osd ceph-osd -i 0 -f
wait_for 90 timeout 10 ceph tell osd.0 version
make_user
spawn radosgw radosgw -n client.rgw.s3 -f
wait_for 120 curl --silent --fail --output /dev/null http://127.0.0.1:7480
echo "S3 is ready on port 7480"
wait -n || true
echo "a part of the store has ended" >&2
exit 1
