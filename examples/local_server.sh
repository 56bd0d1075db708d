# Sourced by the examples: builds the programs, starts a fedserver of their own on loopback, and ends
# everything they started, whatever happens.
#
# Sets: build, run (a fresh folder), main, enrollment, admin (addresses), FEDCTL_SERVER, FEDCTL_CERTS.

example=${example:-example}
server_pid='' clients_pid='' other_pid='' failed=''

step() { printf '\n== %s\n' "$*"; }

# Says in one line what failed and what to do.
fail() {
  failed=yes
  printf '%s: %s\n' "$example" "$*" >&2
  exit 1
}

clean_up() {
  local status=$? pid
  trap - EXIT INT TERM
  for pid in $other_pid $clients_pid $server_pid; do kill "$pid" 2>/dev/null || true; done
  for pid in $other_pid $clients_pid $server_pid; do wait "$pid" 2>/dev/null || true; done
  if [ "$status" -ne 0 ] && [ -z "$failed" ]; then
    echo "$example: stopped (status $status); the logs are in ${run:-build}" >&2
  fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# build_programs TARGET...: a release tree, or the one that FED_BUILD_DIR names.
build_programs() {
  docker/install-deps.sh || fail "packages are missing; run docker/install-deps.sh as root"
  build=${FED_BUILD_DIR:-build/release}
  if [ -n "${FED_BUILD_DIR:-}" ]; then return; fi
  mkdir -p build
  if [ ! -f "$build/build.ninja" ]; then
    cmake --preset release -DFED_BUILD_TESTS=OFF >build/configure.log 2>&1 || fail "cmake failed; see build/configure.log"
  fi
  cmake --build "$build" --target "$@" || fail "the build failed; see above"
}

# start_server: a CA and a server in a fresh folder $run, on ports that the kernel picks.
start_server() {
  mkdir -p "build/$example"
  run=$(mktemp -d "build/$example/run-XXXXXX")
  fedserver=$build/server/app/fedserver
  fedctl=$build/server/cli/fedctl
  "$fedctl" ca init --dir "$run/ca" >"$run/ca.log" || fail "fedctl ca init failed; see $run/ca.log"
  cat >"$run/fedserver.toml" <<'TOML'
[listen]
main = "127.0.0.1:0"
enrollment = "127.0.0.1:0"
admin = "127.0.0.1:0"

[storage]
durability = "normal"

[log]
level = "warn"
TOML
  "$fedserver" --config "$run/fedserver.toml" --ready-file "$run/addresses" \
    2>"$run/fedserver.log" &
  server_pid=$!
  until [ -s "$run/addresses" ]; do
    kill -0 "$server_pid" 2>/dev/null ||
      fail "fedserver did not start: $(tail -n 1 "$run/fedserver.log")"
    sleep 0.05
  done
  { read -r main; read -r enrollment; read -r admin; } <"$run/addresses"
  export FEDCTL_SERVER=$admin FEDCTL_CERTS=$run/ca
  echo "devices: $main   enrollment: $enrollment   operators: $admin   (TLS 1.3, both sides)"
}

# new_token FILE ROLE USES: one that makes names into ids, so that equal seeds give equal models
new_token() {
  (umask 077 && "$fedctl" enroll-token --role "$2" --uses "$3" --ttl 1h \
    --ids-from-names >"$1") ||
    fail "no enrollment token; see above"
}

# stop_server: as an operator would, with SIGTERM.
stop_server() {
  kill -TERM "$server_pid"
  wait "$server_pid" || fail "fedserver did not end well: $(tail -n 1 "$run/fedserver.log")"
  server_pid=''
}

# wait_for_clients LOG
wait_for_clients() {
  wait "$clients_pid" || fail "clients failed: $(tail -n 1 "$1")"
  clients_pid=''
}
