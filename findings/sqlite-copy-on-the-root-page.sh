#!/usr/bin/env bash
# SQLite keeps a second copy of the first rows of a table on its root page.
#
# A table begins as one page. When that is full, SQLite copies it to a new page and makes the old one the
# root, whose free part keeps the rows. An UPDATE that keeps a row's size overwrites the row where it lies,
# and not that copy. Whoever stores keys in order to destroy them by overwriting has to divide the root
# before the first key is written: two blank rows that do not fit one page will do.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet apsw==3.54.1.0
cat > look.py <<'PYTHON'
import apsw

def copies(blank_rows):
    """How often each secret lies in the file once all rows were overwritten in place."""
    file = f"db{blank_rows}"
    db = apsw.Connection(file)
    db.execute("CREATE TABLE secret (number INTEGER PRIMARY KEY, bytes BLOB)")
    for number in range(blank_rows):
        db.execute("INSERT INTO secret VALUES (?, zeroblob(3000))", (number,))
    secrets = [b"SECRET%d." % number for number in range(4)]
    for number, secret in enumerate(secrets, blank_rows):
        bytes = (secret * 400)[:3000]
        db.execute("INSERT INTO secret VALUES (?, ?)", (number, bytes))
    db.execute("UPDATE secret SET bytes = zeroblob(length(bytes))")
    db.close()
    left = open(file, "rb").read()
    return [left.count(secret) for secret in secrets]

print("SQLite", apsw.sqlite_lib_version())
plain, divided = copies(0), copies(2)
print("left after all rows were overwritten:", plain)
print("the same where two blank rows came first:", divided)
assert plain[0] > 0 and plain[1:] == [0, 0, 0], "the copy on the root page is gone"
assert divided == [0, 0, 0, 0], "something else keeps copies"
PYTHON
python/bin/python look.py
