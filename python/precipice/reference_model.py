"""What a model must say to be trained by `precipice.reference`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from precipice.reference_space import ReferenceSpace, Vector
from precipice.rounding import Number

Parameters: TypeAlias = "dict[str, Vector]"


@dataclass(frozen=True)
class Evaluation:
    """A model at some parameters.

    Attributes
    ----------
    preactivations : list of mpfr, shape (N,)
        f, the numbers from which the residuals and the sharpness follow.
    residuals : list of mpfr, shape (N,)
        z, predictions less labels.
    loss : mpfr or None
        None where it was not asked for.
    work : object
        Whatever else the gradient needs.
    """

    preactivations: Vector
    residuals: Vector
    loss: Number | None
    work: Any = None


class ReferenceModel(Protocol):
    """A model, as text against the operations of a `ReferenceSpace`.

    Every operation names the stage of its result, one of `precipice.mixed.STAGES`. Data are
    of the stage forward; predictions and residuals should be too, the loss be of measurement, and
    derivatives of gradient.
    """

    samples: int
    """N, of the loss's normalisation."""

    def evaluate(
        self, space: ReferenceSpace, parameters: Parameters, *, loss: bool, gradient: bool
    ) -> Evaluation:
        """Return the model at some parameters; the loss may be left out where `loss` is false.

        `gradient` says whether `gradient` will be called with the result.
        """

    def gradient(
        self, space: ReferenceSpace, parameters: Parameters, evaluation: Evaluation
    ) -> Iterable[tuple[str, Vector]]:
        """Return the gradient by blocks, each with the name of its parameter.

        A parameter's blocks make up its vector one after the other. A block is asked for when its
        parameters are about to be updated, and so may be computed no earlier.
        """
