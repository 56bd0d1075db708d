"""The steps of a two-layer perceptron in numpy, in double, compared with what was trained.

    mlp_reference.py FILE    a safetensors file with initial.*, trained.*, features, targets and
                             batch_sizes; hyper-parameters in its metadata. Exit 1 if any
                             parameter is further than 1e-5 away.
"""
import json
import struct
import sys

import numpy as np

TOLERANCE = 1e-5


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__")
    tensors = {name: np.frombuffer(data[slice(*entry["data_offsets"])], "<f4")
                       .reshape(entry["shape"]).astype(np.float64)
               for name, entry in header.items()}
    return metadata, tensors


# Each activation with its slope, by its output.
ACTIVATIONS = {
    "relu": (lambda x: np.maximum(x, 0), lambda y: (y > 0).astype(np.float64)),
    "tanh": (np.tanh, lambda y: 1 - y * y),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda y: y * (1 - y)),
}


def loss_and_slope(kind, outputs, targets):
    if kind == "mse":
        error = outputs - targets
        return np.mean(error ** 2), 2 * error / error.size
    rows, labels = np.arange(len(outputs)), targets[:, 0].astype(int)
    p = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    slope = p.copy()
    slope[rows, labels] -= 1
    return -np.mean(np.log(p[rows, labels])), slope / len(outputs)


def gradients(w, x, targets, activation, loss_kind):
    act, slope = ACTIVATIONS[activation]
    hidden = act(x @ w["a.weight"].T + w["a.bias"])
    loss, d_out = loss_and_slope(loss_kind, hidden @ w["b.weight"].T + w["b.bias"], targets)
    d_hidden = (d_out @ w["b.weight"]) * slope(hidden)
    return loss, {"a.weight": d_hidden.T @ x, "a.bias": d_hidden.sum(axis=0),
                  "b.weight": d_out.T @ hidden, "b.bias": d_out.sum(axis=0)}


def main():
    settings, tensors = read(sys.argv[1])
    rate, momentum, decay = (float(settings[k])
                             for k in ("learning_rate", "momentum", "weight_decay"))
    w = {n[len("initial."):]: t.copy() for n, t in tensors.items() if n.startswith("initial.")}
    velocity = {name: np.zeros_like(t) for name, t in w.items()}
    at, losses = 0, 0.0
    for size in tensors["batch_sizes"].astype(int):
        rows = slice(at, at + size)
        loss, g = gradients(w, tensors["features"][rows], tensors["targets"][rows],
                            settings["activation"], settings["loss"])
        for name in w:
            velocity[name] = momentum * velocity[name] + g[name] + decay * w[name]
            w[name] -= rate * velocity[name]
        losses += loss * size
        at += size
    if at != len(tensors["features"]):
        sys.exit("batch sizes do not add up to the examples")
    moved = max(np.abs(w[n] - tensors["initial." + n]).max() for n in w)
    worst = max(np.abs(w[n] - tensors["trained." + n]).max() for n in w)
    loss_error = abs(losses / at - float(settings["mean_loss"]))
    print(f"moved by {moved:.3g}, worst error {worst:.3g}, error of the loss {loss_error:.3g}")
    if worst > TOLERANCE or loss_error > TOLERANCE or moved < 0.05:
        sys.exit(1)


main()
