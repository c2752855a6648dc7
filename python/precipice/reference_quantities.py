"""The quantities of Wang et al. (2022) from dense matrices: the readable version, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from precipice.curvature import (
    QUANTITIES,
    QUANTITY_EIGENVALUES,
    Quantities,
    quantities_from_rows,
)
from precipice.gram import gamma, gram_a, gram_w

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Parameters:
    """A network's parameters as float64: W (m, d), a (m,), and with biases b1 (m,) and b2."""

    W: FloatArray
    a: FloatArray
    b1: FloatArray | None = None
    b2: float = 0.0

    @classmethod
    def of(cls, flat: Mapping[str, FloatArray]) -> Parameters:
        """Return the parameters of that name, W and all flat."""
        W = flat["W"].reshape(flat["a"].size, -1)
        if "b2" not in flat:
            return cls(W, flat["a"])
        return cls(W, flat["a"], flat["b1"], float(flat["b2"][0]))

    @property
    def wide(self) -> FloatArray:
        """W with a last column of b1, which a last column of ones in X goes with."""
        return self.W if self.b1 is None else np.column_stack([self.W, self.b1])


@dataclass
class ReferenceQuantities:
    """Follows a run of the two-layer linear network; `precipice.curvature` says what is recorded.

    Parameters
    ----------
    X, y : ndarray of float64, shapes (N, d) and (N,)
        The data that is walked on.
    c : float
        The network's scale.
    curvature_factor : float
        c_L.
    features : int
        d of the data, where X is given in fewer coordinates.
    """

    X: FloatArray
    y: FloatArray
    c: float
    curvature_factor: float
    features: int
    steps: list[int] = field(default_factory=list)
    rows: list[dict[str, float]] = field(default_factory=list)
    _v1: list[FloatArray] = field(default_factory=list)

    def record(self, step: int, theta: Parameters, step_size: float) -> None:
        """Add the row of a step; `follow` completes it. Costs O(N³ + N² d)."""
        row = dict.fromkeys(QUANTITIES, float("nan"))
        X = self._data(theta)
        M_A, M_W = self._output_gram(theta), gram_w(X, theta.a, self.c, self.curvature_factor)
        M, D = M_A + M_W, self._residual(theta)
        F = D + self.y
        if not self.steps:
            self._W_first = theta.W
        row |= {
            "norm_A2": float(theta.a @ theta.a),
            "norm_W2": float(np.sum(theta.W * theta.W)),
            "residual_dot_output": float(D @ F),
            "residual_norm2": float(D @ D),
            "residual_first_order": step_size * float(np.linalg.norm(M @ D)),
            "norm_A2_first_order": -2
            * step_size
            * self.curvature_factor
            * float(D @ (F - theta.b2)),
            "W_displacement": float(np.linalg.norm(theta.W - self._W_first)),
        }
        if np.isfinite(M).all():
            Gamma = gamma(X, theta.wide, self.c, self.curvature_factor, self.features)
            row["gamma_norm"] = float(np.abs(np.linalg.eigvalsh(Gamma)).max())
            row["M_A_norm"] = float(np.linalg.eigvalsh(M_A)[-1])
            row["M_W_norm"] = float(np.linalg.eigvalsh(M_W)[-1])
            self._leading(row, M)
            self._directions(row, D)
            self._advance(row, step, M, D, step_size)
        self.steps.append(step)
        self.rows.append(row)
        self._last = (step, theta, D, step_size * (M @ D))

    def move_to(self, X: FloatArray, y: FloatArray) -> None:
        """Go on with other data; the last row is left as it is."""
        self.X, self.y = X, y
        if self.rows:
            self._last = (-2, *self._last[1:])

    def follow(self, step: int, theta: Parameters) -> None:
        """Complete the last row, if it is that of the step before, with what it led to."""
        if not self.rows or self._last[0] != step - 1:
            return
        _, before, D_before, first_order = self._last
        change = self._residual(theta) - D_before
        grown = float((theta.a - before.a) @ (theta.a + before.a))
        row = self.rows[-1]
        row["residual_change"] = float(np.linalg.norm(change))
        row["residual_higher_order"] = float(np.linalg.norm(change + first_order))
        row["norm_A2_change"] = grown
        row["norm_A2_higher_order"] = grown - row["norm_A2_first_order"]

    def gathered(self) -> Quantities:
        """Return the rows; residuals are the rounding of a dense solution, N ε ‖M‖."""
        values = np.array([[row[name] for name in QUANTITIES] for row in self.rows])
        rounding = self.y.size * np.finfo(np.float64).eps
        bounds = np.array(
            [[rounding * row["gram_sharpness"]] * len(QUANTITY_EIGENVALUES) for row in self.rows]
        )
        products = np.zeros(len(self.steps), np.int64)
        return quantities_from_rows(np.array(self.steps, np.int64), values, bounds, products)

    def _data(self, theta: Parameters) -> FloatArray:
        """Return X, with a column of ones for a network with biases."""
        if theta.b1 is None:
            return self.X
        return np.column_stack([self.X, np.ones(len(self.X))])

    def _output_gram(self, theta: Parameters) -> FloatArray:
        """Return M_A, to which the output's bias belongs."""
        M_A = gram_a(self._data(theta), theta.wide, self.c, self.curvature_factor)
        return M_A if theta.b1 is None else np.asarray(M_A + self.curvature_factor)

    def _residual(self, theta: Parameters) -> FloatArray:
        F = self.c * (self._data(theta) @ (theta.wide.T @ theta.a)) + theta.b2
        return np.asarray(F - self.y)

    def _leading(self, row: dict[str, float], M: FloatArray) -> None:
        """Add the two largest eigenvalues of M, and turn v₁ as little as may be."""
        values, vectors = np.linalg.eigh(M)
        row["gram_sharpness"] = float(values[-1])
        if values.size > 1:
            row["lambda_2"] = float(values[-2])
        v1 = vectors[:, -1]
        before = self._v1[-1:]
        side = v1 @ before[0] if before else v1[np.argmax(np.abs(v1))]
        self._v1.append(-v1 if side < 0 else v1)
        row["v1_alignment"] = float(self._v1[-1] @ self._v1[0])
        if before:
            row["v1_step_alignment"] = float(self._v1[-1] @ before[0])

    def _directions(self, row: dict[str, float], D: FloatArray) -> None:
        v1 = self._v1[-1]
        along = float(D @ v1)
        row["residual_dot_v1"] = along
        row["R_norm2"] = float(np.sum((D - along * v1) ** 2))

    def _advance(
        self, row: dict[str, float], step: int, M: FloatArray, D: FloatArray, step_size: float
    ) -> None:
        """Take R′ one step on; it is known only where every step since the first is a row."""
        v1 = self._v1[-1]
        if step == 0:
            self._R_prime = D - v1 * (v1 @ D)
        elif not self.steps or self.steps != list(range(step)):
            return
        R = self._R_prime
        row["R_prime_norm2"] = float(R @ R)
        self._R_prime = R - step_size * (M @ (R - v1 * (v1 @ R)))
