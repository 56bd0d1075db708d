#!/bin/sh
# What a container does: serve (the default), prepare a demonstration, or any other command.
#
#   serve     makes a certificate authority at first start, then runs fedserver
#   prepare   makes and starts the job of the folder $FED_JOB and writes a token for each role to
#             $FED_TOKENS; runs beside the server (its network, its state); again: changes nothing
#   healthy   exits 0 if an operator is answered
#
# FED_SERVER_NAMES: DNS names and addresses under which devices reach the server.
set -eu

state=/var/lib/fedserver
export FEDCTL_CERTS="$state/ca"

# Made aside and moved, so that a container killed meanwhile leaves no half of it.
make_authority() {
  [ -d "$state/ca" ] && return
  rm -rf "$state/ca.new"
  # shellcheck disable=SC2086  # a list of names
  fedctl ca init --dir "$state/ca.new" --name ${FED_SERVER_NAMES:-localhost 127.0.0.1}
  mv "$state/ca.new" "$state/ca"
}

prepare() {
  umask 077
  [ -s "$FED_TOKENS/evaluator.token" ] && return
  job=$(mktemp -d)
  cp "$FED_JOB"/*.toml "$job"
  sed -i "s/@SEED@/${FED_SEED:-1}/; s/@ROUNDS@/${FED_ROUNDS:-200}/" "$job/job.toml"
  id=$(sed -n 's/^id *= *"\(.*\)".*/\1/p' "$job/job.toml")
  fedctl job show "$id" >/dev/null 2>&1 || fedctl job create "$job/job.toml" --start
  fedctl enroll-token --role client --uses "${FED_CLIENTS:-100}" --ttl 24h >"$FED_TOKENS/client.token"
  # Last and moved: where it is, the preparation has been done.
  fedctl enroll-token --role evaluator --uses 1 --ttl 24h >"$FED_TOKENS/evaluator.new"
  mv "$FED_TOKENS/evaluator.new" "$FED_TOKENS/evaluator.token"
}

case "${1:-serve}" in
  serve)
    make_authority
    exec fedserver --config /etc/fedserver/fedserver.toml
    ;;
  prepare) prepare ;;
  healthy) exec fedctl --json job list >/dev/null ;;
  *) exec "$@" ;;
esac
