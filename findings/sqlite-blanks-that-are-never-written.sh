#!/usr/bin/env bash
# Writing over SQLite's free pages within one transaction may write nothing.
#
# To remove what lies on free pages, one fills them with zeros in a table and empties that. With a rollback
# journal SQLite leaves out pages that are free again when the transaction ends, so the file keeps what was
# there. With a write-ahead log it writes them; but the last page of each row's
# overflow, which the row does not fill, keeps what lay in its rest.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet apsw==3.54.1.0
cat > look.py <<'PYTHON'
import apsw

def left(mode, bytes):
    """How often a word that was deleted lies in the file before and after the free pages were filled."""
    file = f"{mode}{bytes}"
    db = apsw.Connection(file)
    list(db.execute(f"PRAGMA journal_mode = {mode}"))
    db.execute("CREATE TABLE note (text TEXT)")
    for _ in range(300):
        db.execute("INSERT INTO note VALUES (?)", ("SECRET " * 200,))
    db.execute("DELETE FROM note")
    db.execute("PRAGMA wal_checkpoint")
    before = open(file, "rb").read().count(b"SECRET")
    db.execute("BEGIN")
    db.execute("CREATE TABLE blank (bytes BLOB)")
    while next(db.execute("PRAGMA freelist_count"))[0] > 0:
        db.execute("INSERT INTO blank VALUES (zeroblob(?))", (bytes,))
    db.execute("DELETE FROM blank")
    db.execute("COMMIT")
    db.close()
    return before, open(file, "rb").read().count(b"SECRET")

print("SQLite", apsw.sqlite_lib_version())
journal, log = left("delete", 61380), left("wal", 61380)
print("rollback journal: %d before, %d after" % journal)
print("write-ahead log:  %d before, %d after" % log)
assert journal[1] > journal[0] * 0.9, "the pages are written now"
assert 0 < log[1] < log[0] * 0.1, "the log writes them differently now"
PYTHON
python/bin/python look.py
