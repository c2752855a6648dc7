"""The members of an ensemble: step sizes × seeds of the start × last-bit perturbations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.initialisers import described
from precipice.optimizers import GradientFlow, Optimizer, from_description
from precipice.perturbation import DEFINITION
from precipice.schedules import Schedule, read_back, written
from precipice.starts import Initialiser, Perturbed

_LARGEST_SEED = 2**64 - 1
_LARGEST_COUNT = 2**24


@dataclass(frozen=True)
class Members:
    """Who the members are; member r is at row r of every array of an ensemble.

    The perturbations of one start follow one another, then come the next seed, then the next step
    size: r = (i_lr * seeds + i_seed) * perturbations + k.

    Attributes
    ----------
    optimizer : Optimizer
        With the first step size.
    init : Initialiser
        The start, unless a seed says another.
    lrs : tuple of str
        Step sizes η as they were written, or as exact text.
    seeds : tuple of int, or None
        Of the start; None for the one of `init`.
    perturbations : int
        Of each start, the unperturbed one among them.
    perturbation_seed : int
    perturbation_bits : int or None
        At which the last place is counted; None for the bits of the parameters' format.
    """

    optimizer: Optimizer
    init: Initialiser
    lrs: tuple[str, ...]
    seeds: tuple[int, ...] | None = None
    perturbations: int = 1
    perturbation_seed: int = 0
    perturbation_bits: int | None = None

    @classmethod
    def of(
        cls,
        optimizer: Any,
        init: Any,
        lrs: Iterable[Any] | None,
        seeds: Iterable[Any] | None,
        perturbations: Any,
        perturbation_seed: Any,
        perturbation_bits: Any,
    ) -> Members:
        """Check the arguments of `precipice.ensemble` that say who the members are.

        Raises
        ------
        InvalidArgument
            If one breaks its rule.
        """
        if not isinstance(optimizer, Optimizer):
            raise InvalidArgument(
                "optimizer", optimizer, 'must be an optimiser, such as pc.GD("2/50")'
            )
        if isinstance(optimizer, GradientFlow) or isinstance(optimizer.lr, Schedule):
            rule = "must have a constant learning rate: an ensemble's members differ in it"
            raise InvalidArgument("optimizer", optimizer.describe()["name"], rule)
        given = [optimizer.lr] if lrs is None else several("lrs", lrs)
        optimizers = [replace(optimizer, lr=lr) for lr in given]
        texts = tuple(read_back("lr", written("lr", each.lr)) for each in optimizers)
        _once("lrs", [each.exact_lr() for each in optimizers], texts)
        numbers = None
        if seeds is not None:
            numbers = tuple(
                whole_number(seed, "seeds", 0, _LARGEST_SEED) for seed in several("seeds", seeds)
            )
            _once("seeds", numbers, numbers)
            init.seeded(numbers[0])
        members = cls(
            optimizers[0],
            init,
            texts,
            numbers,
            whole_number(perturbations, "perturbations", 1, _LARGEST_COUNT),
            whole_number(perturbation_seed, "perturbation_seed", 0, _LARGEST_SEED),
            perturbation_bits
            if perturbation_bits is None
            else whole_number(perturbation_bits, "perturbation_bits", 1),
        )
        whole_number(members.size, "members", 1, _LARGEST_COUNT)
        return members

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.lrs) * self._starts * self.perturbations

    @property
    def _starts(self) -> int:
        return 1 if self.seeds is None else len(self.seeds)

    def lr_index(self, member: int | npt.NDArray[Any]) -> Any:
        """Return which of the step sizes a member has; or of each of many."""
        return member // (self._starts * self.perturbations)

    def start_index(self, member: int | npt.NDArray[Any]) -> Any:
        """Return which of the seeds a member has."""
        return member // self.perturbations % self._starts

    def perturbation(self, member: int | npt.NDArray[Any]) -> Any:
        """Return the number of a member's perturbation."""
        return member % self.perturbations

    def optimizer_of(self, lr_index: int) -> Optimizer:
        """Return the optimiser with one of the step sizes."""
        lr = self.lrs[lr_index]
        described_with = {**self.optimizer.describe(), **written("lr", lr)}
        return from_description(described_with)

    def seeded(self, start_index: int) -> Initialiser:
        """Return the start of one of the seeds, not perturbed."""
        return self.init if self.seeds is None else self.init.seeded(self.seeds[start_index])

    def init_of(self, member: int) -> Initialiser:
        """Return a member's start."""
        start, number = self.seeded(self.start_index(member)), self.perturbation(member)
        if not number:
            return start
        return Perturbed(start, int(number), self.perturbation_seed, self.perturbation_bits)

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """Step size, seed (if there are several) and perturbation of each member."""
        members = np.arange(self.size)
        columns: dict[str, list[Any]] = {
            "member": members.tolist(),
            "lr": [self.lrs[i] for i in self.lr_index(members)],
        }
        if self.seeds is not None:
            columns["seed"] = [self.seeds[i] for i in self.start_index(members)]
        columns["perturbation"] = self.perturbation(members).tolist()
        return columns

    def describe(self) -> dict[str, Any]:
        """Return the members as JSON-able data."""
        return {
            "members": self.size,
            "lrs": list(self.lrs),
            "seeds": None if self.seeds is None else list(self.seeds),
            "perturbations": self.perturbations,
            "perturbation_seed": self.perturbation_seed,
            "perturbation_bits": self.perturbation_bits,
            "perturbation_definition": DEFINITION,
        }


def members_of(optimizer: Mapping[str, Any], settings: Mapping[str, Any]) -> Members:
    """Return the members of an ensemble that describes itself so.

    Raises
    ------
    KeyError, TypeError, ValueError
        If something is missing or is not what it should be.
    """
    return Members.of(
        from_description(optimizer),
        described(settings["init"]),
        settings["lrs"],
        settings["seeds"],
        settings["perturbations"],
        settings["perturbation_seed"],
        settings["perturbation_bits"],
    )


def several(argument: str, given: Iterable[Any]) -> Sequence[Any]:
    """Return what was given as a list of at least one entry."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InvalidArgument(argument, given, "must be a sequence, such as a list")
    entries = list(given)
    if not entries:
        raise InvalidArgument(argument, "", "must name at least one")
    return entries


def _once(argument: str, values: Sequence[Any], names: Sequence[Any]) -> None:
    """Refuse what is named twice."""
    for i, value in enumerate(values):
        if value in values[:i]:
            listed = ",".join(map(str, names))
            shown = listed if len(listed) < 60 else f"{listed[:57]}..."
            raise InvalidArgument(argument, shown, f"{names[i]} is named twice")
