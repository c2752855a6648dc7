"""The papers' small data sets, from their printed numbers and their printed program."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from precipice.exact import whole_number
from precipice.precision import nearest_float64
from precipice.problems.problem import Presets, Problem

# The two float64 numbers next to 1/√2.
_BELOW = float.fromhex("0x1.6a09e667f3bccp-1")
_ABOVE = float.fromhex("0x1.6a09e667f3bcdp-1")

# X and what it is computed from then take half a GB.
_MOST_FEATURES = 10**7


def fig6() -> Problem:
    """Return the two-sample problem of Yoo et al. 2025, figure 6.

    X and y are the decimals printed in appendix C.3, as float64. The presets are the paper's
    start (u = (0.01, 0.01), v_1 = 0.01) and step size 2/50, with the loss ``mean``, for which
    precision decides between training and explosion; the paper's own loss is ``half_mean``.
    """
    return Problem(
        name="fig6",
        X=np.array([[1.54099607, -0.2934289], [-2.17878938, 0.56843126]]),
        y=np.array([-1.08452237, -1.39859545]),
        provenance={
            "source": "Yoo, Song and Yun 2025, appendix C.3: X and y as printed, read as float64",
            "loss": "the preset is mean; the paper trains with half_mean",
        },
        presets=Presets(lr="2/50", loss="mean", init="constant:0.01", steps=3000),
    )


def opposing_signals(
    d: int = 100,
    common_size: Any = 5.477,
    signal_size: Any = 0.233,
    alpha: Any = 0.3,
    beta: Any = 1.414,
) -> Problem:
    """Return two samples that share a large feature and oppose each other in a small one.

    The `minimal_data` of Yoo et al. 2025, appendix D.1; the defaults are the paper's. Its random
    numbers come from the legacy generator ``RandomState(0)``, a local one.

    Parameters
    ----------
    d : int
        Number of features, 2 to 10^7.
    common_size : number
        Length of the feature both samples share.
    signal_size : number
        Length of the feature that enters them with opposite signs.
    alpha, beta : number
        y = alpha · (first eigenvector of XXᵀ) + beta · (second), eigenvalues ascending.

    Raises
    ------
    InvalidArgument
        If `d` is not an integer from 2 to 10^7, or a size is not finite.

    Notes
    -----
    The same bits on every machine: inner products are correctly rounded sums, and the
    eigenvectors, which the paper's program takes from LAPACK with signs and last bits of the
    BLAS in use, are written down. Both samples have the same length, so the eigenvectors are
    (-1, 1)/√2 and (1, 1)/√2 whatever the sizes; as float64 they are LAPACK's for the paper's.
    """
    features = whole_number(d, "d", 2, _MOST_FEATURES)
    common, signal, first, second = (
        nearest_float64(value, name)
        for name, value in (
            ("common_size", common_size),
            ("signal_size", signal_size),
            ("alpha", alpha),
            ("beta", beta),
        )
    )
    generator = np.random.RandomState(0)
    shared, opposed = generator.random_sample(features), generator.random_sample(features)
    shared /= math.sqrt(math.fsum(shared * shared))
    opposed -= shared * math.fsum(opposed * shared)
    opposed /= math.sqrt(math.fsum(opposed * opposed))
    X = np.stack([common * shared + signal * opposed, common * shared - signal * opposed])
    lower, upper = (np.array(v) for v in ((-_ABOVE, _BELOW), (_BELOW, _ABOVE)))
    if abs(signal) > abs(common):
        lower, upper = upper, lower
    return Problem(
        name="opposing_signals",
        X=X,
        y=lower * first + upper * second,
        provenance={
            "source": "Yoo, Song and Yun 2025, appendix D.1, minimal_data with RandomState(0)",
            "settings": {
                "d": features,
                "common_size": common,
                "signal_size": signal,
                "alpha": first,
                "beta": second,
            },
            "loss": "the preset sum is inferred, not printed in the paper: of the four "
            "normalisations only sum reaches the edge of stability at the paper's lr 0.02",
            "eigenvectors": "(-1, 1)/√2 and (1, 1)/√2, each entry a float64 next to ±1/√2",
        },
        presets=Presets(lr="0.02", loss="sum", init="pytorch", steps=4000),
    )
