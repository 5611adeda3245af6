#!/usr/bin/env bash
# Runs one test program with a JUnit report, out/unit-tests/PROGRAM.xml: cargo's `runner` of the rehearsed unit tests.
#
# The format is one that the programs have, but call unstable: the variable allows it for the program alone, so that nothing
# is compiled with it.
set -euo pipefail

program=$1
shift
reports=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/out/unit-tests
mkdir -p "$reports"
report=$reports/$(basename "$program").xml
code=0
RUSTC_BOOTSTRAP=1 "$program" "$@" -Z unstable-options --format junit >"$report" || code=$?
if [[ $code -ne 0 ]]; then
    cat "$report" >&2
fi
exit "$code"
