#!/usr/bin/env bash
# bare_board_test.sh CMAKE BUILD_FOLDER: installs a cross build into a folder of its own and runs it in an emulated
# machine that holds glibc and nothing else, as a board does that has nothing of ours installed.
set -euo pipefail

cmake=$1
build=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

"$cmake" --install "$build" --prefix "$scratch/first" > "$scratch/install.log" || { cat "$scratch/install.log"; exit 1; }
mv "$scratch/first" "$scratch/copied" # a path of the installation that was written anywhere no longer works

board=$scratch/board
mkdir -p "$board/lib"
for library in ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1; do
  cp -L "/usr/aarch64-linux-gnu/lib/$library" "$board/lib/"
done
on_board() { env -i HOME="$scratch" PATH=/usr/bin:/bin qemu-aarch64 -L "$board" -cpu cortex-a76 "$@"; }

for program in "$scratch"/copied/bin/*; do
  listing=$(on_board "$board/lib/ld-linux-aarch64.so.1" --list "$program")
  # The emulator shows the board's /lib under that name; everything else has to come from the copied folder.
  if leaks=$(grep -F '=>' <<< "$listing" | grep -vE "=> ($scratch/copied/|/lib/|$board/lib/)"); then
    echo "$(basename "$program") takes libraries from outside its folder:"
    echo "$leaks"
    exit 1
  fi
  echo "$(basename "$program"): $(grep -c "$scratch/copied/" <<< "$listing") libraries of its own folder"
done

set -x
on_board "$scratch/copied/bin/bramble" models > /dev/null
on_board "$scratch/copied/bin/bench_models" --list > /dev/null
on_board "$scratch/copied/bin/bench_kernels" --benchmark_list_tests > /dev/null
