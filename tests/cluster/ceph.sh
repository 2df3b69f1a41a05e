#!/usr/bin/env bash
# A Ceph of one node: one mon, mgr, osd and mds, two ceph-fuse mounts, and radosgw on the address of the machine.
#   ceph.sh up | down | status | restart-mds
# S2PS_TEST_MDS_TICK: seconds between the ticks of the MDS; empty: Ceph's own (5).  S2PS_TEST_OSD_GB: size of the OSD.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

DATA=$STATE/ceph
export CEPH_CONF=$DATA/ceph.conf
S3_ACCESS=S2PSTESTCLUSTER
PROCESSES=(mon mgr osd mds cephfs cephfs-2 radosgw)

packages() {
  install_missing ceph-mon=ceph-mon ceph-mgr=ceph-mgr ceph-osd=ceph-osd ceph-mds=ceph-mds radosgw=radosgw \
    ceph-fuse=ceph-fuse ceph=ceph-common ip=iproute2 openssl=openssl curl=curl
}

write_configuration() {
  mkdir -p "$DATA"/{mon,mgr,osd,mds} "$STATE/run" "$LOGS"
  cat >"$CEPH_CONF" <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon_host = v2:127.0.0.1:$CEPH_PORT
mon_initial_members = a
public_addr = 127.0.0.1
public_network = 127.0.0.0/8
ms_bind_ipv6 = false
ms_bind_msgr1 = false
ms_bind_port_min = $((CEPH_PORT + 10))
ms_bind_port_max = $((CEPH_PORT + 99))
auth_allow_insecure_global_id_reclaim = false
keyring = $DATA/keyring
run_dir = $DATA
admin_socket = $DATA/\$name.asok
log_file = $LOGS/ceph-\$name.log
crash_dir = $DATA/crash
pid_file =
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_max_pg_per_osd = 1000
paxos_propose_interval = 0.05
mds_beacon_grace = 8
[client]
log_file = $LOGS/ceph-\$name.\$pid.log
admin_socket =
client_oc_size = 134217728
[mon]
mon_data = $DATA/mon
mon_cluster_log_file = $LOGS/ceph-cluster.log
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_data_avail_warn = 2
mon_data_avail_crit = 1
[mgr]
mgr_data = $DATA/mgr
mgr_initial_modules =
[osd]
osd_data = $DATA/osd
osd_objectstore = bluestore
bluestore_block_size = $((${S2PS_TEST_OSD_GB:-24} << 30))
bluestore_block_db_create = false
bluestore_block_wal_create = false
osd_memory_target = 1073741824
osd_class_update_on_start = false
[mds]
mds_data = $DATA/mds
mds_cache_memory_limit = 268435456
mds_beacon_interval = 1
mds_reconnect_timeout = 10
${S2PS_TEST_MDS_TICK:+mds_tick_interval = $S2PS_TEST_MDS_TICK}
CONF
}

add_key() { # add_key NAME CAPS...
  local name=$1
  shift
  ceph-authtool "$DATA/keyring" --gen-key -n "$name" "$@" >/dev/null
}

write_keys() {
  ceph-authtool --create-keyring "$DATA/keyring" >/dev/null
  add_key client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mds 'allow *' --cap mgr 'allow *'
  add_key mon. --cap mon 'allow *'
  add_key mgr.x --cap mon 'allow profile mgr' --cap osd 'allow *' --cap mds 'allow *'
  add_key osd.0 --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *'
  add_key mds.a --cap mon 'allow profile mds' --cap osd 'allow rwx' --cap mds allow --cap mgr 'allow profile mds'
  add_key client.rgw.s2 --cap mon 'allow rw' --cap osd 'allow rwx' --cap mgr 'allow rw'
}

make_mon() {
  local fsid
  fsid=$(sed -n 's/^fsid = //p' "$CEPH_CONF")
  monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$CEPH_PORT]" "$DATA/monmap" >/dev/null
  ceph-mon --mkfs -i a --monmap "$DATA/monmap" --keyring "$DATA/keyring" >>"$LOGS/ceph-make.log" 2>&1
}

make_osd() {
  local id
  id=$(cat /proc/sys/kernel/random/uuid)
  ceph osd new "$id" >/dev/null
  ceph-osd -i 0 --mkfs --osd-uuid "$id" >>"$LOGS/ceph-make.log" 2>&1
  ceph auth import -i "$DATA/keyring" >/dev/null 2>&1
}

make_file_system() {
  {
    ceph osd pool create cephfs.meta 8
    ceph osd pool create cephfs.data 16
    ceph fs new s2ps cephfs.meta cephfs.data
    ceph fs set s2ps session_timeout 30
    ceph fs set s2ps session_autoclose 60
  } >>"$LOGS/ceph-make.log" 2>&1
}

start_mon() {
  spawn mon ceph-mon -i a -f
  wait_for 60 ceph --connect-timeout 5 mon stat
  spawn mgr ceph-mgr -i x -f
}

osd_up() { timeout 10 ceph tell osd.0 version >/dev/null && ceph osd stat | grep -q '1 up'; }
mds_active() { ceph mds stat | grep -q up:active; }

start_osd() {
  [ -e "$DATA/osd/ready" ] || make_osd
  spawn osd ceph-osd -i 0 -f
  wait_for 90 osd_up
}

start_mds() {
  ceph fs ls --format json | grep -q '"s2ps"' || make_file_system
  spawn mds ceph-mds -i a -f
  wait_for 90 mds_active
}

mount_at() { # mount_at NAME FOLDER
  if ! alive "$1"; then unmount "$2"; fi
  mkdir -p "$2"
  spawn "$1" ceph-fuse -n client.admin -f "$2"
  wait_for 60 mountpoint -q "$2"
}

unmount() {
  if grep -q " $1 fuse.ceph-fuse " /proc/mounts; then umount "$1" 2>/dev/null || umount --lazy "$1"; fi
}

start_radosgw() { # start_radosgw ADDRESS
  spawn radosgw radosgw -n client.rgw.s2 -f --rgw_frontends="beast endpoint=$1:$S3_PORT" --rgw_thread_pool_size=64 \
    --rgw_enable_apis="s3, admin, sts, notifications"
  wait_for 120 curl --silent --fail --output /dev/null "http://$1:$S3_PORT"
}

make_s3_user() {
  local secret
  [ ! -e "$DATA/s3.env" ] || return 0
  secret=$(openssl rand -hex 20)
  radosgw-admin user create --uid=s2ps --display-name=S2PS --access-key="$S3_ACCESS" --secret-key="$secret" \
    --max-buckets=0 >>"$LOGS/ceph-make.log" 2>&1
  (umask 077 && printf 'export AWS_ACCESS_KEY_ID=%s\nexport AWS_SECRET_ACCESS_KEY=%s\n' "$S3_ACCESS" "$secret" >"$DATA/s3.env.new")
  mv "$DATA/s3.env.new" "$DATA/s3.env"
}

create() {
  rm -rf "$DATA"
  write_configuration
  write_keys
  make_mon
  touch "$DATA/created"
}

up() {
  local address
  require_root
  require_safe_state
  require_own
  step "Debian packages of Ceph" packages
  address=$(node_address)
  ulimit -c 0
  if [ ! -e "$DATA/created" ]; then step "new Ceph in $DATA" create; fi
  step "mon answers" start_mon
  step "osd is up" start_osd
  step "mds is active" start_mds
  step "CephFS is mounted on $CEPHFS" mount_at cephfs "$CEPHFS"
  step "CephFS is mounted on $CEPHFS_2 (a second client)" mount_at cephfs-2 "$CEPHFS_2"
  step "radosgw answers on http://$address:$S3_PORT" start_radosgw "$address"
  step "S3 user" make_s3_user
}

down() {
  local name
  require_safe_state
  require_own
  stop radosgw 5
  unmount "$CEPHFS"
  unmount "$CEPHFS_2"
  for name in cephfs cephfs-2; do stop "$name" 10; done
  for name in mds mgr osd mon; do stop "$name" 10; done
}

restart_mds() { # the MDS is killed, and is started again after some seconds
  local id
  if id=$(process_of mds); then kill -KILL "$id"; fi
  wait_for 10 gone mds
  sleep "${1:-0}"
  start_mds
}

case "${1:-}" in
  up) up ;;
  down) down ;;
  status) describe "${PROCESSES[@]}" ;;
  restart-mds) restart_mds "${2:-0}" ;;
  *) sed -n '2,4s/^# *//p' "$0" && exit 2 ;;
esac
