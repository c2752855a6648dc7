"""What a user waits for before anything is computed: wall time of whole processes.

``pytest bench/test_startup.py --benchmark-only``
"""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAMS = {
    "nothing": "pass",
    "import numpy": "import numpy",
    "import precipice": "import precipice",
    "import precipice, use it": "import precipice as pc; pc.problems.fig6()",
}


def run(*arguments):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.benchmark(group="imports")
@pytest.mark.parametrize("program", PROGRAMS)
def test_imports(benchmark, program):
    assert benchmark.pedantic(run, args=("-c", PROGRAMS[program]), rounds=11) == ""


@pytest.mark.benchmark(group="commands")
@pytest.mark.parametrize(
    ("arguments", "rounds", "said"),
    [(("--help",), 11, "Usage"), (("compare",), 3, "mpfr1024")],
    ids=["help", "compare"],
)
def test_commands(benchmark, arguments, rounds, said):
    main = "from precipice.cli.main import main; main(prog_name='precipice')"
    assert said in benchmark.pedantic(run, args=("-c", main, *arguments), rounds=rounds)
