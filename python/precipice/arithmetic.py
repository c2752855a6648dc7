"""The arithmetic of a run: the format of each stage, the order of sums, the draws' seed.

Every order is a program, and the same for every format: s = Σ_{k<n} x_k y_k, with t_k = x_k ⊗ y_k.
⊗, ⊕, ⊖ and fma round to the format of stage accumulate; the finished sum is rounded once to the
format of its destination. Sums of the loss round to stage measurement throughout. A sum of one
term is one product; products of several numbers (P = Π v_j) ascend in every order, and element
operations never fuse.

sequential
    s = t_0; then s = s ⊕ t_k for k = 1, 2, …
fused
    s = t_0; then s = fma(x_k, y_k, s)
blocked
    Partial sums, each sequential from its first term, combined by halving. Sums along a row
    (X u, W g, a dot product): 32 partials, partial r takes k = r, r + 32, …. Sums down the rows
    (Xᵀ z, aᵀ W): ⌈n/32⌉ partials, partial c takes k = 32 c … 32 c + 31. Then for w = half the next
    power of two that is not below their number, w/2, … 1: s[t] = s[t] ⊕ s[t + w], where there is
    an s[t + w].
pairwise
    P(a, b) = t_a if b - a = 1; else, with h the largest power of two below b - a,
    P(a, a + h) ⊕ P(a + h, b). The sum is P(0, n).
kahan
    s = t_0, c = +0; then y = t_k ⊖ c; s' = s ⊕ y; c = (s' ⊖ s) ⊖ y; s = s'
exact
    The exact sum of the exact products, rounded once to the destination: no order changes it. An
    exact zero is -0 if every product is -0 (rounding downward: unless every product is +0).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.mixed import ORDERS as ORDERS
from precipice.mixed import STAGES as STAGES
from precipice.mixed import MixedPrecision, WorkingPrecision, format_of, working_precision
from precipice.precision import Precision

LARGEST_SEED = 2**64 - 1
_ALONE = "double_double"  # only one for all stages, to nearest, in sequential order


@dataclass(frozen=True)
class Arithmetic:
    """The format of each stage of a step, the order of every sum, and the seed of the draws.

    Parameters
    ----------
    parameters, forward, accumulate, gradient, update, measurement : Precision
        See `precipice.mixed.STAGES`.
    order : str
        One of `ORDERS`.
    seed : int, optional
        From 0 to 2**64 - 1, where a format rounds stochastically and only there: the same seed
        gives the same draws on any machine, with any number of threads and after a resume.
    run : int
        Which of several runs with one seed.

    Raises
    ------
    InvalidArgument
        If an argument breaks its rule, or a format cannot have the order or the company.
    """

    parameters: Precision
    forward: Precision
    accumulate: Precision
    gradient: Precision
    update: Precision
    measurement: Precision
    order: str = "sequential"
    seed: int | None = None
    run: int = 0

    def __post_init__(self) -> None:
        _check_order(self.order)
        stochastic = next((each for each in self.stages if each.stochastic), None)
        if self.seed is not None:
            seed = whole_number(self.seed, "rounding_seed", 0, LARGEST_SEED)
            object.__setattr__(self, "seed", seed)
            if stochastic is None:
                rule = "needs a format that rounds stochastically, such as bfloat16:sr"
                raise InvalidArgument("rounding_seed", seed, rule)
        elif stochastic is not None:
            rule = f"must be given: {stochastic} rounds stochastically"
            raise InvalidArgument("rounding_seed", None, rule)
        object.__setattr__(self, "run", whole_number(self.run, "rounding_run", 0, LARGEST_SEED))
        if self.run and self.seed is None:
            raise InvalidArgument("rounding_run", self.run, "needs a rounding_seed")
        self._check_company()

    def _check_company(self) -> None:
        alone = next((each for each in self.stages if each.name.startswith(_ALONE)), None)
        if alone is None:
            return
        if not self.uniform or alone.name != _ALONE:
            rule = f"must be {_ALONE} for every stage, rounded to nearest"
            raise InvalidArgument("precision", "/".join(map(str, self.stages)), rule)
        if self.order != "sequential":
            raise InvalidArgument("order", self.order, f"must be sequential in {_ALONE}")

    @classmethod
    def of(
        cls,
        precision: Any,
        order: str = "sequential",
        rounding_seed: int | None = None,
        rounding_run: int = 0,
    ) -> Arithmetic:
        """Return the arithmetic that the arguments of `precipice.simulate` ask for.

        Parameters
        ----------
        precision : str, dtype, Precision or MixedPrecision
        order : str
            Of a precision that names none.
        rounding_seed : int, optional
        rounding_run : int
            Which of several runs with one seed.
        """
        working: WorkingPrecision = working_precision(precision)
        _check_order(order)
        if isinstance(working, MixedPrecision) and working.order is not None:
            order = working.order
        formats = (format_of(working, stage) for stage in STAGES)
        parameters, forward, accumulate, gradient, update, measurement = formats
        return cls(
            parameters,
            forward,
            accumulate,
            gradient,
            update,
            measurement,
            order,
            rounding_seed,
            rounding_run,
        )

    def __getitem__(self, stage: str) -> Precision:
        """Return the format of a stage."""
        return dict(zip(STAGES, self.stages, strict=True))[stage]

    @property
    def stages(self) -> tuple[Precision, ...]:
        """The formats of `STAGES`."""
        return tuple(getattr(self, stage) for stage in STAGES)

    @property
    def uniform(self) -> bool:
        """Whether all stages have one format."""
        return all(format_ == self.parameters for format_ in self.stages)

    @property
    def plain(self) -> bool:
        """Whether it is one format, rounded to nearest, in sequential order."""
        nearest = self.parameters.rounding == "rn"
        return self.uniform and nearest and self.order == "sequential"

    def describe(self) -> dict[str, Any]:
        """Return the order and the seed as JSON-able data; the formats describe themselves."""
        described: dict[str, Any] = {"order": self.order, "order_definition": ORDERS[self.order]}
        if self.seed is not None:
            described["rounding_seed"] = self.seed
        return described | ({"rounding_run": self.run} if self.run else {})

    def core(self) -> Any:
        """Return the arithmetic as the compiled core has it."""
        core = importlib.import_module("precipice._core")
        return core.Arithmetic(
            stages=[format_.core_format() for format_ in self.stages],
            order=self.order,
            seed=self.seed or 0,
            run=self.run,
        )

    def availability(self) -> tuple[bool, str]:
        """Return whether this installation can carry it out, and how or why not.

        Returns
        -------
        tuple of bool and str
            ``(True, how it is carried out)`` or ``(False, why it is not)``.
        """
        try:
            core = importlib.import_module("precipice._core")
        except ImportError as error:
            return False, f"the compiled core is not installed ({error})"
        here, sentence = core.format_availability(self.core())
        return bool(here), str(sentence)


def _check_order(order: Any) -> None:
    if not isinstance(order, str) or order not in ORDERS:
        *others, last = ORDERS
        raise InvalidArgument("order", order, f"must be {', '.join(others)} or {last}")
