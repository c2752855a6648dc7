"""Fundamental types of PTX as NumPy's."""

from __future__ import annotations

import numpy as np

from .errors import Unknown

PREDICATE = np.dtype(bool)
DTYPES = {
    "pred": PREDICATE,
    **{f"u{8 * n}": np.dtype(f"u{n}") for n in (1, 2, 4, 8)},
    **{f"b{8 * n}": np.dtype(f"u{n}") for n in (1, 2, 4, 8)},
    **{f"s{8 * n}": np.dtype(f"i{n}") for n in (1, 2, 4, 8)},
    "f32": np.dtype("f4"),
    "f64": np.dtype("f8"),
}


def dtype(name: str) -> np.dtype:
    """Return the type of lanes of a PTX type."""
    if name not in DTYPES:
        raise Unknown(f"type .{name}")
    return DTYPES[name]


def bits_of(kind: np.dtype) -> np.dtype:
    """Return the unsigned integers of the width of a type; how registers are kept."""
    return kind if kind == PREDICATE else np.dtype(f"u{kind.itemsize}")
