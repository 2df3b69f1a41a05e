#!/usr/bin/env bash
# Builds Kubernetes 1.20.2 from Debian's source package, which carries all its dependencies, into the cache.
#   build_kubernetes.sh            does nothing when the cache is complete; else about 10 minutes on two cores, 3 GB while it works
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

TARBALL_SHA256=b83c0780efb182d928dc63d46488a847f161f04e40a94b96bf5247dd671ecdfc
COMMIT=faecb196815e248d3ecfb03c680a4507229c2a56
LOGS=$CACHE/log # a build may run long before there is a cluster
PROGRAMS=(kube-apiserver kube-controller-manager kube-scheduler kubelet kubectl)
GO=/usr/lib/go/bin

complete() { # the stamp lists the checksums of everything a build makes, and is written last
  [ -s "$KUBERNETES/SHA256SUMS" ] && (cd "$KUBERNETES" && sha256sum --check --quiet SHA256SUMS >/dev/null 2>&1)
}

packages() {
  install_missing $GO/go=golang-go gcc=gcc make=make rsync=rsync python3=python3 /usr/lib/x86_64-linux-gnu/libc.a=libc6-dev
}

write_source_list() { # the machine's own Debian sources, as sources of source packages
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/debian*.sources; do
    [ -s "$file" ] || continue
    case "$file" in
      *.sources) sed -e 's/^Types:.*/Types: deb-src/' "$file" >"$WORK/apt/$(basename "$file")" ;;
      *) sed -n 's/^deb\(-src\)\? /deb-src /p' "$file" >"$WORK/apt/debian.list" ;;
    esac
  done
}

fetch() {
  local apt=(-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$WORK/apt" -o Dir::State::lists="$WORK/lists"
    -o APT::Sandbox::User=root)
  mkdir -p "$WORK/apt" "$WORK/lists/partial"
  write_source_list
  apt-get "${apt[@]}" -qq update >>"$LOGS/build.log" 2>&1
  (cd "$WORK" && apt-get "${apt[@]}" -qq source --download-only kubernetes >>"$LOGS/build.log" 2>&1)
  echo "$TARBALL_SHA256  $(ls "$WORK"/kubernetes_*.orig.tar.gz)" | sha256sum --check --quiet ||
    fail "the source package is not Kubernetes $KUBERNETES_VERSION as it was checked; see https://packages.debian.org/bookworm/kubernetes"
  tar -xzf "$WORK"/kubernetes_*.orig.tar.gz -C "$WORK"
}

compile() (
  cd "$WORK/kubernetes-$KUBERNETES_VERSION"
  mkdir -p .go/src/k8s.io "$WORK/home" "$WORK/tmp"
  ln -sfn ../../.. .go/src/k8s.io/kubernetes
  printf '%s\n' "KUBE_GIT_COMMIT='$COMMIT'" "KUBE_GIT_TREE_STATE='clean'" "KUBE_GIT_VERSION='v$KUBERNETES_VERSION'" \
    "KUBE_GIT_MAJOR='1'" "KUBE_GIT_MINOR='20'" >"$WORK/version.sh"
  nice -n 10 env -i PATH=$GO:/usr/bin:/bin:/usr/sbin:/sbin HOME="$WORK/home" GOPATH="$PWD/.go" GOCACHE="$WORK/cache" \
    GOTMPDIR="$WORK/tmp" CGO_ENABLED=0 GOPROXY=off KUBE_GIT_VERSION_FILE="$WORK/version.sh" \
    make GOLDFLAGS='-s -w' WHAT="${PROGRAMS[*]/#/cmd/}" >>"$LOGS/build.log" 2>&1
)

keep() { # pause is the program that holds the network of a pod
  local source=$WORK/kubernetes-$KUBERNETES_VERSION program
  rm -rf "$KUBERNETES"
  mkdir -p "$KUBERNETES"
  for program in "${PROGRAMS[@]}"; do cp "$source/_output/local/bin/linux/amd64/$program" "$KUBERNETES/"; done
  gcc -Os -static -s -DVERSION=1 -o "$KUBERNETES/pause" "$source/build/pause/linux/pause.c"
  python3 "$HERE/scratch_image.py" "$KUBERNETES/pause.tar" localhost/pause:1 /pause "$KUBERNETES/pause=/pause"
  (cd "$KUBERNETES" && sha256sum "${PROGRAMS[@]}" pause pause.tar >SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
}

remove_work() {
  chmod -R u+w "$WORK"
  rm -rf "$WORK"
}

mkdir -p "$LOGS" "$CACHE"
if complete; then exit 0; fi
require_root
exec 9>"$CACHE/build.lock"
flock 9 # two builds at once: the second waits, and finds the cache complete
if complete; then exit 0; fi
WORK=$(mktemp -d "$CACHE/build.XXXXXX")
trap 'say_where_it_failed; remove_work' EXIT
step "Debian packages that build Kubernetes" packages
step "source of Kubernetes $KUBERNETES_VERSION" fetch
step "Kubernetes $KUBERNETES_VERSION compiled" compile
step "kept in $KUBERNETES" keep
