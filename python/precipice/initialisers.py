"""Where a run starts. Users know this module as ``precipice.init``.

Every seeded draw comes from ``numpy.random.default_rng(seed)`` (`precipice.starts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from precipice import starts
from precipice.errors import InvalidArgument
from precipice.exact import exact, whole_number
from precipice.exact_arrays import exact_array
from precipice.precision import nearest_float64
from precipice.schedules import read_back
from precipice.starts import Initialiser

__all__ = [
    "Initialiser",
    "balanced",
    "constant",
    "described",
    "explicit",
    "normal",
    "parse",
    "perturbed",
    "pytorch",
    "symmetric",
    "symmetric_gaussian",
]

_FORMS = "constant:C, pytorch, normal:ALPHA,BETA, balanced:C, symmetric or symmetric_gaussian"


def constant(c: Any) -> Initialiser:
    """Return the start at which every parameter is `c` (Yoo et al. 2025, appendix C.3: 0.01).

    Parameters
    ----------
    c : number
        Kept exactly: ``"0.01"`` is the decimal, ``0.01`` the float64 nearest to it.

    Raises
    ------
    InvalidArgument
        If `c` is not a finite number.
    """
    exact(c, "c")
    return starts.Constant(c)


def pytorch(seed: int = 0) -> Initialiser:
    """Return PyTorch's default start: U(-1/√fan_in, 1/√fan_in) for each layer.

    u ~ U(-1/√d, 1/√d), v_j ~ U(-1, 1); W, b1 ~ U(-1/√d, 1/√d), a, b2 ~ U(-1/√m, 1/√m); in float64.

    Raises
    ------
    InvalidArgument
        If `seed` is not an integer of at least 0.
    """
    return starts.PyTorch(whole_number(seed, "seed", 0))


def normal(alpha: Any, beta: Any, seed: int = 0) -> Initialiser:
    """Return a normal start: u ~ N(0, alpha² I), v_j ~ N(0, beta²) (Yoo et al. 2025, section 5.1).

    Likewise W and a of the two-layer network; its biases are zero.

    Parameters
    ----------
    alpha, beta : number
        Standard deviations, at least 0, rounded to float64.
    seed : int

    Raises
    ------
    InvalidArgument
        If a standard deviation is negative or not finite, or `seed` is negative.
    """
    deviations = nearest_float64(alpha, "alpha"), nearest_float64(beta, "beta")
    for name, deviation in zip(("alpha", "beta"), deviations, strict=True):
        if deviation < 0:
            raise InvalidArgument(name, deviation, "must be at least 0")
    return starts.Normal(*deviations, seed=whole_number(seed, "seed", 0))


def balanced(c: Any, seed: int = 0) -> Initialiser:
    """Return a balanced start: ‖Π_W u‖ = v_j = c (Yoo et al. 2025, Assumption 4.5).

    u has a uniformly random direction in the row space of X, and nothing outside it.

    Parameters
    ----------
    c : number
        Positive, rounded to float64.
    seed : int

    Raises
    ------
    InvalidArgument
        If `c` is not positive, or `seed` is negative.

    Notes
    -----
    The row space comes from a float64 SVD: the last bits of u depend on the BLAS in use.
    """
    size = nearest_float64(c, "c")
    if not size > 0:
        raise InvalidArgument("c", c, "must be positive")
    return starts.Balanced(size, whole_number(seed, "seed", 0))


def symmetric(seed: int = 0) -> Initialiser:
    """Return the symmetric start of the two-layer network (Wang et al. 2022, appendix C.1).

    a_q = ±1 in pairs of opposite sign, their rows of W equal, and Σ w_q w_qᵀ = (m / 2d) I over one
    of each pair: the network is zero at the start. Biases are zero. It needs an even m with m/2 at
    least d.

    Raises
    ------
    InvalidArgument
        If `seed` is negative; when a run begins, if m does not fit.

    Notes
    -----
    The orthonormal columns come from a float64 QR decomposition: their last bits depend on the
    LAPACK in use.
    """
    return starts.Symmetric(whole_number(seed, "seed", 0), orthogonal=True)


def symmetric_gaussian(seed: int = 0) -> Initialiser:
    """Return the symmetric start with rows w_q ~ N(0, I/d): its condition holds in expectation.

    As `symmetric`, for any even m.

    Raises
    ------
    InvalidArgument
        If `seed` is negative; when a run begins, if m is odd.
    """
    return starts.Symmetric(whole_number(seed, "seed", 0), orthogonal=False)


def explicit(values: Mapping[str, Any]) -> Initialiser:
    """Return the start given by arrays, under the model's parameter names.

    Parameters
    ----------
    values : mapping
        ``{"u": …, "v": …}`` with entries that `precipice.exact.exact` reads: floats, decimal
        strings, fractions, gmpy2 or mpmath numbers. They are kept exactly.

    Raises
    ------
    InvalidArgument
        If an entry is no finite number; when a run begins, if a name or a shape is wrong.
    """
    if not isinstance(values, Mapping):
        raise InvalidArgument("init", values, "must map parameter names to arrays")
    return starts.Explicit(
        {name: exact_array(array, f'init["{name}"]').copy() for name, array in values.items()}
    )


def perturbed(
    start: Initialiser, number: int, seed: int = 0, bits: int | None = None
) -> Initialiser:
    """Return a start that differs from another in the last bits, of the parameters' format.

    Every parameter is moved by -1, 0 or +1 unit in its last place (`precipice.perturbation`).

    Parameters
    ----------
    start : Initialiser
    number : int
        Which perturbation; 0 is none.
    seed : int
    bits : int, optional
        At which the last place is counted; default the bits of the parameters' format.

    Raises
    ------
    InvalidArgument
        If a number is no integer of at least 0; when a run begins, if the format has fewer bits.
    """
    if not isinstance(start, Initialiser):
        raise InvalidArgument("init", start, 'must be an Initialiser, such as constant("0.01")')
    largest = 2**64 - 1
    return starts.Perturbed(
        start,
        whole_number(number, "perturbation", 0, largest),
        whole_number(seed, "perturbation_seed", 0, largest),
        None if bits is None else whole_number(bits, "perturbation_bits", 1),
    )


def described(description: Mapping[str, Any]) -> Initialiser:
    """Return the initialiser that `describe` has described.

    Raises
    ------
    InvalidArgument
        If there is none such.
    """
    if "number" in description:
        start = described(description["start"])
        numbers = (description[key] for key in ("number", "perturbation_seed", "perturbation_bits"))
        return perturbed(start, *numbers)
    name = description["name"].partition(":")[0]
    if name == "explicit":
        return explicit(description["values"])
    if name == "constant":
        return constant(read_back("c", description))
    values = ",".join(str(description[key]) for key in ("alpha", "beta", "c") if key in description)
    return parse(f"{name}:{values}" if values else name, description.get("seed", 0))


def parse(form: str, seed: int = 0) -> Initialiser:
    """Return the initialiser that command-line text names.

    Parameters
    ----------
    form : str
        ``"constant:0.01"``, ``"pytorch"``, ``"normal:0.1,0.2"`` or ``"balanced:0.5"``.
    seed : int
        For those that draw; checked for all.

    Raises
    ------
    InvalidArgument
        If the text is of no such form, its numbers break the initialiser's rule, or `seed` is
        not an integer of at least 0.
    """
    seed = whole_number(seed, "seed", 0)
    name, _, rest = form.partition(":")
    arguments = rest.split(",") if rest else []
    builders: dict[str, tuple[int, Callable[..., Initialiser]]] = {
        "constant": (1, lambda c: constant(c)),
        "pytorch": (0, lambda: pytorch(seed)),
        "normal": (2, lambda alpha, beta: normal(alpha, beta, seed)),
        "balanced": (1, lambda c: balanced(c, seed)),
        "symmetric": (0, lambda: symmetric(seed)),
        "symmetric_gaussian": (0, lambda: symmetric_gaussian(seed)),
    }
    if name not in builders or builders[name][0] != len(arguments):
        raise InvalidArgument("init", form, f"must be {_FORMS}")
    try:
        return builders[name][1](*arguments)
    except InvalidArgument as error:
        raise InvalidArgument("init", form, f"{error.argument} {error.rule}") from None
