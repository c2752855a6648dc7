"""Wang's phases and anomaly points, on curves made by hand and on a run."""

from __future__ import annotations

import json

import numpy as np
import pytest

from precipice.analysis import find_anomalies, find_events, find_phases
from precipice.errors import InvalidArgument
from two_layer_columns import LR, THRESHOLD, columns


def two_cycles():
    """Sharpness and loss of two excursions over 10, each peaking at its fourth step."""
    sharpness = [8, 9, 10, 11, 12, 13, 12, 9, 7, 6, 6, 7, 8, 9, 10, 12, 11, 10, 8, 8, 8]
    loss = [9, 8, 7, 6, 5, 4, 20, 30, 9, 4, 3, 3, 3, 3, 3, 3, 9, 9, 9, 2, 2]
    return np.arange(21), np.array(sharpness, float), np.array(loss, float)


def test_the_four_phases_follow_each_other():
    step, sharpness, loss = two_cycles()
    found = find_phases(step, sharpness, loss, threshold=10, merge=0)
    # Λ̄: 8.5 9.5 10.5 11.5 12.5 12.5 10.5 8 6.5 6 6.5 7.5 8.5 9.5 11 11.5 10.5 9 8 8
    # L̄:  …       5.5 4.5 12 25 19.5 6.5 3.5 3 3 3 3 3 6 9 9 5.5 2
    assert found.intervals == (
        ("I", 0, 1), ("II", 2, 4), ("III", 5, 6), ("IV", 7, 8),
        ("I", 9, 13), ("II", 14, 15), ("III", 16, 16), ("IV", 17, 17), ("I", 18, 19),
    )  # fmt: skip
    assert found.step.tolist() == list(range(20))
    assert "".join(map(str, found.phase)) == "11222334411111223411"
    assert json.loads(json.dumps(found.to_dict()))["intervals"][1] == {
        "phase": "II", "start": 2, "end": 4,
    }  # fmt: skip


def test_merged_excursions_are_one_rise_and_one_fall():
    step, sharpness, loss = two_cycles()
    found = find_phases(step, sharpness, loss, threshold=10, merge=20)
    assert [(one.phase, one.start) for one in found.intervals] == [
        ("I", 0), ("II", 2), ("III", 5), ("IV", 17), ("I", 19),
    ]  # fmt: skip


def test_an_oscillation_of_period_two_is_no_sequence_of_phases():
    step, sharpness, loss = two_cycles()
    swinging = sharpness + 4 * (-1.0) ** step
    plain, swung = (
        find_phases(step, curve, loss, threshold=10, merge=0) for curve in (sharpness, swinging)
    )
    assert plain.intervals == swung.intervals


def test_phase_four_ends_where_the_next_excursion_starts():
    step = np.arange(10)
    sharpness = np.array([12, 12, 8, 8, 8, 12, 12, 8, 8, 8], float)
    found = find_phases(step, sharpness, np.arange(10.0), threshold=10, merge=0)
    # Λ̄: 12 10 8 8 10 12 10 8 8, and the loss never comes back down.
    assert "".join(map(str, found.phase)) == "234422344"
    assert [one.phase for one in found.intervals] == ["II", "III", "IV", "II", "III", "IV"]


def test_a_run_without_excursions_is_phase_one():
    found = find_phases([0, 1, 2], [1, 2, 3], [3, 2, 1], threshold=10)
    assert found.intervals == (("I", 0, 1),)


def test_a_run_that_ends_above_the_threshold_has_no_phase_four():
    found = find_phases(range(4), [9, 11, 12, 13], [1, 1, 1, 1], threshold=10)
    assert [one.phase for one in found.intervals] == ["II"]


def test_pairs_and_numbers_that_are_missing_have_no_phase():
    found = find_phases(
        [0, 1, 5, 6, 10, 11, 12], [1, 1, 12, 12, np.inf, 1, 1], np.ones(7), threshold=10
    )
    assert found.step.tolist() == [0, 5, 11]
    assert find_anomalies([0, 1, 2, 3], [1, np.inf, -np.inf, 2], range(4)).step.size == 0
    assert [one.phase for one in found.intervals] == ["I", "II", "I"]
    assert find_phases([], [], [], threshold=10).intervals == ()


def test_anomalies_are_opposite_changes_of_the_two_step_means():
    step = np.arange(6)
    swing = 3 * (-1.0) ** step
    rising, turning = step.astype(float), np.array([0, 1, 2, 2.5, 2, 1])
    found = find_anomalies(step, rising + swing, turning)
    # The means of ‖A‖² are 0.5 1.5 2.25 2.25 1.5: a change of zero has no sign.
    assert found.step.tolist() == [0, 1, 3]
    assert found.anomalous.tolist() == [False, False, True]
    assert found.fraction == pytest.approx(1 / 3)
    assert not find_anomalies(step, -rising + swing, -rising).anomalous.any()
    assert find_anomalies(step, -rising + swing, rising).fraction == 1


def test_changes_below_the_resolution_are_not_judged():
    step, sharpness = np.arange(6), np.array([1, 1, 1, 1 + 1e-9, 1, 2.0])
    norms = np.arange(6, 0, -1.0)
    assert find_anomalies(step, sharpness, norms).step.size > 1
    assert find_anomalies(step, sharpness, norms, resolution=1e-8).step.tolist() == [3]
    assert np.isnan(find_anomalies([0, 1], [1, 2], [1, 2]).fraction)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        (([0, 1], [1, 2], [1, 2]), {"threshold": 0}, r"^threshold = 0: must be a positive number$"),
        (([0, 1], [1, 2], [1, 2]), {"threshold": 1, "merge": -1}, r"^merge = -1: must be zero or"),
        (([0, 1], [1, 2], [1]), {"threshold": 1}, r"^loss = .*: steps and values must be vectors"),
        (([1, 0], [1, 2], [1, 2]), {"threshold": 1}, r"^sharpness = .*: steps must be"),
    ],
)
def test_broken_arguments_are_refused(arguments, keywords, message):
    with pytest.raises(InvalidArgument, match=message):
        find_phases(*arguments, **keywords)


def test_a_negative_resolution_is_refused():
    with pytest.raises(InvalidArgument, match=r"^resolution = -1: must be zero or a positive"):
        find_anomalies([0, 1], [1, 2], [1, 2], resolution=-1)


def test_a_run_goes_through_the_phases_in_order_and_again():
    run = columns()
    found = find_phases(run["step"], run["gram_sharpness"], run["loss"], threshold=THRESHOLD)
    names = [one.phase for one in found.intervals]
    assert names[:9] == ["I", "II", "III", "IV", "I", "II", "III", "IV", "I"]
    events = find_events(
        run["step"], run["loss"], None, run["step"], run["gram_sharpness"],
        threshold=THRESHOLD, lr=LR, last_step=900, blowup_step=None,
    )  # fmt: skip
    for catapult, two, three in zip(
        events.catapults,
        [one for one in found.intervals if one.phase == "II"],
        [one for one in found.intervals if one.phase == "III"],
        strict=True,
    ):
        assert (two.start, two.end, three.end) == (catapult.start, catapult.peak_step, catapult.end)


def pairwise_mean(values):
    return (values[1:] + values[:-1]) / 2


def test_in_a_run_the_phases_are_what_the_paper_says_of_them():
    run = columns()
    found = find_phases(run["step"], run["gram_sharpness"], run["loss"], threshold=THRESHOLD)
    by_phase = {name: found.phase == k for k, name in enumerate(("I", "II", "III", "IV"), start=1)}
    product = pairwise_mean(run["residual_dot_output"])
    # Sharpening is driven by D·F < 0 (lemma 3.1), its end by D·F > 0 (proposition 3.1).
    assert np.mean(product[by_phase["I"]] < 0) > 0.95
    assert np.mean(product[by_phase["III"]] > 0) > 0.9
    loss = pairwise_mean(run["loss"])
    for one in found.intervals:
        if one.phase == "IV" and one.end > one.start:
            assert loss[one.end] < loss[one.start]
    anomalies = find_anomalies(run["step"], run["gram_sharpness"], run["norm_A2"])
    assert anomalies.fraction < 0.05
    raw = np.sign(np.diff(run["gram_sharpness"])) != np.sign(np.diff(run["norm_A2"]))
    assert np.mean(raw) > anomalies.fraction
