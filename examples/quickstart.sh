#!/usr/bin/env bash
# Federated training for real, on this machine: a fedserver over mutual TLS, and 100 simulated
# devices that hold two of Fashion-MNIST's ten labels each.
#
#   examples/quickstart.sh [--seed N] [--rounds N]
#
# Installs what is missing, builds, trains, and leaves the state in build/quickstart/ so that it can
# be served and looked at again. FED_BUILD_DIR: a tree that is built already.
set -euo pipefail
cd "$(dirname "$0")/.."

seed=1
rounds=200
wanted_accuracy=0.80
clients=100
central_epochs=10
data=/usr/share/datasets/fashion-mnist
while [ $# -gt 0 ]; do
  case "$1" in
    --seed) seed=$2; shift 2 ;;
    --rounds) rounds=$2; wanted_accuracy=0; shift 2 ;;
    *) echo "quickstart: unknown option '$1'; known are --seed N and --rounds N" >&2; exit 2 ;;
  esac
done
example=quickstart
. examples/local_server.sh

step "1. packages and build"
build_programs fedserver fedctl sim_clients

step "2. a certificate authority and a server"
start_server

step "3. the job, and $clients devices, each with a certificate of its own"
sed "s/@SEED@/$seed/; s/@ROUNDS@/$rounds/" examples/quickstart/job.toml >"$run/job.toml"
cp examples/quickstart/mlp.toml "$run/mlp.toml"
"$fedctl" job create "$run/job.toml" --start || fail "the job was refused; see above"
new_token "$run/client.token" client "$clients"
new_token "$run/evaluator.token" evaluator 1
"$build/examples/sim_clients/sim_clients" \
  --server "$main" --enrollment "$enrollment" --job fashion --data "$data" \
  --token-file "$run/client.token" --evaluator-token-file "$run/evaluator.token" \
  --state-dir "$run/devices" --clients "$clients" --partition shards --labels-per-client 2 \
  --seed "$seed" --rows 5 >"$run/sim_clients.log" 2>&1 &
clients_pid=$!

# Beside it, for comparison: the same model on the pooled data.
nice -n 10 "$fedctl" train --local "$run/mlp.toml" --data "$data" --epochs "$central_epochs" \
  --seed "$seed" --set learning_rate=0.05 batch_size=10 --out "$run/central.safetensors" \
  >"$run/central.log" 2>&1 &
other_pid=$!

step "4. training: a row a round"
"$fedctl" job watch fashion ||
  fail "the server can't be asked any more; see $run/fedserver.log"
wait_for_clients "$run/sim_clients.log"
head -n 8 "$run/sim_clients.log"

step "5. the same model, trained centrally on the pooled data ($central_epochs epochs)"
wait "$other_pid" || fail "central training failed: $(tail -n 1 "$run/central.log")"
other_pid=''
cat "$run/central.log"

step "6. the result"
"$fedctl" model export fashion --out "$run/model.safetensors" || fail "no model; see above"
accuracy=$("$fedctl" --json job show fashion | sed -n 's/.*"accuracy":\([0-9.e+-]*\).*/\1/p')
central=$(tail -n 1 "$run/central.log" | awk '{print $4}')
"$fedctl" predict --model "$run/model.safetensors" --plan "$run/mlp.toml" --data "$data" \
  --count 10 --draw || fail "prediction failed; see above"
echo "test accuracy on 10,000 images: federated ${accuracy:-unknown}, central $central"
echo "model: $PWD/$run/model.safetensors"
stop_server

cat <<TEXT

Serve this state again, and look into it:
  $fedserver --config $run/fedserver.toml --main $main --enrollment $enrollment --admin $admin &
  export FEDCTL_SERVER=$admin FEDCTL_CERTS=$run/ca
  $fedctl job show fashion
  $fedctl round list fashion
  $fedctl client list
  $fedctl model list fashion
  $fedctl predict --job fashion --data $data
TEXT
awk -v got="${accuracy:-0}" -v want="$wanted_accuracy" 'BEGIN { exit !(got >= want) }' ||
  fail "test accuracy ${accuracy:-unknown} is below $wanted_accuracy; see $run/fedserver.log"
