#!/bin/sh
# Rebuilds assets/opa-compiler-<version>.wasm.zst from the pinned Go module. Needs Go 1.26.8 (about
# 90 CPU-seconds) and our own Node. The result is reproducible: same sources, same digest; see
# `test/deep/opa-compiler.ts` for the check. Only whoever changes the OPA version runs this.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

cd "$here"
GOTOOLCHAIN=go1.26.8 GOOS=wasip1 GOARCH=wasm GOFLAGS=-mod=readonly CGO_ENABLED=0 \
  go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$out/opa-compiler.wasm" .
version=$(go list -m -f '{{.Version}}' github.com/open-policy-agent/opa | sed 's/^v//')
"$here/../../node_modules/.bin/node" "$here/pack.ts" "$out/opa-compiler.wasm" \
  "${1:-$here/../../assets/opa-compiler-$version.wasm.zst}"
