"""How parameters are updated, as readable text: the optimisers of `precipice.reference`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias

from precipice.reference_model import Parameters
from precipice.reference_programs import add_twice, copy, look_ahead, velocity
from precipice.reference_space import ReferenceSpace, Vector
from precipice.rounding import Rounder
from precipice.stepping import RoundedSchedule

Gradient: TypeAlias = "Callable[[Parameters], Iterable[tuple[str, Vector]]]"
"""The gradient by blocks, on the step's samples, at any parameters; see `ReferenceModel`."""


class ReferenceOptimizer(Protocol):
    """What an optimiser must say to train here."""

    locks: bool
    """Whether parameters that return to where they were two steps before end a run."""

    def memory(self, space: ReferenceSpace, parameters: Parameters) -> Parameters:
        """Return what it remembers besides the parameters, before the first update."""

    def update(
        self,
        space: ReferenceSpace,
        step: int,
        parameters: Parameters,
        memory: Parameters,
        gradient: Gradient,
    ) -> tuple[Parameters, Parameters]:
        """Return the parameters and the memory after a step's update."""

    def constant_since(self) -> float:
        """Return the step from which all updates are one map; inf if that is not known."""


class GradientDescent:
    """θ_{t+1} = θ_t ⊖ (η_t ⊗ g).

    Attributes
    ----------
    step_sizes : RoundedSchedule
        η_t, rounded to nearest in the update's format.
    """

    locks = True

    def __init__(self, step_sizes: RoundedSchedule) -> None:
        self.step_sizes = step_sizes

    def memory(self, space: ReferenceSpace, parameters: Parameters) -> Parameters:
        """Return nothing."""
        return {}

    def update(
        self,
        space: ReferenceSpace,
        step: int,
        parameters: Parameters,
        memory: Parameters,
        gradient: Gradient,
    ) -> tuple[Parameters, Parameters]:
        """Return the next parameters."""
        eta = space.number("update", self.step_sizes.at(step))
        following: Parameters = {name: [] for name in parameters}
        for name, g in gradient(parameters):
            current = next_block(parameters[name], following[name], g)
            following[name] += space.descend(current, eta, g)
        return following, memory

    def constant_since(self) -> float:
        """Return the first step of the last piece; inf while an event may come."""
        return self.step_sizes.constant_since()


class Momentum(GradientDescent):
    """Heavy ball and Nesterov: v_{t+1} = (β ⊗ v_t) ⊕ g and θ_{t+1} = θ_t ⊖ (η_t ⊗ s).

    s is v_{t+1} for the heavy ball and g ⊕ (β ⊗ v_{t+1}) for Nesterov; v_0 = +0.

    Parameters
    ----------
    step_sizes : RoundedSchedule
        η_t.
    momentum : number
        β; both are rounded to nearest in the update's format.
    nesterov : bool
    """

    def __init__(self, step_sizes: RoundedSchedule, momentum: Any, *, nesterov: bool) -> None:
        super().__init__(step_sizes)
        self._momentum, self._nesterov = momentum, nesterov

    def memory(self, space: ReferenceSpace, parameters: Parameters) -> Parameters:
        """Return the first velocity."""
        zero = space.number("update", 0)
        return {name: [zero] * len(values) for name, values in parameters.items()}

    def update(
        self,
        space: ReferenceSpace,
        step: int,
        parameters: Parameters,
        memory: Parameters,
        gradient: Gradient,
    ) -> tuple[Parameters, Parameters]:
        """Return the next parameters and their velocity."""
        eta = space.number("update", self.step_sizes.at(step))
        beta = space.number("update", self._momentum)
        following: Parameters = {name: [] for name in parameters}
        velocities: Parameters = {name: [] for name in parameters}
        for name, g in gradient(parameters):
            current = next_block(parameters[name], following[name], g)
            v = next_block(memory[name], velocities[name], g)
            v = direction = space.map("update", velocity, beta, v, g)
            if self._nesterov:
                direction = space.map("update", look_ahead, g, beta, v)
            velocities[name] += v
            following[name] += space.descend(current, eta, direction)
        return following, velocities


class RungeKutta:
    """Gradient flow by the classical Runge-Kutta method of order four, with a fixed step h.

    With h2 = h ⊘ 2 and h6 = h ⊘ 6::

        k1 = g(θ)                     k2 = g(θ ⊖ (h2 ⊗ k1))
        k3 = g(θ ⊖ (h2 ⊗ k2))         k4 = g(θ ⊖ (h ⊗ k3))
        θ ← θ ⊖ (h6 ⊗ (((k1 ⊕ (2 ⊗ k2)) ⊕ (2 ⊗ k3)) ⊕ k4))

    Parameters
    ----------
    step : number
        h, rounded to nearest in the update's format.
    """

    locks = False

    def __init__(self, step: Any) -> None:
        self._step = step

    def memory(self, space: ReferenceSpace, parameters: Parameters) -> Parameters:
        """Return nothing."""
        return {}

    def constant_since(self) -> float:
        """Return 0: a flow that stands still has come to rest."""
        return 0

    def update(
        self,
        space: ReferenceSpace,
        step: int,
        parameters: Parameters,
        memory: Parameters,
        gradient: Gradient,
    ) -> tuple[Parameters, Parameters]:
        """Return the next parameters."""
        slopes: list[Vector] = []  # k1 + 2 k2 + 2 k3 + k4, block by block

        def add(block: int, k: Vector) -> None:
            if stage == 1:
                slopes.append(space.map("gradient", copy, k))
            elif stage == 4:
                slopes[block] = space.map("gradient", Rounder.add, slopes[block], k)
            else:
                slopes[block] = space.map("gradient", add_twice, slopes[block], k, 2)

        k = gradient(parameters)
        h = space.number("update", self._step)
        half = space.map_number("update", Rounder.divide, h, 2)
        sixth = space.map_number("update", Rounder.divide, h, 6)
        for stage, length in (1, half), (2, half), (3, h), (4, sixth):
            following: Parameters = {name: [] for name in parameters}
            for block, (name, k_block) in enumerate(k):
                add(block, k_block)
                current = next_block(parameters[name], following[name], k_block)
                slope = slopes[block] if stage == 4 else k_block
                following[name] += space.descend(current, length, slope)
            if stage < 4:
                k = gradient(following)
        return following, memory


def next_block(values: Vector, done: Vector, g: Vector) -> Vector:
    """Return the part of a parameter that a block of the gradient belongs to."""
    return values[len(done) : len(done) + len(g)]
