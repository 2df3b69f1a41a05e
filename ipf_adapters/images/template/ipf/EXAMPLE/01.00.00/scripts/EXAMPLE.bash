#!/usr/bin/env bash
# A processor that works: it notes, in its output NOTE, how large each of its inputs is. Put yours in its place.
set -euo pipefail
job_order=$1

element() { # element ENTRY TYPE FIELD: the text of a field of the first Input or Output of a type
  python3 - "$job_order" "$@" <<'PYTHON'
import sys
from xml.etree import ElementTree

order, entry, kind, field = sys.argv[1:]
print(next(item.findtext(field) for item in ElementTree.parse(order).iter(entry) if item.findtext("File_Type") == kind))
PYTHON
}

input=$(element Input DATA List_of_File_Names/File_Name)
output=$(element Output NOTE File_Name)
bytes=$(find -L "$input" -type f -printf '%s\n' | awk '{total += $1} END {print total + 0}')
echo "[I] EXAMPLE: $input holds $bytes bytes"
printf '{"bytes": %s}\n' "$bytes" >"$output/note.json"
