"""Which samples make up the mini-batch of a step: a function of the seed and the step alone.

The draws come from Philox4x64-10, whose words depend on a key and a counter and nothing else
(Salmon et al. 2011): the batches are the same at every precision, on any number of threads and
after a resume. The core draws the same ones.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SAMPLINGS = ("reshuffle", "iid")
_STREAM = {"iid": 0, "reshuffle": 1}
_WORD = 2**64


class Batches:
    """The mini-batches of a run.

    Parameters
    ----------
    samples : int
        N.
    size : int
        B, from 1 to N.
    sampling : {"reshuffle", "iid"}
        One permutation of all samples an epoch, cut into pieces of B, of which the last may be
        smaller; or B distinct samples drawn afresh each step.
    seed : int
        From 0 to 2^64 - 1.
    """

    def __init__(self, samples: int, size: int, sampling: str, seed: int) -> None:
        self._samples, self._size, self._sampling, self._seed = samples, size, sampling, seed
        self._epoch = -1
        self._order: list[int] = []

    def at(self, step: int) -> npt.NDArray[np.int64]:
        """Return the indices of a step's samples, ascending."""
        begin = 0
        if self._sampling == "iid":
            self._order = self._drawn(step, self._size)
        else:
            epoch, batch = divmod(step, -(-self._samples // self._size))
            begin = batch * self._size
            if epoch != self._epoch:
                self._epoch, self._order = epoch, self._drawn(epoch, self._samples - 1)
        return np.sort(np.array(self._order[begin : begin + self._size], np.int64))

    def _drawn(self, index: int, count: int) -> list[int]:
        """Return the samples after `count` exchanges of a random permutation (Fisher and Yates).

        All N of them; for iid, whose first B alone are drawn, those B.
        """
        words = _Words(self._seed, index, _STREAM[self._sampling])
        order = list(range(self._samples))
        for i in range(count):
            j = i + words.below(self._samples - i)
            order[i], order[j] = order[j], order[i]
        return order[:count] if self._sampling == "iid" else order


class _Words:
    """Random 64-bit words of one index and stream."""

    def __init__(self, seed: int, index: int, stream: int) -> None:
        counter = np.array([0, index, stream, 0], np.uint64)
        self._generator = np.random.Philox(key=np.array([seed, 0], np.uint64), counter=counter)

    def below(self, n: int) -> int:
        """Return a number from 0 to n - 1, each as likely as the others (Lemire 2019).

        The high word of word * n, unless the low word lies where some numbers would come up once
        more than others.
        """
        while True:
            high, low = divmod(int(self._generator.random_raw()) * n, _WORD)
            if low >= _WORD % n:
                return high
