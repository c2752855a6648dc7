"""Normally distributed data: isotropic, or with the mean and covariance of a given data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from precipice.archive import read_arrays
from precipice.errors import InvalidArgument
from precipice.exact import whole_number
from precipice.precision import Precision
from precipice.problems.cifar10 import feature_rows
from precipice.problems.cifar10_files import read_images
from precipice.problems.files import load
from precipice.problems.problem import Presets, Problem

FloatArray = npt.NDArray[np.float64]

_FEATURES = 3072
# X, or the data it is like, then takes a few GB.
_MOST_ENTRIES = 3 * 10**8
_LABELS = "must be random or eigenvector:I, I = 1, 2, … counting from the largest eigenvalue"


def gaussian(
    n: int = 1000,
    d: int | None = None,
    seed: int = 0,
    labels: str = "random",
    like: str | os.PathLike[str] | Problem | None = None,
    like_n: int | None = None,
) -> Problem:
    """Return samples of a normal distribution (Wang et al. 2022, appendix B.1.4).

    Parameters
    ----------
    n : int
        Number of samples.
    d : int, optional
        Number of features; 3072 where neither it nor `like` is given.
    seed : int
        Of ``numpy.random.default_rng``: the samples row by row, then random labels.
    labels : str
        ``"random"``: -1 or +1, each with probability ½. ``"eigenvector:I"``: √n v_I, v_I the
        eigenvector of XXᵀ to its I-th largest eigenvalue, its first entry of largest magnitude
        positive.
    like : path or Problem, optional
        The data set whose mean μ and covariance Σ the samples have: rows N(μ, Σ) instead of
        N(0, I). A path is one of CIFAR-10's images as `cifar10` reads them, taken as pixel/255
        whatever their class, or of a file that `load` reads.
    like_n : int, optional
        How many of its rows, the first ones in the order of the files; all by default.

    Returns
    -------
    Problem
        X has shape (n, d).

    Raises
    ------
    InvalidArgument
        If a number is out of range, `d` is not that of `like`, the file cannot be used, or XXᵀ
        has no I-th eigenvalue above zero.

    Notes
    -----
    Σ = Σ_k (x_k - μ)(x_k - μ)ᵀ/(M - 1) over the M rows x_k. A row of X is
    μ + Σ_k ζ_k (x_k - μ)/√(M - 1) with ζ ~ N(0, I_M), which has exactly this covariance though no
    d × d matrix is formed; it costs n M d operations. Sums of products and eigenvectors have last
    bits that depend on the BLAS in use, so X has the same bits on every machine only without
    `like`.

    The preset learning rate is the paper's 2/20000 with `like`, at which training ends before it
    reaches the edge of stability. Without, the paper prints none: 2/8 reaches the edge within tens
    of steps at the default size, as the paper's figure 11 does.
    """
    samples = whole_number(n, "n", 1)
    generator = np.random.default_rng(whole_number(seed, "seed", 0))
    direction = _direction(labels, samples)
    if like is None:
        if like_n is not None:
            raise InvalidArgument("like_n", like_n, "needs like: of which data set")
        features = _FEATURES if d is None else whole_number(d, "d", 1)
        _refuse_huge(samples, features)
        X, source = generator.standard_normal((samples, features)), {"distribution": "N(0, I)"}
    else:
        rows, source = _like_rows(like, like_n)
        if d is not None and whole_number(d, "d", 1) != rows.shape[1]:
            raise InvalidArgument(
                "d", d, f"must be {rows.shape[1]}, the features of like, or absent"
            )
        _refuse_huge(samples, max(rows.shape))
        X = _with_moments_of(rows, samples, generator)
    if direction is None:
        y = generator.choice([-1.0, 1.0], samples)
    else:
        y = np.sqrt(samples) * _eigenvector(X, direction)
    return Problem(
        name="gaussian",
        X=X,
        y=y,
        provenance={
            "source": "numpy.random.default_rng(seed): samples row by row, then random labels",
            "n": samples,
            "seed": int(seed),
            "labels": labels,
            **source,
        },
        presets=_presets(like is not None),
    )


def _presets(anisotropic: bool) -> Presets:
    if anisotropic:
        return Presets(lr="2/20000", loss="mean", init="pytorch", steps=10000)
    return Presets(lr="2/8", loss="mean", init="pytorch", steps=200)


def _direction(labels: Any, samples: int) -> int | None:
    """Return I of ``eigenvector:I``, or None for random labels."""
    if labels == "random":
        return None
    name, _, position = labels.partition(":") if isinstance(labels, str) else ("", "", "")
    if name != "eigenvector" or not (position.isascii() and position.isdigit()):
        raise InvalidArgument("labels", labels, _LABELS)
    if len(position) > len(str(samples)) or not 1 <= int(position) <= samples:
        raise InvalidArgument("labels", labels, f"must have I from 1 to {samples}, the samples")
    return int(position)


def _refuse_huge(samples: int, columns: int) -> None:
    if samples * columns > _MOST_ENTRIES:
        rule = f"must be at most {_MOST_ENTRIES // columns} with {columns} numbers a sample"
        raise InvalidArgument("n", samples, rule)


def _with_moments_of(rows: FloatArray, samples: int, generator: np.random.Generator) -> FloatArray:
    """Return samples with the mean and covariance of some rows."""
    zeta = generator.standard_normal((samples, rows.shape[0]))
    # Σ ζ_k (x_k - μ) = Σ (ζ_k - mean ζ) x_k: a sample's coefficients are centred, not the rows.
    zeta -= zeta.mean(axis=1, keepdims=True)
    return np.asarray(rows.mean(axis=0) + zeta @ rows / np.sqrt(rows.shape[0] - 1))


def _like_rows(
    like: str | os.PathLike[str] | Problem, like_n: int | None
) -> tuple[FloatArray, dict[str, Any]]:
    """Return the rows whose moments the samples have, and where they are from."""
    if isinstance(like, Problem):
        read, known = like, {"like": like.name, "like_sha256": like.sha256}
    else:
        place = _path(like)
        try:
            if _holds_images(place):
                return _image_rows(place, like_n)
            read = load(place)
        except InvalidArgument as error:
            # The readers call their argument path.
            argument = error.argument.replace("path", "like", 1)
            raise InvalidArgument(argument, error.value, error.rule) from None
        known = {"like": read.name, "like_file_sha256": read.provenance["file_sha256"]}
    kept = read.X[: _row_count(like_n, read.samples)]
    return Precision.parse("float64").round_array(kept), _described(known, len(kept))


def _image_rows(place: Path, like_n: int | None) -> tuple[FloatArray, dict[str, Any]]:
    """Return pixel/255 of the images in a file or a folder, whatever their class."""
    images, _, files = read_images(place)
    kept = images[: _row_count(like_n, len(images))]
    source = {"like": "CIFAR-10 (Krizhevsky 2009), pixel / 255", "like_files": files}
    return feature_rows(kept, None), _described(source, len(kept))


def _described(source: dict[str, Any], rows: int) -> dict[str, Any]:
    distribution = "N(mean, covariance) of the first like_n rows, covariance divided by like_n - 1"
    return {"distribution": distribution, **source, "like_n": rows}


def _path(like: Any) -> Path:
    try:
        return Path(like)
    except (TypeError, ValueError):
        raise InvalidArgument("like", like, "must be a path or a Problem") from None


def _holds_images(place: Path) -> bool:
    """Return whether a path is of CIFAR-10's images, by its kind and its arrays' names."""
    if place.suffix.lower() == ".csv":
        return False
    if place.suffix.lower() != ".npz":
        return True
    try:
        return bool(read_arrays(place, ("labels",), rule=""))
    except InvalidArgument:
        return False


def _row_count(like_n: int | None, rows: int) -> int:
    """Return how many rows are used: a covariance needs two."""
    if rows < 2:
        raise InvalidArgument("like", f"{rows} rows", "must have at least 2 for a covariance")
    return rows if like_n is None else whole_number(like_n, "like_n", 2, rows)


def _eigenvector(X: FloatArray, position: int) -> FloatArray:
    """Return the unit eigenvector of XXᵀ to its `position`-th largest eigenvalue."""
    values, vectors = np.linalg.eigh(X @ X.T)
    tolerance = max(X.shape) * np.finfo(np.float64).eps * float(values[-1])
    rank = int(np.count_nonzero(values > tolerance))
    if position > rank:
        rule = f"must have I from 1 to {rank}, the rank of X"
        raise InvalidArgument("labels", f"eigenvector:{position}", rule)
    vector = vectors[:, -position]
    return np.asarray(vector * np.sign(vector[np.argmax(np.abs(vector))]))
