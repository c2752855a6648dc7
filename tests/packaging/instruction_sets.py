"""Reads a static library: wide instructions stay in the units compiled for them, and nothing of
such a unit can be linked in the place of baseline code.

    python instruction_sets.py LIBRARY OBJDUMP NM avx2=native_avx2.cpp.o avx2+fma=fused.cpp.o ...

Only a unit of an instruction set "+fma" may hold fused multiply-adds, and nothing else is in it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

MEMBER = re.compile(r"^(?:.*\()?([\w.+-]+\.o)\)?:(?:\s+file format .*)?$")
INSTRUCTION = re.compile(r"^\s+[0-9a-f]+:\s+(\S.*)$")

# VEX and EVEX (all of them begin with v), and what came with AVX2 for integers.
BEYOND_BASELINE = re.compile(
    r"v(?!err\b|erw\b)|(?:mulx|rorx|sarx|sh[lr]x|andn|bzhi|pdep|pext|ad[co]x)\b"
)
BEYOND_AVX2 = re.compile(r".*(?:%zmm|%k[0-7]|%[xy]mm(?:1[6-9]|2\d|3[01]))")
# The contract on bits: no product is added unrounded, unless the order of a sum says so.
CONTRACTED = re.compile(r"vfn?m(?:add|sub)")

# Of several definitions of a weak symbol the linker takes any; only a name from an instruction
# set's own namespace cannot also be baseline code's.
WEAK = re.compile(r"[0-9a-f]*\s+[wWvVu]\s")
OF_AN_ISA = re.compile(r"\s_Z\w*\d(?:avx2|avx512[a-z]*)[A-Z0-9]")


def by_member(*command: str) -> Iterator[tuple[str, str]]:
    """Each line a tool prints of a library, with the object that it is about."""
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    member = ""
    for line in printed.splitlines():
        header = MEMBER.match(line)
        if header:
            member = header.group(1)
        elif line:
            yield member, line


def forbidden(instruction: str, isa: str | None) -> bool:
    """Whether a unit of an instruction set, or of none beyond the baseline, may not hold it."""
    base, _, fused = (isa or "").partition("+")
    if CONTRACTED.match(instruction) and not fused:
        return True
    if isa is None:
        return bool(BEYOND_BASELINE.match(instruction))
    return base == "avx2" and bool(BEYOND_AVX2.match(instruction))


def faults(library: str, objdump: str, nm: str, *units: str) -> list[str]:
    """Every complaint about a library, one line each."""
    isas = {member: isa for isa, member in (unit.split("=") for unit in units)}
    found, wide = [], dict.fromkeys(isas, 0)
    for member, line in by_member(objdump, "-d", "--no-show-raw-insn", library):
        instruction = INSTRUCTION.match(line)
        if instruction is None:
            continue
        if member in wide:
            wide[member] += bool(BEYOND_BASELINE.match(instruction.group(1)))
        if forbidden(instruction.group(1), isas.get(member)):
            found.append(f"{member}: {instruction.group(1)}")
    for member, line in by_member(nm, "--defined-only", library):
        if member in isas and WEAK.match(line) and not OF_AN_ISA.search(line):
            found.append(f"{member}: weak symbol {line.split()[-1]}")
    if not all(wide.values()) or not wide:
        found.append(f"{library}: wide instructions read in its units: {wide}")
    return found


if __name__ == "__main__":
    complaints = faults(*sys.argv[1:])
    print("\n".join(complaints[:20]))
    sys.exit(bool(complaints))
