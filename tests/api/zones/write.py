"""Writes known.json beside this file: what clocks show in some zones, by the newest tz database.

The time zones of figures are the runtime's. This is what they are checked against, by mod.rs.
The database comes as a package of Python's, which names the IANA release that it is made of:

    python3 -m pip install --target target/tzdata tzdata==2026.6
    python3 tests/api/zones/write.py target/tzdata > tests/api/zones/known.json
"""

import json
import pathlib
import sys
import zoneinfo
from datetime import datetime, timedelta, timezone

# The years that are written down.
FROM, TO = datetime(2025, 1, 1, tzinfo=timezone.utc), datetime(2030, 1, 1, tzinfo=timezone.utc)

# Each zone, and the first IANA release with these rules where one of 2026 changed them. At least one
# zone a release, and no zone whose rules two of them changed: `tz` in `GET /healthz` is found by these.
ZONES = {
    "Europe/Chisinau": "2026a",
    "America/Vancouver": "2026b",
    "Africa/Casablanca": "2026c",
    "America/Edmonton": "2026c",
    "America/Inuvik": "2026d",
    "America/Winnipeg": "2026e",
    "America/Havana": "2026f",
    # Whole, half and three quarter hours, on both halves of the Earth, with and without summer time.
    "UTC": None,
    "America/New_York": None,
    "America/St_Johns": None,
    "Asia/Kathmandu": None,
    "Asia/Tokyo": None,
    "Australia/Lord_Howe": None,
    "Europe/Berlin": None,
    "Pacific/Chatham": None,
}


def offsets(zone):
    """From when on how many minutes a zone's clocks are ahead of UTC."""
    found, time = [], FROM
    while time < TO:
        minutes, rest = divmod(time.astimezone(zone).utcoffset(), timedelta(minutes=1))
        assert not rest, f"{zone} is off the minute"
        if not found or found[-1][1] != minutes:
            found.append([time.strftime("%Y-%m-%dT%H:%M:%SZ"), minutes])
        time += timedelta(minutes=15)
    return found


folder = pathlib.Path(sys.argv[1]).resolve()
zoneinfo.reset_tzpath([str(folder / "tzdata" / "zoneinfo")])
release = (folder / "tzdata" / "zoneinfo" / "tzdata.zi").open().readline().split()[-1]
lines = [
    f"    {json.dumps(name)}: {{\"since\": {json.dumps(since)}, \"offsets\": {json.dumps(offsets(zoneinfo.ZoneInfo(name)))}}}"
    for name, since in ZONES.items()
]
print(f"{{\n  \"release\": {json.dumps(release)},\n  \"zones\": {{\n" + ",\n".join(lines) + "\n  }\n}")
