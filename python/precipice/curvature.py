"""What a run records of its curvature: eigenvalues, and the quantities of Wang et al. (2022)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.digits import supported, supported_value

Floats = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]

QUANTITIES: Mapping[str, str] = {
    "gram_sharpness": "Λ = λ₁(M), M = c_L ∂F/∂θ ∂F/∂θᵀ (eq. 8)",
    "lambda_2": "λ₂(M); NaN for one sample",
    "norm_A2": "‖a‖²",
    "norm_W2": "‖W‖² (Frobenius)",
    "residual_dot_output": "D·F, with the output F = c X Wᵀ a and the residual D = F - y",
    "residual_norm2": "‖D‖²",
    "residual_dot_v1": "D·v₁, v₁ the unit eigenvector of λ₁(M)",
    "R_norm2": "‖R‖², R = D - v₁ (v₁·D)",
    "R_prime_norm2": "‖R′‖², R′(0) = R(0), R′(t+1) = (I - η M(t) (I - v₁(t) v₁(t)ᵀ)) R′(t)",
    "gamma_norm": "‖Γ‖ (spectral), Γ = M_A - c_L c² (m/d) X Xᵀ (eq. 10)",
    "M_A_norm": "λ₁(M_A), M_A = c_L ∂F/∂a ∂F/∂aᵀ",
    "M_W_norm": "λ₁(M_W), M_W = c_L ∂F/∂W ∂F/∂Wᵀ",
    "v1_alignment": "v₁(t)·v₁(0)",
    "v1_step_alignment": "v₁(t)·v₁ of the row before",
    "residual_change": "‖D(t+1) - D(t)‖",
    "residual_first_order": "‖η M D‖ (eq. 3)",
    "residual_higher_order": "‖D(t+1) - D(t) + η M D‖",
    "norm_A2_change": "‖a(t+1)‖² - ‖a(t)‖²",
    "norm_A2_first_order": "-2 η c_L D·F (eq. 3)",
    "norm_A2_higher_order": "norm_A2_change - norm_A2_first_order",
    "W_displacement": "‖W(t) - W(0)‖ (Frobenius)",
}
"""The columns of `Quantities`, and what each is."""

QUANTITY_EIGENVALUES = ("gram_sharpness", "lambda_2", "gamma_norm", "M_A_norm", "M_W_norm")
"""Those that are eigenvalues, or their magnitudes: each has a residual."""


@dataclass(frozen=True, eq=False)
class Eigenvalues:
    """Eigenvalues of the loss's Hessian along a run.

    An eigenvalue of the Hessian lies within its residual of each value; digits below it mean
    nothing (`precipice.digits`).

    Attributes
    ----------
    step : ndarray of int64, shape (T,)
        Ascending steps.
    largest : ndarray of float64, shape (T, k)
        The k algebraically largest, descending, each as often as it is one.
    smallest : ndarray of float64, shape (T,)
        The algebraically smallest, with its sign.
    residual : ndarray of float64, shape (T, k + 1)
        ‖H x - λ x‖ of each computed eigenvector x, the smallest's last; of a method without
        eigenvectors, its bound on the error.
    products : ndarray of int64, shape (T,)
        Hessian-vector products that a measurement took; 0 for a method without any.
    """

    step: Steps
    largest: Floats
    smallest: Floats
    residual: Floats
    products: Steps

    def named(self) -> dict[str, Floats]:
        """Return the columns as hessian_1, … and hessian_min."""
        names = [f"hessian_{i + 1}" for i in range(self.largest.shape[1])]
        return {**dict(zip(names, self.largest.T, strict=True)), "hessian_min": self.smallest}

    def named_residuals(self) -> dict[str, Floats]:
        """Return the residuals under the columns' names with _residual."""
        names = [f"{name}_residual" for name in self.named()]
        return dict(zip(names, self.residual.T, strict=True))

    def texts(self, row: int) -> list[str]:
        """Return the eigenvalues of a row, the smallest last, in the digits that they support."""
        return [supported(*pair) for pair in self._row(row)]

    def final(self) -> dict[str, Any]:
        """Return the last row as JSON-able data; None for a number without a certain digit."""
        if not self.step.size:
            return {}
        *largest, smallest = (_finite(supported_value(*pair)) for pair in self._row(-1))
        return {"eigenvalues": {"largest": largest, "smallest": smallest}}

    def _row(self, row: int) -> list[tuple[float, float]]:
        values = [*self.largest[row].tolist(), float(self.smallest[row])]
        return list(zip(values, self.residual[row].tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Quantities:
    """The quantities that Wang et al. (2022) follow along a run of the two-layer linear network.

    ``quantities["norm_A2"]`` is one of them; `QUANTITIES` says what each is. All are float64, of
    the parameters and of the data that the run walks on. η is that of the step from t to t + 1.

    Attributes
    ----------
    step : ndarray of int64, shape (T,)
        Ascending steps.
    columns : mapping of str to ndarray of float64, shape (T,)
        NaN where there is no such number: the changes at the last step, R′ unless every step from
        0 on was recorded; and what is of a step of descent along a gradient flow.
    residuals : mapping of str to ndarray of float64, shape (T,)
        For each name in `QUANTITY_EIGENVALUES`: an eigenvalue of that matrix (or its negative, for
        Γ) lies within it of the value. v₁'s angle to the eigenvector is at most Λ's residual over
        its distance from the other eigenvalues.
    products : ndarray of int64, shape (T,)
        Matrix-vector products that a row took.
    """

    step: Steps
    columns: Mapping[str, Floats]
    residuals: Mapping[str, Floats]
    products: Steps

    def __getitem__(self, name: str) -> Floats:
        """Return a column by its name."""
        return self.columns[name]

    def named(self) -> dict[str, Floats]:
        """Return the columns by their names."""
        return dict(self.columns)

    def named_residuals(self) -> dict[str, Floats]:
        """Return the residuals under the columns' names with _residual."""
        return {f"{name}_residual": values for name, values in self.residuals.items()}

    def bounds(self, row: int) -> dict[str, float | None]:
        """Return a bound on the error of each number of a row that an eigenpair's error leaves.

        None where there is only float64's rounding. v₁ is off by an angle of at most the residual
        over the gap to λ₂; the errors of R′ add up over the steps and are bounded by nothing.
        """
        residuals = {name: float(values[row]) for name, values in self.residuals.items()}
        at = {name: float(values[row]) for name, values in self.columns.items()}
        error = residuals["gram_sharpness"]
        gap = at["gram_sharpness"] - at["lambda_2"] - error - residuals["lambda_2"]
        angle = 0.0 if math.isnan(at["lambda_2"]) else error / gap if gap > error else math.inf
        length = math.sqrt(at["residual_norm2"])
        turned = {
            "residual_dot_v1": length * angle,
            "R_norm2": 2 * at["residual_norm2"] * angle,
            "R_prime_norm2": math.inf,
            "v1_alignment": 2 * angle,
            "v1_step_alignment": 2 * angle,
        }
        return dict.fromkeys(self.columns) | residuals | turned

    def texts(self, row: int) -> dict[str, str]:
        """Return the certain numbers of a row in the digits that they support."""
        return {
            name: supported(float(self.columns[name][row]), bound)
            for name, bound in self.bounds(row).items()
            if _certain(float(self.columns[name][row]), bound)
        }

    def final(self) -> dict[str, Any]:
        """Return the certain numbers of the last row as JSON-able data."""
        if not self.step.size:
            return {}
        values = {
            name: _finite(supported_value(float(self.columns[name][-1]), bound))
            for name, bound in self.bounds(-1).items()
        }
        return {"quantities": {name: value for name, value in values.items() if value is not None}}


def quantities_from_rows(
    step: Steps, rows: Floats, residuals: Floats, products: Steps
) -> Quantities:
    """Return the quantities of rows with a number for each name, in order.

    Parameters
    ----------
    step, products : ndarray of int64, shape (T,)
    rows : ndarray of float64, T times the names in `QUANTITIES`
    residuals : ndarray of float64, T times the names in `QUANTITY_EIGENVALUES`
    """
    values = rows.reshape(-1, len(QUANTITIES))
    bounds = residuals.reshape(-1, len(QUANTITY_EIGENVALUES))
    return Quantities(
        step,
        {name: values[:, i].copy() for i, name in enumerate(QUANTITIES)},
        {name: bounds[:, i].copy() for i, name in enumerate(QUANTITY_EIGENVALUES)},
        products,
    )


def _certain(value: float, bound: float | None) -> bool:
    return math.isfinite(supported_value(value, bound))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def eigenvalues_from_rows(
    step: Steps, values: Floats, residual: Floats, products: Steps
) -> Eigenvalues:
    """Return the eigenvalues of rows with the largest, descending, and the smallest.

    Parameters
    ----------
    step, products : ndarray of int64, shape (T,)
    values, residual : ndarray of float64, T times k + 1
    """
    width = values.size // max(1, step.size)
    values, residual = values.reshape(step.size, width), residual.reshape(step.size, width)
    return Eigenvalues(step, values[:, :-1].copy(), values[:, -1].copy(), residual, products)
