#!/usr/bin/env bash
# A client in Python reads only the first of several constants.
#
# In JSON Schema an enum is often written as a `oneOf` of constants, since each can then have a description of its
# own; schemars, for one, writes all enums of Rust like that. openapi-python-client makes a client of it without a
# warning, whose `from_dict` raises ValueError for every value but the first, so that valid answers do not read.
# Written as `enum` the same values read. Both documents are valid OpenAPI 3.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet openapi-python-client==0.29.1
python/bin/openapi-python-client --version

look() { # look NAME SCHEMA: makes a client of an API that answers with a stage, and reads two of them
  cat > "$1.json" <<JSON
{
  "openapi": "3.1.0",
  "info": { "title": "Stages", "version": "1" },
  "paths": { "/row": { "get": { "operationId": "row", "responses": { "200": {
    "description": "A row.", "content": { "application/json": { "schema": { "\$ref": "#/components/schemas/Row" } } }
  } } } } },
  "components": { "schemas": {
    "Row": { "type": "object", "required": ["stage"], "properties": { "stage": { "\$ref": "#/components/schemas/Stage" } } },
    "Stage": $2
  } }
}
JSON
  python/bin/openapi-python-client generate --path "$1.json" --output-path "$1" --meta none > "$1.log" 2>&1
  python/bin/python - "$1" <<'PYTHON'
import importlib
import sys

row = importlib.import_module(f"{sys.argv[1]}.models").Row
for stage in ("shown", "seen"):
    try:
        row.from_dict({"stage": stage})
        print(sys.argv[1], stage, "reads")
    except ValueError as error:
        print(sys.argv[1], stage, "does not read:", error)
PYTHON
}

look constants '{ "oneOf": [{ "const": "shown", "type": "string" }, { "const": "seen", "type": "string" }] }' | tee seen
look words '{ "type": "string", "enum": ["shown", "seen"] }' | tee -a seen
grep -q "^constants shown reads" seen
grep -q "^constants seen does not read" seen
[ "$(grep -c "^words .* reads$" seen)" = 2 ]
