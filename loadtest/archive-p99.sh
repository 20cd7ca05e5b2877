#!/usr/bin/env bash
# What the archive does to the latency of an acknowledgement: the same open loop against a standalone
# with its archive and one without, in turn, so that a busy machine is busy for both.
#
#   loadtest/archive-p99.sh [ROUNDS] [REQUESTS_PER_SECOND] [SECONDS]
#
# Prints the 99th percentile of each run in milliseconds, and the medians.
set -euo pipefail

rounds=${1:-5} rate=${2:-150} seconds=${3:-15}
sluice=${ARCHIVE_P99_SLUICE:-target/dist/sluice}
loadtest=${ARCHIVE_P99_LOADTEST:-target/dist/loadtest}
folder=$(mktemp -d "${ARCHIVE_P99_DIR:-$PWD/target}/archive-p99.XXXXXX")
trap 'rm -rf "$folder"' EXIT
port=${ARCHIVE_P99_PORT:-18480}

# Without a file the defaults apply, and the archive is one of them; a file that names no store has none.
echo "{}" >"$folder/with.yaml"
echo "stores: {}" >"$folder/without.yaml"

measure() {
    local data="$folder/data-$1" admin="127.0.0.1:$((port + 1))"
    SLUICE_DATA_DIR=$data SLUICE_HTTP__LISTEN=127.0.0.1:$port SLUICE_ADMIN__LISTEN=$admin \
        SLUICE_STATSD__LISTEN=127.0.0.1:$((port + 2)) SLUICE_LOG__LEVEL=error \
        "$sluice" standalone --config "$folder/$1.yaml" &
    local pid=$!
    until curl --silent --fail --output /dev/null "http://$admin/readyz"; do
        kill -0 $pid || exit 1
        sleep 0.1
    done
    # The column of the 99th percentile is found by its name.
    "$loadtest" run --target "127.0.0.1:$port" --pid $pid --rate "$rate" --duration "$seconds" --warm-up 5 |
        awk -F '|' '/p99/ { for (i = 1; i <= NF; i++) if ($i ~ /p99/) column = i }
                    column && !/p99|---/ && NF >= column { gsub(/ /, "", $column); print $column }' |
        tee -a "$folder/$1.p99" | sed "s/^/$1 the archive: /"
    kill $pid
    wait $pid
    rm -rf "$data"
}

median() { sort -n "$1" | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] }'; }

for _ in $(seq "$rounds"); do
    measure with
    measure without
done
echo "median with: $(median "$folder/with.p99") ms, without: $(median "$folder/without.p99") ms"
