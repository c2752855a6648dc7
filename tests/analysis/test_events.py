"""Every sentence of the event definitions on curves drawn by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from precipice.analysis import Events, find_events
from precipice.errors import InvalidArgument

LR, THRESHOLD = 0.02, 100.0


def events(sharpness, loss=None, *, steps=None, **settings) -> Events:
    """Find the events of curves recorded at every step (or at `steps`)."""
    steps = np.arange(len(sharpness)) if steps is None else np.asarray(steps)
    loss = np.ones(len(sharpness)) if loss is None else np.asarray(loss, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        log2 = np.log2(loss)
    arguments = {
        "threshold": THRESHOLD,
        "lr": LR,
        "last_step": int(steps[-1]),
        "blowup_step": None,
        "merge": 3,
        **settings,
    }
    return find_events(steps, loss, log2, steps, sharpness, **arguments)


def block(*pieces):
    """Concatenate (value, length) pieces."""
    return np.concatenate([np.full(length, float(value)) for value, length in pieces])


def test_below_the_threshold_nothing_happens():
    found = events(block((90, 30)))
    assert found.catapults == ()
    assert (found.started_above, found.crossing, found.blowup) == (False, None, None)


def test_one_catapult_in_every_detail():
    #           0    1    2    3    4    5    6    7    8    9
    sharpness = [90, 95, 104, 103, 125, 105, 120, 101, 70, 60] + [60] * 10
    loss = [8, 8, 8, 9, 10, 12, 16, 30, 20, 5] + [1] * 10
    found = events(sharpness, loss)
    (catapult,) = found.catapults
    assert catapult.kind == "catapult"
    # Pair means: 92.5 99.5 103.5 114 115 112.5 110.5 85.5 ...: steps 2 to 6.
    assert (catapult.start, catapult.end, catapult.crossing) == (2, 6, 2)
    assert (catapult.peak_step, catapult.peak_sharpness) == (4, 115.0)
    assert (catapult.peak_step_raw, catapult.peak_sharpness_raw) == (4, 125.0)
    assert (catapult.spike_step, catapult.spike_loss) == (7, 30.0)
    assert catapult.spike_log2_loss == math.log2(30)
    assert (catapult.drop_step, catapult.delay) == (8, 6)
    assert catapult.overshoot == pytest.approx(1.15)
    assert (found.started_above, found.crossing) == (False, 2)
    assert (found.threshold, found.merge, found.spike_factor) == (100.0, 3, 2.0)


def test_period_two_does_not_split_an_excursion():
    sharpness = block((80, 5)).tolist() + [130, 90] * 10 + [60] * 10
    (catapult,) = events(sharpness).catapults
    # S = 80, 130 has the mean 105: the excursion starts one step before the first crossing.
    assert (catapult.start, catapult.crossing, catapult.end) == (4, 5, 23)
    assert (catapult.peak_step, catapult.drop_step) == (5, 6)


def test_the_threshold_itself_is_above():
    (catapult,) = events(block((90, 4), (100, 4), (90, 9))).catapults
    assert (catapult.start, catapult.end, catapult.crossing, catapult.drop_step) == (4, 6, 4, 8)


@pytest.mark.parametrize(("gap", "count"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_gaps_shorter_than_merge_are_joined(gap, count):
    # `gap` + 1 low steps make `gap` low pair means, since 190 and 10 have the mean 100.
    dip = [10.0] + [50.0] * (gap - 1) + [10.0]
    sharpness = [5.0] * 3 + [190.0] * 4 + dip + [190.0] * 4 + [50.0] * 9
    found = events(sharpness).catapults
    assert len(found) == count
    assert found[0].start == 3
    if count == 2:
        assert found[1].start - found[0].end - 1 == gap


def test_the_drop_is_sought_from_the_peak_of_the_pair_mean():
    # S dips below the threshold at step 4, before the peak, and again at step 9.
    sharpness = [90, 90, 110, 110, 98, 120, 130, 130, 120, 80, 80, 80, 80, 80, 80]
    (catapult,) = events(sharpness).catapults
    assert (catapult.peak_step, catapult.drop_step, catapult.delay) == (6, 9, 7)


def test_starting_above():
    found = events(block((110, 5), (80, 20)))
    assert (found.started_above, found.crossing) == (True, 0)
    assert (found.catapults[0].start, found.catapults[0].crossing) == (0, 0)
    # S_0 alone above: no excursion, but the run did start above.
    found = events([101.0] + [80.0] * 9)
    assert (found.started_above, found.crossing, found.catapults) == (True, 0, ())


def test_gentle_open_and_catapult():
    sharpness = block((90, 5), (110, 5), (90, 5))  # pair means at or above at steps 4 ... 9
    gentle = events(sharpness, np.linspace(1, 1.5, 15))
    assert [c.kind for c in gentle.catapults] == ["gentle"]
    # The window closes at end + merge = 12: a run that ends at 11 leaves it open ...
    assert events(sharpness[:12]).catapults[0].kind == "open"
    assert events(sharpness[:13]).catapults[0].kind == "gentle"
    # ... unless the spike was reached before, and a spike after it belongs to nothing.
    loss = np.ones(15)
    loss[12] = 2.0
    assert events(sharpness, loss).catapults[0].kind == "catapult"
    assert events(sharpness[:11], block((1, 10), (2, 1))).catapults[0].kind == "catapult"
    loss = np.ones(15)
    loss[13] = 50.0
    assert events(sharpness, loss).catapults[0].kind == "gentle"
    assert events(sharpness, loss, merge=4).catapults[0].kind == "catapult"


@pytest.mark.parametrize(
    "loss_step",
    [[], [0, 2], [30, 35], [0, 4], [10, 11, 12]],
    ids=["none", "before", "after", "up to the start", "after the start"],
)
def test_without_losses_to_compare_nothing_is_claimed(loss_step):
    """The excursion is 4 ... 9, its window ends at 12: a rise needs a loss before and after."""
    sharpness = block((90, 5), (110, 5), (90, 30))
    steps = np.arange(sharpness.size)
    arguments = {"threshold": THRESHOLD, "lr": LR, "last_step": 39, "blowup_step": None}
    loss = np.ones(len(loss_step))
    found = find_events(loss_step, loss, None, steps, sharpness, merge=3, **arguments)
    assert [catapult.kind for catapult in found.catapults] == ["unknown"]
    # A run that ends inside makes it no better known.
    arguments["last_step"] = 8
    inside = [step for step in loss_step if step <= 4]
    found = find_events(
        inside, np.ones(len(inside)), None, steps[:9], sharpness[:9], merge=3, **arguments
    )
    assert [catapult.kind for catapult in found.catapults] == ["unknown"]


def test_a_loss_before_and_one_inside_are_enough():
    sharpness = block((90, 5), (110, 5), (90, 30))
    steps = np.arange(sharpness.size)
    arguments = {"threshold": THRESHOLD, "lr": LR, "last_step": 39, "blowup_step": None}
    for height, kind in ((1.9, "gentle"), (2.0, "catapult")):
        found = find_events([2, 12], [1, height], None, steps, sharpness, merge=3, **arguments)
        assert found.catapults[0].kind == kind


def test_a_loss_that_is_no_number_at_the_start_makes_no_catapult():
    sharpness = block((90, 5), (110, 5), (90, 9))
    loss = block((1, 4), (math.nan, 1), (1e9, 14))
    (catapult,) = events(sharpness, loss).catapults
    assert (catapult.start, catapult.kind, catapult.spike_step) == (4, "unknown", 5)
    loss = block((1, 4), (math.inf, 15))
    assert events(sharpness, loss).catapults[0].kind == "unknown"
    # Nor is it gentle if everything after the start is no number.
    loss = block((1, 5), (math.nan, 14))
    (catapult,) = events(sharpness, loss).catapults
    assert (catapult.kind, catapult.spike_step) == ("unknown", 4)


def test_events_say_whether_the_sharpness_was_recorded():
    loss = np.ones(10)
    arguments = {"threshold": THRESHOLD, "lr": LR, "last_step": 9, "blowup_step": None}
    found = find_events(np.arange(10), loss, None, [], [], **arguments)
    assert (found.measured, found.catapults) == (False, ())
    assert found.to_dict()["measured"] is False
    found = events(block((90, 30)))
    assert (found.measured, found.catapults) == (True, ())
    assert found.to_dict()["measured"] is True


def test_spike_factor_is_an_argument():
    sharpness, loss = block((90, 5), (110, 5), (90, 9)), block((1, 7), (3, 12))
    assert events(sharpness, loss, spike_factor=3.0).catapults[0].kind == "catapult"
    assert events(sharpness, loss, spike_factor=3.01).catapults[0].kind == "gentle"


def test_a_run_that_ends_inside_has_no_end_and_no_drop():
    (catapult,) = events(block((90, 5), (110, 6))).catapults
    assert (catapult.kind, catapult.end) == ("open", None)
    assert (catapult.drop_step, catapult.delay) == (None, None)
    assert catapult.crossing == 5


def test_spikes_below_the_smallest_float64_are_seen_in_log2():
    sharpness = block((90, 5), (110, 5), (90, 9))
    steps, zeros = np.arange(19), np.zeros(19)
    log2 = np.full(19, -5000.0)
    log2[7] = -4998.5
    arguments = {"threshold": THRESHOLD, "lr": LR, "last_step": 18, "blowup_step": None}
    found = find_events(steps, zeros, log2, steps, sharpness, merge=3, **arguments)
    (catapult,) = found.catapults
    assert (catapult.kind, catapult.spike_step, catapult.spike_loss) == ("catapult", 7, 0.0)
    assert catapult.spike_log2_loss == -4998.5
    log2[7] = -4999.5
    found = find_events(steps, zeros, log2, steps, sharpness, merge=3, **arguments)
    assert found.catapults[0].kind == "gentle"
    # With the float64 values alone there is nothing to compare: no loss, no spike.
    found = find_events(steps, zeros, None, steps, sharpness, merge=3, **arguments)
    assert (found.catapults[0].kind, found.catapults[0].spike_step) == ("gentle", None)


def test_sharpness_recorded_in_pairs():
    """At cadence 10 the pair means exist at 0, 10, 20, ... and nowhere between."""
    steps = np.ravel([[t, t + 1] for t in range(0, 100, 10)])
    curve = np.where((steps >= 30) & (steps < 60), 100 + 20 * (-1.0) ** steps + 5, 90.0)
    loss_steps = np.arange(0, 100, 7)
    found = find_events(
        loss_steps,
        np.where(loss_steps == 35, 9.0, 1.0),
        None,
        steps,
        curve,
        threshold=THRESHOLD,
        lr=LR,
        last_step=99,
        blowup_step=None,
    )
    (catapult,) = found.catapults
    assert (catapult.start, catapult.end, catapult.crossing) == (30, 50, 30)
    assert (catapult.peak_step, catapult.peak_sharpness) == (30, 105.0)
    assert (catapult.peak_step_raw, catapult.drop_step) == (30, 31)
    # The start's loss is the last one recorded, that of step 28.
    assert (catapult.kind, catapult.spike_step) == ("catapult", 35)


def test_unpaired_sharpness_gives_no_excursion():
    found = events(block((90, 5), (110, 5)), steps=np.arange(0, 100, 10))
    assert (found.catapults, found.crossing) == ((), None)


def test_blowup_limits_what_is_read():
    sharpness = [90, 90, 110, 112, 95, 300, 5000, 1e300]
    loss = [1, 1, 1, 1, 1, 4, 40, 1e9]
    found = events(sharpness, loss, blowup_step=7)
    (catapult,) = found.catapults
    # Pair means to step 5 (t + 1 < 7), raw values to step 6.
    assert (catapult.peak_step, catapult.peak_sharpness) == (5, 2650.0)
    assert (catapult.peak_step_raw, catapult.peak_sharpness_raw) == (6, 5000.0)
    assert (catapult.kind, catapult.end, catapult.drop_step) == ("catapult", None, None)
    assert found.blowup is not None
    assert (found.blowup.step, found.blowup.loss) == (7, 1e9)
    assert (found.blowup.sharpness, found.blowup.excursion) == (1e300, 0)
    # A drop at the blow-up step itself does not count, one before it does.
    sharpness = [90, 90, 110, 112, 150, 150, 80, 10]
    assert events(sharpness, loss, blowup_step=7).catapults[0].drop_step == 6
    assert events(sharpness[:7], loss[:7], blowup_step=6).catapults[0].drop_step is None


def test_blowup_names_its_excursion():
    sharpness = block((90, 5), (110, 5), (80, 10), (120, 5))
    found = events(sharpness, blowup_step=24)
    assert [c.start for c in found.catapults] == [4, 19]
    assert found.blowup is not None
    assert found.blowup.excursion == 1
    # Within `merge` steps of its end an excursion is still to blame, later none is.
    sharpness = block((90, 5), (110, 5), (80, 10))
    for step, excursion in ((11, 0), (12, None)):
        found = events(sharpness[: step + 1], blowup_step=step)
        assert found.catapults[0].end == 8
        assert found.blowup is not None
        assert found.blowup.excursion == excursion


def test_nan_in_the_curves():
    sharpness = block((90, 5), (110, 5), (math.nan, 2), (80, 10))
    loss = block((1, 7), (math.nan, 1), (3, 14))
    (catapult,) = events(sharpness, loss).catapults
    assert (catapult.start, catapult.end, catapult.drop_step) == (4, 8, 12)
    assert (catapult.peak_sharpness, catapult.spike_step) == (110.0, 8)


def test_json_has_no_non_finite_number():
    found = events([90, 90, 110, 110, math.inf], [1, 1, 1, math.inf, math.nan], blowup_step=4)
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["blowup"] == {"step": 4, "loss": None, "sharpness": None, "excursion": 0}
    (catapult,) = document["catapults"]
    assert (catapult["kind"], catapult["spike_step"]) == ("catapult", 3)
    assert catapult["spike_loss"] is None
    assert set(catapult) >= {
        *("kind", "start", "crossing", "peak_step", "peak_sharpness", "peak_sharpness_raw"),
        *("spike_step", "spike_loss", "drop_step", "end", "delay", "overshoot"),
    }
    assert (document["started_above"], document["crossing"]) == (False, 2)


def test_nothing_recorded():
    found = find_events(
        [], [], [], [], [], threshold=1.0, lr=2.0, last_step=0, blowup_step=0, merge=20
    )
    assert (found.catapults, found.crossing) == ((), None)
    assert found.blowup is not None
    assert math.isnan(found.blowup.loss)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("threshold", {"threshold": math.nan}),
        ("lr", {"lr": 0.0}),
        ("merge", {"merge": -1}),
        ("spike_factor", {"spike_factor": 0.0}),
        ("last_step", {"last_step": -1}),
        ("loss", {"loss_step": [1, 1]}),
        ("loss", {"loss_value": [1.0]}),
        ("loss_log2", {"loss_log2": [1.0]}),
        ("sharpness", {"sharpness_step": [1, 0]}),
        ("sharpness", {"sharpness_value": [[1.0, 2.0]]}),
    ],
)
def test_bad_arguments_are_named(name, change):
    arguments = {
        "loss_step": [0, 1],
        "loss_value": [1.0, 1.0],
        "loss_log2": [0.0, 0.0],
        "sharpness_step": [0, 1],
        "sharpness_value": [1.0, 1.0],
        "threshold": 1.0,
        "lr": 2.0,
        "last_step": 1,
        "blowup_step": None,
        **change,
    }
    with pytest.raises(InvalidArgument, match=f"^{name} = "):
        find_events(**arguments)


def test_each_step_has_its_own_threshold():
    """The threshold doubles at step 5: what was above is below, until 200 is passed."""
    sharpness = [80, 110, 112, 111, 120, 130, 150, 190, 205, 207, 190] + [90] * 10
    threshold = np.where(np.arange(len(sharpness)) < 5, 100.0, 200.0)
    first, second = events(sharpness, threshold=threshold, lr=None, merge=1).catapults
    # The pair of steps 4 and 5 has the mean of both thresholds, 150; its mean is 125.
    assert (first.start, first.end, first.crossing, first.drop_step) == (1, 3, 1, 5)
    assert first.overshoot == 115.5 / 100
    assert (second.start, second.crossing, second.drop_step) == (8, 8, 10)
    assert second.overshoot == 206 / 200
    # A threshold that is the same at every step is that number.
    same = events(sharpness, threshold=np.full(len(sharpness), 100.0), lr=LR)
    assert same == events(sharpness)


def test_what_is_above_only_by_its_pair_crosses_where_it_is():
    """S̄ = 150 reaches the mean threshold of its pair: one of the two is above its own."""
    found = events([90, 120, 180, 90], threshold=np.array([100.0, 150, 150, 100]), lr=None)
    (catapult,) = found.catapults
    assert (catapult.start, catapult.crossing) == (1, 2)


def test_an_infinite_threshold_is_never_reached():
    found = events([math.inf, math.inf, 1.0, math.nan], threshold=math.inf, lr=None)
    assert (found.catapults, found.started_above, found.crossing) == ((), False, None)
    assert found.to_dict()["threshold"] is None


def test_a_threshold_of_other_steps_is_refused():
    for wrong in (np.full(5, 100.0), np.full((1, 4), 100.0), [100.0, 100.0, math.nan, 100.0]):
        with pytest.raises(InvalidArgument, match="^threshold = "):
            events([1.0, 2.0, 3.0, 4.0], threshold=wrong, lr=None)
