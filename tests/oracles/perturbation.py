"""Starts moved in their last bits: the definition with fractions, one number at a time."""

from __future__ import annotations

from fractions import Fraction

MASK = 2**64 - 1


def philox(counter, key):
    """Return the four words of a counter (Salmon et al. 2011, Philox4x64-10)."""
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * counter[0], 0xCA5A826395121157 * counter[2]
        counter = (
            second >> 64 ^ counter[1] ^ key[0],
            second & MASK,
            first >> 64 ^ counter[3] ^ key[1],
            first & MASK,
        )
        key = (key[0] + 0x9E3779B97F4A7C15 & MASK, key[1] + 0xBB67AE8584CAA73B & MASK)
    return counter


def moves(seed, number, count):
    """Return -1, 0 or 1 for each of so many parameters."""
    found = []
    for i in range(count):
        word = philox((1 + i // 4, 0, 0, 2**63), (seed, number))[i % 4]
        found.append(3 * word // 2**64 - 1)
    return found


def moved(x, move, bits, emin, emax, subnormals, counted_at=None):
    """Return a member x of a format (MPFR's exponents) moved by whole units in its last place."""
    if x == 0:
        return x
    place = exponent(x) - (counted_at or bits)
    if subnormals:
        place = max(place, emin - 1)
    there = x + move * Fraction(2) ** place
    return there if member(there, bits, emin, emax, subnormals) else x


def exponent(x):
    """Return e of a dyadic |x| in [2^(e-1), 2^e)."""
    return x.numerator.bit_length() - (x.denominator.bit_length() - 1)


def member(x, bits, emin, emax, subnormals):
    """Say whether a dyadic number is one of a format that has infinities."""
    if x == 0:
        return True
    if not emin <= exponent(x) <= emax:
        return False
    significand, power = abs(x.numerator), 1 - x.denominator.bit_length()
    while significand % 2 == 0:
        significand, power = significand // 2, power + 1
    return significand < 2**bits and (not subnormals or power >= emin - 1)
