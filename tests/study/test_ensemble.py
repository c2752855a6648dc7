"""Ensembles: each member is a run of its own, and nothing but the members decides the result."""

from __future__ import annotations

import json
import signal
import threading

import numpy as np
import pytest

import precipice as pc
from fig6_ensembles import FIG6, assert_is_the_run, ensemble, keywords
from precipice.errors import InvalidArgument
from precipice.study.ensemble import EnsembleInterrupted, prepare_ensemble
from precipice.study.ensemble_table import Spread, rows

GAUSSIAN = pc.problems.gaussian(n=6, d=4, seed=1)
KINDS = {
    "float32": {},
    "bits that blow up": {"precision": "mpfr114", "perturbation_bits": 53},
    "stochastic": {"precision": "bfloat16:sr", "rounding_seed": 5, "perturbations": 3},
    "stages": {"precision": "float16/accumulate=float32", "order": "pairwise"},
    "no perturbation of pairs": {"precision": "double_double", "perturbations": 1},
    "exact problem": {"problem_dtype": "exact", "precision": "mpfr60"},
    "spectral": {"coordinates": "spectral", "precision": "float64"},
    "step sizes": {"lrs": ["2/50", 0.03, "1/30"], "perturbations": 2},
    "momentum": {"optimizer": pc.HeavyBall("1/50", "1/2"), "lrs": ["1/50", "1/40"],
                 "perturbations": 2},
    "batches": {"optimizer": pc.SGD("2/50", 1, seed=4), "perturbations": 2},
    "seeds": {"init": pc.init.normal("0.1", "0.2"), "seeds": [3, 0, 9], "perturbations": 2},
    "wide": {"problem": GAUSSIAN, "model": pc.Minimalist(3), "init": pc.init.pytorch(),
             "seeds": range(2), "precision": "mpfr70", "optimizer": pc.GD("1/10")},
    "two layers": {"problem": GAUSSIAN, "model": pc.TwoLayerLinear(3), "init": pc.init.pytorch(),
                   "seeds": [1, 2], "optimizer": pc.GD("1/10"), "steps": 40,
                   "record": pc.Record(loss=1, sharpness=3, window=9)},
    "biases": {"problem": GAUSSIAN, "model": pc.TwoLayerLinear(2, bias=True), "steps": 40,
               "init": pc.init.pytorch(), "optimizer": pc.GD("1/10"), "perturbations": 2},
    "nothing recorded": {"record": pc.Record(), "blowup_factor": float("inf"), "tol": 1e-3},
    "no step": {"steps": 0},
    "stalls": {"precision": "mpfr4", "blowup_factor": None},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_member_is_the_run_that_its_arguments_make(kind):
    changed = dict(KINDS[kind])
    problem = changed.pop("problem", FIG6[0])
    model, optimizer = changed.pop("model", FIG6[1]), changed.pop("optimizer", FIG6[2])
    found = ensemble(problem, model, optimizer, **changed)
    assert found.size == len(found.outcomes) == len(found.steps) > 0
    for member in range(found.size):
        assert_is_the_run(found, member, problem, model)


def test_members_are_step_sizes_times_seeds_times_perturbations():
    found = ensemble(init=pc.init.pytorch(), lrs=["2/50", "1/50"], seeds=[4, 1, 7],
                     perturbations=2, steps=1, precision="mpfr200",
                     perturbation_bits=20)  # fmt: skip
    listed = [(row["lr"], row["seed"], row["perturbation"]) for row in rows(found)]
    assert listed == [(lr, seed, k) for lr in ("2/50", "1/50") for seed in (4, 1, 7)
                      for k in (0, 1)]  # fmt: skip
    assert found.member(3)["init"] == pc.init.perturbed(pc.init.pytorch(1), 1, bits=20)
    assert found.member(8)["optimizer"] == pc.GD("1/50")
    assert len(set(found.parameters_sha256)) == 12


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_no_result_depends_on_the_threads(workers):
    changed = {"lrs": ["2/50", "2/60"], "perturbations": 40, "precision": "mpfr114",
               "perturbation_bits": 53}  # fmt: skip
    assert ensemble(**changed, workers=workers) == ensemble(**changed)


@pytest.mark.parametrize("precision", ["float64", "float32", "bfloat16:sr"])
def test_no_result_depends_on_the_device(precision):
    """The GPU's text, run on the processor lane after lane."""
    from precipice import devices

    changed = {"precision": precision, "lrs": ["2/50", "2/60"], "perturbations": 10}
    if precision == "bfloat16:sr":
        changed["rounding_seed"] = 8
    found = ensemble(**changed, device=devices.host())
    assert found.settings["device"] == "host lanes"
    assert found == ensemble(**changed)


def test_what_a_device_does_not_carry_out_is_refused():
    from precipice import devices

    with pytest.raises(InvalidArgument, match="^device = host: mpfr114: a device has"):
        ensemble(precision="mpfr114", device=devices.host())
    with pytest.raises(InvalidArgument, match="^device = tpu: must be cpu, cuda or auto"):
        ensemble(device="tpu")


def test_members_of_stochastic_rounding_differ_by_their_draws_alone():
    """Zeros are moved by no perturbation, and one start is left: v = 1."""
    start = pc.init.explicit({"u": [0, 0], "v": [1]})
    same = [
        k
        for k in range(60)
        if pc.init.perturbed(start, k).begun(
            {"u": np.zeros(2), "v": np.ones(1)}, pc.Precision.parse("bfloat16")
        )["v"][0]
        == 1
    ]
    found = ensemble(init=start, precision="bfloat16:sr", rounding_seed=1, perturbations=60,
                     steps=300)  # fmt: skip
    assert len(same) > 10
    assert len({found.parameters_sha256[k] for k in same}) == len(same)
    assert found.member(2)["rounding_run"] == 2


# Near the critical precision of this excursion the outcome is a distribution.
@pytest.mark.parametrize(("precision", "blowups"), [("mpfr108", 0), ("mpfr114", 24),
                                                    ("mpfr120", 30)])  # fmt: skip
def test_near_the_critical_precision_the_outcome_is_a_distribution(precision, blowups):
    found = ensemble(precision=precision, perturbations=30, perturbation_bits=53, steps=3000,
                     record=pc.Record(window=500))  # fmt: skip
    shares = found.fractions()
    assert shares.get("blowup", type("none", (), {"count": 0})).count == blowups
    assert sum(share.count for share in shares.values()) == 30


def test_the_very_last_bits_of_a_start_are_forgotten():
    """At 114 bits all members come to one and the same point before the threshold."""
    found = ensemble(precision="mpfr114", perturbations=20, steps=500)
    assert len(set(found.parameters_sha256)) == 1
    moved = ensemble(precision="mpfr114", perturbations=20, steps=3)
    assert len(set(moved.parameters_sha256)) > 10


def test_shares_of_some_of_the_members():
    found = ensemble(precision="mpfr114", perturbations=30, perturbation_bits=53,
                     lrs=["2/50", "2/80"], steps=800)  # fmt: skip
    assert list(found.fractions()) == ["max_steps", "blowup"]
    first = found.fractions(np.arange(60) < 30)
    assert {name: share.count for name, share in first.items()} == {"blowup": 24, "max_steps": 6}
    assert found.fractions([30, 31])["max_steps"].of == 2
    np.testing.assert_array_equal(found.blowup_step >= 0, found.outcomes == "blowup")
    with pytest.raises(InvalidArgument, match="^which = none"):
        found.fractions([])
    for which in ([60], [0.5], [True], "all"):
        with pytest.raises(InvalidArgument, match="^which = .*: must be indices below 60"):
            found.fractions(which)


def test_spreads():
    assert Spread.of(np.array([-1, 5, 3, 4, -1, 10])).to_dict() == {
        "count": 4, "least": 3, "lower_quartile": 3.75, "median": 4.5, "upper_quartile": 6.25,
        "greatest": 10,
    }  # fmt: skip
    assert str(Spread.of(np.array([-1, 7, 7]))) == "7"
    assert str(Spread.of(np.array([-1]))) == "–"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lrs": []}, "lrs = : must name at least one"),
        ({"lrs": "2/50"}, "lrs = 2/50: must be a sequence"),
        ({"lrs": ["2/50", "0.04"]}, "lrs = 2/50,0.04: 0.04 is named twice"),
        ({"lrs": [0]}, "lr = 0: must be positive"),
        ({"lrs": ["1/50", "1e-60"]}, "lr = 1e-60: must not round to 0 in float32"),
        ({"seeds": [1]}, "seeds = 1: need a start that is drawn"),
        ({"seeds": [1.5], "init": pc.init.pytorch()}, "seeds = 1.5: must be an integer"),
        ({"seeds": [1, 1], "init": pc.init.pytorch()}, "seeds = 1,1: 1 is named twice"),
        ({"perturbations": 0}, "perturbations = 0: must be an integer of at least 1"),
        ({"perturbations": 2**30}, "perturbations = 1073741824: must be an integer from 1 to"),
        ({"perturbation_seed": -1}, "perturbation_seed = -1: must be an integer"),
        ({"perturbation_bits": 25}, "perturbation_bits = 25: must be at most 24"),
        ({"precision": "double_double"}, "precision = double_double: must be a format whose"),
        ({"precision": "float32->float64@5"}, "precision = .*: must not change on the way"),
        ({"precision": "float31"}, "precision = float31"),
        ({"record": pc.Record(sharpness=pc.Adaptive())}, "record.sharpness = adaptive: must be a"),
        ({"record": pc.Record(parameters=1)}, "record.parameters = 1: must be 0"),
        ({"record": "all"}, "record = all: must be a Record"),
        ({"init": None}, "init = None: must be"),
        ({"resume": True}, "resume = True: needs the checkpoint"),
        ({"workers": 0}, "workers = 0"),
        ({"steps": 10**13}, "memory = .* GiB: must fit this machine"),
        ({"steps": 10**13, "record": pc.Record(window=3)}, "memory = .* GiB: must fit this"),
        ({"rounding_seed": 1}, "rounding_seed = 1: needs a format that rounds stochastically"),
        ({"precision": "bfloat16:sr"}, "rounding_seed = None: must be given"),
    ],
)  # fmt: skip
def test_bad_arguments_are_refused(changed, message):
    with pytest.raises(InvalidArgument, match=f"^{message}"):
        ensemble(**changed)


@pytest.mark.parametrize("optimizer", [pc.GradientFlow(), pc.GD(pc.lr.warmup("2/50", 3))])
def test_an_optimiser_without_a_constant_step_size_is_refused(optimizer):
    with pytest.raises(InvalidArgument, match="^optimizer = .*: must have a constant"):
        ensemble(*FIG6[:2], optimizer)


@pytest.mark.parametrize("optimizer", [None, "gd", "2/50"])
def test_what_is_no_optimiser_is_refused(optimizer):
    with pytest.raises(InvalidArgument, match=f"^optimizer = {optimizer}: must be an optimiser"):
        ensemble(*FIG6[:2], optimizer)


def test_no_such_member():
    found = ensemble(steps=1)
    for member in (-1, 5, 1.5, "1"):
        with pytest.raises(InvalidArgument, match=f"^member = {member}: must be an integer"):
            found.member(member)


# Stopped and resumed.

SLOW = {"precision": "mpfr114", "perturbation_bits": 53, "perturbations": 24, "steps": 3000}


@pytest.fixture(scope="module")
def whole():
    return ensemble(**SLOW)


def stopped_after(seconds, folder=None, **changed):
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.start()
    prepared = prepare_ensemble(*FIG6, **keywords(**{**SLOW, **changed}), checkpoint=folder,
                                checkpoint_seconds=0.02, resume=folder is not None)  # fmt: skip
    found = prepared.run(workers=2, stop=stop)
    timer.cancel()
    return found


def test_stopped_members_say_so(whole):
    found = stopped_after(0.05)
    assert "cancelled" in found.fractions()
    cut = found.outcomes == "cancelled"
    assert all(text == "" for text, each in zip(found.parameters_sha256, cut, strict=True) if each)
    for member in np.flatnonzero(~cut):
        assert found.parameters_sha256[member] == whole.parameters_sha256[member]
    found.table(), found.plot(), found.to_dict()


@pytest.mark.parametrize("changed", [{}, {"precision": "bfloat16:sr", "rounding_seed": 4}])
def test_an_ensemble_stopped_again_and_again_is_the_one_never_stopped(tmp_path, whole, changed):
    if "rounding_seed" in changed:
        changed = {**changed, "perturbation_bits": None, "perturbations": 4}
        whole = ensemble(**{**SLOW, **changed})
    pieces = 0
    for attempt in range(500):
        found = stopped_after(0.03 * (1 + attempt / 20), tmp_path / "saved", **changed)
        pieces += 1
        if "cancelled" not in found.fractions():
            break
    assert pieces > 1
    assert found == whole


def test_ctrl_c_brings_back_what_was_computed(whole):
    def interrupt(progress):
        if progress.steps > 0:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(EnsembleInterrupted) as raised:
        ensemble(**{**SLOW, "steps": 200000, "blowup_factor": None}, progress=interrupt)
    assert raised.value.ensemble.steps.sum() > 0
    assert "cancelled" in raised.value.ensemble.fractions()


def test_progress_counts_members_and_steps():
    seen = []
    found = ensemble(**SLOW, progress=seen.append)
    last = seen[-1]
    assert (last.members, last.ended) == (24, 24)
    assert last.outcomes == {name: s.count for name, s in found.fractions().items()}
    assert last.steps == found.steps.sum() <= last.most_steps == 24 * 3000


def test_another_ensemble_s_checkpoint_is_refused(tmp_path):
    ensemble(steps=5, checkpoint=tmp_path / "saved")
    with pytest.raises(InvalidArgument, match="^checkpoint = .*must hold no checkpoint yet"):
        ensemble(steps=5, checkpoint=tmp_path / "saved")
    for changed in ({"steps": 6}, {"perturbations": 6}, {"perturbation_seed": 1},
                    {"precision": "float64"}):  # fmt: skip
        with pytest.raises(InvalidArgument, match="^checkpoint = .*must be of the same run"):
            ensemble(**{"steps": 5, **changed}, checkpoint=tmp_path / "saved", resume=True)
    again = ensemble(steps=5, checkpoint=tmp_path / "saved", resume=True)
    assert again == ensemble(steps=5)


def test_damaged_checkpoints_are_refused(tmp_path):
    ensemble(steps=5, checkpoint=tmp_path / "saved")
    path = tmp_path / "saved" / "state.json"
    document = json.loads(path.read_text())
    document["state"]["member"] = [99]
    path.write_text(json.dumps(document))
    with pytest.raises(InvalidArgument, match="^checkpoint = .*must be whole and readable"):
        ensemble(steps=5, checkpoint=tmp_path / "saved", resume=True)
