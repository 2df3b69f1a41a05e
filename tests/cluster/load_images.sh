#!/usr/bin/env bash
# Brings docker archives to both nodes, under their name and under name@digest, so that pods need no registry.
#   load_images.sh ARCHIVE...            an images.json beside the archive must promise the digest that is found
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

promised() { # promised ARCHIVE NAME: the reference in images.json, if the archive is listed there
  local list
  list=$(dirname "$1")/images.json
  [ -s "$list" ] || return 0
  python3 - "$list" "${2%:*}" <<'PYTHON'
import json, sys
references = (entry["reference"] for entry in json.load(open(sys.argv[1])).values())
print(*(reference for reference in references if reference.split("@")[0] == sys.argv[2]))
PYTHON
}

tag() { # tag NODE ARCHIVE NAME
  local node=$1 digest reference wanted
  digest=$(in_node "$node" images ls "name==$3" | awk 'NR == 2 {print $3}')
  [ -n "$digest" ] || fail "$2 holds no image $3"
  reference=${3%:*}@$digest
  wanted=$(promised "$2" "$3")
  if [ -n "$wanted" ] && [ "$wanted" != "$reference" ]; then
    fail "$2 is $reference, but images.json beside it promises $wanted; build the image again: make images"
  fi
  in_node "$node" images tag --force "$3" "$reference" >/dev/null
  if [ "$node" = node1 ]; then echo "         $reference"; fi
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
  archive=$(realpath "$archive") # the mount namespace of a node begins in /
  for node in "${NODES[@]}"; do step "$(basename "$archive") on $node" load "$node" "$archive"; done
done
