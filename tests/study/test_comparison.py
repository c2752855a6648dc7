"""One training run at many precisions: what is computed, said, and refused."""

from __future__ import annotations

import _thread
import json
import math
import threading

import numpy as np
import pytest

from constructed import KEYWORDS, make_comparison, make_run
from precipice import initialisers, problems
from precipice.errors import InvalidArgument
from precipice.models import Minimalist
from precipice.optimizers import GD
from precipice.precision import Precision
from precipice.record import Record
from precipice.results import Outcome
from precipice.simulation import simulate
from precipice.study import comparison as module
from precipice.study.comparison import (
    Comparison,
    ComparisonInterrupted,
    PreparedComparison,
    checked_precisions,
    compare,
    finite_or_none,
    prepare_comparison,
)
from precipice.study.header import MACHINE_SETTINGS

WHAT = (problems.fig6(), Minimalist(depth=2), GD(lr="2/50"))
HOW = {"steps": 60, "init": initialisers.constant("0.01"), "loss": "mean", "engine": "reference"}
PRECISIONS = ("mpfr113", "float32", "float64")


def test_each_run_is_the_one_that_simulate_returns_in_the_order_asked():
    comparison = compare(*WHAT, precisions=PRECISIONS, workers=2, **HOW)
    assert [str(run.precision) for run in comparison.runs] == list(PRECISIONS)
    for run in comparison.runs:
        alone = simulate(*WHAT, precision=run.precision, **HOW)
        assert run.exact_texts() == alone.exact_texts()
        np.testing.assert_array_equal(run.loss.value, alone.loss.value)
        np.testing.assert_array_equal(run.sharpness.value, alone.sharpness.value)


def test_one_worker_gives_what_many_give():
    record = Record(loss=1, sharpness=3, parameters=20, layer_imbalance=7)
    one, many = (
        compare(*WHAT, precisions=PRECISIONS, workers=workers, record=record, **HOW)
        for workers in (1, 3)
    )
    assert one == many


def test_progress_tells_of_every_precision():
    seen = []
    compare(*WHAT, precisions=PRECISIONS, workers=1, progress=seen.append, **HOW)
    assert {str(progress.precision) for progress in seen} == set(PRECISIONS)
    assert all(progress.threshold == pytest.approx(50) for progress in seen)


def test_document_has_the_stated_shape_and_no_nan():
    comparison = compare(*WHAT, precisions=["float64"], blowup_factor=math.inf, **HOW)
    document = json.loads(json.dumps(comparison.to_dict(), allow_nan=False))
    assert list(document) == [
        "schema_version", "problem", "model", "optimizer", "settings", "theory", "runs",
    ]  # fmt: skip
    assert document["schema_version"] == 1
    assert document["problem"]["sha256"] == WHAT[0].sha256
    assert document["model"] == {"name": "minimalist", "depth": 2}
    assert document["optimizer"]["lr"] == "2/50"
    settings = document["settings"]
    assert settings["precisions"] == ["float64"]
    assert settings["blowup_factor"] == "inf"
    assert settings["loss_definition"] == "‖z‖²/N"
    assert {"precipice", "mpfr", "gmp"} <= settings["versions"].keys()
    (run,) = document["runs"]
    assert {
        "precision", "outcome", "steps", "started_above", "crossing", "catapults", "blowup",
        "final", "seconds",
    } <= run.keys()  # fmt: skip


def test_theory_stands_beside_the_runs():
    theory = make_comparison(make_run()).theory
    # Yoo et al. 2025, appendix C.3: the sharpness that gradient flow reaches is about 73.6.
    assert theory["predicted_sharpness"] == pytest.approx(73.66, abs=0.01)
    assert theory["threshold"] == 50.0
    lower, upper = theory["balanced_minimiser_bounds"]
    assert theory["predicted_sharpness"] < lower <= upper < 74
    # C(θ₀) = ‖Π_W u‖² - v² = 2·0.01² - 0.01²
    assert theory["initial_layer_imbalance"] == pytest.approx(1e-4)


def test_deep_models_have_an_imbalance_a_layer():
    prepared = prepare_comparison(
        WHAT[0], Minimalist(depth=4), WHAT[2], precisions=["float64"], **KEYWORDS
    )
    assert len(prepared.header.theory["initial_layer_imbalance"]) == 3
    assert "minimiser_bounds_at_initial_imbalance" not in prepared.header.theory


def test_estimate_shrinks_with_workers_and_grows_with_steps():
    few, many = (
        prepare_comparison(*WHAT, precisions=("float32", "float64"), **{**KEYWORDS, "steps": steps})
        for steps in (1_000, 1_000_000)
    )
    assert many.estimate(1).seconds > many.estimate(2).seconds > few.estimate(2).seconds > 0
    assert many.estimate(1).bytes > 48 * 2 * 1_000_000
    assert many.estimate(99).workers == 2


def test_what_does_not_fit_memory_is_refused_before_it_starts(monkeypatch):
    monkeypatch.setattr(module, "machine_memory", lambda: 2**30)
    with pytest.raises(InvalidArgument, match=r"memory = .* GiB: must fit this machine's 1\.0 GiB"):
        compare(*WHAT, precisions=["float64"], **{**HOW, "steps": 10**9})


@pytest.mark.parametrize(
    ("precisions", "rule"),
    [
        (["float32", "float64", "float32"], "float32 is named twice"),
        (["mpfr53", Precision.parse("mpfr53")], "mpfr53 is named twice"),
        ([], "at least one"),
        (["float65"], "must be one of"),
        (["mpfr1"], "2 to 100000"),
    ],
)
def test_precisions_are_known_and_named_once(precisions, rule):
    with pytest.raises(InvalidArgument, match=rf"precision = .*{rule}"):
        checked_precisions(precisions)


def test_one_name_is_one_precision():
    assert checked_precisions("float64") == (Precision.parse("float64"),)


def test_bad_workers_are_refused():
    with pytest.raises(InvalidArgument, match="workers = 0"):
        compare(*WHAT, precisions=["float64"], workers=0, **HOW)


class Interrupting:
    """Stands for a PreparedRun during which Ctrl-C is pressed."""

    def __init__(self, run):
        self.result = run
        self.result.__dict__["outcome"] = Outcome.CANCELLED
        self.precision = run.precision

    def estimate(self):
        return 1.0, 0

    def run(self, stop, progress):
        _thread.interrupt_main()
        assert stop.wait(20)
        return self.result


def test_ctrl_c_raises_with_everything_computed_so_far():
    runs = make_run("float32"), make_run("float64")
    prepared = PreparedComparison(make_comparison(), tuple(Interrupting(run) for run in runs))
    with pytest.raises(ComparisonInterrupted) as caught:
        prepared.run(workers=2)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert caught.value.comparison.runs == runs
    assert caught.value.comparison.to_dict()["runs"][0]["outcome"] == "cancelled"


def test_compare_works_outside_the_main_thread():
    results: list[Comparison] = []
    thread = threading.Thread(
        target=lambda: results.append(compare(*WHAT, precisions=["float64"], **HOW))
    )
    thread.start()
    thread.join()
    assert results[0] == compare(*WHAT, precisions=["float64"], **HOW)


def test_non_finite_numbers_become_none():
    nested = {"a": [1.0, math.nan, {"b": (math.inf, -math.inf, "inf", None, True, 3)}]}
    assert finite_or_none(nested) == {"a": [1.0, None, {"b": [None, None, "inf", None, True, 3]}]}


def test_settings_are_those_of_every_run():
    comparison = compare(*WHAT, precisions=PRECISIONS, blowup_factor=1000, **HOW)
    own = {"precisions", *MACHINE_SETTINGS}
    shared = {key: value for key, value in comparison.settings.items() if key not in own}
    assert shared["loss"] == "mean"
    assert (shared["blowup_factor"], shared["sharpness"]) == (1000.0, "hessian")
    for run in comparison.runs:
        others = {*MACHINE_SETTINGS, "carried_out_by", "precision"}
        assert {key: v for key, v in run.settings.items() if key not in others} == shared
