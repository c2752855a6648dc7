"""Problems by the text a user types: a name with settings, or a path."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path

from precipice.errors import InvalidArgument
from precipice.problems.cifar10 import cifar10
from precipice.problems.files import load
from precipice.problems.gaussian import gaussian
from precipice.problems.problem import Problem
from precipice.problems.synthetic import fig6, opposing_signals

_BUILDERS: dict[str, Callable[..., Problem]] = {
    "fig6": fig6,
    "opposing_signals": opposing_signals,
    "cifar10": cifar10,
    "gaussian": gaussian,
}
NAMES = tuple(_BUILDERS)
"""The problems known by name."""

_INTEGERS = {"d", "n", "seed", "like_n"}
_TRUTHS = {"subtract_mean"}


def by_name(text: str, settings: Mapping[str, str] | None = None) -> Problem:
    """Return the problem that a command line names.

    Parameters
    ----------
    text : str
        ``fig6``, ``opposing_signals``, ``cifar10``, ``gaussian``, or the path of a ``.npz`` or
        ``.csv`` file.
    settings : mapping of str to str, optional
        The builder's arguments as text, such as ``{"path": "cats.npz", "n": "100"}``.

    Raises
    ------
    InvalidArgument
        If the name or a setting is unknown, or the builder refuses a setting.
    """
    settings = dict(settings or {})
    if text not in _BUILDERS:
        if Path(text).suffix.lower() not in (".npz", ".csv"):
            rule = f"must be one of {', '.join(NAMES)}, or the path of an .npz or .csv file"
            raise InvalidArgument("problem", text, rule)
        if settings:
            name, value = next(iter(settings.items()))
            raise InvalidArgument(name, value, "is no setting: a file takes none")
        return load(text)
    builder = _BUILDERS[text]
    parameters = inspect.signature(builder).parameters
    for name, value in settings.items():
        if name not in parameters:
            takes = ", ".join(parameters) or "no settings"
            raise InvalidArgument(name, value, f"is no setting of {text}, which takes {takes}")
    for name, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and name not in settings:
            raise InvalidArgument(name, "", f"{text} needs {name}=…")
    return builder(**{name: _read(name, value) for name, value in settings.items()})


def _read(name: str, value: str) -> str | int | bool | tuple[str, ...]:
    """Return a setting's value in the builder's type; decimals stay exact text."""
    if name == "classes":
        return tuple(value.split(","))
    if name in _TRUTHS:
        if value.lower() not in ("true", "false"):
            raise InvalidArgument(name, value, "must be true or false")
        return value.lower() == "true"
    if name not in _INTEGERS:
        return value
    try:
        return int(value)
    except ValueError:
        raise InvalidArgument(name, value, "must be an integer") from None
