#!/usr/bin/env bash
# Installs what the tests need, builds a preset and runs every test of it.
#
#   tests/run.sh [preset] [-- arguments for ctest]
#
# preset: release (default), debug, asan, tsan, arm64
# asan runs the unit and integration tests; tsan those that link no gRPC (its locks are not
# instrumented, so it would report races that are none); arm64 the unit tests of what needs no
# transport, under an emulator.
set -euo pipefail
cd "$(dirname "$0")/.."

preset=release
if [ $# -gt 0 ] && [ "$1" != -- ]; then
  preset=$1
  shift
fi
if [ "${1:-}" = -- ]; then shift; fi

dependencies=(--test)
if [ "$preset" = arm64 ]; then dependencies+=(--arm64); fi
docker/install-deps.sh "${dependencies[@]}"
cmake --preset "$preset" -DFED_WERROR=ON -DFED_BUILD_TESTS=ON >"${TMPDIR:-/tmp}/fed-configure.$$" ||
  { cat "${TMPDIR:-/tmp}/fed-configure.$$" >&2; exit 1; }
rm -f "${TMPDIR:-/tmp}/fed-configure.$$"
cmake --build --preset "$preset"

select=()
case "$preset" in
  asan) select=(-L "unit|integration") ;;
  tsan) select=(-L unit -LE grpc) ;;
  arm64) select=(-L unit) ;;
esac
ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$(nproc)" "${select[@]}" "$@"
