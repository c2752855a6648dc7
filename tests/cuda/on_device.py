"""Everything that wants a GPU, in one command: bits, a sanitizer, times.

    python tests/cuda/on_device.py [--out on_device.json] [--skip-timings] [--skip-sanitizer]
    python tests/cuda/on_device.py --write-goldens      # on any machine, by the processor

1. Every case of device_cases.py is carried out on the GPU; the SHA-256 of its records must be the
   committed one (goldens.json), which the tests keep to be the processor's.
2. compute-sanitizer, if it is on PATH: memcheck and racecheck of the small cases.
3. Times of ensembles and single runs beside one core, with the share of the roofline.

Exit status: 0 all as it should be, 1 something differs, 2 no GPU that can be used. About eight
minutes.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

try:
    import precipice as pc
    from cuda.device_cases import CASES, SMALL, carry_out, goldens, write_goldens
    from precipice import devices
except ImportError as error:
    sys.exit(f"{error}: install the checkout first (pip install .), with nvcc on PATH")

BUILD = "build it where nvcc is: pip install . -C cmake.define.PRECIPICE_CUDA=ON"
SANITIZER_CASES, SECONDS = 6, 240


def compare(cases: tuple[Any, ...], device: str) -> list[dict[str, Any]]:
    """Carry cases out and say which records are not the goldens'."""
    known, rows = goldens(), []
    for case in cases:
        began = time.perf_counter()
        found = carry_out(case, device)
        same = found == known[case.name]
        rows.append({
            "case": case.name, "same": same, "found": found, "golden": known[case.name],
            "seconds": time.perf_counter() - began,
        })  # fmt: skip
        print(f"{'same' if same else 'DIFFERS':8s} {case.name}", flush=True)
    return rows


def sanitize() -> list[dict[str, Any]]:
    """Run some small cases under compute-sanitizer, if there is one."""
    tool = shutil.which("compute-sanitizer")
    if tool is None:
        print("compute-sanitizer is not on PATH: no memcheck, no racecheck")
        return []
    rows = []
    for check in ("memcheck", "racecheck"):
        command = [tool, "--tool", check, "--error-exitcode", "9", sys.executable, __file__,
                   "--only-small"]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
            status, tail = done.returncode, done.stdout.strip().splitlines()[-3:]
        except subprocess.TimeoutExpired:
            status, tail = -1, [f"has not ended after {SECONDS} s"]
        rows.append({"tool": check, "status": status, "says": tail})
        print(f"{check}: status {status}  {tail[-1] if tail else ''}")
    return rows


def spread(cases: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    return cases[:: max(1, len(cases) // number)]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("on_device.json"))
    parser.add_argument("--write-goldens", action="store_true")
    parser.add_argument("--skip-timings", action="store_true")
    parser.add_argument("--skip-sanitizer", action="store_true")
    parser.add_argument("--only-small", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> int:
    given = options()
    if given.write_goldens:
        write_goldens()
        return 0
    try:
        device = devices.find("cuda")
    except pc.InvalidArgument as error:
        print(f"{error}\n{BUILD}" if "built without CUDA" in str(error) else error)
        return 2
    if given.only_small:
        return int(not all(row["same"] for row in compare(spread(SMALL, SANITIZER_CASES), "cuda")))
    from cuda.device_timings import time_all

    print(device.sentence)
    report: dict[str, Any] = {
        "device": device.sentence, "precipice": pc.__version__, "machine": platform.processor(),
        "records": compare(CASES, "cuda"),
        "sanitizer": [] if given.skip_sanitizer else sanitize(),
        "times": [] if given.skip_timings else time_all(device.sentence),
    }  # fmt: skip
    given.out.write_text(json.dumps(report, indent=1) + "\n")
    differ = [row["case"] for row in report["records"] if not row["same"]]
    wrong = [row["tool"] for row in report["sanitizer"] if row["status"]]
    print(f"{len(differ)} of {len(CASES)} records differ; sanitizer: {wrong or 'nothing to say'}; "
          f"written to {given.out}")  # fmt: skip
    return int(bool(differ or wrong))


if __name__ == "__main__":
    sys.exit(main())
