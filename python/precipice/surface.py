"""What a run is measured on: the loss surface of its data, as rounded to its stage forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any

import gmpy2
import numpy as np
import numpy.typing as npt

from precipice.data_rounding import require_nearest
from precipice.decomposition import Decomposition, decompose
from precipice.errors import InvalidArgument
from precipice.exact import text
from precipice.exact_arrays import exact_array
from precipice.losses import Loss, find
from precipice.measuring import GUARD_BITS, Sharpness, SharpnessMeter
from precipice.measuring_two_layer import TwoLayerMeter
from precipice.models import Model, TwoLayerLinear
from precipice.precision import Precision
from precipice.problems import Problem
from precipice.spectral import Basis, SpectralProblem, refined_basis

Meter = SharpnessMeter | TwoLayerMeter


@dataclass(frozen=True, eq=False)
class Surface:
    """The loss surface a run walks on: the data as rounded to its working format.

    Attributes
    ----------
    X : ndarray of float64, shape (N, d)
        The rounded data, to float64 where the working format is wider.
    decomposed : callable
        Returns its singular value decomposition, or that of [X 1] for a model with biases.
    """

    X: npt.NDArray[np.float64]
    decomposed: Callable[[], Decomposition]

    @cached_property
    def decomposition(self) -> Decomposition:
        """The decomposition, made when it is first asked for: it may take seconds."""
        return self.decomposed()


@lru_cache(maxsize=8)
def primal_surface(
    problem: Problem, rounding: Precision | None, working: Precision, ones: bool = False
) -> Surface:
    """Return the surface that X and y span once rounded to the problem's and a working format.

    With `ones`, a column of ones joins X for the decomposition.
    """
    X, y = problem.X, problem.y
    if rounding is not None:
        X, y = rounding.round_array(X), rounding.round_array(y)
    X, y = (working.round_array(values).astype(np.float64) for values in (X, y))
    if not (ones or X.any()):
        raise InvalidArgument("X", f"zeros in {working.name}", "must not be identically zero")
    return Surface(X, partial(decompose, np.column_stack([X, np.ones(len(X))]) if ones else X, y))


def spectral_surface(spectral: SpectralProblem, working: Precision) -> Surface:
    """Return the diagonal surface of σ and d as rounded to a working format."""
    sigma, d = (
        working.round_array(values).astype(np.float64) for values in (spectral.sigma, spectral.d)
    )
    basis = np.eye(sigma.size)
    decomposition = Decomposition(
        sigma, basis, basis, d, spectral.rank_tolerance, spectral.y_perp_norm2
    )
    return Surface(sigma, lambda: decomposition)


def measuring_format(working: Precision) -> Precision:
    """Return the format of the data that is measured on.

    Sharpness is measured in float64: formats that contain float64 share one surface.
    """
    return Precision.parse("float64") if working.contains_float64 else working


def meter_on(
    X: npt.NDArray[Any],
    y: npt.NDArray[Any],
    spectral: SpectralProblem | None,
    working: Precision,
    measuring: Precision,
    loss: Loss,
    problem: Problem,
    model: Model,
) -> Meter:
    """Return a meter on the surface of the working format."""
    bits = measuring.bits + GUARD_BITS
    X, y = working.round_array(X), working.round_array(y)
    if isinstance(model, TwoLayerLinear):
        return _two_layer_meter(X, y, model, loss, problem.samples, measuring)
    if spectral is None:
        basis = refined_basis(X, y, bits)
    else:
        sigma, d = ([gmpy2.mpfr(x, 1) for x in values.tolist()] for values in (X, y))
        basis = Basis(sigma, d, None, None)
    return SharpnessMeter(basis, loss, problem.samples, measuring)


def _two_layer_meter(
    X: npt.NDArray[Any],
    y: npt.NDArray[Any],
    model: TwoLayerLinear,
    loss: Loss,
    samples: int,
    measuring: Precision,
) -> TwoLayerMeter:
    """Return a meter of the network on X, or on σ of spectral coordinates."""

    def numbers(values: list[Any]) -> list[gmpy2.mpfr]:
        return [gmpy2.mpfr(x, 1) for x in values]

    if X.ndim == 1:
        data: list[Any] = numbers(X.tolist())
    else:
        data = [numbers(row + [1.0] * model.bias) for row in X.tolist()]
    scaled = model.scale != "none"
    return TwoLayerMeter(data, numbers(y.tolist()), loss, samples, scaled, measuring)


def measure_sharpness(
    problem: Problem,
    parameters: Mapping[str, Any],
    *,
    loss: str = "half_mean",
    precision: Any = "mpfr128",
    problem_dtype: Any = "float64",
    model: Model | None = None,
) -> Sharpness:
    """Return λ_max of the loss's Hessian at a point, with its eigenvector, in any format.

    Parameters
    ----------
    problem : Problem
        Data (X, y).
    parameters : mapping
        ``{"u": (d,), "v": (D - 1,)}`` or those of `model` as `Run.parameters` gives them (primal
        coordinates), or any exact numbers.
    loss : str
        Normalisation of the loss.
    precision : str, Precision or dtype
        The measuring format; the parameters enter with all their bits.
    problem_dtype : str, Precision or dtype
        Format that X and y are first rounded to.
    model : Model, optional
        Needed for a two-layer network, of which no eigenvector is returned.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule, or two singular values of X are equal.

    Notes
    -----
    Refining the singular vectors takes about 2 s at (300, 3072), a point N d gmpy2 operations.
    """
    rounding, measuring = Precision.parse(problem_dtype), Precision.parse(precision)
    require_nearest(rounding, "problem_dtype")
    require_nearest(measuring, "precision")
    X, y = (rounding.round_array(values) for values in (problem.X, problem.y))
    if isinstance(model, TwoLayerLinear):
        shapes = model.shapes(problem.features)
        arrays = (exact_array(parameters[name], name, shape) for name, shape in shapes.items())
        texts = ([text(x) for x in array.flat] for array in arrays)
        return _two_layer_meter(X, y, model, find(loss), problem.samples, measuring).measure(*texts)
    factors = exact_array(parameters["v"], "v")
    u = exact_array(parameters["u"], "u", (problem.features,))
    basis = refined_basis(X, y, measuring.bits + GUARD_BITS)
    meter = SharpnessMeter(basis, find(loss), problem.samples, measuring)
    return meter.measure([text(x) for x in u.tolist()], [text(x) for x in factors.tolist()])
