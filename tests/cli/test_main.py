"""The command itself: quick to ask, one line an error, the stated exit codes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from precipice.cli.main import main
from precipice.study.comparison import Comparison
from precipice.study.ensemble import PreparedEnsemble

HEAVY = ("numpy", "matplotlib", "gmpy2", "rich", "precipice._core", "precipice.results")


def invoke(*arguments):
    return CliRunner().invoke(main, list(arguments))


def assert_one_line_error(result, *parts):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    for part in parts:
        assert part in result.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["compare", "--help"]])
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import sys\n"
        "from precipice.cli.main import main\n"
        "try:\n"
        f"    main({arguments!r}, prog_name='precipice')\n"
        "except SystemExit as end:\n"
        "    assert not end.code\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_lists_every_command():
    result = invoke("--help")
    assert result.exit_code == 0
    for name in ("compare", "run", "plot", "info"):
        assert f"  {name}" in result.output


@pytest.mark.parametrize(
    "arguments",
    [["explode"], ["compare", "--steps", "many"], ["compare", "--nonsense"], ["plot"],
     ["compare", "--out"]],
)  # fmt: skip
def test_usage_errors_are_one_line(arguments):
    assert_one_line_error(invoke(*arguments), arguments[-1].lstrip("-") if arguments[-1] else "")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--steps", "1.5"], "steps = 1.5: must be an integer"),
        (["--steps", "many"], "steps = many: must be an integer"),
        (["--steps", ""], "steps = : must be an integer"),
        (["--depth", "x"], "depth = x: must be an integer"),
        (["--seed", "it's"], "seed = it's: must be an integer"),
        (["--record-every", "0"], "record_every = 0: must be an integer of at least 1"),
        (["--record-every", "x is not y"],
         "record_every = x is not y: must be an integer of at least 1, adaptive or adaptive:N"),
        (["--record-every", "adaptive:0"], "record_every = 0: must be an integer of at least 1"),
        (["--tol", "small"], "tol = small: must be a number"),
        (["--max-seconds", "1h"], "max_seconds = 1h: must be a number"),
        (["--loss", "median"], "loss = median: must be half_mean, mean, half_sum or sum"),
        (["--engine", "steam"], "engine = steam: must be core or reference"),
        (["--model", "mlp"], "model = mlp: must be minimalist or two-layer"),
        (["--blowup-factor", "-1"],
         "blowup_factor = -1: must be a positive number, inf or none"),
        (["--blowup-factor", "often"],
         "blowup_factor = often: must be a positive number, inf or none"),
        (["--steps", "9" * 30],
         f"steps = {'9' * 30}: must be an integer from 0 to 4611686018427387904"),
        (["--init", ""], "init = : must be constant:C, pytorch, normal:ALPHA,BETA, balanced:C, "
         "symmetric or symmetric_gaussian"),
        (["--seed", "-1"], "seed = -1: must be an integer of at least 0"),
        (["--lr", ""], None),
    ],
)  # fmt: skip
def test_flags_of_another_kind_are_refused_in_the_librarys_grammar(flags, message):
    result = invoke("compare", *flags)
    assert_one_line_error(result, f"{flags[0][2:].replace('-', '_')} = ")
    if message is not None:
        assert result.stderr == f"Error: {message}\n"


@pytest.mark.parametrize("group", [[], ["reproduce"]])
def test_without_a_command_the_help_is_printed(group):
    result = invoke(*group)
    assert result.exit_code == 0
    assert result.stdout == invoke(*group, "--help").stdout
    assert result.stdout.count("\n") > 5
    assert result.stderr == ""


@pytest.mark.parametrize("arguments", [["--nonsense"], ["explode"]])
def test_a_wrong_word_instead_of_a_command_is_one_line(arguments):
    assert_one_line_error(invoke(*arguments), arguments[0].lstrip("-"))


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["fig7"], ["problem = fig7", "fig6"]),
        (["fig6", "n=3"], ["n = 3"]),
        (["fig6", "three"], ["setting = three", "key=value"]),
        (["opposing_signals", "d=4", "d=5"], ["d is set twice"]),
        (["absent.npz"], ["absent.npz"]),
        (["--lr", "0"], ["lr = 0", "positive"]),
        (["--lr", "fast"], ["lr = fast"]),
        (["--precision", "float65"], ["precision = float65"]),
        (["--precision", "float32,mpfr1"], ["precision = mpfr1"]),
        (["--precision", "float32,float64,float32"], ["float32 is named twice"]),
        (["--precision", ""], ["precision = "]),
        (["--depth", "1"], ["depth = 1"]),
        (["--steps", "-1"], ["steps = -1"]),
        (["--init", "zeros"], ["init = zeros"]),
        (["--init", "pytorch", "--seed", "-1"], ["seed = -1"]),
        (["opposing_signals", "d=99999999999999999999"], ["d = 99999999999999999999: must"]),
        (["opposing_signals", "d=100000000000"], ["d = 100000000000: must be an integer from 2"]),
        (["opposing_signals", "d=10^11"], ["d = 10^11: must be an integer"]),
        (["--workers", "0"], ["workers = 0"]),
        (["--tol", "-1"], ["tol = -1"]),
        (["--max-seconds", "0"], ["max_seconds = 0"]),
        (["--problem-dtype", "int8"], ["problem_dtype = int8"]),
    ],
)
def test_bad_input_is_named_in_one_line_and_leaves_nothing(arguments, parts, tmp_path):
    out = tmp_path / "out"
    result = invoke("compare", *arguments, "--out", str(out), "--engine", "reference")
    assert_one_line_error(result, *parts)
    assert list(tmp_path.iterdir()) == []


def test_a_problem_without_presets_needs_its_flags(tmp_path):
    data = tmp_path / "data.csv"
    data.write_text("1.0,2.0,1.0\n0.5,1.0,-1.0\n")
    result = invoke("compare", str(data), "--steps", "10")
    assert_one_line_error(result, "lr = None", "must be given")
    result = invoke("compare", str(data), "--lr", "0.1")
    assert_one_line_error(result, "steps = None", "must be given")


def test_what_cannot_be_written_is_one_line(tmp_path, monkeypatch):
    def full(self, directory):
        raise OSError(28, "No space left on device", str(directory))

    monkeypatch.setattr(Comparison, "save", full)
    out = tmp_path / "out"
    result = invoke("run", "--engine", "reference", "--steps", "5", "--out", str(out))
    assert result.exit_code == 2
    assert result.stdout.startswith("float64: max_steps after 5 steps")
    assert result.stderr.startswith(f"Error: out = {str(out)[:60]}")
    assert result.stderr.endswith(": could not be written (No space left on device)\n")


def test_terminals_that_cannot_show_greek_still_get_their_table():
    done = subprocess.run(
        [sys.executable, "-c", "from precipice.cli.main import main; main()",
         "run", "--engine", "reference", "--steps", "5"],
        capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"float64: max_steps" in done.stdout


def test_a_device_that_fails_is_one_line(monkeypatch):
    def fail(self, **keywords):
        raise RuntimeError("device: out of\nmemory")

    monkeypatch.setattr(PreparedEnsemble, "run", fail)
    assert_one_line_error(invoke("ensemble", "--steps", "3"), "Error: device: out of memory")


def test_other_failures_of_the_core_are_bugs_and_show_themselves(monkeypatch):
    def fail(self, **keywords):
        raise RuntimeError("impossible")

    monkeypatch.setattr(PreparedEnsemble, "run", fail)
    result = invoke("ensemble", "--steps", "3")
    assert isinstance(result.exception, RuntimeError)
    assert result.exit_code == 1
