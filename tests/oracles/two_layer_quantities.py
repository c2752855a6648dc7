"""Wang et al. (2022): what they follow along a run, from recorded parameters, slow and obvious.

Samples are the rows of X. J_W and J_a are the Jacobians of F = c X Wᵀ a by W and by a, c_L the
curvature factor of the loss; for the mean loss and c = 1/√m all is as in the paper. With biases
F = c (X Wᵀ + 1 b1ᵀ) a + b2; b1 belongs to W, b2 to a.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def jacobians(X: Any, W: Any, a: Any, c: float) -> tuple[Any, Any]:
    """Return ∂F/∂W (N, m d) and ∂F/∂a (N, m), entry by entry."""
    N, (m, d) = len(X), W.shape
    by_W, by_a = np.zeros((N, m * d)), np.zeros((N, m))
    for i in range(N):
        for q in range(m):
            by_a[i, q] = c * (W[q] @ X[i])
            for k in range(d):
                by_W[i, q * d + k] = c * a[q] * X[i, k]
    return by_W, by_a


def norm(matrix: Any) -> float:
    """Return the spectral norm."""
    return float(np.linalg.svd(matrix)[1][0])


def quantities(
    X: Any,
    y: Any,
    Ws: Any,
    As: Any,
    c: float,
    c_L: float,
    lrs: Any,
    b1s: Any = None,
    b2s: Any = None,
) -> dict[str, Any]:
    """Return every quantity at each of T steps; changes are NaN at the last.

    Parameters
    ----------
    X, y : ndarray, shapes (N, d) and (N,)
    Ws, As : ndarray, shapes (T, m, d) and (T, m): a run's parameters at steps 0 to T - 1
    c, c_L : float
    lrs : float or ndarray, shape (T,)
        The step size of each step.
    b1s, b2s : ndarray, shapes (T, m) and (T,), or None
    """
    T, (m, d) = len(Ws), Ws[0].shape
    lrs = np.broadcast_to(lrs, T)
    plain, ones = X, np.ones((len(X), len(X)))
    if b1s is None:
        b2s, inner = np.zeros(T), Ws
    else:
        X = np.column_stack([plain, np.ones(len(X))])
        inner = np.concatenate([Ws, b1s[:, :, np.newaxis]], axis=2)
    rows: list[dict[str, float]] = []
    v1s, R_prime = [], None
    for t in range(T):
        W, a, lr = inner[t], As[t], lrs[t]
        by_W, by_a = jacobians(X, W, a, c)
        M_W, M_A = c_L * by_W @ by_W.T, c_L * by_a @ by_a.T
        hidden = M_A
        M_A = M_A if b1s is None else M_A + c_L * ones
        M = M_A + M_W
        F = c * X @ (W.T @ a) + b2s[t]
        D = F - y
        values, vectors = np.linalg.eigh(M)
        v1 = vectors[:, -1]
        previous = v1s[-1] if v1s else np.eye(len(y))[np.argmax(np.abs(v1))]
        v1 = v1 if v1 @ previous > 0 else -v1
        v1s.append(v1)
        across = np.eye(len(y)) - np.outer(v1, v1)
        R = across @ D
        R_prime = R if R_prime is None else R_prime
        row = {
            "gram_sharpness": values[-1],
            "lambda_2": values[-2],
            "norm_A2": np.sum(a**2),
            "norm_W2": np.sum(Ws[t] ** 2),
            "residual_dot_output": np.sum(D * F),
            "residual_norm2": np.sum(D**2),
            "residual_dot_v1": np.sum(D * v1),
            "R_norm2": np.sum(R**2),
            "R_prime_norm2": np.sum(R_prime**2),
            "gamma_norm": norm(hidden - c_L * c**2 * m / d * X @ X.T),
            "M_A_norm": norm(M_A),
            "M_W_norm": norm(M_W),
            "v1_alignment": v1 @ v1s[0],
            "v1_step_alignment": v1 @ v1s[-2] if t else np.nan,
            "residual_first_order": np.linalg.norm(lr * M @ D),
            "norm_A2_first_order": -2 * lr * c_L * np.sum(D * (F - b2s[t])),
            "W_displacement": np.sqrt(np.sum((Ws[t] - Ws[0]) ** 2)),
        }
        row |= dict.fromkeys(
            ("residual_change", "residual_higher_order", "norm_A2_change", "norm_A2_higher_order"),
            np.nan,
        )
        if t + 1 < T:
            change = c * X @ (inner[t + 1].T @ As[t + 1]) + b2s[t + 1] - F
            grown = np.sum(As[t + 1] ** 2) - np.sum(a**2)
            row["residual_change"] = np.linalg.norm(change)
            row["residual_higher_order"] = np.linalg.norm(change + lr * M @ D)
            row["norm_A2_change"] = grown
            row["norm_A2_higher_order"] = grown - row["norm_A2_first_order"]
        rows.append({name: float(value) for name, value in row.items()})
        R_prime = (np.eye(len(y)) - lr * M @ across) @ R_prime
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
