"""What a term of X u takes in AVX-512 IFMA lanes: instructions counted, and time measured.

    python bench/instruction_floor.py BUILD/libprecipice_core.a

The hot loops of `KernelsOf<K>::sums` are read from what objdump prints of the static library (any
build folder of CMake has it; the installed module is stripped). A loop is walked from its head
along the branches that are not taken, which is how the compiler lays out the likely path: a term
of eight sums a round. The least cycles of a round are then, at rates measured on a Zen 4 core with
512-bit registers,

    the greatest of  multiplications (1 a cycle), shifts (1 a cycle), vector arithmetic (2 a cycle)

which leaves out waiting, moves and spills; and the times are those of X u at (300, 3072), in cycles
of the clock that is measured beside them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from precipice import _core
from precipice.bench.floors import Yardstick, multiplications
from precipice.bench.stages import time_stages
from precipice.bench.workload import Shape, Workload
from precipice.precision import Precision

BITS = (64, 128, 256, 512, 1024)
LANES = 8

FUNCTION = re.compile(r"^[0-9a-f]+ <.*avx512ifma::KernelsOf<(\d+)>::sums\(.*>:$")
INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)(?:\s+(.*))?$")
TARGET = re.compile(r"^([0-9a-f]+)\b")
SHIFT = re.compile(r"vps[lr][lra]")
MOVE = re.compile(r"vmov|vpbroadcast")


@dataclass(frozen=True)
class Instruction:
    address: int
    name: str
    operands: str

    @property
    def kind(self) -> str:
        if self.name.startswith("vpmadd52"):
            return "multiplications"
        if "%zmm" in self.operands:
            if MOVE.match(self.name):
                return "moves"
            return "shifts" if SHIFT.match(self.name) else "arithmetic"
        return "masks" if re.search(r"%k\d", self.operands) else "scalar"

    @property
    def target(self) -> int | None:
        """Where a jump within the function goes."""
        match = TARGET.match(self.operands) if self.name.startswith("j") else None
        return int(match[1], 16) if match else None


def functions(objdump: str, library: str) -> Iterator[tuple[int, list[Instruction]]]:
    """Yield K and the instructions of each KernelsOf<K>::sums."""
    command = (objdump, "-dC", "--no-show-raw-insn", library)
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    limbs, code = 0, []
    for line in [*printed.splitlines(), ""]:
        instruction = INSTRUCTION.match(line) if limbs else None
        if instruction:
            code.append(Instruction(int(instruction[1], 16), instruction[2], instruction[3] or ""))
        elif limbs and not line:
            yield limbs, code
            limbs, code = 0, []
        elif function := FUNCTION.match(line):
            limbs = int(function[1])


def rounds(code: list[Instruction]) -> Iterator[Counter[str]]:
    """Yield what a round of each loop takes on its likely path."""
    at = {instruction.address: i for i, instruction in enumerate(code)}
    heads = {i.target for i in code if i.target is not None and i.target <= i.address}
    for head in heads & at.keys():
        counts: Counter[str] = Counter()
        i = at[head]
        for _ in code:
            counts[code[i].kind] += 1
            target = code[i].target
            if target == head:
                yield counts
                break
            if code[i].name == "jmp":
                if target not in at:
                    break
                i = at[target]
            elif code[i].name == "ret" or i + 1 == len(code):
                break
            else:
                i += 1


def loop_of(code: list[Instruction], products: int, limbs: int, data: str) -> Counter[str]:
    """Return the loop with so many multiplications for a product.

    K more bring it onto the grid of its sum. Among the loops that fit, those that also settle
    carries are the longer ones; data of 53 bits takes an addition a limb more than data of 52.
    """
    total = products + limbs
    fitting = sorted(
        (counts for counts in rounds(code) if counts["multiplications"] == total),
        key=Counter.total,
    )
    if len(fitting) != (4 if data == "float64" else 2):
        sys.exit(f"{len(fitting)} loops with {total} multiplications: not the code known here")
    return fitting[1 if data == "float64" else 0]


def least_cycles(counts: Counter[str]) -> float:
    vector = counts["multiplications"] + counts["shifts"] + counts["arithmetic"]
    return max(counts["multiplications"], counts["shifts"], vector / 2)


def measured_cycles(bits: int, data: str, yardstick: Yardstick) -> float:
    """Cycles of a term of eight sums."""
    work = Workload.draw(Shape(300, 3072), Precision.parse(f"mpfr{bits}"), data)
    times = {each.stage: each.seconds for each in time_stages(work, [], None)}
    return LANES * float(sorted(times["X u"])[len(times["X u"]) // 2]) * yardstick.hertz


def main(library: str) -> None:
    objdump = shutil.which("objdump")
    if objdump is None:
        sys.exit("objdump is not installed: nothing is counted")
    if _core.build_info()["cpu_path"] != "avx512ifma":
        sys.exit("this CPU has no AVX-512 IFMA: nothing is measured")
    code = dict(functions(objdump, library))
    yardstick = Yardstick()
    print(f"clock {yardstick.hertz * 1e-9:.2f} GHz; per term of eight sums")
    kinds = ("multiplications", "shifts", "arithmetic", "moves", "masks", "scalar")
    print("bits  K  data    " + "  ".join(kinds) + "   all  least cycles  measured  share")
    for data in ("float64", "full"):
        for bits in BITS:
            limbs = _core.limb_layout(bits).limbs
            products = multiplications(limbs, LANES, short=data == "float64")
            counts = loop_of(code[limbs], products, limbs, data)
            least, measured = least_cycles(counts), measured_cycles(bits, data, yardstick)
            columns = "  ".join(f"{counts[kind]:{len(kind)}}" for kind in kinds)
            print(
                f"{bits:4} {limbs:2}  {data:7} {columns} {counts.total():5}"
                f"  {least:12.1f}  {measured:8.1f}  {100 * least / measured:3.0f} %"
            )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
