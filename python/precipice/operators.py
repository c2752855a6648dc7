"""The curvature of a two-layer linear network at a point, as operators: networks of any width.

`precipice.eigenpairs` takes them as they are. For networks small enough for their matrices,
`precipice.sharpness` and `precipice.gram` have those.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from precipice import _core
from precipice.errors import InvalidArgument
from precipice.losses import find
from precipice.models import TwoLayerLinear

FloatArray = npt.NDArray[np.float64]

GRAM_MATRICES = ("M", "M_A", "M_W", "M*", "Gamma")
"""Names of the Gram matrices (Wang et al. 2022, section 3.2 and equations 8 and 10)."""


class TwoLayerOperators:
    """Products with the Hessian and the Gram matrices of F = c X Wᵀ a at a point, in float64.

    Parameters
    ----------
    model : TwoLayerLinear
        Its scale is c.
    X, y : array_like, shapes (N, d) and (N,)
    W, a : array_like, shapes (m, d) and (m,)
        Parameters, as `Run.parameters` gives them; they are rounded to float64.
    b1, b2 : array_like, shapes (m,) and (1,)
        Of a model with biases, F = c (X Wᵀ + 1 b₁ᵀ) a + b₂; M_A then has b₂'s part, c_L 1 1ᵀ.
    loss : str
        Normalisation of the loss, which gives c_L.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule.
    """

    def __init__(
        self,
        model: TwoLayerLinear,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        W: npt.ArrayLike,
        a: npt.ArrayLike,
        b1: npt.ArrayLike = (),
        b2: npt.ArrayLike = (),
        *,
        loss: str = "half_mean",
    ) -> None:
        data = np.asarray(X, np.float64)
        if data.ndim != 2 or data.size == 0:
            raise InvalidArgument("X", f"array of shape {data.shape}", "must be two-dimensional")
        self.samples, self.features, self.width = *data.shape, model.width
        self._core = _core.TwoLayerOperators(
            rows=self.samples,
            features=self.features,
            X=data.ravel(),
            y=_shaped("y", y, (self.samples,)),
            W=_shaped("W", W, (self.width, self.features)).ravel(),
            a=_shaped("a", a, (self.width,)),
            b1=_shaped("b1", b1, (self.width if model.bias else 0,)),
            b2=_shaped("b2", b2, (1 if model.bias else 0,)),
            scale=1.0 if model.scale == "none" else 1 / math.sqrt(model.width),
            curvature_factor=find(loss).curvature_factor(self.samples),
        )

    @property
    def size(self) -> int:
        """The number of parameters, m d + m, and m + 1 with biases."""
        return self._core.size

    def hessian(self, v: npt.ArrayLike) -> FloatArray:
        """Return the loss's Hessian times v, the parts of W by rows, a, b1, b2; 4 m d + 2 N d."""
        return self._core.hessian(_shaped("v", v, (self.size,)), gauss_newton=False)

    def gauss_newton(self, v: npt.ArrayLike) -> FloatArray:
        """Return c_L JᵀJ v, J = ∂F/∂θ: the Hessian less its part in the residuals."""
        return self._core.hessian(_shaped("v", v, (self.size,)), gauss_newton=True)

    def gram(self, name: str, v: npt.ArrayLike, step_size: float | None = None) -> FloatArray:
        """Return a Gram matrix times v, shape (N,); 2 N d + 2 m d.

        Parameters
        ----------
        name : str
            In `GRAM_MATRICES`.
        v : array_like, shape (N,)
        step_size : float, optional
            η, for M*.
        """
        if name not in GRAM_MATRICES:
            raise InvalidArgument("name", name, f"must be one of {', '.join(GRAM_MATRICES)}")
        if (step_size is None) != (name != "M*"):
            raise InvalidArgument("step_size", step_size, "must be given for M*, and for M* only")
        return self._core.gram(name, _shaped("v", v, (self.samples,)), step_size or 0.0)


def _shaped(argument: str, values: npt.ArrayLike, shape: tuple[int, ...]) -> FloatArray:
    """Return float64 values of the shape that they must have."""
    array = np.asarray(values).astype(np.float64)
    if array.shape != shape:
        raise InvalidArgument(argument, f"array of shape {array.shape}", f"must be {shape}")
    return np.ascontiguousarray(array)
