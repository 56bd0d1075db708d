"""An independent reader and writer of safetensors files: struct, json, hashlib and numpy only.

    safetensors_reader.py check FILE     the agreed tensors with the agreed values, else exit 1
    safetensors_reader.py write FILE     writes them
    safetensors_reader.py layout FILE    prints the flat layout's digest of all trainable tensors
    safetensors_reader.py rounding FILE  "f16" and "bf16" are "f32" as numpy rounds it, else exit 1
    safetensors_reader.py halves FILE    writes all F16 and BF16 values beside their F32 ones
    safetensors_reader.py digest FILE    prints the file's digest
"""
import hashlib
import json
import struct
import sys

import numpy as np

DTYPES = ["F32", "F16", "BF16", "F64", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"]
NUMPY = {"F32": "<f4", "F16": "<f2", "BF16": "<u2", "F64": "<f8", "I64": "<i8", "I32": "<i4",
         "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
         "BOOL": "u1"}
AGREED = [("conv.weight", "F32", [3, 2, 5]), ("conv.bias", "BF16", [3]), ("steps", "I64", []),
          ("half \u00e9\"\\", "F16", [7, 11]), ("mask", "BOOL", [4]), ("none", "F32", [0, 9]),
          ("double", "F64", [5]), ("small", "I8", [2, 2])]
METADATA = {"format": "fed", "quoted": "\"\n"}


def agreed_values(place, dtype, shape):
    """What both languages expect: exact in every dtype."""
    numbers = (np.arange(int(np.prod(shape, dtype=np.int64))) * 7 + place * 13) % 101
    if dtype in ("F32", "F16", "BF16", "F64"):
        return (numbers - 50.0) / 8.0
    return numbers % 2 if dtype == "BOOL" else numbers


def widen_bf16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def to_bytes(values, dtype):
    if dtype == "BF16":
        bits = values.astype(np.float32).view(np.uint32)
        return (bits >> 16).astype("<u2").tobytes()
    return values.astype(NUMPY[dtype]).tobytes()


def read(path):
    """Names -> (dtype, shape, bits as numpy has them), in data order; metadata."""
    with open(path, "rb") as file:
        contents = file.read()
    (length,) = struct.unpack("<Q", contents[:8])
    header = json.loads(contents[8:8 + length].decode("utf-8"))
    data = contents[8 + length:]
    metadata = header.pop("__metadata__", {})
    tensors, end = {}, 0
    for name, about in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        first, last = about["data_offsets"]
        assert first == end, f"{name} begins at {first}, expected {end}"
        values = np.frombuffer(data[first:last], dtype=NUMPY[about["dtype"]])
        assert values.size == int(np.prod(about["shape"], dtype=np.int64)), name
        tensors[name] = (about["dtype"], about["shape"], values)
        end = last
    assert end == len(data), f"{len(data) - end} bytes after the last tensor"
    return tensors, metadata


def write(path, tensors, metadata):
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (dtype, shape, blob) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(blob)]}
        data += blob
    text = json.dumps(header).encode("utf-8")
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def check(path):
    tensors, metadata = read(path)
    assert metadata == METADATA, metadata
    assert len(tensors) == len(AGREED), list(tensors)
    for place, (name, dtype, shape) in enumerate(AGREED):
        assert tensors[name][:2] == (dtype, shape), (name, tensors[name][:2])
        values = tensors[name][2]
        values = widen_bf16(values) if dtype == "BF16" else values
        expected = agreed_values(place, dtype, shape)
        assert np.array_equal(values, expected), f"{name}: {values} is not {expected}"


def write_agreed(path):
    write(path, {name: (dtype, shape, to_bytes(agreed_values(place, dtype, shape), dtype))
                 for place, (name, dtype, shape) in enumerate(AGREED)}, METADATA)


def layout(path):
    digest = hashlib.sha256()
    for name, (dtype, shape, _) in read(path)[0].items():
        if dtype in ("F32", "F16", "BF16"):
            text = name.encode("utf-8")
            digest.update(struct.pack("<H", len(text)) + text)
            digest.update(struct.pack("<BB", DTYPES.index(dtype), len(shape)))
            digest.update(struct.pack(f"<{len(shape)}q", *shape))
    print(digest.hexdigest())


def rounding(path):
    tensors = read(path)[0]
    wide = tensors["f32"][2]
    with np.errstate(over="ignore"):
        assert np.array_equal(wide.astype(np.float16), tensors["f16"][2])
    bits = wide.view(np.uint32).astype(np.uint64)
    half_even = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    assert np.array_equal(half_even.astype(np.uint16), tensors["bf16"][2])


def halves(path):
    bits = np.arange(1 << 16, dtype=np.uint32).astype("<u2")
    write(path, {"f16": ("F16", [1 << 16], bits.tobytes()),
                 "f16 wide": ("F32", [1 << 16],
                              bits.view(np.float16).astype("<f4").tobytes()),
                 "bf16": ("BF16", [1 << 16], bits.tobytes()),
                 "bf16 wide": ("F32", [1 << 16], widen_bf16(bits).astype("<f4").tobytes())}, {})


def digest(path):
    with open(path, "rb") as file:
        contents = file.read()
    whole = hashlib.sha256(b"fedfile1" + struct.pack("<q", len(contents)))
    for first in range(0, len(contents), 1 << 20):
        chunk = contents[first:first + (1 << 20)]
        blocks = [hashlib.sha256(chunk[at:at + 32768]).digest()
                  for at in range(0, len(chunk), 32768)]
        whole.update(hashlib.sha256(b"".join(blocks)).digest())
    print(whole.hexdigest())


if __name__ == "__main__":
    {"check": check, "write": write_agreed, "layout": layout, "rounding": rounding,
     "halves": halves, "digest": digest}[sys.argv[1]](sys.argv[2])
