"""A run that is stopped and taken up again is the run that was never stopped."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import precipice as pc
from interruptions import run_in_pieces
from precipice.errors import InvalidArgument
from precipice.simulation import prepare

SOAK = int(os.environ.get("PRECIPICE_SOAK", "1"))


def arguments(**changed):
    """Return a run of fig6 that takes a while and passes through a catapult."""
    keywords = {
        "precision": "mpfr256",
        "steps": 30000,
        "init": pc.init.constant("0.01"),
        "record": pc.Record(loss=1, sharpness=7, parameters=500, layer_imbalance=100),
        **changed,
    }
    return (pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50")), keywords


def run(checkpoint=None, stop=None, **changed):
    positional, keywords = arguments(**changed)
    return prepare(*positional, checkpoint=checkpoint, **keywords).run(stop)


def assert_same(one, other):
    """Records, exact parameters, outcome: everything but the time."""
    assert (one.outcome, one.steps) == (other.outcome, other.steps)
    assert one.exact_texts() == other.exact_texts()
    for name in ("loss", "sharpness", "layer_imbalance"):
        a, b = getattr(one, name), getattr(other, name)
        np.testing.assert_array_equal(a.step, b.step)
        np.testing.assert_array_equal(a.value, b.value)
    np.testing.assert_array_equal(one.loss.log2, other.loss.log2)
    np.testing.assert_array_equal(one.trajectory.step, other.trajectory.step)
    assert one.trajectory.texts == other.trajectory.texts


@pytest.fixture(scope="module")
def uninterrupted():
    return run()


def test_saving_changes_nothing(tmp_path, uninterrupted):
    assert_same(run(tmp_path / "run", checkpoint_seconds=0.05), uninterrupted)


@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.2])
def test_stopped_runs_go_on(tmp_path, uninterrupted, seconds):
    for attempt in range(200):
        stop = threading.Event()
        timer = threading.Timer(seconds * (1 + attempt / 20), stop.set)  # on a busy machine too
        timer.start()
        result = run(tmp_path / "run", stop, resume=True)
        timer.cancel()
        if result.outcome is not pc.Outcome.CANCELLED:
            break
    assert_same(result, uninterrupted)


def test_finished_runs_are_not_repeated(tmp_path, uninterrupted):
    run(tmp_path / "run")
    start = time.perf_counter()
    again = run(tmp_path / "run", resume=True)
    assert_same(again, uninterrupted)
    assert time.perf_counter() - start < 60


@pytest.mark.parametrize(
    "changed",
    [
        {"precision": "float32", "steps": 5000},
        {"precision": "mpfr10", "steps": 5000},  # locks into a 2-cycle at 1691
        {"precision": "float64", "coordinates": "spectral", "steps": 5000},
        {"precision": "mpfr113", "loss": "mean", "steps": 5000},  # blows up at 678
        {"precision": "bfloat16:sr", "rounding_seed": 3, "steps": 3000},
        {"precision": "float16/accumulate=float32/parameters=float16:sr", "order": "pairwise",
         "rounding_seed": 2**64 - 1, "steps": 3000},
        {"precision": "e6m9/order=kahan", "steps": 3000},
    ],
)  # fmt: skip
def test_every_kind_of_run_goes_on(tmp_path, changed):
    """Stopped after every few steps: early losses, 2-cycles and blow-ups are seen the same."""
    expected = run(**changed)
    positional, keywords = arguments(**changed)
    assert_same(run_in_pieces(tmp_path / "run", positional, keywords), expected)


PROGRAM = """
import sys
sys.path[:0] = {path!r}
from test_checkpoint import run
run(sys.argv[1], steps=150000, checkpoint_seconds=0.01, resume=True)
"""


def test_killed_runs_go_on(tmp_path):
    """kill -9 at 20 random moments, within saves too: they take most of the time here.

    Each process is killed a random while after it has saved anew, so that the run gets on.
    """
    rng = np.random.default_rng(0)
    folder = tmp_path / "run"
    command = [sys.executable, "-c", PROGRAM.format(path=[os.path.dirname(__file__)]), str(folder)]
    for _ in range(20 * SOAK):
        before = saved_step(folder)
        with subprocess.Popen(command) as process:
            while saved_step(folder) == before and process.poll() is None:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.02))
            process.kill()
    assert_same(run(folder, steps=150000, resume=True), run(steps=150000))


def saved_step(folder):
    """Return the step of a checkpoint, or None."""
    state = folder / "state.json"
    return json.loads(state.read_bytes())["state"]["step"] if state.exists() else None


def test_a_changed_spec_is_refused(tmp_path):
    run(tmp_path / "run", steps=100)
    for changed, name in (
        ({"steps": 200}, "steps"),
        ({"steps": 100, "loss": "mean"}, "loss"),
        ({"steps": 100, "precision": "mpfr257"}, "precision"),
        ({"steps": 100, "init": pc.init.constant("0.02")}, "start"),
        ({"steps": 100, "blowup_factor": None}, "blowup_factor"),
    ):
        with pytest.raises(InvalidArgument, match=f"^checkpoint = .*differs in .*{name}"):
            run(tmp_path / "run", resume=True, **changed)


def test_a_checkpoint_in_the_way_is_refused(tmp_path):
    run(tmp_path / "run", steps=100)
    before = (tmp_path / "run" / "state.json").read_bytes()
    with pytest.raises(InvalidArgument, match="^checkpoint = .*must hold no checkpoint yet"):
        run(tmp_path / "run", steps=100)
    assert (tmp_path / "run" / "state.json").read_bytes() == before


@pytest.mark.parametrize("damage", ["cut", "edited", "empty", "segment", "missing"])
def test_damaged_checkpoints_are_refused(tmp_path, damage):
    folder = tmp_path / "run"
    run(folder, steps=100)
    state, segment = folder / "state.json", folder / "records-000000.npz"
    if damage == "cut":
        state.write_bytes(state.read_bytes()[:-50])
    elif damage == "edited":
        document = json.loads(state.read_bytes())
        document["spec"]["steps"] = 200
        state.write_text(json.dumps(document))
    elif damage == "empty":
        state.write_bytes(b"")
    elif damage == "segment":
        segment.write_bytes(segment.read_bytes()[:100])
    else:
        segment.unlink()
    with pytest.raises(
        InvalidArgument, match="^checkpoint = .*(must be whole and readable|no such file)"
    ):
        run(folder, steps=100, resume=True)


def test_arguments_that_cannot_be_saved_are_refused(tmp_path):
    with pytest.raises(InvalidArgument, match="^resume = True: needs the checkpoint"):
        run(steps=10, resume=True)
    with pytest.raises(InvalidArgument, match="^checkpoint_seconds = 0"):
        run(tmp_path / "run", steps=10, checkpoint_seconds=0)
    with pytest.raises(InvalidArgument, match='^checkpoint = .*engine="core"'):
        run(tmp_path / "run", steps=10, engine="reference")
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidArgument, match="^checkpoint = .*must be a folder"):
        run(tmp_path / "file", steps=10)


def test_comparisons_go_on(tmp_path):
    """On the command line: killed, resumed, the checkpoint gone once the results are saved."""
    import click.testing

    from precipice.cli.main import main

    out, saved = tmp_path / "out", tmp_path / "out.checkpoint"
    command = ["compare", "--precision", "float64,mpfr300", "--steps", "20000", "--out", str(out)]
    arguments = [*command, "--loss", "half_mean", "--checkpoint", "0.02"]
    with subprocess.Popen([sys.executable, "-m", "precipice", *arguments]) as process:
        while not (saved / "mpfr300" / "state.json").exists() and process.poll() is None:
            time.sleep(0.002)
        process.kill()
    runner = click.testing.CliRunner()
    if saved.exists():  # it was killed in time
        refused = runner.invoke(main, arguments)
        assert refused.exit_code == 2
        assert "must hold no checkpoint yet" in refused.stderr
    resume = "--resume" if saved.exists() else "--quiet"
    finished = runner.invoke(main, [*arguments, resume])
    assert finished.exit_code == 0, finished.output
    assert not saved.exists()
    resumed = pc.load(out)
    plain = tmp_path / "plain"
    runner.invoke(main, [*command[:-1], str(plain), "--loss", "half_mean"])
    assert resumed == pc.load(plain)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--resume"], "resume = True: needs --out"),
        (["--checkpoint", "1"], "checkpoint = 1.0: needs --out"),
        (["--resume", "--out", "nowhere"], "must hold the checkpoint"),
        (["--checkpoint", "0", "--out", "nowhere"], "checkpoint_seconds = 0"),
    ],
)
def test_flags_that_cannot_be_are_refused(tmp_path, monkeypatch, flags, message):
    import click.testing

    from precipice.cli.main import main

    monkeypatch.chdir(tmp_path)
    result = click.testing.CliRunner().invoke(main, ["compare", *flags])
    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []
