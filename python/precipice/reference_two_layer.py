"""The two-layer linear network as readable text: another model for `precipice.reference`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from precipice.reference_minimalist import ReferenceMinimalist
from precipice.reference_model import Evaluation, Parameters
from precipice.reference_programs import add_product, residual, shifted_residual
from precipice.reference_space import Diagonal, Matrix, ReferenceSpace, Vector
from precipice.rounding import Number, Rounder


class ReferenceTwoLayer(ReferenceMinimalist):
    """f(x) = c aᵀ W x (Wang et al. 2022, C.1); W by rows in one vector.

    With κ as `precipice.models.TwoLayerLinear.factors` has it, ``collapsed``::

        b_k = Σ_q a_q W[q,k]        F_i = Σ_k X[i,k] b_k        z_i = (F_i ⊗ c) ⊖ y_i
        g_k = Σ_i X[i,k] z_i        t_q = κ ⊗ Σ_k W[q,k] g_k
        dL/dW[q,k] = (κ ⊗ a_q) ⊗ g_k                            dL/da_q = t_q

    and ``layerwise``, through the hidden layer::

        H[q,i] = Σ_k X[i,k] W[q,k]        F_i = Σ_q a_q H[q,i]        z_i = (F_i ⊗ c) ⊖ y_i
        e_i = κ ⊗ z_i        dL/da_q = Σ_i H[q,i] e_i
        dL/dW[q,k] = Σ_i X[i,k] (a_q ⊗ e_i)

    b, F, H and z are of the stage forward, all that follows of gradient. In spectral coordinates
    X = diag(σ), y = d and W = W̃, and sums over k in F and H or over i in g and dL/dW have one
    term.

    With biases b1 and b2, f(x) = c aᵀ (W x + b1) + b2: b1 is the last term of the sums over k, b2
    is added after c, and with s = Σ_i z_i the rest of the gradient is, ``collapsed``::

        F_i = Σ_k X[i,k] b_k ⊕ Σ_q a_q b1_q                 z_i = ((F_i ⊗ c) ⊕ b2) ⊖ y_i
        t_q = κ ⊗ (Σ_k W[q,k] g_k ⊕ b1_q ⊗ s)
        dL/db1_q = (κ ⊗ a_q) ⊗ s                            dL/db2 = κ_L ⊗ s

    and ``layerwise``::

        H[q,i] = Σ_k X[i,k] W[q,k] ⊕ b1_q                   z_i = ((F_i ⊗ c) ⊕ b2) ⊖ y_i
        dL/db1_q = Σ_i a_q ⊗ e_i                            dL/db2 = κ_L ⊗ s

    Parameters
    ----------
    X, y, loss, samples
        As `ReferenceMinimalist`.
    c, kappa, kappa_L : mpfr
        Members of the formats of forward, gradient and gradient.
    collapsed : bool
    """

    def __init__(
        self,
        X: Matrix | Diagonal,
        y: Vector,
        loss: str,
        samples: int | None = None,
        *,
        c: Number,
        kappa: Number,
        kappa_L: Number,
        collapsed: bool,
    ) -> None:
        super().__init__(X, y, loss, samples)
        self._c, self._kappa, self._kappa_L, self._collapsed = c, kappa, kappa_L, collapsed

    def evaluate(
        self, space: ReferenceSpace, parameters: Parameters, *, loss: bool, gradient: bool
    ) -> Evaluation:
        """Return F, z and the loss, and what the gradient needs of X."""
        work: dict[str, Any] = {}
        if self._collapsed:
            F = self._collapsed_output(space, parameters)
        else:
            work["H"] = Matrix(self._hidden(space, parameters))
            F = space.matvec_transposed("forward", work["H"], parameters["a"])
        if "b2" in parameters:
            (b2,) = parameters["b2"]
            z = space.map("forward", shifted_residual, F, self._c, b2, self._y)
        else:
            z = space.map("forward", residual, F, self._c, self._y)
        if gradient:
            if self._collapsed:
                work["g"] = space.matvec_transposed("gradient", self._X, z)
            else:
                work["e"] = space.map("gradient", Rounder.multiply, self._kappa, z)
            if "b2" in parameters:
                work["s"] = self._total(space, z)
        return Evaluation(F, z, self._loss_of(space, z), work)

    def gradient(
        self, space: ReferenceSpace, parameters: Parameters, evaluation: Evaluation
    ) -> Iterator[tuple[str, Vector]]:
        """Return the derivatives by the rows of W, by a, and by the biases."""
        if self._collapsed:
            return self._collapsed_gradient(space, parameters, **evaluation.work)
        return self._layerwise_gradient(space, parameters, **evaluation.work)

    def _collapsed_output(self, space: ReferenceSpace, parameters: Parameters) -> Vector:
        a = parameters["a"]
        b = space.matvec_transposed("forward", _weights(parameters), a)
        if "b1" not in parameters:
            return space.matvec("forward", self._X, b)
        beta = space.dot("forward", a, parameters["b1"])
        F = space.matvec("forward", self._X, b)
        return space.map("forward", Rounder.add, F, beta)

    def _hidden(self, space: ReferenceSpace, parameters: Parameters) -> list[Vector]:
        """Return the rows of H."""
        H = []
        for q, row in enumerate(_weights(parameters).rows):
            h = space.matvec("forward", self._X, row)
            if "b1" in parameters:
                h = space.map("forward", Rounder.add, h, parameters["b1"][q])
            H.append(h)
        return H

    def _collapsed_gradient(
        self, space: ReferenceSpace, parameters: Parameters, g: Vector, s: Number | None = None
    ) -> Iterator[tuple[str, Vector]]:
        biases = []
        ka = space.map("gradient", Rounder.multiply, self._kappa, parameters["a"])
        t = space.matvec("gradient", _weights(parameters), g)
        if s is not None:
            t = space.map("gradient", add_product, t, parameters["b1"], s)
            biases.append(("b1", space.map("gradient", Rounder.multiply, ka, s)))
            biases.append(
                ("b2", [space.map_number("gradient", Rounder.multiply, self._kappa_L, s)])
            )
        t = space.map("gradient", Rounder.multiply, self._kappa, t)

        def blocks() -> Iterator[tuple[str, Vector]]:
            for factor in ka:
                yield "W", space.map("gradient", Rounder.multiply, factor, g)
            yield "a", t
            yield from biases

        return blocks()

    def _layerwise_gradient(
        self,
        space: ReferenceSpace,
        parameters: Parameters,
        H: Matrix,
        e: Vector,
        s: Number | None = None,
    ) -> Iterator[tuple[str, Vector]]:
        W: list[tuple[str, Vector]] = []
        b1: Vector = []
        after = [("a", space.matvec("gradient", H, e))]
        if s is not None:
            after += [("b1", b1), ("b2", self._output_bias(space, s))]
        for a_q in parameters["a"]:
            share = space.map("gradient", Rounder.multiply, a_q, e)
            W.append(("W", space.matvec_transposed("gradient", self._X, share)))
            if s is not None:
                b1.append(self._total(space, share))
        return iter([*W, *after])

    def _output_bias(self, space: ReferenceSpace, s: Number) -> Vector:
        return [space.map_number("gradient", Rounder.multiply, self._kappa_L, s)]

    def _total(self, space: ReferenceSpace, values: Vector) -> Number:
        """Return the sum of the values, a product with ones."""
        ones = space.numbers("forward", [1] * len(values))
        return space.dot("gradient", ones, values)


def _weights(parameters: Parameters) -> Matrix:
    return Matrix.of_vector(parameters["W"], len(parameters["a"]))
