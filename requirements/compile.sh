#!/usr/bin/env bash
# Lock every requirement, with hashes and without naming an index. usage: compile.sh UV [--upgrade]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
uv="$1"
shift

lock() { # OUT IN [ARGS...]
  local out="$1"
  shift
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
    --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file "$out" "$@"
}

lock runtime.txt ../pyproject.toml "$@"
lock build.txt build.in -c runtime.txt "$@"
lock demo.txt demo.in -c runtime.txt "$@"
lock dev.txt dev.in -c runtime.txt -c build.txt -c demo.txt "$@"
lock lock.txt lock.in "$@"
