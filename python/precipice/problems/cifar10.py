"""Two classes of CIFAR-10 as a regression problem with targets -1 and +1.

Reading images and choosing and standardising a subset are separate steps, so that another way of
storing the images needs only another reader.
"""

from __future__ import annotations

import hashlib
import math
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.problems.problem import Presets, Problem

CLASS_NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
"""CIFAR-10's classes; the position is the class id."""

_LARGEST_PIXEL = 255


class LabelledImages(NamedTuple):
    """Images as stored: uint8, shape (n, 32, 32, 3), rows × columns × RGB; and their class ids."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


def cifar10(
    path: str | os.PathLike[str],
    classes: Sequence[str | int] = ("cat", "dog"),
    n: int = 300,
    seed: int = 0,
) -> Problem:
    """Return a balanced random subset of two CIFAR-10 classes, standardised per channel.

    The data of Yoo et al. 2025, sections 4 and 5: the mean and standard deviation of each colour
    channel are those of the `n` images of the subset.

    Parameters
    ----------
    path : path
        A ``.npz`` with ``images``, uint8 of shape (count, 32, 32, 3) in RGB, and ``labels``,
        CIFAR-10's class ids.
    classes : two of str or int
        Names or ids of the classes; the first gets target -1, the second +1.
    n : int
        Number of images, even: half of each class.
    seed : int
        Of ``numpy.random.default_rng``, which draws the subset.

    Returns
    -------
    Problem
        X has shape (n, 3072). A row is the red plane, then green, then blue, each row by row (the
        order of the official binary files). Rows: first class, then second; within a class in
        the order of the file.

    Raises
    ------
    InvalidArgument
        If the file cannot be used, a class is absent or given twice, `n` is odd or larger than
        the data.

    Notes
    -----
    X = ((pixel ⊘ 255) ⊖ mean) ⊘ std in float64, one rounding an operation. mean and variance are
    correctly rounded from exact integer sums and std is the rounded square root of the variance,
    so X has the same bits on every machine. The variance divides by the count, as NumPy's does.
    """
    data = read_npz(path)
    first, second = _class_ids(classes, data.labels)
    chosen = balanced_subset(data.labels, (first, second), n, seed)
    X, statistics = standardise(data.images[chosen])
    return Problem(
        name="cifar10",
        X=X,
        y=np.where(data.labels[chosen] == first, -1.0, 1.0),
        provenance={
            "source": "CIFAR-10 (Krizhevsky 2009)",
            "file": Path(path).name,
            "file_sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
            "classes": [CLASS_NAMES[first], CLASS_NAMES[second]],
            "targets": [-1, 1],
            "n": int(chosen.size),
            "seed": int(seed),
            "rows": "first class then second, each drawn by numpy.random.default_rng(seed), "
            "in file order within a class",
            "features": "red plane, green plane, blue plane, each row by row",
            "standardisation": "((pixel / 255) - mean) / std per channel, statistics of the "
            "n images, in float64",
            **statistics,
        },
        presets=Presets(lr="2/200", loss="half_mean", init="pytorch", steps=2000),
    )


def read_npz(path: str | os.PathLike[str]) -> LabelledImages:
    """Return the images and labels of a ``.npz`` file.

    Raises
    ------
    InvalidArgument
        If the file is missing, is no ``.npz``, or its arrays have another name, type or shape.
    """
    shown = os.fspath(path)
    rule = 'must be an .npz file with the arrays "images" and "labels"'
    try:
        with np.load(path, allow_pickle=False) as archive:
            images, labels = archive["images"], archive["labels"]
    except FileNotFoundError:
        raise InvalidArgument("path", shown, "no such file") from None
    except KeyError as error:
        raise InvalidArgument("path", shown, f"{rule} ({error.args[0]})") from None
    except (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile):
        raise InvalidArgument("path", shown, rule) from None
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != (32, 32, 3):
        found = f"{images.dtype} array of shape {images.shape}"
        raise InvalidArgument("images", found, "must be uint8 of shape (count, 32, 32, 3)")
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        found = f"{labels.dtype} array of shape {labels.shape}"
        rule = f"must be integers of shape ({images.shape[0]},): one class id for every image"
        raise InvalidArgument("labels", found, rule)
    return LabelledImages(images, labels.astype(np.int64))


def balanced_subset(
    labels: npt.NDArray[np.int64], class_ids: tuple[int, int], n: int, seed: int
) -> npt.NDArray[np.int64]:
    """Return the positions of n/2 images of each class, drawn at random.

    Parameters
    ----------
    labels : ndarray of int, shape (count,)
    class_ids : tuple of two int
    n : int
        Even, at most twice the smaller class.
    seed : int
        One generator draws the first class, then the second.

    Raises
    ------
    InvalidArgument
        If `n` is odd, below 2, or larger than the data; or `seed` is negative.
    """
    n, seed = whole_number(n, "n", 2), whole_number(seed, "seed", 0)
    positions = [np.flatnonzero(labels == class_id) for class_id in class_ids]
    largest = 2 * min(position.size for position in positions)
    if n % 2:
        raise InvalidArgument("n", n, "must be even: half of each class")
    if n > largest:
        rule = f"must be at most {largest}: the data has {largest // 2} images of the rarer class"
        raise InvalidArgument("n", n, rule)
    generator = np.random.default_rng(seed)
    drawn = [np.sort(generator.permutation(position)[: n // 2]) for position in positions]
    return np.concatenate(drawn)


def standardise(
    images: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.float64], dict[str, list[float]]]:
    """Return standardised rows, channels first, and each channel's statistics.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, height, width, channels)

    Returns
    -------
    X : ndarray of float64, shape (N, channels · height · width)
    statistics : dict
        ``mean`` and ``std`` of pixel/255 for every channel.

    Raises
    ------
    InvalidArgument
        If a channel is constant.
    """
    samples, height, width, channels = images.shape
    count = samples * height * width
    planes = np.empty((samples, channels, height, width))
    means, deviations = [], []
    for channel in range(channels):
        pixels = images[..., channel]
        total = int(pixels.sum(dtype=np.int64))
        squares = int(np.square(pixels, dtype=np.int64).sum(dtype=np.int64))
        # Python divides integers with one rounding, however long they are.
        mean = total / (count * _LARGEST_PIXEL)
        variance = (count * squares - total**2) / (count * _LARGEST_PIXEL) ** 2
        if variance == 0:
            rule = "must vary: a constant channel cannot be standardised"
            raise InvalidArgument("images", f"channel {channel} of the subset", rule)
        deviation = math.sqrt(variance)
        planes[:, channel] = (pixels.astype(np.float64) / _LARGEST_PIXEL - mean) / deviation
        means.append(mean)
        deviations.append(deviation)
    return planes.reshape(samples, -1), {"mean": means, "std": deviations}


def _class_ids(classes: Any, labels: npt.NDArray[np.int64]) -> tuple[int, int]:
    """Return the ids of two different classes that the labels contain."""
    given = classes.split(",") if isinstance(classes, str) else classes
    if not isinstance(given, Sequence) or len(given) != 2:
        raise InvalidArgument("classes", classes, "must be two class names or ids")
    first, second = (_class_id(entry) for entry in given)
    if first == second:
        raise InvalidArgument("classes", classes, "must be two different classes")
    present = sorted({int(label) for label in np.unique(labels)})
    for class_id, entry in ((first, given[0]), (second, given[1])):
        if class_id not in present:
            names = ", ".join(CLASS_NAMES[i] for i in present if 0 <= i < len(CLASS_NAMES))
            raise InvalidArgument("classes", entry, f"must be in the file, which has: {names}")
    return first, second


def _class_id(entry: Any) -> int:
    """Return the id of a class given by its name, its id, or its id as text."""
    word = entry.strip() if isinstance(entry, str) else entry
    if word in CLASS_NAMES:
        return CLASS_NAMES.index(word)
    ids = range(len(CLASS_NAMES))
    number = next((i for i in ids if word == str(i)), word)
    if isinstance(number, (int, np.integer)) and not isinstance(number, bool) and number in ids:
        return int(number)
    rule = f"must be names or ids 0 to 9 of {', '.join(CLASS_NAMES)}"
    raise InvalidArgument("classes", entry, rule)
