#!/usr/bin/env bash
# ClickHouse 26.9.2.1 (as chdb 4.4.0) infers DateTime for a column of moments in a CSV and reads them in the zone of the
# process. A midnight that the zone's clocks skipped (Sao Paulo, 15 October 2017, when summer time began at midnight) then
# comes out as 23:00 of the day before, also when the file is only copied to CSV: a delivery date of the 15th is the 14th.
# Spark, in the same zone, gives 01:00 of the day itself.
# Guessed before: 01:00, or the text as it was. With session_timezone = 'UTC' every moment stays. Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check chdb==4.4.0
cd "$folder"
printf 'n,day\n1,2017-10-14 00:00:00\n2,2017-10-15 00:00:00\n3,2017-10-16 00:00:00\n' >days.csv
cat >through.py <<'PYTHON'
import sys

import chdb

settings = f" settings session_timezone = '{sys.argv[1]}'" if len(sys.argv) > 1 else ""
print(chdb.query(f"select * from file('days.csv', CSVWithNames) order by n{settings}", "CSV"), end="")
PYTHON
echo "== TZ=America/Sao_Paulo"
TZ=America/Sao_Paulo venv/bin/python through.py | tee moved
echo "== the same with session_timezone = 'UTC'"
TZ=America/Sao_Paulo venv/bin/python through.py UTC | tee kept
grep -q '^2,"2017-10-14 23:00:00"$' moved
grep -q '^1,"2017-10-14 00:00:00"$' moved
grep -q '^2,"2017-10-15 00:00:00"$' kept
