"""Mini-batches: which samples a step sees."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from oracles import optimizers as oracle
from precipice.batches import Batches

SHAPES = [(1, 1), (2, 1), (5, 2), (7, 3), (8, 4), (10, 10), (100, 32)]
SEEDS = [0, 1, 2**64 - 1]


@pytest.mark.parametrize("sampling", ["iid", "reshuffle"])
@pytest.mark.parametrize(("samples", "size"), SHAPES)
@pytest.mark.parametrize("seed", SEEDS)
def test_batches_are_the_oracle_s(samples, size, sampling, seed):
    batches = Batches(samples, size, sampling, seed)
    for step in (*range(12), 1000, 10**12, 3):
        expected = oracle.batch(samples, size, sampling, seed, step)
        assert batches.at(step).tolist() == expected
        assert expected == sorted(set(expected))
        assert set(expected) <= set(range(samples))


KNOWN = {
    "iid": [[1, 3, 6, 7], [1, 2, 5, 9], [1, 3, 8, 9]],
    "reshuffle": [[4, 5, 8, 9], [0, 2, 3, 7], [1, 6], [0, 2, 3, 9]],
}


def test_known_batches():
    """Written down once, so that no version of anything changes them."""
    iid, reshuffle = (Batches(10, 4, sampling, 5) for sampling in ("iid", "reshuffle"))
    assert [iid.at(t).tolist() for t in range(3)] == KNOWN["iid"]
    assert [reshuffle.at(t).tolist() for t in range(4)] == KNOWN["reshuffle"]


@pytest.mark.parametrize(("samples", "size"), SHAPES)
def test_an_epoch_sees_each_sample_once(samples, size):
    batches = Batches(samples, size, "reshuffle", 3)
    per_epoch = -(-samples // size)
    for epoch in range(3):
        seen = [batches.at(epoch * per_epoch + k) for k in range(per_epoch)]
        assert sorted(np.concatenate(seen).tolist()) == list(range(samples))
        assert [len(batch) for batch in seen[:-1]] == [size] * (per_epoch - 1)


def test_steps_and_seeds_have_batches_of_their_own():
    for sampling in ("iid", "reshuffle"):
        drawn = {
            tuple(Batches(1000, 20, sampling, seed).at(step).tolist())
            for seed in range(5)
            for step in range(5)
        }
        assert len(drawn) == 25


@pytest.mark.parametrize("sampling", ["iid", "reshuffle"])
def test_batches_are_uniform(sampling):
    """All 10 subsets of 2 of 5 samples: a chi-square of 9 degrees of freedom."""
    batches = Batches(5, 2, sampling, 0)
    drawn = 6000
    # A reshuffled epoch has 3 batches, of which the first is a subset like an iid one.
    steps = range(drawn) if sampling == "iid" else range(0, 3 * drawn, 3)
    counts = Counter(tuple(batches.at(step).tolist()) for step in steps)
    expected = drawn / 10
    chi_square = sum(
        (counts[subset] - expected) ** 2 / expected
        for subset in itertools.combinations(range(5), 2)
    )
    assert sum(counts.values()) == drawn
    assert chi_square < 27.9  # exceeded once in 1000 seeds
    assert chi_square > 1.15  # and so is this, from below: too even is not random either


def test_permutations_are_uniform():
    """All 24 orders of 4 samples in batches of 1: a chi-square of 23 degrees of freedom."""
    batches = Batches(4, 1, "reshuffle", 1)
    epochs = 6000
    orders = Counter(
        tuple(int(batches.at(4 * epoch + k)[0]) for k in range(4)) for epoch in range(epochs)
    )
    expected = epochs / 24
    chi_square = sum(
        (orders[order] - expected) ** 2 / expected for order in itertools.permutations(range(4))
    )
    assert sum(orders.values()) == epochs
    assert 7.5 < chi_square < 49.7
