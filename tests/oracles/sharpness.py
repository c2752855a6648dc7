"""The dense Hessian of the minimalist loss, from the definition, and its largest eigenvalue.

L = kappa sum_i (f_i - y_i)^2 with f_i = (x_i.u) v_1 ... v_{D-1}, so
d2L/da db = 2 kappa sum_i (df_i/da df_i/db + (f_i - y_i) d2f_i/da db).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from oracles.minimalist import kappa


def product_without(v: Any, *left_out: int) -> Any:
    """Return the product of v's entries except those at the indices left out."""
    result = 1.0
    for q in range(len(v)):
        if q not in left_out:
            result = result * v[q]
    return result


def hessian(X: Any, y: Any, u: Any, v: Any, loss: str) -> Any:
    """Return the (d + D - 1, d + D - 1) Hessian in float64, parameters in the order u, v."""
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    u, v = np.asarray(u, dtype=float), np.asarray(v, dtype=float)
    N, d = X.shape
    J = len(v)
    xu = X @ u
    P = product_without(v)
    z = xu * P - y
    first = np.zeros((N, d + J))
    first[:, :d] = P * X
    for j in range(J):
        first[:, d + j] = xu * product_without(v, j)
    second = np.zeros((d + J, d + J))  # sum_i z_i d2f_i
    for j in range(J):
        second[:d, d + j] = second[d + j, :d] = (z @ X) * product_without(v, j)
        for q in range(J):
            if q != j:
                second[d + j, d + q] = (z @ xu) * product_without(v, j, q)
    return 2 * kappa(loss, N) * (first.T @ first + second)


def sharpness(X: Any, y: Any, u: Any, v: Any, loss: str) -> float:
    """Return the algebraically largest eigenvalue of the Hessian."""
    H = hessian(X, y, u, v, loss)
    return float(np.linalg.eigvalsh(H)[-1]) if np.all(np.isfinite(H)) else float("nan")
