"""Element programs of the models and optimisers: what happens to one element.

Each takes what rounds its operations and then the elements of its operands. Those of one operation
are `Rounder`'s own: ``space.map(stage, Rounder.multiply, a, b)``.
"""

from __future__ import annotations

from precipice.rounding import Number, Rounder


def copy(r: Rounder, a: Number) -> Number:
    """Return a, of the same stage."""
    return a


def add_product(r: Rounder, f: Number, a: Number, b: Number) -> Number:
    """Return f ⊕ (a ⊗ b)."""
    return r.add(f, r.multiply(a, b))


def residual(r: Rounder, f: Number, P: Number, y: Number) -> Number:
    """Return (f ⊗ P) ⊖ y."""
    return r.subtract(r.multiply(f, P), y)


def shifted_residual(r: Rounder, f: Number, P: Number, b: Number, y: Number) -> Number:
    """Return ((f ⊗ P) ⊕ b) ⊖ y."""
    return r.subtract(r.add(r.multiply(f, P), b), y)


def doubled_share(r: Rounder, a: Number, two: Number, n: Number) -> Number:
    """Return (a ⊗ 2) ⊘ n."""
    return r.divide(r.multiply(a, two), n)


def add_twice(r: Rounder, a: Number, b: Number, two: Number) -> Number:
    """Return a ⊕ (b ⊗ 2)."""
    return r.add(a, r.multiply(b, two))


def velocity(r: Rounder, beta: Number, v: Number, g: Number) -> Number:
    """Return (β ⊗ v) ⊕ g."""
    return r.add(r.multiply(beta, v), g)


def look_ahead(r: Rounder, g: Number, beta: Number, v: Number) -> Number:
    """Return g ⊕ (β ⊗ v)."""
    return r.add(g, r.multiply(beta, v))
