"""A run asked of the processor and of the host device, which runs the kernels' text in loops."""

from __future__ import annotations

import numpy as np

import precipice as pc
from precipice import _core
from precipice.engines.core import core_arguments
from precipice.simulation import prepare

FOREVER = 1e6


def problem(samples=4, features=3, seed=0, size=1.0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((samples, features)) * size
    return pc.problems.from_arrays(X, rng.choice([-1.0, 1.0], samples))


def arguments(model, *, lr="0.1", data=None, **keywords):
    """Return what the package gives the core for such a run."""
    keywords.setdefault("steps", 30)
    keywords.setdefault("init", pc.init.normal(0.7, 0.7, 3))
    keywords.setdefault("record", pc.Record(loss=1, sharpness=3, parameters=4, window=5))
    plan = prepare(data or problem(), model, pc.GD(lr), **keywords).plan
    return core_arguments(plan)


def on_processor(given):
    return _core.Simulation(**given)


def on_lanes(given, **tuning):
    return _core.Simulation(**given, device=_core.host_device(), tuning=tuning)


def finished(simulation):
    """Return everything that a run says, to its end."""
    records = simulation.advance(FOREVER)
    return said(simulation, records)


def said(simulation, records):
    state = simulation.state().values()
    del state["seconds"]
    return {
        "outcome": simulation.outcome,
        "step": simulation.step,
        "parameters": simulation.parameters(),
        "records": plain(records),
        "state": plain(state),
    }


def plain(value):
    """Return nested records with float64 numbers as text, so that NaN equals NaN and -0 not 0."""
    if isinstance(value, dict):
        return {name: plain(v) for name, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value.hex() if isinstance(value, float) else value


def joined(parts):
    """Return what was recorded in several blocks as one."""
    whole = {}
    for name in parts[0]:
        series = [part[name] for part in parts]
        if isinstance(series[0], dict):
            whole[name] = joined(series)
        else:
            whole[name] = [x for part in series for x in part]
    return whole
