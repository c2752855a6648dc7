"""`precipice ensemble` and `precipice sweep`: what they print, write and keep."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

import precipice as pc
from precipice.cli.main import main
from precipice.cli.many_progress import EnsembleDisplay, SweepDisplay
from precipice.study.ensemble_run import EnsembleProgress
from precipice.study.sweep import SweepProgress

QUICK = ("--steps", "60", "--precision", "float32")
COMMAND = [sys.executable, "-m", "precipice"]


def invoke(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_an_ensemble_is_the_library_s():
    result = invoke(
        "ensemble", "--precision", "mpfr114", "--perturbations", "4", "--perturbation-bits", "53",
        "--perturbation-seed", "2", "--lrs", "2/50,1/30", "--steps", "700", "--window", "64",
        "--record-loss", "10", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    found = pc.ensemble(
        pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50"), precision="mpfr114", steps=700,
        init=pc.init.constant("0.01"), loss="mean", lrs=["2/50", "1/30"], perturbations=4,
        perturbation_bits=53, perturbation_seed=2,
        record=pc.Record(loss=10, sharpness=1, window=64),
    ).to_dict()  # fmt: skip
    printed = json.loads(result.stdout)
    for each in (printed, found):
        del each["seconds"]
    assert printed == json.loads(json.dumps(found))


def test_without_arguments_it_says_what_became_of_fig6():
    result = invoke("ensemble", "--steps", "600", "--seeds", "0-2,7", "--init", "pytorch")
    assert result.exit_code == 0, result.output
    assert "4 members: 1 step size × 4 seeds" in result.stdout
    assert "max_steps" in result.stdout


def test_a_sweep_prints_a_line_a_cell():
    result = invoke("sweep", "--lrs", "2/50,2/60", "--precision", "float32,mpfr113", "--steps",
                    "700", "--perturbations", "2")  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["float32", "2/50", "max_steps", "2/2"] in [line[:4] for line in lines]
    assert ["mpfr113", "2/50", "blowup", "2/2"] in [line[:4] for line in lines]


def test_without_step_sizes_a_sweep_has_the_problem_s():
    result = invoke("sweep", *QUICK, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["lrs"] == ["2/50"]


@pytest.mark.parametrize("command", ["ensemble", "sweep"])
def test_results_are_written_and_read(tmp_path, command):
    out = tmp_path / "out"
    result = invoke(command, *QUICK, "--perturbations", "3", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert f"Saved in {out}: " in result.stderr
    assert (out / f"{command}.json").is_file()
    loaded = pc.load(out)
    assert loaded.table() == result.stdout
    figure = tmp_path / "again.svg"
    assert invoke("plot", str(out), "--out", str(figure)).exit_code == 0
    assert figure.stat().st_size > 5000
    refused = invoke(command, *QUICK, "--perturbations", "4", "--out", str(out))
    assert refused.exit_code == 2
    assert "it holds other results" in refused.stderr


@pytest.mark.parametrize("command", ["ensemble", "sweep"])
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--perturbations", "0"], "perturbations = 0: must be an integer of at least 1"),
        (["--perturbations", "x"], "perturbations = x: must be an integer"),
        (["--perturbation-bits", "99"], "perturbation_bits = 99: must be at most 24"),
        (["--lrs", "2/50,,1"], "lr = : must be"),
        (["--lrs", "2/50,zwei"], "lr = zwei: must be"),
        (["--lrs", "2/50", "--lr", "1/50"], "lrs = 2/50: must not stand beside --lr"),
        (["--seeds", "1-"], "seeds = 1-: must be numbers and ranges"),
        (["--seeds", "9-1"], "seeds = 9-1: must have ranges that ascend"),
        (["--seeds", "0-99999999999"], "seeds = 0-99999999999: must have ranges"),
        (["--seeds", "9" * 5000], "seeds = 9999"),
        (["--seeds", "1"], "seeds = 1: need a start that is drawn"),
        (["--window", "-1"], "record.window = -1: must be an integer"),
        (["--record-loss", "-1"], "record.loss = -1: must be an integer"),
        (["--record-every", "adaptive"], "record_every = adaptive: must be an integer"),
        (["--device", "cuda"], "device = cuda: "),
        (["--device", "gpu"], "device = gpu: must be auto, cpu or cuda"),
        (["--optimizer", "flow"], "optimizer = gradient-flow: must have a constant"),
        (["--lr", "warmup:2/50,3"], "optimizer = gd: must have a constant"),
        (["--resume"], "resume = True: needs --out"),
        (["--workers", "0"], "workers = 0"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(command, flags, message, monkeypatch):
    if "cuda" in flags:
        from precipice import devices

        monkeypatch.setattr(devices, "_extension", lambda: None)
    result = invoke(command, *QUICK, *flags)
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"Error: {message}")


@pytest.mark.parametrize("command", ["ensemble", "sweep"])
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_keeps_what_there_is_and_resume_goes_on(tmp_path, command, ended_by):
    out, plain = tmp_path / "out", tmp_path / "plain"
    flags = [command, "--precision", "mpfr300", "--perturbations", "30", "--steps", "8000",
             "--loss", "half_mean", "--record-every", "0"]  # fmt: skip
    saved = [*flags, "--out", str(out), "--checkpoint", "0.02"]
    with subprocess.Popen(
        [*COMMAND, *saved], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        folder = tmp_path / "out.checkpoint"
        while not list(folder.rglob("state.json")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(ended_by)
        _, errors = process.communicate(timeout=60)
    if process.returncode == 130:
        assert "The same command with --resume goes on from there." in errors
        assert "cancelled" in (out / "table.txt").read_text()
    if process.returncode:  # it was ended in time
        assert process.returncode in (130, -signal.SIGKILL)
        resumed = invoke(*saved, "--resume")
        assert resumed.exit_code == 0, resumed.output
    assert not folder.exists()
    assert invoke(*flags, "--out", str(plain)).exit_code == 0
    assert pc.load(out) == pc.load(plain)


def shown(display):
    from rich.console import Console

    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(display.render())
    return captured.get()


def test_progress_is_a_line():
    display = EnsembleDisplay()
    assert "waiting" in shown(display)
    display(EnsembleProgress(40, 0, {}, 0, 40000))
    display._began = (time.monotonic() - 10, 0)
    display(EnsembleProgress(40, 12, {"blowup": 9, "max_steps": 3}, 10000, 40000))
    line = shown(display)
    assert "12/40 members 9 blowup, 3 max_steps" in line
    assert "1,000 steps/s" in line or "999 steps/s" in line
    assert "left" in line
    assert len(line.splitlines()) == 1


def test_progress_of_a_sweep_says_which_cell():
    display = SweepDisplay()
    display(SweepProgress(2, 9, "mpfr114", "2/50", EnsembleProgress(4, 4, {"locked": 4}, 9, 9)))
    first, second = shown(display).splitlines()
    assert first.strip() == "ensemble 3 of 9: mpfr114, η = 2/50"
    assert "4/4 members 4 locked" in second
