"""The one exception for broken arguments."""

from __future__ import annotations

_LONGEST_VALUE = 80


class InvalidArgument(ValueError):
    """An argument broke a rule; the message names the argument, the value and the rule.

    Parameters
    ----------
    argument : str
        The argument's name as the caller wrote it (``"lr"``, ``"precision"``).
    value : object
        What was given; shown in at most 80 characters.
    rule : str
        What would have been accepted.
    """

    def __init__(self, argument: str, value: object, rule: str) -> None:
        self.argument = argument
        self.value = value
        self.rule = rule
        super().__init__(f"{argument} = {_shortened(value)}: {rule}")


def _shortened(value: object) -> str:
    """Return the value as one line of bounded length."""
    shown = " ".join((value if isinstance(value, str) else repr(value)).split())
    return shown if len(shown) <= _LONGEST_VALUE else shown[: _LONGEST_VALUE - 1] + "…"
