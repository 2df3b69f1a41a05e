#!/usr/bin/env bash
# Brings docker archives to both nodes, under their name and under name@digest, so that pods need no registry.
#   load_images.sh ARCHIVE...            the digests are those of images.json beside the archive, else those containerd finds
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

in_node() { # in_node NODE ARGUMENTS...: ctr in the mount namespace of the node
  local node=$1
  shift
  nsenter --target "$(process_of "$node-machine")" --mount -- \
    ctr --address "$STATE/$node/containerd.sock" --namespace k8s.io "$@"
}

names_of() { # the tags in a docker archive
  tar -xOf "$1" manifest.json | python3 -c 'import json, sys; print(*(name for image in json.load(sys.stdin) for name in image["RepoTags"]))'
}

wanted_reference() { # wanted_reference ARCHIVE NAME: the reference images.json promises
  local list
  list=$(dirname "$1")/images.json
  [ -s "$list" ] || return 0
  python3 - "$list" "${2%:*}" <<'PYTHON'
import json, sys
entries = json.load(open(sys.argv[1])).values()
print(*{entry["reference"] for entry in entries if entry["reference"].split("@")[0] == sys.argv[2]})
PYTHON
}

tag() { # tag NODE ARCHIVE NAME
  local node=$1 digest reference
  digest=$(in_node "$node" images ls "name==$3" | awk 'NR == 2 {print $3}')
  [ -n "$digest" ] || fail "$2 holds no image $3"
  for reference in "${3%:*}@$digest" $(wanted_reference "$2" "$3"); do
    in_node "$node" images tag --force "$3" "$reference" >/dev/null
    if [ "$node" = node1 ]; then echo "        $reference"; fi
  done
}

load() { # load NODE ARCHIVE
  local name
  in_node "$1" images import "$2" >>"$LOGS/images.log"
  for name in $(names_of "$2"); do tag "$1" "$2" "$name"; done
}

[ $# -gt 0 ] || fail "expected the archives of images, such as var/images/*.tar"
alive node1-machine || fail "Kubernetes does not run; make test-cluster-up starts it"
for archive in "$@"; do
  [ -s "$archive" ] || fail "$archive: expected a docker archive; make images writes them"
  for node in "${NODES[@]}"; do step "$(basename "$archive") on $node" load "$node" "$archive"; done
done
