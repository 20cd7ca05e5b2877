#!/usr/bin/env bash
# What an open console costs: standalone takes samples in an open loop, with a console open and without one, in turn, so
# that a busy machine is busy for both.
#
#   loadtest/console-cost.sh [ROUNDS] [REQUESTS_PER_SECOND_OF_1000_SAMPLES] [SECONDS]
#
# Prints, of one core, what the process used in each run, and how much of it was reading the metrics and making snapshots,
# which the process counts itself. Fails when that is 1 % or more while a console is open.
set -euo pipefail

rounds=${1:-3} rate=${2:-100} seconds=${3:-15}
sluice=${CONSOLE_COST_SLUICE:-target/dist/sluice}
loadtest=${CONSOLE_COST_LOADTEST:-target/dist/loadtest}
folder=$(mktemp -d "${CONSOLE_COST_DIR:-$PWD/target}/console-cost.XXXXXX")
port=${CONSOLE_COST_PORT:-18490}
admin="127.0.0.1:$((port + 1))"
children=()
cleanup() {
    for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
    rm -rf "$folder"
}
trap cleanup EXIT

SLUICE_DATA_DIR=$folder/data SLUICE_HTTP__LISTEN=127.0.0.1:$port SLUICE_ADMIN__LISTEN=$admin \
    SLUICE_STATSD__LISTEN=127.0.0.1:$((port + 2)) SLUICE_LOG__LEVEL=error "$sluice" standalone &
pid=$!
children+=("$pid")
until curl --silent --fail --output /dev/null "http://$admin/readyz"; do
    kill -0 "$pid" || exit 1
    sleep 0.1
done

metric() { curl --silent "http://$admin/metrics" | awk -v name="$1" '$1 == name { print $2 }'; }

# Ticks of a hundredth of a second that the process has used, user and system. Its name has no spaces.
ticks() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }

measure() {
    local what=$1 console="" ticks_before microseconds_before readings_before
    if [ "$what" = open ]; then
        curl --silent --no-buffer --output "$folder/stream" "http://$admin/api/v1/live" &
        console=$!
        children+=("$console")
    fi
    "$loadtest" run --target "127.0.0.1:$port" --pid "$pid" --protocol remote-write-2 --batch 1000 --names 50 \
        --rate "$rate" --duration "$((seconds + 6))" --warm-up 0 >"$folder/load" &
    local load=$!
    children+=("$load")
    sleep 3
    ticks_before=$(ticks) microseconds_before=$(metric sluice_console_reading_microseconds_total)
    readings_before=$(metric sluice_console_readings_total)
    local samples_before
    samples_before=$(curl --silent "http://$admin/metrics" | awk '/^sluice_gateway_samples_accepted_total/ { sum += $2 } END { print sum + 0 }')
    sleep "$seconds"
    awk -v what="$what" -v seconds="$seconds" -v out="$folder/$what" \
        -v ticks="$(($(ticks) - ticks_before))" \
        -v microseconds="$(($(metric sluice_console_reading_microseconds_total) - microseconds_before))" \
        -v readings="$(($(metric sluice_console_readings_total) - readings_before))" \
        -v samples="$(($(curl --silent "http://$admin/metrics" | awk '/^sluice_gateway_samples_accepted_total/ { sum += $2 } END { print sum + 0 }') - samples_before))" \
        'BEGIN {
            printf "console %-6s  %7.0f samples/s  process %6.2f %%  of that the console %.3f %% (%d readings of %.0f us)\n",
                what, samples / seconds, ticks / seconds, microseconds / seconds / 10000, readings,
                readings ? microseconds / readings : 0
            print microseconds / seconds / 10000, ticks / seconds >> out
        }'
    wait "$load"
    [ -z "$console" ] || kill "$console"
}

for _ in $(seq "$rounds"); do
    measure open
    measure closed
done
awk 'FNR == 1 { file++ }
     { own[file] += $1; all[file] += $2; runs[file]++ }
     END {
         printf "mean: open %.3f %% of a core, closed %.3f %%; the whole process %.2f %% and %.2f %%\n",
             own[1] / runs[1], own[2] / runs[2], all[1] / runs[1], all[2] / runs[2]
         exit own[1] / runs[1] >= 1
     }' "$folder/open" "$folder/closed"
