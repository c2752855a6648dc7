"""A small two-layer run at the edge of stability and Wang's quantities along it, in plain NumPy."""

from __future__ import annotations

import functools

import numpy as np

import precipice as pc

SAMPLES, FEATURES, WIDTH, THRESHOLD = 12, 8, 6, 16.0
LR = 2 / THRESHOLD


@functools.cache
def problem() -> pc.Problem:
    """Return data with one large common direction, as images have, and labels within reach."""
    rng = np.random.default_rng(1)
    X = 1 + 0.7 * rng.normal(size=(SAMPLES, FEATURES))
    return pc.problems.from_arrays(X, np.sign(X @ rng.normal(size=FEATURES) - 0.5))


@functools.cache
def run() -> pc.Run:
    """Return a run with all parameters: sharpening, then catapults."""
    return pc.simulate(
        problem(), pc.TwoLayerLinear(WIDTH, scale="none"), pc.GD("2/16"), precision="float64",
        steps=900, init=pc.init.pytorch(2), loss="mean", record=pc.Record(loss=1, parameters=1),
    )  # fmt: skip


@functools.cache
def columns() -> dict[str, np.ndarray]:
    """Return Wang's quantities at every step, from the recorded parameters.

    With c = 1 and the loss ``mean``: M = 2/n (‖a‖² XXᵀ + X Wᵀ W Xᵀ).
    """
    X, y = problem().X, problem().y
    trajectory = run().trajectory
    assert trajectory is not None
    rows, first, before = [], None, None
    weights = trajectory["W"].astype(float).reshape(-1, WIDTH, FEATURES)
    for W, a in zip(weights, trajectory["a"].astype(float), strict=True):
        D = X @ (W.T @ a) - y
        M = 2 / SAMPLES * (a @ a * X @ X.T + X @ W.T @ W @ X.T)
        gamma = 2 / SAMPLES * (X @ W.T @ W @ X.T - WIDTH / FEATURES * X @ X.T)
        values, vectors = np.linalg.eigh(M)
        v = vectors[:, -1]
        first = v if first is None else first
        gradient_a = 2 / SAMPLES * W @ (X.T @ D)
        rows.append(
            {
                "gram_sharpness": values[-1],
                "lambda_2": values[-2],
                "loss": D @ D / SAMPLES,
                "norm_A2": a @ a,
                "residual_dot_output": D @ (D + y),
                "gamma_norm": np.linalg.norm(gamma, 2),
                "v1_alignment": v @ first,
                "v1_step_alignment": np.nan if before is None else v @ before,
                "residual_first_order": LR * np.linalg.norm(M @ D),
                "norm_A2_first_order": -4 * LR / SAMPLES * D @ (D + y),
                "second_order_A2": LR**2 * gradient_a @ gradient_a,
                "D": D,
                "MD": M @ D,
            }
        )
        before = v
    out = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    out["step"] = np.arange(len(rows))
    change = np.diff(out["D"], axis=0) + LR * out["MD"][:-1]
    out["residual_higher_order"] = np.append(np.linalg.norm(change, axis=1), np.nan)
    out["norm_A2_higher_order"] = (
        np.append(np.diff(out["norm_A2"]), np.nan) - out["norm_A2_first_order"]
    )
    return out
