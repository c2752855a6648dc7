"""How parameters are updated, as plain gmpy2 text: the optimisers of `precipice.reference`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

import gmpy2

from precipice.stepping import RoundedSchedule

Parameters: TypeAlias = "dict[str, list[gmpy2.mpfr]]"
Gradient: TypeAlias = "Callable[[Parameters], Parameters]"
"""The gradient, on the step's samples, at any parameters."""


class ReferenceOptimizer(Protocol):
    """What an optimiser must say to train here; called with the working format as context."""

    locks: bool
    """Whether parameters that return to where they were two steps before end a run."""

    def memory(self, parameters: Parameters) -> Parameters:
        """Return what it remembers besides the parameters, before the first update."""

    def update(
        self, step: int, parameters: Parameters, memory: Parameters, gradient: Gradient
    ) -> tuple[Parameters, Parameters]:
        """Return the parameters and the memory after a step's update."""

    def constant_since(self) -> float:
        """Return the step from which all updates are one map; inf if that is not known."""


class GradientDescent:
    """θ_{t+1} = θ_t ⊖ (η_t ⊗ g).

    Attributes
    ----------
    step_sizes : RoundedSchedule
        η_t, members of the working format.
    """

    locks = True

    def __init__(self, step_sizes: RoundedSchedule) -> None:
        self.step_sizes = step_sizes

    def memory(self, parameters: Parameters) -> Parameters:
        """Return nothing."""
        return {}

    def update(
        self, step: int, parameters: Parameters, memory: Parameters, gradient: Gradient
    ) -> tuple[Parameters, Parameters]:
        """Return the next parameters."""
        return moved(parameters, self.step_sizes.at(step), gradient(parameters)), memory

    def constant_since(self) -> float:
        """Return the first step of the last piece; inf while an event may come."""
        return self.step_sizes.constant_since()


class Momentum(GradientDescent):
    """Heavy ball and Nesterov: v_{t+1} = (β ⊗ v_t) ⊕ g and θ_{t+1} = θ_t ⊖ (η_t ⊗ s).

    s is v_{t+1} for the heavy ball and g ⊕ (β ⊗ v_{t+1}) for Nesterov; v_0 = +0.

    Parameters
    ----------
    step_sizes : RoundedSchedule
        η_t, members of the working format.
    momentum : mpfr
        β, likewise.
    nesterov : bool
    """

    def __init__(
        self, step_sizes: RoundedSchedule, momentum: gmpy2.mpfr, *, nesterov: bool
    ) -> None:
        super().__init__(step_sizes)
        self._beta, self._nesterov = momentum, nesterov

    def memory(self, parameters: Parameters) -> Parameters:
        """Return the first velocity."""
        return {name: [gmpy2.mpfr(0)] * len(values) for name, values in parameters.items()}

    def update(
        self, step: int, parameters: Parameters, memory: Parameters, gradient: Gradient
    ) -> tuple[Parameters, Parameters]:
        """Return the next parameters and their velocity."""
        g, beta = gradient(parameters), self._beta
        velocity = {
            name: [beta * v + g_k for v, g_k in zip(memory[name], g[name], strict=True)]
            for name in parameters
        }
        direction = velocity
        if self._nesterov:
            direction = {
                name: [g_k + beta * v for g_k, v in zip(g[name], velocity[name], strict=True)]
                for name in parameters
            }
        return moved(parameters, self.step_sizes.at(step), direction), velocity


class RungeKutta:
    """Gradient flow by the classical Runge-Kutta method of order four, with a fixed step h.

    With h2 = h ⊘ 2 and h6 = h ⊘ 6::

        k1 = g(θ)                     k2 = g(θ ⊖ (h2 ⊗ k1))
        k3 = g(θ ⊖ (h2 ⊗ k2))         k4 = g(θ ⊖ (h ⊗ k3))
        θ ← θ ⊖ (h6 ⊗ (((k1 ⊕ (2 ⊗ k2)) ⊕ (2 ⊗ k3)) ⊕ k4))

    Parameters
    ----------
    step : mpfr
        h, a member of the working format.
    """

    locks = False

    def __init__(self, step: gmpy2.mpfr) -> None:
        self._h = step

    def memory(self, parameters: Parameters) -> Parameters:
        """Return nothing."""
        return {}

    def constant_since(self) -> float:
        """Return 0: a flow that stands still has come to rest."""
        return 0

    def update(
        self, step: int, parameters: Parameters, memory: Parameters, gradient: Gradient
    ) -> tuple[Parameters, Parameters]:
        """Return the next parameters."""
        two = gmpy2.mpfr(2)
        half, sixth = self._h / two, self._h / gmpy2.mpfr(6)
        k1 = gradient(parameters)
        k2 = gradient(moved(parameters, half, k1))
        k3 = gradient(moved(parameters, half, k2))
        k4 = gradient(moved(parameters, self._h, k3))
        slope = {
            name: [
                ((a + two * b) + two * c) + d
                for a, b, c, d in zip(k1[name], k2[name], k3[name], k4[name], strict=True)
            ]
            for name in parameters
        }
        return moved(parameters, sixth, slope), memory


def moved(parameters: Parameters, eta: gmpy2.mpfr, direction: Parameters) -> Parameters:
    """Return θ ⊖ (η ⊗ s) in the current context."""
    return {
        name: [p - eta * s for p, s in zip(values, direction[name], strict=True)]
        for name, values in parameters.items()
    }
