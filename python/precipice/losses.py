"""The four normalisations of the squared loss, by name.

With the residual z = f(X) - y of N samples, every loss is ``kappa * ||z||**2`` and its Hessian
carries the curvature factor ``c_L = 2 * kappa`` (Yoo et al. 2025 train with
``half_mean``, Wang et al. 2022 with ``mean``).
"""

from __future__ import annotations

from dataclasses import dataclass

from precipice.errors import InvalidArgument


@dataclass(frozen=True)
class Loss:
    """One normalisation of the squared loss.

    Parameters
    ----------
    name : str
        The name used everywhere.
    formula : str
        What is computed, as shown to a reader.
    numerator : int
        c_L times N if `averaged`, else c_L itself.
    averaged : bool
        Whether the loss divides by the number of samples.
    """

    name: str
    formula: str
    numerator: int
    averaged: bool

    def curvature_factor(self, samples: int) -> float:
        """Return c_L, the factor of JᵀJ in the loss's Hessian, for N = `samples`."""
        return self.numerator / samples if self.averaged else float(self.numerator)

    def kappa(self, samples: int) -> float:
        """Return the factor of ``||z||**2`` in the loss, for N = `samples`."""
        return self.curvature_factor(samples) / 2


LOSSES = {
    loss.name: loss
    for loss in (
        Loss("half_mean", "‖z‖²/(2N)", 1, averaged=True),
        Loss("mean", "‖z‖²/N", 2, averaged=True),
        Loss("half_sum", "‖z‖²/2", 1, averaged=False),
        Loss("sum", "‖z‖²", 2, averaged=False),
    )
}
"""Every loss by its name."""


def find(name: str) -> Loss:
    """Return the loss with this name.

    Raises
    ------
    InvalidArgument
        If there is none.
    """
    if name not in tuple(LOSSES):
        raise InvalidArgument("loss", name, f"must be one of {', '.join(LOSSES)}")
    return LOSSES[name]


def curvature_factor(name: str, samples: int) -> float:
    """Return c_L of the named loss for N = `samples`: 1/N, 2/N, 1 or 2."""
    return find(name).curvature_factor(samples)


def kappa(name: str, samples: int) -> float:
    """Return the named loss's factor on ``||z||**2``: 1/(2N), 1/N, 1/2 or 1."""
    return find(name).kappa(samples)
