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

    Parameters
    ----------
    X, y, loss
        As `ReferenceMinimalist`.
    c, kappa : mpfr
        Members of the working format.
    collapsed : bool
    """

    def __init__(
        self,
        X: Sequence[Sequence[gmpy2.mpfr]],
        y: Sequence[gmpy2.mpfr],
        loss: str,
        *,
        c: gmpy2.mpfr,
        kappa: gmpy2.mpfr,
        collapsed: bool,
    ) -> None:
        super().__init__(X, y, loss)
        self._c, self._kappa, self._collapsed = c, kappa, collapsed

    def _weights(self, parameters: Parameters) -> list[Vector]:
        """Return the rows of W."""
        W, d = parameters["W"], len(self._columns)
        return [W[i : i + d] for i in range(0, len(W), d)]

    def preactivations(self, parameters: Parameters) -> Vector:
        """Return F."""
        a, W = parameters["a"], self._weights(parameters)
        if self._collapsed:
            b = [dot(a, column) for column in zip(*W, strict=True)]
            return [self._c * dot(row, b) for row in self._rows]
        hidden = [[dot(w, row) for row in self._rows] for w in W]
        return [self._c * dot(a, column) for column in zip(*hidden, strict=True)]

    def residuals(self, parameters: Parameters, f: Vector) -> Vector:
        """Return z = F - y."""
        return [f_i - y_i for f_i, y_i in zip(f, self._y, strict=True)]

    def gradient(self, parameters: Parameters, f: Vector, z: Vector) -> Parameters:
        """Return the derivatives by W and by a."""
        a, W, kappa = parameters["a"], self._weights(parameters), self._kappa
        if self._collapsed:
            g = self._transposed(z)
            return {
                "W": [(kappa * a_q) * g_k for a_q in a for g_k in g],
                "a": [kappa * dot(w, g) for w in W],
            }
        e = [kappa * z_i for z_i in z]
        hidden = [[dot(w, row) for row in self._rows] for w in W]
        shares = [[a_q * e_i for e_i in e] for a_q in a]
        return {
            "W": [dot(share, column) for share in shares for column in self._columns],
            "a": [dot(h, e) for h in hidden],
        }
