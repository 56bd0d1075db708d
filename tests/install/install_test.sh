#!/usr/bin/env bash
# Installs a built tree to a temporary prefix and uses what lies there as an application would.
#
#   tests/install/install_test.sh SOURCE_DIR BUILD_DIR COMPILER
set -euo pipefail
source_dir=$1 build=$2 compiler=$3
here=$source_dir/tests/install

work=$(mktemp -d)
pids=()
clean_up() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT
step() { printf '== %s\n' "$*"; }
fail() { printf 'install_test: %s\n' "$*" >&2; exit 1; }

# until_true WHAT COMMAND...: asks again until the command succeeds.
until_true() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "a minute has passed without: $what"
    sleep 0.05
  done
}

prefix=$work/prefix
step "install"
cmake --install "$build" --prefix "$prefix" >"$work/install.log" || fail "$(tail -n 5 "$work/install.log")"
library=$(find "$prefix" -name libfed_client_sdk.so)
libdir=$(dirname "$library")
for path in bin/fedserver bin/fedctl include/fed/client.h include/fed/status.h; do
  [ -e "$prefix/$path" ] || fail "$path was not installed"
done
[ -e "$libdir/libfed_client_sdk.a" ] || fail "libfed_client_sdk.a was not installed"
if grep -q FED_FAILPOINTS "$prefix/bin/fedserver"; then fail "fedserver was installed with failpoints"; fi

step "the shared library shows fed:: only"
shown=$(nm -DC --defined-only "$library" | cut -c20-)
outside=$(grep -vE '^((vtable|typeinfo|typeinfo name) for )?fed::' <<<"$shown" || true)
[ -z "$outside" ] || fail "it shows $(head -n 3 <<<"$outside")"
inside=$(grep -E '^(.* for )?fed::(client|wire|v1|server)::' <<<"$shown" || true)
[ -z "$inside" ] || fail "it shows what is private: $(head -n 3 <<<"$inside")"

step "public headers stand alone"
for header in "$prefix"/include/fed/*.h; do
  "$compiler" -std=c++20 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ \
    -I "$prefix/include" -include "$header" /dev/null || fail "$header does not compile alone"
  foreign=$(grep -hE '^ *# *include' "$header" | grep -vE '^#include (<[a-z_]+>|"fed/[a-z_]+\.h")$' || true)
  [ -z "$foreign" ] || fail "$header has $foreign"
done

step "every promise is exported; fed.pc"
export PKG_CONFIG_PATH=$libdir/pkgconfig
# shellcheck disable=SC2046  # words are wanted
"$compiler" -std=c++20 -o "$work/promises" "$here/promises.cc" $(pkg-config --cflags --libs fed)
LD_LIBRARY_PATH=$libdir "$work/promises" || fail "a promise is not kept by the shared library"

for kind in shared static; do
  step "edge_app, $kind"
  cmake -S "$source_dir/examples/edge_app" -B "$work/$kind" -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_CXX_COMPILER="$compiler" -DEDGE_APP_STATIC="$([ $kind = static ] && echo ON || echo OFF)" \
    >"$work/$kind.log" 2>&1 || fail "$(tail -n 5 "$work/$kind.log")"
  cmake --build "$work/$kind" >"$work/$kind.log" 2>&1 || fail "$(tail -n 20 "$work/$kind.log")"
done
needed=$(readelf -d "$work/static/edge_app" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p')
foreign=$(grep -vE '^(libc|libm|ld-linux.*)\.so' <<<"$needed" || true)
[ -z "$foreign" ] || fail "the static edge_app needs $foreign"

step "a server"
fedctl=$prefix/bin/fedctl
"$fedctl" ca init --dir "$work/ca" >/dev/null
printf '[listen]\nmain = "127.0.0.1:0"\nenrollment = "127.0.0.1:0"\nadmin = "127.0.0.1:0"\n' \
  >"$work/fedserver.toml"
"$prefix/bin/fedserver" --config "$work/fedserver.toml" --ready-file "$work/addresses" \
  2>"$work/fedserver.log" &
server=$!
pids+=("$server")
serves() { kill -0 "$server" || fail "$(tail -n 1 "$work/fedserver.log")"; [ -s "$work/addresses" ]; }
until_true "the server serves" serves
{ read -r main; read -r enrollment; read -r admin; } <"$work/addresses"
export FEDCTL_SERVER=$admin FEDCTL_CERTS=$work/ca

# make_job ID POOL_MIN: a classifier of points above and below a line.
make_job() {
  sed "s/@ID@/$1/; s/@POOL_MIN@/$2/" "$here/job.toml" >"$work/$1.toml"
  cp "$here/plan.toml" "$work/"
  "$fedctl" job create "$work/$1.toml" --start >/dev/null || fail "job $1 was refused"
}
# admit JOB: leaves in `flags` what edge_app needs to take part in it as a device of its own.
admit() {
  (umask 077 && "$fedctl" enroll-token --role client --uses 1 --ttl 10m >"$work/$1.token")
  flags=(--server "$main" --enrollment "$enrollment" --token-file "$work/$1.token" --job "$1"
    --state-dir "$work/$1.state" --data "$here/points.csv")
}

for kind in shared static; do
  step "edge_app, $kind, takes part"
  make_job "$kind" 1
  admit "$kind"
  timeout 120 "$work/$kind/edge_app" "${flags[@]}" >"$work/$kind.out" 2>"$work/$kind.err" ||
    fail "edge_app ($kind): $(tail -n 3 "$work/$kind.err"); fedserver: $(tail -n 1 "$work/fedserver.log")"
  grep -q '^round 2: ' "$work/$kind.out" || fail "no progress of round 2: $(tail -n 3 "$work/$kind.out")"
  "$fedctl" --json job show "$kind" >"$work/job.json"
  grep -q '"latest_version":"\?2"\?' "$work/job.json" || fail "no version 2: $(cat "$work/job.json")"
done

step "size and memory of the static one, waiting"
strip -o "$work/edge_app" "$work/static/edge_app"
make_job idle 2
admit idle
"$work/edge_app" "${flags[@]}" >/dev/null 2>&1 &
device=$!
pids+=("$device")
waits() { "$fedctl" --json job show idle | grep -q '"devices_waiting":"\?1"\?'; }
until_true "the device waits" waits
echo "stripped: $(stat -c %s "$work/edge_app") bytes; $(grep VmRSS "/proc/$device/status" | tr -s '\t ' ' ')"
kill -TERM "$device"
wait "$device" || fail "edge_app did not end well on SIGTERM"

kill -TERM "$server"
wait "$server" || fail "fedserver did not end well: $(tail -n 1 "$work/fedserver.log")"
step "good"
