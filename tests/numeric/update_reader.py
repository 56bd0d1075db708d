"""An independent reader and writer of encoded updates (common/codec/FORMAT.md).

    update_reader.py check FILE   the agreed update, else exit 1; prints its digest
    update_reader.py write FILE   writes the agreed update; prints its digest
"""
import hashlib
import struct
import sys

import numpy as np

TILE_VALUES = 8192
AGREED = {"job": "numeric-1", "assignment": 123456789012, "base": 7,
          "layout": hashlib.sha256(b"layout").digest(), "codec": "fp32",
          "groups": [("control", 8192), ("delta", 20000)],
          "scalars": [("examples", 600.0), ("loss before", -0.1), ("tiny", 5e-324)]}


def agreed_values(place, count):
    """Of a group: exact in both languages, though not in decimal."""
    return ((np.arange(count, dtype=np.float64) * 37 + place * 1009) % 65521 / 4096 - 8).astype("<f4")


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, count):
        assert self.at + count <= len(self.data), "cut off"
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, code):
        return struct.unpack("<" + code, self.raw(struct.calcsize("<" + code)))[0]

    def text(self):
        return self.raw(self.number("H")).decode("ascii")


def read(data):
    cursor = Cursor(data)
    assert cursor.raw(4) == b"fedu" and cursor.number("I") == 1
    length = cursor.number("I")
    header = {"job": cursor.text(), "assignment": cursor.number("q"), "base": cursor.number("q"),
              "layout": cursor.raw(32), "codec": cursor.text()}
    header["groups"] = [(cursor.text(), cursor.number("q")) for _ in range(cursor.number("H"))]
    header["scalars"] = [(cursor.text(), cursor.number("d")) for _ in range(cursor.number("H"))]
    assert cursor.at == length, f"header of {cursor.at} bytes says {length}"
    tiles = sum(-(-values // TILE_VALUES) for _, values in header["groups"])
    table = [(cursor.number("I"), cursor.raw(32)) for _ in range(tiles)]
    digest = hashlib.sha256(data[:cursor.at]).hexdigest()
    groups = []
    for _, values in header["groups"]:
        parts = []
        for first in range(0, values, TILE_VALUES):
            size, tile_digest = table.pop(0)
            tile = cursor.raw(size)
            assert hashlib.sha256(tile).digest() == tile_digest, f"tile at value {first}"
            part = np.frombuffer(tile, dtype="<f4")
            assert part.size == min(TILE_VALUES, values - first), "a tile of another size"
            parts.append(part)
        groups.append(np.concatenate(parts))
    assert cursor.at == len(data), "bytes after the last tile"
    return header, groups, digest


def write(header, groups):
    def text(value):
        return struct.pack("<H", len(value)) + value.encode("ascii")
    body = text(header["job"]) + struct.pack("<qq", header["assignment"], header["base"])
    body += header["layout"] + text(header["codec"])
    body += struct.pack("<H", len(header["groups"]))
    body += b"".join(text(name) + struct.pack("<q", values) for name, values in header["groups"])
    body += struct.pack("<H", len(header["scalars"]))
    body += b"".join(text(name) + struct.pack("<d", value) for name, value in header["scalars"])
    tiles = [values[first:first + TILE_VALUES].tobytes()
             for values in groups for first in range(0, len(values), TILE_VALUES)]
    named = b"fedu" + struct.pack("<II", 1, 12 + len(body)) + body
    named += b"".join(struct.pack("<I", len(tile)) + hashlib.sha256(tile).digest()
                      for tile in tiles)
    return named + b"".join(tiles), hashlib.sha256(named).hexdigest()


def check(path):
    with open(path, "rb") as file:
        header, groups, digest = read(file.read())
    assert header == AGREED, header
    for place, values in enumerate(groups):
        assert np.array_equal(values, agreed_values(place, len(values))), f"group {place}"
    print(digest)


def write_agreed(path):
    data, digest = write(AGREED, [agreed_values(place, count)
                                  for place, (_, count) in enumerate(AGREED["groups"])])
    with open(path, "wb") as file:
        file.write(data)
    print(digest)


if __name__ == "__main__":
    {"check": check, "write": write_agreed}[sys.argv[1]](sys.argv[2])
