"""Reading ``.npz`` archives that may be damaged, foreign or no archives at all."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument

Arrays = dict[str, npt.NDArray[Any]]


def read_arrays(
    path: Path, names: Iterable[str] | None = None, *, argument: str = "path", rule: str
) -> Arrays:
    """Return arrays of an ``.npz`` file by name; nothing is unpickled.

    Parameters
    ----------
    path : Path
        The file.
    names : iterable of str, optional
        The arrays wanted; default all.
    argument : str
        What the file is called in an error.
    rule : str
        What the file must be, for the error message.

    Raises
    ------
    InvalidArgument
        Whatever is wrong: the file is missing or unreadable, damaged, no archive, needs
        unpickling, lacks an array, or holds more than memory does.

    Notes
    -----
    Every array asked for is read whole, so that its checksum is compared.
    """
    try:
        # Opened here: np.load leaves a damaged archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in (archive.files if names is None else names)}
    except FileNotFoundError:
        raise InvalidArgument(argument, str(path), "no such file") from None
    except OSError as error:
        why = error.strerror or "damaged"
    except KeyError as error:
        why = str(error.args[0])
    # A damaged archive makes NumPy raise whatever zlib, its zip reader or the tokenizer of its
    # headers raise (zlib.error, BadZipFile, RuntimeError, NotImplementedError, TokenError, …), and
    # MemoryError where a header claims a huge array; no list of these would be complete.
    except Exception as error:
        why = type(error).__name__
    raise InvalidArgument(argument, str(path), f"{rule} (reading: {why})")
