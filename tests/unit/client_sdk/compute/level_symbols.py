"""Fails if an object file of one CPU level defines a function that another level's could stand in
for: every name it shares with the linker must hold its level's namespace.

usage: level_symbols.py nm level=object... """
import re
import subprocess
import sys


def shared_names(nm, path):
    """Demangled names that the linker sees, those of the compiler's own bookkeeping left out."""
    text = subprocess.run([nm, "-C", "--defined-only", "--extern-only", path], check=True,
                          capture_output=True, text=True).stdout
    for line in text.splitlines():
        name = line.split(maxsplit=2)[2]
        if not re.match(r"DW\.ref\.|__odr_asan|__asan|__gcov|__clang", name):
            yield name


def main():
    nm, *objects = sys.argv[1:]
    if not objects:
        sys.exit("no object files were given")
    strays = []
    for item in objects:
        level, path = item.split("=", 1)
        names = list(shared_names(nm, path))
        if f"fed::client::{level}::Kernels()" not in names:
            sys.exit(f"{path}: has no kernels of level {level}")
        own = (f"Eigen_{level}::", f"fed::client::{level}::")
        strays += [f"{path}: {name}" for name in names if not any(o in name for o in own)]
    if strays:
        sys.exit("not in a level's own namespace:\n" + "\n".join(strays))


main()
