"""Two classes of CIFAR-10 as a regression problem with targets -1 and +1.

`precipice.problems.cifar10_files` reads the images; here a subset is chosen and made into numbers.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.problems.cifar10_files import LabelledImages, read_images
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

SUBSETS = ("random", "first")
STANDARDISATIONS = ("subset", "all", "1/255", "none")

_LARGEST_PIXEL = 255
_IMAGES_AT_ONCE = 256


class ChannelStatistics(NamedTuple):
    """Mean and standard deviation of pixel/255, one of each a channel."""

    mean: list[float]
    std: list[float]


def cifar10(
    path: str | os.PathLike[str],
    classes: Sequence[str | int] = ("cat", "dog"),
    n: int = 300,
    seed: int = 0,
    subset: str = "random",
    standardise: str = "subset",
    subtract_mean: bool = False,
    split: str = "train",
) -> Problem:
    """Return a balanced subset of two CIFAR-10 classes.

    The defaults are the data of Yoo et al. 2025, sections 4 and 5: a random subset, standardised
    with the mean and standard deviation of each colour channel over its `n` images. Wang et al.'s
    images are ``subset="first", standardise="1/255"``, with `subtract_mean` where they say so.

    Parameters
    ----------
    path : path
        CIFAR-10's official binary files (a folder such as ``cifar-10-batches-bin``, or one
        ``.bin`` file), its official python files (a folder such as ``cifar-10-batches-py``, or
        one file; nothing in them is executed), or a ``.npz`` with ``images``, uint8 of shape
        (count, 32, 32, 3) in RGB, and ``labels``, CIFAR-10's class ids. Of a folder, the batches
        that are there.
    classes : two of str or int
        Names or ids of the classes; the first gets target -1, the second +1.
    n : int
        Number of images, even: half of each class.
    seed : int
        Of ``numpy.random.default_rng``, which draws a random subset.
    subset : {"random", "first"}
        Draw the images of each class, or take the first n/2 of each in the order of the files.
    standardise : {"subset", "all", "1/255", "none"}
        ``"subset"``: per channel with the statistics of the n images. ``"all"``: with those of
        all images read, every class. ``"1/255"``: pixel/255. ``"none"``: the pixels 0 … 255.
    subtract_mean : bool
        Subtract from each feature its mean over the n images.
    split : {"train", "test"}
        Which of a folder's files: ``data_batch_1`` … ``data_batch_5``, or ``test_batch``.

    Returns
    -------
    Problem
        X has shape (n, 3072). A row is the red plane, then green, then blue, each row by row (the
        order of the official files). Rows: first class, then second; within a class in the order
        of the files.

    Raises
    ------
    InvalidArgument
        If a file is missing, truncated or of another kind, a class is absent or given twice, `n`
        is odd or larger than the data, or a setting has another value.

    Notes
    -----
    X has the same bits on every machine. Standardised, X = ((pixel ⊘ 255) ⊖ mean) ⊘ std in
    float64, one rounding an operation; mean and variance are correctly rounded from exact integer
    sums and std is the rounded square root of the variance, which divides by the count, as
    NumPy's does. With `subtract_mean` the channel's mean cancels and the centred pixel is
    correctly rounded from integers: X = ((n·pixel - Σ pixel) ⊘ 255n) ⊘ std, where the sum is the
    feature's over the n images. Without standardisation there is no std, and with ``"none"`` no
    255: both are correctly rounded.
    """
    _refuse_unknown("subset", subset, SUBSETS)
    _refuse_unknown("standardise", standardise, STANDARDISATIONS)
    if not isinstance(subtract_mean, (bool, np.bool_)):
        raise InvalidArgument("subtract_mean", subtract_mean, "must be true or false")
    seed = whole_number(seed, "seed", 0)
    data = read_images(path, split)
    first, second = _class_ids(classes, data.labels)
    drawn_with = None if subset == "first" else seed
    chosen = balanced_subset(data.labels, (first, second), n, drawn_with)
    images = data.images[chosen]
    statistics = {"subset": images, "all": data.images}.get(standardise)
    channels = None if statistics is None else channel_statistics(statistics, standardise)
    divisor = 1 if standardise == "none" else _LARGEST_PIXEL
    return Problem(
        name="cifar10",
        X=feature_rows(images, channels, divisor, bool(subtract_mean)),
        y=np.where(data.labels[chosen] == first, -1.0, 1.0),
        provenance={
            "source": "CIFAR-10 (Krizhevsky 2009)",
            **_origin(Path(path), data, split),
            "classes": [CLASS_NAMES[first], CLASS_NAMES[second]],
            "targets": [-1, 1],
            "n": int(chosen.size),
            "subset": subset,
            **_rows_provenance(drawn_with),
            "features": "red plane, green plane, blue plane, each row by row",
            **_standardisation_provenance(standardise, len(data.labels), bool(subtract_mean)),
            **({} if channels is None else channels._asdict()),
        },
        presets=Presets(lr="2/200", loss="half_mean", init="pytorch", steps=2000),
    )


def balanced_subset(
    labels: npt.NDArray[np.int64], class_ids: tuple[int, int], n: int, seed: int | None
) -> npt.NDArray[np.int64]:
    """Return the positions of n/2 images of each class: first class, then second, each ascending.

    Parameters
    ----------
    labels : ndarray of int, shape (count,)
    class_ids : tuple of two int
    n : int
        Even, at most twice the smaller class.
    seed : int or None
        One generator draws the first class, then the second; None takes the first n/2 of each.

    Raises
    ------
    InvalidArgument
        If `n` is odd, below 2, or larger than the data; or `seed` is negative.
    """
    n = whole_number(n, "n", 2)
    positions = [np.flatnonzero(labels == class_id) for class_id in class_ids]
    largest = 2 * min(position.size for position in positions)
    if n % 2:
        raise InvalidArgument("n", n, "must be even: half of each class")
    if n > largest:
        rule = f"must be at most {largest}: the data has {largest // 2} images of the rarer class"
        raise InvalidArgument("n", n, rule)
    if seed is None:
        return np.concatenate([position[: n // 2] for position in positions])
    generator = np.random.default_rng(whole_number(seed, "seed", 0))
    drawn = [np.sort(generator.permutation(position)[: n // 2]) for position in positions]
    return np.concatenate(drawn)


def channel_statistics(images: npt.NDArray[np.uint8], whose: str = "subset") -> ChannelStatistics:
    """Return the mean and standard deviation of pixel/255 for every channel.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, height, width, channels)
    whose : str
        What the images are called in an error.

    Returns
    -------
    ChannelStatistics
        Mean and variance are correctly rounded from exact sums, the deviation is the rounded
        square root of the variance (divided by the count).

    Raises
    ------
    InvalidArgument
        If a channel is constant.
    """
    means, deviations = [], []
    for channel in range(images.shape[3]):
        pixels = images[..., channel]
        total, squares = _exact_sums(pixels)
        # Python divides integers with one rounding, however long they are.
        mean = total / (pixels.size * _LARGEST_PIXEL)
        variance = (pixels.size * squares - total**2) / (pixels.size * _LARGEST_PIXEL) ** 2
        if variance == 0:
            rule = "must vary: a constant channel cannot be standardised"
            of = "the subset" if whose == "subset" else "the data"
            raise InvalidArgument("images", f"channel {channel} of {of}", rule)
        means.append(mean)
        deviations.append(math.sqrt(variance))
    return ChannelStatistics(means, deviations)


def feature_rows(
    images: npt.NDArray[np.uint8],
    statistics: ChannelStatistics | None,
    divisor: int = _LARGEST_PIXEL,
    subtract_mean: bool = False,
) -> npt.NDArray[np.float64]:
    """Return the rows of X, channels first.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, height, width, channels)
    statistics : ChannelStatistics or None
        With which each channel is standardised; None does not.
    divisor : int
        Of every pixel: 255 or 1; the statistics are those of pixel/255.
    subtract_mean : bool
        Subtract from each feature its mean over the N images.

    Returns
    -------
    ndarray of float64, shape (N, channels · height · width)
        Rounded as `cifar10` says.
    """
    samples, height, width, channels = images.shape
    planes = np.empty((samples, channels, height, width))
    for channel in range(channels):
        pixels = images[..., channel].astype(np.int64)
        if subtract_mean:
            # Both integers stay far below 2^53, so that the quotient is rounded once.
            values = (samples * pixels - pixels.sum(axis=0)) / (samples * divisor)
        else:
            values = pixels / divisor
        if statistics is not None:
            if not subtract_mean:
                values -= statistics.mean[channel]
            values /= statistics.std[channel]
        planes[:, channel] = values
    return planes.reshape(samples, -1)


def _exact_sums(pixels: npt.NDArray[np.uint8]) -> tuple[int, int]:
    """Return the sum of the pixels and of their squares, a few images at a time."""
    total = squares = 0
    for start in range(0, len(pixels), _IMAGES_AT_ONCE):
        part = pixels[start : start + _IMAGES_AT_ONCE].astype(np.int64)
        total += int(part.sum())
        squares += int(np.square(part).sum())
    return total, squares


def _origin(path: Path, data: LabelledImages, split: str) -> dict[str, Any]:
    """Return the provenance of one file, or of a folder's files."""
    if path.is_dir():
        return {"folder": path.resolve().name, "split": split, "files": data.files}
    ((name, digest),) = data.files.items()
    return {"file": name, "file_sha256": digest}


def _rows_provenance(seed: int | None) -> dict[str, Any]:
    """Return which images were taken and in which order the rows are."""
    if seed is None:
        return {"rows": "first class then second, the first n/2 of each in file order"}
    rows = "first class then second, each drawn by numpy.random.default_rng(seed), in file order "
    return {"seed": seed, "rows": f"{rows}within a class"}


def _standardisation_provenance(
    standardise: str, images: int, subtract_mean: bool
) -> dict[str, Any]:
    """Return how X was computed from the pixels."""
    pixel = "pixel" if standardise == "none" else "(pixel / 255)"
    of_all = f"all {images} images read, every class"
    whose = {"subset": "the n images", "all": of_all}.get(standardise)
    if subtract_mean:
        divisor = "n" if standardise == "none" else "(255 n)"
        pixel = f"((n pixel - sum of the feature's n pixels) / {divisor})"
    elif whose is not None:
        pixel = f"({pixel} - mean)"
    text = pixel if whose is None else f"{pixel} / std per channel, statistics of {whose}"
    return {
        "standardise": standardise,
        "standardisation": f"{text}, in float64",
        "subtract_mean": subtract_mean,
    }


def _refuse_unknown(argument: str, value: Any, known: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in known:
        raise InvalidArgument(argument, value, f"must be one of {', '.join(known)}")


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
