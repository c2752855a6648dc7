"""The draws of stochastic rounding: each a function of where in a run its rounding stands.

Philox4x64-10 makes words of a key and a counter alone (Salmon et al. 2011). The key is (seed,
run), and the counter says which rounding it is: the step, the call of the Space within the step,
the element of the call's result, and the index of the rounding within that element. Two draws
share a word, four words a counter. The core draws the same ones, on any number of threads.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_DRAWS = 8  # of one counter
_LOW_HALF = 2**32 - 1


class Draws:
    """32-bit draws of a run, read at one element of one call after the other.

    Parameters
    ----------
    seed, run : int
        From 0 to 2^64 - 1.

    Notes
    -----
    Eight draws of one element cost 15 µs, which consecutive indices share.
    """

    def __init__(self, seed: int, run: int = 0) -> None:
        self._key = (seed, run)
        self._element = (0, 0, 0)
        self._next = 0

    def begin(self, step: int, call: int, element: int) -> None:
        """Go to an element of the result of a step's call; its next index is 0."""
        self._element, self._next = (step, call, element), 0

    def __call__(self, index: int | None = None) -> int:
        """Return the draw of an index within the element, or the next one's."""
        if index is None:
            index, self._next = self._next, self._next + 1
        block, draw = divmod(index, _DRAWS)
        return _block(self._key, (*self._element, block))[draw]


@lru_cache(maxsize=64)
def _block(key: tuple[int, int], counter: tuple[int, int, int, int]) -> tuple[int, ...]:
    """Return the eight draws of a counter, of each word the low half and then the high one."""
    # NumPy raises the counter, as one number of 256 bits, before it makes its first words.
    before = sum(word << 64 * i for i, word in enumerate(counter)) - 1
    generator = np.random.Philox(
        key=np.array(key, np.uint64),
        counter=np.array([before >> 64 * i & 2**64 - 1 for i in range(4)], np.uint64),
    )
    words = generator.random_raw(4).tolist()
    return tuple(half for word in words for half in (word & _LOW_HALF, word >> 32))
