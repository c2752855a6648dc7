"""Saved results read back: what is checked of every kind before its own numbers are decoded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from precipice.archive import Arrays, read_arrays
from precipice.errors import InvalidArgument

_UNDAMAGED = "must hold undamaged results"
_Results = TypeVar("_Results")


def read_results(
    directory: str | Path,
    what: str,
    names: tuple[str, str],
    version: int,
    document: dict[str, Any] | None,
    decoded: Callable[[dict[str, Any], Arrays], _Results],
    fault: Callable[[dict[str, Any]], str | None] = lambda document: None,
) -> _Results:
    """Return the results of a directory whose document has been read.

    Parameters
    ----------
    directory : str or Path
    what : str
        The kind of results, for the error message.
    names : tuple of str
        Of the files of the document and of the arrays.
    version : int
        The schema_version that is read.
    document : dict or None
        None if there is none.
    decoded : callable
        Makes the results of the document and the arrays.
    fault : callable, optional
        Returns what is wrong with the document, None if nothing is.

    Raises
    ------
    InvalidArgument
        If the directory holds none, one of another version, or damaged ones.
    """
    shown, series = str(directory), Path(directory) / names[1]
    if document is None or not series.is_file():
        rule = f"must hold a saved {what} ({' and '.join(names)})"
        raise InvalidArgument("directory", shown, rule)
    written = document["schema_version"]
    if written != version:
        rule = f"must hold schema_version {version}, the one this precipice reads"
        raise InvalidArgument("directory", shown, f"{rule}, not {written!r:.20}")
    wrong = fault(document)
    if wrong:
        raise InvalidArgument("directory", shown, f"{_UNDAMAGED} ({wrong})")
    arrays = read_arrays(series, argument="directory", rule=_UNDAMAGED)
    try:
        return decoded(document, arrays)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise InvalidArgument("directory", shown, f"{_UNDAMAGED} ({why})") from error
