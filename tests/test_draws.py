"""The draws of stochastic rounding: Philox4x64-10 at the place of a rounding in a run."""

from __future__ import annotations

import random

import pytest

from precipice.draws import Draws

# Of the generator's authors: key, counter, the four words (Random123, kat_vectors).
ONES = 2**64 - 1
KNOWN = [
    (
        (0, 0),
        (0, 0, 0, 0),
        (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    (
        (ONES, ONES),
        (ONES, ONES, ONES, ONES),
        (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    (
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
]


def philox(counter, key):
    """Return the four words of a counter, as the paper has it."""
    mask = 2**64 - 1
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * counter[0], 0xCA5A826395121157 * counter[2]
        counter = (
            second >> 64 ^ counter[1] ^ key[0],
            second & mask,
            first >> 64 ^ counter[3] ^ key[1],
            first & mask,
        )
        key = (key[0] + 0x9E3779B97F4A7C15 & mask, key[1] + 0xBB67AE8584CAA73B & mask)
    return counter


@pytest.mark.parametrize(("key", "counter", "words"), KNOWN)
def test_known_answers(key, counter, words):
    assert philox(counter, key) == words
    step, call, element, block = counter
    draws = Draws(*key)
    draws.begin(step, call, element)
    got = [draws(8 * block + half) for half in range(8)]
    assert got == [half for word in words for half in (word % 2**32, word >> 32)]


def test_every_draw_is_its_place_s_alone():
    generator = random.Random(5)
    draws = Draws(seed := generator.getrandbits(64), run := generator.getrandbits(64))
    for _ in range(300):
        place = [generator.choice([0, 1, generator.getrandbits(64)]) for _ in range(3)]
        index = generator.choice([*range(20), 2**63, 2**63 + 1, generator.getrandbits(64)])
        draws.begin(*place)
        word = philox((*place, index // 8), (seed, run))[index % 8 // 2]
        assert draws(index) == (word >> 32 if index % 2 else word % 2**32)


def test_indices_follow_one_another_unless_given():
    draws = Draws(1)
    draws.begin(2, 3, 4)
    first = [draws() for _ in range(20)]
    assert first == [draws(index) for index in range(20)]
    assert draws() == draws(20)
    draws.begin(2, 3, 4)
    assert [draws() for _ in range(20)] == first
    draws.begin(2, 3, 5)
    assert [draws() for _ in range(20)] != first
