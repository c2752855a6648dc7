"""The layer imbalance, which gradient flow conserves and descent changes (Yoo, section 5.2)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from precipice.decomposition import Decomposition
from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.theory.minimisers import FloatArray, scalar

Array = npt.NDArray[Any]

# Of a difference of two float64 sums this share of either is rounding, not information.
_ROUNDING = 1e-13


class ImbalanceTerms(NamedTuple):
    """Ψ_1, Ω_1, Ψ_2, Ω_2 of Yoo's Theorem 5.9: one number each, or one for each moment."""

    psi_1: Any
    omega_1: Any
    psi_2: Any
    omega_2: Any

    @property
    def t_1(self) -> FloatArray | float:
        """Return T_1 = Ω_1/Ψ_1: while C ≤ T_1, descent raises C. float64, NaN where Ψ_1 = 0."""
        return _ratio(self.omega_1, self.psi_1, 0.0)

    @property
    def t_2(self) -> FloatArray | float:
        """Return T_2 = (Ω_2 - Ω_1)/(Ψ_2 - Ψ_1): while C ≤ T_2, mini-batches raise C more.

        float64; NaN where Ψ_2 = Ψ_1, as for N = 1, to within rounding.
        """
        threshold = _ROUNDING * np.asarray(self.psi_2, dtype=np.float64)
        return _ratio(self.omega_2 - self.omega_1, self.psi_2 - self.psi_1, threshold)


class ImbalanceDrift(NamedTuple):
    """The imbalance along a trajectory and what one exact step of descent adds at each moment.

    Attributes
    ----------
    imbalance : ndarray of float64, shape (T,)
        C(θ_t).
    change : ndarray of float64, shape (T,)
        C after a step of gradient descent from θ_t in exact arithmetic, less C(θ_t).
    terms : ImbalanceTerms
        Each of shape (T,).
    """

    imbalance: FloatArray
    change: FloatArray
    terms: ImbalanceTerms


def layer_imbalance(
    decomposition: Decomposition, u: npt.ArrayLike, v: npt.ArrayLike
) -> FloatArray | float:
    """Return the layer imbalance ‖Π_W u‖² - v_j² (Yoo, Definition 4.2 and Assumption 4.5).

    Parameters
    ----------
    decomposition : Decomposition
        Its right vectors span W, the row space of X.
    u : array_like of float, shape (d,) or (T, d)
        First-layer weights, at one or at T moments.
    v : array_like of float, shape (D-1,) or (T, D-1)
        The scalar layers at the same moments.

    Returns
    -------
    float or ndarray of float64
        Depth 2: C(θ), a float or shape (T,). More: one difference for every v_j, shape (D-1,) or
        (T, D-1).

    Raises
    ------
    InvalidArgument
        If the shapes do not match the data or each other.
    """
    weights, scalars = check_shapes(decomposition, u, v)
    o = weights @ decomposition.right
    differences = np.sum(o**2, axis=-1, keepdims=True) - scalars**2
    return scalar(differences[..., 0] if scalars.shape[-1] == 1 else differences)


def imbalance_terms(X: Array, z: Array, f: Array, u_squared: Any) -> ImbalanceTerms:
    """Return Ψ_1, Ω_1, Ψ_2 and Ω_2 of Yoo's Theorem 5.9, for depth 2.

    Ψ_1 = ‖Xᵀz‖², Ω_1 = Ψ_1 ‖Π_W u‖² - (z·f)²,
    Ψ_2 = N Σ z_k² ‖x_k‖², Ω_2 = N Σ z_k² (‖x_k‖² ‖Π_W u‖² - f_k²).

    Parameters
    ----------
    X : ndarray, shape (N, d)
        float64, or objects: gmpy2 numbers keep their own precision, rationals stay exact.
    z : ndarray, shape (N,) or (T, N)
        Residuals f v - y at one or at T moments.
    f : ndarray, shape (N,) or (T, N)
        X u at the same moments.
    u_squared : number or ndarray of shape (T,)
        ‖Π_W u‖², without what u has outside the row space of X.

    Returns
    -------
    ImbalanceTerms

    Notes
    -----
    The paper's sums over pairs of singular directions, by Lagrange's identity, in O(N d) a moment
    instead of O(N r²). Ω_1 and Ω_2 are differences, exact to rounding of Ψ_1 ‖Π_W u‖² and
    Ψ_2 ‖Π_W u‖², and never returned negative. In the proof (appendix B.8) the first underbraces
    put "-C" into Ψ_1 and Ψ_2; the theorem's own definitions, used here, do not.
    """
    samples = X.shape[0]
    gradient = z @ X
    row_squared = np.sum(X * X, axis=-1)
    psi_1 = np.sum(gradient * gradient, axis=-1)
    psi_2 = samples * ((z * z) @ row_squared)
    along = np.sum(z * f, axis=-1)
    along_each = samples * np.sum((z * f) ** 2, axis=-1)
    return ImbalanceTerms(
        psi_1,
        np.maximum(psi_1 * u_squared - along * along, 0),
        psi_2,
        np.maximum(psi_2 * u_squared - along_each, 0),
    )


def imbalance_change(terms: ImbalanceTerms, imbalance: Any, lr: Any, curvature_factor: Any) -> Any:
    """Return C(θ_GD⁺) - C(θ) = η² c_L² (Ω_1 - Ψ_1 C) (Yoo, Theorem 5.9, first equation).

    Exact for one step of gradient descent in exact arithmetic from any θ, wherever y lies.

    Parameters
    ----------
    terms : ImbalanceTerms
    imbalance : number or ndarray
        C(θ), of the terms' shape.
    lr : number
        η.
    curvature_factor : number
        c_L of the loss.

    Returns
    -------
    number or ndarray
        Of the arguments' arithmetic: float64, or exact for exact numbers.
    """
    return (lr * curvature_factor) ** 2 * (terms.omega_1 - terms.psi_1 * imbalance)


def expected_imbalance_change(
    terms: ImbalanceTerms,
    imbalance: Any,
    lr: Any,
    curvature_factor: Any,
    *,
    batch: int,
    samples: int,
) -> Any:
    """Return E C(θ_SGD⁺) - C(θ) over batches of B distinct samples (Yoo, appendix B.8).

    η² c_B² [B(N-B)/(N²(N-1)) (Ω_2 - Ψ_2 C) + B(B-1)/(N(N-1)) (Ω_1 - Ψ_1 C)], where c_B is the
    loss's curvature factor on a batch. For ``half_mean`` and ``mean``, c_B = c_L N/B and this is
    Theorem 5.9: the change by gradient descent plus
    η² c_L² (N-B)/(B(N-1)) [(Ω_2 - Ω_1) - (Ψ_2 - Ψ_1) C].

    Parameters
    ----------
    terms : ImbalanceTerms
        With the residual z of all samples; where y has a part outside the column space of X, that
        part belongs to z.
    imbalance : number or ndarray
        C(θ), of the terms' shape.
    lr : number
        η.
    curvature_factor : number
        c_B, of a batch: ``losses.curvature_factor(name, batch)``. The losses ``half_sum`` and
        ``sum`` are not rescaled to the batch.
    batch : int
        B, from 1 to N.
    samples : int
        N.

    Returns
    -------
    number or ndarray
        Of the arguments' arithmetic, as `imbalance_change`, which is the case B = N.

    Raises
    ------
    InvalidArgument
        If `batch` is not from 1 to `samples`.
    """
    samples = whole_number(samples, "samples", 1)
    batch = whole_number(batch, "batch", 1)
    if batch > samples:
        raise InvalidArgument("batch", batch, f"must be at most the number of samples, {samples}")
    if batch == samples:
        return imbalance_change(terms, imbalance, lr, curvature_factor)
    # The probabilities of two draws, with each integer product formed before the one division.
    pairs = samples * (samples - 1)
    alone = (batch * (samples - batch)) * (terms.omega_2 - terms.psi_2 * imbalance)
    together = (samples * batch * (batch - 1)) * (terms.omega_1 - terms.psi_1 * imbalance)
    return (lr * curvature_factor) ** 2 * (alone + together) / (samples * pairs)


def imbalance_drift(
    decomposition: Decomposition,
    X: FloatArray,
    y: FloatArray,
    u: npt.ArrayLike,
    v: npt.ArrayLike,
    *,
    lr: float,
    curvature_factor: float,
) -> ImbalanceDrift:
    """Return C, its change by descent and Theorem 5.9's terms along a trajectory of depth 2.

    Parameters
    ----------
    decomposition : Decomposition
        Of (X, y).
    X : ndarray of float64, shape (N, d)
    y : ndarray of float64, shape (N,)
    u : array_like of float, shape (T, d)
        Recorded first-layer weights; objects such as `gmpy2.mpfr` are rounded to float64.
    v : array_like of float, shape (T, 1)
        The second layer at the same moments.
    lr : float
        η.
    curvature_factor : float
        c_L of the loss.

    Raises
    ------
    InvalidArgument
        If the shapes do not match the data or each other, or `v` is not of depth 2.

    Notes
    -----
    float64; residuals near 2⁻⁵² |y| are rounding here, and so are the terms made of them. Costs
    O(T N d) time and O(T (N + d)) memory.
    """
    weights, scalars = check_shapes(decomposition, u, v, depth=2)
    if weights.ndim != 2:
        rule = f"must have shape (T, {weights.shape[-1]})"
        raise InvalidArgument("u", f"array of shape {weights.shape}", rule)
    o = weights @ decomposition.right
    u_squared = np.sum(o**2, axis=-1)
    f = weights @ X.T
    terms = imbalance_terms(X, f * scalars - y, f, u_squared)
    imbalance = u_squared - scalars[:, 0] ** 2
    change = imbalance_change(terms, imbalance, lr, curvature_factor)
    return ImbalanceDrift(imbalance, change, terms)


def check_shapes(
    decomposition: Decomposition, u: npt.ArrayLike, v: npt.ArrayLike, depth: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return parameters of one or T moments as float64 arrays that fit the data and each other.

    Raises
    ------
    InvalidArgument
        If they do not, or `v` has not `depth` - 1 layers.
    """
    weights, scalars = np.asarray(u, dtype=np.float64), np.asarray(v, dtype=np.float64)
    features = decomposition.right.shape[0]
    if weights.ndim not in (1, 2) or weights.shape[-1] != features:
        rule = f"must have shape ({features},) or (T, {features})"
        raise InvalidArgument("u", f"array of shape {weights.shape}", rule)
    layers = "D-1" if depth is None else depth - 1
    fits = scalars.ndim > 0 and scalars.shape[:-1] == weights.shape[:-1] and scalars.shape[-1] > 0
    if not fits or (depth is not None and scalars.shape[-1] != layers):
        moments = f"{weights.shape[0]}, " if weights.ndim == 2 else ""
        of = "" if depth is None else f": the formula is of depth {depth}"
        rule = f"must have shape ({moments}{layers}{'' if moments else ','}){of}"
        raise InvalidArgument("v", f"array of shape {scalars.shape}", rule)
    return weights, scalars


def _ratio(numerator: Any, denominator: Any, threshold: Any) -> FloatArray | float:
    """Return a quotient in float64, NaN where the denominator is not above the threshold."""
    top = np.asarray(numerator, dtype=np.float64)
    bottom = np.asarray(denominator, dtype=np.float64)
    out = np.full(bottom.shape, np.nan)
    return scalar(np.divide(top, bottom, out=out, where=bottom > threshold))
