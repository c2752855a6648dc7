"""What the JSON document of a comparison must look like to be read, drawn and shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from precipice.errors import InvalidArgument
from precipice.optimizers import GradientFlow, from_description

_Kinds = tuple[type, ...]
_NUMBER: _Kinds = (int, float, type(None))  # JSON has no infinity: it is written as none
_ANY: _Kinds = (object,)
_TEXT: _Kinds = (str,)
_INTEGER: _Kinds = (int,)

_PARTS: dict[str, dict[str, _Kinds]] = {
    "problem": {
        "name": _TEXT,
        "samples": _INTEGER,
        "features": _INTEGER,
        "sha256": _TEXT,
        "provenance": (dict,),
        "presets": (dict,),
    },
    "model": {"name": _TEXT},
    "optimizer": {"name": _TEXT},
    "settings": {
        "steps": _INTEGER,
        "init": (dict,),
        "loss": _TEXT,
        "loss_definition": _TEXT,
        "order": _TEXT,
        "coordinates": _TEXT,
        "problem_dtype": _TEXT,
        "measure_precision": _TEXT,
        "sharpness_definition": _TEXT,
    },
    "theory": {"threshold": _NUMBER, "predicted_sharpness": _NUMBER},
}
_MODELS: dict[str, dict[str, _Kinds]] = {
    "minimalist": {"depth": _INTEGER},
    "two-layer": {"width": _INTEGER, "scale": _TEXT, "contraction": _TEXT},
}
_INSIDE: dict[tuple[str, str], dict[str, _Kinds]] = {
    ("problem", "presets"): {"loss": (str, type(None))},
    ("settings", "init"): {"name": _TEXT},
}
_RUN: dict[str, _Kinds] = {"outcome": _TEXT, "exact": (dict,)}
_EXACT: dict[str, _Kinds] = {
    "precision": _TEXT,
    "outcome": _TEXT,
    "steps": _INTEGER,
    "lr": _TEXT,
    "seconds": (int, float),
    "settings": (dict,),
    "series": (list,),
    "parameters": (dict,),
    "trajectory": (dict, type(None)),
}
_OPTIONAL: dict[str, _Kinds] = {"event_step": _INTEGER, "switch_steps": (list,)}
_OPTIONAL_SETTINGS: dict[str, _Kinds] = {"order_definition": _TEXT, "rounding_seed": _INTEGER}
_TRAJECTORY: dict[str, _Kinds] = {"bits": _INTEGER, "texts": (dict,)}


def read_document(path: Path) -> dict[str, Any] | None:
    """Return the JSON document in a file; None if there is none that precipice wrote.

    Only its outermost names are looked at: `fault` says what is wrong inside.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    needed = {"schema_version", *_PARTS, "runs"}
    return document if isinstance(document, dict) and needed <= document.keys() else None


def fault(document: dict[str, Any]) -> str | None:
    """Return what is missing in a document or is not what it should be; None if nothing is.

    Parameters
    ----------
    document : dict
        What `read_document` returned.
    """
    for part, shape in _PARTS.items():
        wrong = _mismatch(document[part], shape, part)
        if wrong:
            return wrong
    given = {key: kinds for key, kinds in _OPTIONAL_SETTINGS.items() if key in document["settings"]}
    wrong = _mismatch(document["settings"], given, "settings")
    if wrong:
        return wrong
    for (part, name), shape in _INSIDE.items():
        wrong = _mismatch(document[part][name], shape, f"{part}.{name}")
        if wrong:
            return wrong
    model = document["model"]
    wrong = _mismatch(model, _MODELS.get(model["name"], {}), "model")
    if wrong:
        return wrong
    if not isinstance(model.get("bias", False), bool):  # not told before there were any
        return "model.bias has another type"
    optimizer = document["optimizer"]
    needed = "step" if optimizer["name"] == GradientFlow.name else "lr"
    wrong = _mismatch(optimizer, {needed: _ANY}, "optimizer")
    if wrong:
        return wrong
    try:
        from_description(optimizer)
    except InvalidArgument as error:
        return str(error)
    runs = document["runs"]
    if not isinstance(runs, list) or not runs:
        return "runs must be a list of at least one"
    for index, run in enumerate(runs):
        wrong = _run_fault(run, f"runs[{index}]")
        if wrong:
            return wrong
    return None


def _run_fault(run: Any, name: str) -> str | None:
    """Return what is wrong with one run's entry."""
    wrong = _mismatch(run, _RUN, name) or _mismatch(run["exact"], _EXACT, f"{name}.exact")
    if wrong:
        return wrong
    exact = run["exact"]
    wrong = _mismatch(exact, {key: kinds for key, kinds in _OPTIONAL.items() if key in exact}, name)
    if wrong:
        return wrong
    if not all(map(_is_texts, exact["parameters"].values())):
        return f"{name}.exact.parameters must be lists of text"
    trajectory = exact["trajectory"]
    if trajectory is None:
        return None
    wrong = _mismatch(trajectory, _TRAJECTORY, f"{name}.exact.trajectory")
    if wrong:
        return wrong
    for rows in trajectory["texts"].values():
        if not isinstance(rows, list) or not all(map(_is_texts, rows)):
            return f"{name}.exact.trajectory.texts must be lists of lists of text"
    return None


def _mismatch(entry: Any, shape: dict[str, _Kinds], name: str) -> str | None:
    """Return the first name of a shape that an entry lacks, or has with another type."""
    if not isinstance(entry, dict):
        return f"{name} must be an object"
    for key, kinds in shape.items():
        if key not in entry:
            return f"{name}.{key} is missing"
        # bool is Python's int, and nothing here is true or false.
        if not isinstance(entry[key], kinds) or isinstance(entry[key], bool):
            return f"{name}.{key} has another type"
    return None


def _is_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
