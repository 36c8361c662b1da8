#!/bin/sh
# Compiles source/*.c to shipping.wasm. On Debian and Ubuntu:
#   apt install clang lld wasi-libc libclang-rt-14-dev-wasm32     (14: the number that `clang --version` says)
# Elsewhere, with the SDK of WASI:  CC="$WASI_SDK/bin/clang" sh build.sh
set -eu
cd "$(dirname "$0")"
# shellcheck disable=SC2086 # CC may carry options
${CC:-clang} --target=wasm32-wasi -std=c17 -Wall -Wextra -Os -flto -Wl,--strip-all -Wl,-z,stack-size=16384 \
  -o shipping.wasm source/*.c
