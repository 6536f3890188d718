#!/usr/bin/env bash
# old_cpu_test.sh COMMAND...: the command, on a CPU that lacks the build's instructions, has to say so and stop.
set -euo pipefail

status=0
output=$("$@" 2>&1) || status=$?
# The emulator warns of features that it does not emulate itself.
output=$(grep -v '^qemu-.*: warning:' <<< "$output") || true
echo "$output"
[[ $status == 1 ]] || { echo "exit status $status instead of 1"; exit 1; }
[[ $(wc -l <<< "$output") == 1 ]] || { echo "more than one line"; exit 1; }
[[ $output == "bramble: error: this build ("*") needs "*"; this CPU lacks "*"; build for it with tools/quickstart" ]]
