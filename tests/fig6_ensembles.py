"""Small ensembles of fig. 6, and what it means that a member is a run of its own."""

from __future__ import annotations

import hashlib

import numpy as np

import precipice as pc

FIG6 = (pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50"))


def keywords(**changed):
    return {
        "precision": "float32",
        "steps": 700,
        "init": pc.init.constant("0.01"),
        "loss": "mean",
        "perturbations": 5,
        "record": pc.Record(loss=7, sharpness=1, window=64),
        **changed,
    }


def ensemble(*positional, **changed):
    return pc.ensemble(*(positional or FIG6), **keywords(**changed))


def digest(run):
    lines = [f"{name} {x}\n" for name, texts in run.exact_texts().items() for x in texts]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def assert_is_the_run(found, member, problem, model):
    """A member is what `simulate` makes of its arguments, bit for bit."""
    run = pc.simulate(problem, model, **found.member(member))
    assert (run.outcome.value, run.steps) == (found.outcomes[member], found.steps[member])
    assert digest(run) == found.parameters_sha256[member]
    for name in ("loss", "sharpness"):
        series = getattr(run, name)
        if series is None:
            assert getattr(found, name) is None
            continue
        step, value = getattr(found, name).of(member, run.steps, ended=True)
        np.testing.assert_array_equal(step, series.step)
        np.testing.assert_array_equal(value, series.value)
    if run.loss_windows is not None:
        windows = found.windows.of(member).named()
        for name, column in run.loss_windows.named().items():
            np.testing.assert_array_equal(windows[name], column)
    if found.settings["record"]["sharpness"] == 1:
        first = (run.events().catapults or [None])[0]
        assert found.crossing[member] == (-1 if first is None else first.crossing)
        drop = None if first is None else first.drop_step
        assert found.drop[member] == (-1 if drop is None else drop)
        assert found.events(member).catapults[:1] == run.events().catapults[:1] or (
            found.loss.step.size < run.steps  # its spike is told by fewer losses
        )
    return run
