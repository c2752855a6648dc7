"""`precipice compare` and `precipice run`: what they print, write and keep."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from click.testing import CliRunner

from constructed import make_run
from precipice import load
from precipice.cli.main import main
from precipice.cli.session import event_lines
from precipice.results import Outcome
from precipice.simulation import PreparedRun
from precipice.study.comparison import Comparison, PreparedComparison

QUICK = ("--engine", "reference", "--steps", "30")
COMMAND = [sys.executable, "-c", "from precipice.cli.main import main; main()"]


def invoke(*arguments):
    return CliRunner().invoke(main, list(arguments))


def document(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def summary(entry):
    blowup = entry["blowup"] and entry["blowup"]["step"]
    drop = entry["catapults"][0]["drop_step"] if entry["catapults"] else None
    return entry["crossing"], drop, blowup


# Yoo et al. 2025, appendix C.3, at 2/η = 50; (crossing, drop, blow-up) found independently.
FIG6 = {
    "mean": {
        "float32": (548, 607, None), "float64": (548, 626, None), "mpfr113": (548, None, 678),
        "mpfr128": (548, None, 682), "mpfr256": (548, None, 751), "mpfr512": (548, None, 801),
        "mpfr1024": (548, None, 801),
    },
    "half_mean": {
        "float32": (1335, 1437, None), "float64": (1335, 1493, None),
        "mpfr113": (1335, 1587, None), "mpfr128": (1335, 1605, None),
        "mpfr256": (1335, 1764, None), "mpfr512": (1335, 2041, None),
        "mpfr1024": (1335, 2425, None),
    },
    "sum": {
        "float32": (236, 271, None), "float64": (236, None, 290), "mpfr113": (236, None, 316),
        "mpfr128": (236, None, 323), "mpfr256": (236, None, 338), "mpfr512": (236, None, 338),
        "mpfr1024": (236, None, 338),
    },
}  # fmt: skip


@pytest.mark.parametrize("loss", FIG6)
def test_the_main_job_gives_the_known_steps(loss):
    runs = document(invoke("compare", "--loss", loss, "--json"))["runs"]
    assert {run["precision"]: summary(run) for run in runs} == FIG6[loss]


def test_without_arguments_the_presets_of_fig6_are_used():
    found = document(invoke("compare", "--json"))
    assert found["settings"]["loss"] == "mean"
    assert found["settings"]["steps"] == 3000
    assert found["settings"]["init"]["c"] == "0.01"
    assert found["optimizer"]["lr"] == "2/50"
    assert [run["precision"] for run in found["runs"]] == list(FIG6["mean"])


def test_an_adaptive_cadence_gives_the_known_steps():
    found = document(invoke("compare", "--record-every", "adaptive:50", "--json"))
    assert {run["precision"]: summary(run) for run in found["runs"]} == FIG6["mean"]
    assert found["settings"]["record"]["sharpness"] == {"every": 50, "near": 0.9, "quiet": 20}


def test_flags_reach_the_run():
    found = document(invoke(
        "compare", "opposing_signals", "d=5", "--depth", "3", "--loss", "half_sum", "--lr", "1/7",
        "--steps", "12", "--init", "normal:0.1,0.2", "--seed", "4", "--precision", "mpfr40",
        "--problem-dtype", "float32", "--record-every", "5", "--blowup-factor", "none",
        "--tol", "1e-30", "--max-seconds", "60", "--engine", "reference", "--workers", "1",
        "--json",
    ))  # fmt: skip
    settings = found["settings"]
    assert found["problem"]["features"] == 5
    assert found["model"]["depth"] == 3
    assert found["optimizer"]["lr"] == "1/7"
    assert settings["init"] == {"name": "normal", "alpha": 0.1, "beta": 0.2, "seed": 4}
    assert settings["record"] == {
        "loss": 5, "sharpness": 5, "parameters": 0, "layer_imbalance": 0, "eigenvalues": 0,
        "quantities": 0, "window": 0, "top": 1,
    }  # fmt: skip
    assert {key: settings[key] for key in ("loss", "steps", "problem_dtype", "tol")} == {
        "loss": "half_sum", "steps": 12, "problem_dtype": "float32", "tol": 1e-30
    }  # fmt: skip
    assert settings["blowup_factor"] is None
    assert [run["precision"] for run in found["runs"]] == ["mpfr40"]


TWO_LAYER = (
    "run", "fig6", "--model", "two-layer", "--width", "4", "--lr", "0.1", "--steps", "6",
    "--init", "pytorch", "--record-every", "2",
)  # fmt: skip


def test_curvature_is_recorded_and_shown():
    flags = ("--record-eigenvalues", "3", "--top", "2", "--record-quantities", "1")
    result = invoke(*TWO_LAYER, *flags)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    (eigenvalues,) = [line for line in lines if line.startswith("eigenvalues at step 6: ")]
    assert eigenvalues.count(",") == 1
    assert "; smallest -" in eigenvalues
    (quantities,) = [line for line in lines if line.startswith("quantities at step 6: ")]
    for name in ("gram_sharpness", "norm_A2", "gamma_norm", "v1_alignment"):
        assert f" {name} " in quantities
    assert "R_prime" not in quantities  # nothing says how many of its digits are certain

    found = document(invoke(*TWO_LAYER, *flags, "--json"))
    record = found["settings"]["record"]
    assert (record["eigenvalues"], record["quantities"], record["top"]) == (3, 1, 2)
    (run,) = found["runs"]
    assert len(run["final"]["eigenvalues"]["largest"]) == 2
    assert run["final"]["eigenvalues"]["smallest"] < 0
    assert run["final"]["quantities"]["residual_norm2"] > 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--top", "2"), "top = 2: needs --record-eigenvalues"),
        (("--record-eigenvalues", "1", "--top", "13"), "record.top = 13: must be at most 12"),
        (("--record-eigenvalues", "1", "--top", "0"), "record.top = 0: must be an integer of at"),
        (("--record-eigenvalues", "0"), "record_eigenvalues = 0: must be"),
    ],
)
def test_curvature_that_cannot_be_is_refused_in_one_line(flags, message):
    result = invoke(*TWO_LAYER, *flags)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert message in result.stderr


def test_quantities_need_the_two_layer_network():
    result = invoke("run", *QUICK, "--record-quantities", "1")
    assert result.exit_code == 2
    assert "record = quantities: needs the two-layer network" in result.stderr


@pytest.mark.parametrize("bias", [False, True])
def test_a_two_layer_network_may_have_biases(bias):
    flags = ["--model", "two-layer", "--width", "3", *(["--bias"] if bias else [])]
    found = document(invoke("run", *QUICK, *flags, "--precision", "float32", "--json"))
    assert found["model"]["bias"] is bias


def test_the_minimalist_model_has_no_biases():
    refused = invoke("run", *QUICK, "--bias")
    assert refused.exit_code == 2
    assert refused.stderr == "Error: bias = True: needs --model two-layer\n"


def test_an_infinite_blowup_factor_is_text():
    found = document(invoke("run", *QUICK, "--blowup-factor", "inf", "--json"))
    assert found["settings"]["blowup_factor"] == "inf"


def test_the_table_is_plain_when_piped_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = invoke("compare", *QUICK, "--precision", "float32,mpfr60")
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].split()[:3] == ["precision", "outcome", "crossing"]
    assert [line.split()[0] for line in lines[2:4]] == ["float32", "mpfr60"]
    assert "loss mean = ‖z‖²/N" in result.stdout
    assert "\x1b" not in result.stdout
    assert list(tmp_path.iterdir()) == []


def test_out_holds_what_was_printed(tmp_path):
    out = tmp_path / "out"
    result = invoke("compare", *QUICK, "--precision", "float32,mpfr60", "--out", str(out))
    assert f"Saved in {out}" in result.stderr
    assert load(out).table() == result.stdout == (out / "table.txt").read_text(encoding="utf-8")


def test_json_with_out_prints_the_document_and_nothing_else(tmp_path):
    result = invoke("run", *QUICK, "--json", "--out", str(tmp_path / "out"))
    assert document(result) == load(tmp_path / "out").to_dict()
    assert result.stderr == ""


def test_a_rerun_replaces_and_another_comparison_is_refused(tmp_path):
    out = str(tmp_path / "out")
    assert invoke("run", *QUICK, "--out", out).exit_code == 0
    assert invoke("run", *QUICK, "--out", out).exit_code == 0
    refused = invoke("run", *QUICK, "--loss", "sum", "--out", out)
    assert refused.exit_code == 2
    assert refused.stderr.startswith("Error: out = ")
    assert load(out).settings["loss"] == "mean"


def test_a_directory_with_something_else_is_refused_before_computing(tmp_path, monkeypatch):
    (tmp_path / "thesis.tex").write_text("irreplaceable")
    monkeypatch.setattr(PreparedRun, "run", None)  # would fail if it were called
    refused = invoke("compare", *QUICK, "--out", str(tmp_path))
    assert refused.exit_code == 2
    assert "thesis.tex" in refused.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_run_says_what_happened():
    survived = invoke("run").stdout
    assert survived.startswith("float64: max_steps after 3000 steps")
    assert "crosses 2/η = 50 at step 548" in survived
    assert "drops below it at step 626 (delay 78)" in survived
    assert "final: loss 0.01145, sharpness" in survived
    exploded = invoke("run", "--precision", "mpfr113").stdout
    assert exploded.startswith("mpfr113: blowup after 678 steps")
    assert "blow-up: step 678" in exploded
    calm = invoke("run", *QUICK).stdout
    assert "no excursion above 2/η" in calm


def test_run_takes_one_precision():
    result = invoke("run", "--precision", "float32,float64")
    assert result.exit_code == 2
    assert "precision = float32,float64" in result.stderr


@pytest.fixture
def ctrl_c_while_running(monkeypatch):
    """Press Ctrl-C once every run has begun (there are as many workers as runs)."""
    begun = threading.Barrier(2, action=lambda: os.kill(os.getpid(), signal.SIGINT))
    run = PreparedRun.run

    def run_and_meet(self, stop, progress):
        begun.wait(30)
        return run(self, stop, progress)

    monkeypatch.setattr(PreparedRun, "run", run_and_meet)


# So small a step size takes hours to get anywhere, so only Ctrl-C ends these runs.
LONG = (
    "compare", "opposing_signals", "--lr", "1e-9", "--precision", "mpfr500,mpfr2000",
    "--steps", "1000000000", "--record-every", "100000", "--workers", "2",
)  # fmt: skip


def test_ctrl_c_keeps_what_was_computed(tmp_path, ctrl_c_while_running):
    out = tmp_path / "out"
    result = invoke(*LONG, "--out", str(out))
    assert result.exit_code == 130
    assert "Interrupted; steps computed: mpfr500 " in result.stderr
    assert f"Saved in {out}" in result.stderr
    assert result.stderr.count("\n") == 1
    kept = load(out)
    assert [run.outcome.value for run in kept.runs] == ["cancelled", "cancelled"]
    assert kept.table() == result.stdout


def test_ctrl_c_without_out_prints_the_document(ctrl_c_while_running):
    result = invoke(*LONG, "--json")
    assert result.exit_code == 130
    assert [run["outcome"] for run in json.loads(result.stdout)["runs"]] == ["cancelled"] * 2
    assert "Not saved" in result.stderr


def test_ctrl_c_does_not_replace_a_finished_comparison(tmp_path, ctrl_c_while_running):
    out = tmp_path / "out"
    invoke(*LONG, "--out", str(out))
    kept = load(out)
    runs = tuple(replace(run, outcome=Outcome.MAX_STEPS) for run in kept.runs)
    finished = replace(kept, runs=runs)
    finished.save(out)
    result = invoke(*LONG, "--out", str(out))
    assert result.exit_code == 130
    assert "keeps the finished comparison" in result.stderr
    assert load(out) == finished


@pytest.fixture
def ctrl_c_between(monkeypatch):
    """Press Ctrl-C after the last run has finished, and again while its results are written."""
    run, save = PreparedComparison.run, Comparison.save

    def run_then_interrupt(self, **keywords):
        comparison = run(self, **keywords)
        os.kill(os.getpid(), signal.SIGINT)
        return comparison

    def interrupt_then_save(self, directory):
        os.kill(os.getpid(), signal.SIGINT)
        return save(self, directory)

    monkeypatch.setattr(PreparedComparison, "run", run_then_interrupt)
    monkeypatch.setattr(Comparison, "save", interrupt_then_save)


@pytest.mark.parametrize("command", ["run", "compare"])
def test_ctrl_c_after_the_last_run_costs_nothing(tmp_path, ctrl_c_between, command):
    before = signal.getsignal(signal.SIGINT)
    out = tmp_path / "out"
    result = invoke(command, *QUICK, "--precision", "float32", "--out", str(out))
    assert result.exit_code == 0
    assert result.stdout
    assert f"Saved in {out}" in result.stderr
    assert [run.outcome.value for run in load(out).runs] == ["max_steps"]
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_just_before_the_runs_stops_them(monkeypatch):
    estimate = PreparedComparison.estimate

    def interrupt_then_estimate(self, workers=None):
        os.kill(os.getpid(), signal.SIGINT)
        return estimate(self, workers)

    monkeypatch.setattr(PreparedComparison, "estimate", interrupt_then_estimate)
    result = invoke(*LONG, "--json")
    assert result.exit_code == 130
    assert [run["outcome"] for run in json.loads(result.stdout)["runs"]] == ["cancelled"] * 2
    assert "Interrupted; steps computed: mpfr500 0, mpfr2000 0. Not saved" in result.stderr


def test_a_failed_save_after_ctrl_c_says_both(tmp_path, ctrl_c_while_running, monkeypatch):
    def full(self, directory):
        raise OSError(28, "No space left on device", str(directory))

    monkeypatch.setattr(Comparison, "save", full)
    result = invoke(*LONG, "--out", str(tmp_path / "out"))
    assert result.exit_code == 130
    assert "cancelled" in result.stdout
    assert "Interrupted; steps computed: mpfr500 " in result.stderr
    assert "could not be written (No space left on device)" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["n" * 300, "file/below"])
def test_a_directory_that_cannot_be_made_is_refused_before_computing(tmp_path, monkeypatch, name):
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr(PreparedRun, "run", None)  # would fail if it were called
    refused = invoke("run", *QUICK, "--out", str(tmp_path / name))
    assert refused.exit_code == 2
    assert refused.stderr.startswith("Error: out = ")
    assert refused.stderr.count("\n") == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_closed_pipe_does_not_cost_the_results(tmp_path):
    out = tmp_path / "out"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "run", *QUICK, "--out", str(out)],
        stdout=writer, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(writer)
    assert done.returncode != 0
    assert b"Traceback" not in done.stderr
    assert load(out).runs[0].steps == 30


def test_run_says_where_it_starts_and_whether_that_was_measured():
    lines = event_lines(make_run())
    assert len(lines) == 1
    assert "crosses 2/η = 50 at step 100, peaks" in lines[0]
    run = make_run()
    run.sharpness.value[0] = 60.0
    lines = event_lines(run)
    assert lines[0] == "starts above 2/η = 50, outside every excursion"
    assert "crosses 2/η = 50 at step 100, peaks" in lines[1]
    run.sharpness.value[:3] = 60.0
    lines = event_lines(run)
    assert len(lines) == 2
    assert "crosses 2/η = 50 at step 0 (from the start), peaks" in lines[0]
    run.__dict__["sharpness"] = None
    assert event_lines(run) == ["sharpness not recorded: excursions are not known"]


def test_a_terminal_sees_progress_and_ctrl_c_ends_it(tmp_path):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    arguments = [*COMMAND, *LONG, "--out", str(tmp_path / "out")]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "COLUMNS": "110"}
    ) as process:
        os.close(theirs)
        seen = b""
        while b"mpfr2000" not in seen or b"steps/s" not in seen:
            seen += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
        os.close(ours)
    assert process.returncode == 130
    assert "S/(2/η)" in seen.decode(errors="replace")
    assert b"cancelled" in printed
    assert load(tmp_path / "out").runs[0].steps > 0
