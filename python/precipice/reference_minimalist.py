"""The minimalist model as readable text, and what it shares with other models."""

from __future__ import annotations

from collections.abc import Iterator

from precipice import losses
from precipice.reference_model import Evaluation, Parameters
from precipice.reference_programs import copy, doubled_share, residual
from precipice.reference_space import Diagonal, Matrix, ReferenceSpace, Vector
from precipice.rounding import Number, Rounder


class ReferenceMinimalist:
    """f(x) = (x·u) v_1 … v_{D-1} (Yoo et al. 2025, equation 1).

    With ``⊗ ⊕ ⊖ ⊘`` rounded to the stage's format (f, P, z: forward; g, h: gradient; L:
    measurement) and Σ in the arithmetic's order, for ``half_mean``::

        f_i = Σ_k X[i,k] u[k]         P = Π_j v_j          z_i = (f_i ⊗ P) ⊖ y_i
        L   = (Σ_i z_i z_i) ⊘ 2N
        g_k = ((Σ_i X[i,k] z_i) ⊗ P) ⊘ N
        h_j = ((Σ_i z_i f_i) ⊗ Π_{q≠j} v_q) ⊘ N

    ``mean`` multiplies by 2 before the ⊘ N (and its loss is ⊘ N), ``half_sum`` leaves ⊘ N out
    (loss ⊘ 2), ``sum`` has ⊗ 2 in its place (loss as it is). An empty product is no operation.
    In spectral coordinates X = diag(σ), y = d and u = o: sums over k, and those over i in g, have
    one term.

    Parameters
    ----------
    X : Matrix or Diagonal, shape (N, d) or (r, r)
    y : list of mpfr, shape (N,) or (r,)
    loss : str
        A name in `precipice.losses.LOSSES`.
    samples : int, optional
        N of the data, where y has fewer entries.
    """

    def __init__(
        self, X: Matrix | Diagonal, y: Vector, loss: str, samples: int | None = None
    ) -> None:
        self._X, self._y = X, y
        self.samples = samples or len(y)
        self._loss = losses.find(loss).name

    def evaluate(
        self, space: ReferenceSpace, parameters: Parameters, *, loss: bool, gradient: bool
    ) -> Evaluation:
        """Return f, z, and the loss or the gradient or both."""
        P = space.product("forward", parameters["v"])
        f = space.matvec("forward", self._X, parameters["u"])
        z = space.map("forward", residual, f, P, self._y)
        slopes = self._slopes(space, parameters["v"], P, f, z) if gradient else None
        return Evaluation(f, z, self._loss_of(space, z) if loss else None, slopes)

    def gradient(
        self, space: ReferenceSpace, parameters: Parameters, evaluation: Evaluation
    ) -> Iterator[tuple[str, Vector]]:
        """Return the derivatives by u and by v."""
        return iter(evaluation.work)

    def _slopes(
        self, space: ReferenceSpace, v: Vector, P: Number, f: Vector, z: Vector
    ) -> list[tuple[str, Vector]]:
        g = space.matvec_transposed("gradient", self._X, z)
        g = self._normalised(space, space.map("gradient", Rounder.multiply, g, P))
        s = space.dot("gradient", z, f)
        if len(v) == 1:
            h = [space.map_number("gradient", copy, s)]
        else:
            h = []
            for j in range(len(v)):
                others = space.product("gradient", v, skip=j)
                h.append(space.map_number("gradient", Rounder.multiply, s, others))
        return [("u", g), ("v", self._normalised(space, h))]

    def _loss_of(self, space: ReferenceSpace, z: Vector) -> Number:
        squares = space.dot("measurement", z, z)
        divisors = {"half_mean": 2 * self.samples, "mean": self.samples, "half_sum": 2}
        if self._loss not in divisors:
            return squares
        return space.map_number("measurement", Rounder.divide, squares, divisors[self._loss])

    def _normalised(self, space: ReferenceSpace, g: Vector) -> Vector:
        """Apply the loss's factor on a derivative."""
        if self._loss == "half_mean":
            return space.map("gradient", Rounder.divide, g, self.samples)
        if self._loss == "mean":
            return space.map("gradient", doubled_share, g, 2, self.samples)
        return space.map("gradient", Rounder.multiply, g, 2) if self._loss == "sum" else g
