#!/usr/bin/env bash
# csvkit 2.2.0 writes a column whose only values are 1, 0 and blanks as True, False and blanks, although nothing but
# converting was asked for (`in2csv`, `csvsort`): a column of counts, such as instalments of a small extract, in which
# nobody paid in more than one, is no number any more. One 2 in it, and all of them stay numbers.
# Guessed before: that digits are numbers, as they are in the rows beside. With --no-inference they stay as they are.
# Fails where this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check csvkit==2.2.0
cd "$folder"
printf 'order,instalments\na,1\nb,\nc,0\n' >ones.csv
printf 'order,instalments\na,1\nb,\nc,2\n' >numbers.csv
echo '== 1, blank, 0'
venv/bin/in2csv ones.csv | tee ones.out
echo '== 1, blank, 2'
venv/bin/in2csv numbers.csv | tee numbers.out
echo '== 1, blank, 0 with --no-inference'
venv/bin/in2csv --no-inference ones.csv | tee plain.out
[ "$(cat ones.out)" = "$(printf 'order,instalments\na,True\nb,\nc,False')" ]
[ "$(cat numbers.out)" = "$(printf 'order,instalments\na,1\nb,\nc,2')" ]
[ "$(cat plain.out)" = "$(cat ones.csv)" ]
