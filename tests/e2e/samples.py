"""Small data, small models and the texts of jobs."""
import os
import struct

import numpy as np

SMALL_PLAN = """\
name = "small"
input = [8, 8]
loss = "softmax_cross_entropy"
[initializer]
name = "glorot"
[[layer]]
type = "flatten"
[[layer]]
type = "linear"
name = "fc1"
out = 16
[[layer]]
type = "relu"
[[layer]]
type = "linear"
name = "fc2"
out = 4
"""

# 1.1 million values: an update of 4.5 MB, so that an upload has a middle.
WIDE_PLAN = """\
name = "wide"
input = [8, 8]
loss = "softmax_cross_entropy"
[initializer]
name = "glorot"
[[layer]]
type = "flatten"
[[layer]]
type = "linear"
name = "fc1"
out = 1024
[[layer]]
type = "relu"
[[layer]]
type = "linear"
name = "fc2"
out = 1024
[[layer]]
type = "relu"
[[layer]]
type = "linear"
name = "fc3"
out = 4
"""


def write_idx(path, values):
    with open(path, "wb") as file:
        file.write(struct.pack(">BBBB", 0, 0, 8, values.ndim))
        file.write(struct.pack(f">{values.ndim}I", *values.shape))
        file.write(values.astype(np.uint8).tobytes())


def write_images(folder, train=200, test=80):
    """8x8 images of four classes: a bright quadrant on noise, labels in turn."""
    os.makedirs(folder)
    random = np.random.default_rng(1)
    for prefix, count in (("train", train), ("t10k", test)):
        labels = np.arange(count) % 4
        images = random.integers(0, 96, (count, 8, 8))
        for image, label in zip(images, labels):
            row, column = 4 * (label // 2), 4 * (label % 2)
            image[row:row + 4, column:column + 4] += 128
        write_idx(os.path.join(folder, f"{prefix}-images-idx3-ubyte"), images)
        write_idx(os.path.join(folder, f"{prefix}-labels-idx1-ubyte"), labels)


def job_text(job, **sections):
    """job.toml: keys of a section as a dictionary, on top of what every job here has."""
    text = {
        "model": {"plan": "small.toml", "seed": 7},
        "strategy": {"name": "fedavg"},
        "training": {"epochs": 1, "batch_size": 10, "learning_rate": 0.2},
        "rounds": {"count": 3, "cohort": 4, "selection_timeout": "10m", "seed": 7},
        "evaluation": {"every": 0},
    }
    for name, keys in sections.items():
        text[name] = {**text.get(name, {}), **keys}
    lines = [f'id = "{job}"']
    for name, keys in text.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {toml_value(value)}" for key, value in keys.items()]
    return "\n".join(lines) + "\n"


def toml_value(value):
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
