#!/usr/bin/env bash
# Two small trainings through the real server and SDK, checked against what is known.
#
#   examples/linear_regression/run.sh linear    four nodes, 1,000 samples of 100 features, mean
#                                               squared error, averaged after each local step
#                                               (synchronous SGD); checked against least squares
#   examples/linear_regression/run.sh softmax   softmax regression 100 -> 10, SGD 0.01, batch 100,
#                                               10 epochs; then predictions on 100 fresh samples
#
# FED_BUILD_DIR: a tree that is built already.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=${1:-linear}
case "$kind" in
  linear | softmax) ;;
  *) echo "run.sh: unknown training '$kind'; known are linear and softmax" >&2; exit 2 ;;
esac
example=linear_regression
. examples/local_server.sh
nodes=4

step "1. packages and build"
build_programs fedserver fedctl linear_regression

step "2. a server, and $nodes nodes"
start_server
"$fedctl" job create "examples/linear_regression/$kind.job.toml" --start ||
  fail "the job was refused; see above"
new_token "$run/node.token" client "$nodes"
program=$build/examples/linear_regression/linear_regression
"$program" nodes --kind "$kind" --server "$main" --enrollment "$enrollment" --nodes "$nodes" \
  --token-file "$run/node.token" --state-dir "$run/nodes" >"$run/nodes.log" 2>&1 &
clients_pid=$!

step "3. training"
"$fedctl" job watch "$kind" || fail "the server can't be asked any more; see $run/fedserver.log"
wait_for_clients "$run/nodes.log"

step "4. the merged model"
"$fedctl" model export "$kind" --out "$run/model.safetensors" || fail "no model; see above"
"$program" check --kind "$kind" --plan "examples/linear_regression/$kind.plan.toml" \
  --model "$run/model.safetensors" || fail "the model is not what it should be; see above"
stop_server
