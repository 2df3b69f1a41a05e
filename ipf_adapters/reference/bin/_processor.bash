#!/usr/bin/env bash
# Runs the reference processor this script is named after: NAME.bash JobOrder.xml
set -u
name="${0##*/}"
name="${name%.bash}"
script="$(readlink -f "${BASH_SOURCE[0]}")"
root="${script%/ipf_adapters/reference/bin/*}"
if [[ -d "$root/src/s2ps" ]]; then
    export PYTHONPATH="$root/src:$root${PYTHONPATH:+:$PYTHONPATH}"
fi
for threads in OMP_NUM_THREADS OPENBLAS_NUM_THREADS; do
    [[ -n "${!threads:-}" ]] || export "$threads=1"
done
exec "${S2PS_PYTHON:-python3}" -m ipf_adapters.reference "$name" "$@"
