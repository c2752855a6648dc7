"""The two-layer linear network as plain gmpy2 text: another model for `precipice.reference`."""

from __future__ import annotations

from collections.abc import Sequence

import gmpy2

from precipice.reference import Parameters, ReferenceMinimalist, Vector, dot


class ReferenceTwoLayer(ReferenceMinimalist):
    """f(x) = c aᵀ W x (Wang et al. 2022, C.1), in sequential order; W by rows in one vector.

    With κ as `precipice.models.TwoLayerLinear.factors` has it, ``collapsed``::

        b_k = Σ_q a_q ⊗ W[q,k]      F_i = c ⊗ Σ_k X[i,k] ⊗ b_k      z_i = F_i ⊖ y_i
        g_k = Σ_i X[i,k] ⊗ z_i      t_q = κ ⊗ Σ_k W[q,k] ⊗ g_k
        dL/dW[q,k] = (κ ⊗ a_q) ⊗ g_k                                dL/da_q = t_q

    and ``layerwise``, through the hidden layer::

        H[q,i] = Σ_k W[q,k] ⊗ X[i,k]      F_i = c ⊗ Σ_q a_q ⊗ H[q,i]      z_i = F_i ⊖ y_i
        e_i = κ ⊗ z_i      dL/da_q = Σ_i H[q,i] ⊗ e_i
        dL/dW[q,k] = Σ_i (a_q ⊗ e_i) ⊗ X[i,k]

    In spectral coordinates X = diag(σ), y = d and W = W̃, and sums over k or over i have one term::

        F_i = c ⊗ (σ_i ⊗ b_i)       g_i = σ_i ⊗ z_i
        H[q,i] = σ_i ⊗ W̃[q,i]       dL/dW̃[q,i] = σ_i ⊗ (a_q ⊗ e_i)

    With biases b1 and b2, f(x) = c aᵀ (W x + b1) + b2: b1 is the last term of the sums over k, b2
    is added after c, and with s = Σ_i z_i the rest of the gradient is, ``collapsed``::

        F_i = c ⊗ (Σ_k X[i,k] ⊗ b_k ⊕ Σ_q a_q ⊗ b1_q)      z_i = (F_i ⊕ b2) ⊖ y_i
        t_q = κ ⊗ (Σ_k W[q,k] ⊗ g_k ⊕ b1_q ⊗ s)
        dL/db1_q = (κ ⊗ a_q) ⊗ s                            dL/db2 = κ_L ⊗ s

    and ``layerwise``::

        H[q,i] = Σ_k W[q,k] ⊗ X[i,k] ⊕ b1_q                 z_i = (F_i ⊕ b2) ⊖ y_i
        dL/db1_q = Σ_i a_q ⊗ e_i                            dL/db2 = κ_L ⊗ s

    Parameters
    ----------
    X, y, loss
        As `ReferenceMinimalist`; in spectral coordinates σ and d, both (r,).
    c, kappa, kappa_L : mpfr
        Members of the working format.
    collapsed : bool
    samples : int, optional
        N of the data, in spectral coordinates only.
    """

    def __init__(
        self,
        X: Sequence[Sequence[gmpy2.mpfr]],
        y: Sequence[gmpy2.mpfr],
        loss: str,
        *,
        c: gmpy2.mpfr,
        kappa: gmpy2.mpfr,
        kappa_L: gmpy2.mpfr,
        collapsed: bool,
        samples: int | None = None,
    ) -> None:
        super().__init__([] if samples else X, y, loss)
        self._c, self._kappa, self._kappa_L, self._collapsed = c, kappa, kappa_L, collapsed
        self._sigma = list(X) if samples else None
        self.samples = samples or self.samples

    def _weights(self, parameters: Parameters) -> list[Vector]:
        """Return the rows of W."""
        W = parameters["W"]
        d = len(W) // len(parameters["a"])
        return [W[i : i + d] for i in range(0, len(W), d)]

    def _times(self, u: Vector) -> Vector:
        """Return X u."""
        return self._scale(u) if self._sigma else [dot(row, u) for row in self._rows]

    def _transposed(self, z: Vector) -> Vector:
        """Return Xᵀ z."""
        return self._scale(z) if self._sigma else super()._transposed(z)

    def _scale(self, values: Vector) -> Vector:
        assert self._sigma is not None
        return [sigma_i * x for sigma_i, x in zip(self._sigma, values, strict=True)]

    def _hidden(self, parameters: Parameters) -> list[Vector]:
        """Return the rows of H."""
        hidden = [self._times(w) for w in self._weights(parameters)]
        if "b1" not in parameters:
            return hidden
        return [[x + bias for x in h] for h, bias in zip(hidden, parameters["b1"], strict=True)]

    def preactivations(self, parameters: Parameters) -> Vector:
        """Return F before b2."""
        a = parameters["a"]
        if not self._collapsed:
            columns = zip(*self._hidden(parameters), strict=True)
            return [self._c * dot(a, column) for column in columns]
        F = self._times([dot(a, column) for column in zip(*self._weights(parameters), strict=True)])
        if "b1" in parameters:
            shift = dot(a, parameters["b1"])
            F = [F_i + shift for F_i in F]
        return [self._c * F_i for F_i in F]

    def residuals(self, parameters: Parameters, f: Vector) -> Vector:
        """Return z = F - y, or F + b2 - y."""
        if "b2" in parameters:
            (b2,) = parameters["b2"]
            f = [f_i + b2 for f_i in f]
        return [f_i - y_i for f_i, y_i in zip(f, self._y, strict=True)]

    def gradient(self, parameters: Parameters, f: Vector, z: Vector) -> Parameters:
        """Return the derivatives by W and by a, and by the biases."""
        gradient = (self._collapsed_gradient if self._collapsed else self._layerwise_gradient)(
            parameters, z
        )
        if "b2" in parameters:
            gradient["b2"] = [self._kappa_L * total(z)]
        return gradient

    def _collapsed_gradient(self, parameters: Parameters, z: Vector) -> Parameters:
        a, kappa = parameters["a"], self._kappa
        g = self._transposed(z)
        t = [dot(w, g) for w in self._weights(parameters)]
        gradient = {"W": [(kappa * a_q) * g_k for a_q in a for g_k in g]}
        if "b1" in parameters:
            s = total(z)
            t = [t_q + bias * s for t_q, bias in zip(t, parameters["b1"], strict=True)]
            gradient["b1"] = [(kappa * a_q) * s for a_q in a]
        gradient["a"] = [kappa * t_q for t_q in t]
        return gradient

    def _layerwise_gradient(self, parameters: Parameters, z: Vector) -> Parameters:
        e = [self._kappa * z_i for z_i in z]
        shares = [[a_q * e_i for e_i in e] for a_q in parameters["a"]]
        gradient = {
            "W": [g for share in shares for g in self._transposed(share)],
            "a": [dot(h, e) for h in self._hidden(parameters)],
        }
        if "b1" in parameters:
            gradient["b1"] = [total(share) for share in shares]
        return gradient


def total(values: Sequence[gmpy2.mpfr]) -> gmpy2.mpfr:
    """Return the sum from the first term, ascending, in the current context."""
    result = values[0]
    for value in values[1:]:
        result = result + value
    return result
