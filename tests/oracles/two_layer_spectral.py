"""The two-layer network's gradient descent in spectral coordinates, one gmpy2 operation at a time.

The program of `oracles.two_layer` with X = diag(sigma), y = d and W (m, r) the parts of W along the
right singular vectors: sums over k or over i have one term. N is the number of samples, not of
singular values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oracles.minimalist import loss_of, make_context, round_to, rounded, sum_of_products
from oracles.two_layer import Format, State, constants


def trajectory(
    fmt: Format,
    sigma: Any,
    d: Any,
    W: Any,
    a: Any,
    lr: Any,
    loss: str,
    samples: int,
    scaled: bool,
    collapsed: bool,
) -> Iterator[State]:
    """Yield the states 0, 1, 2, ... for ever; the inputs are first rounded to the format."""
    context = make_context(fmt)
    mul, sub = context.mul, context.sub
    sigma, d, W, a = (rounded(fmt, values) for values in (sigma, d, W, a))
    eta = round_to(fmt, lr)
    r, m = len(sigma), len(W)
    c, kappa, _ = constants(fmt, loss, samples, m, scaled)

    def times(factor: Any, x: Any) -> Any:
        return x if factor is None else mul(factor, x)

    def total(left: list[Any], right: list[Any]) -> Any:
        return sum_of_products(context, left, right)

    t = 0
    while True:
        if collapsed:
            b = [total(a, [W[q][i] for q in range(m)]) for i in range(r)]
            F = [times(c, mul(sigma[i], b[i])) for i in range(r)]
        else:
            H = [[mul(sigma[i], W[q][i]) for i in range(r)] for q in range(m)]
            F = [times(c, total(a, [H[q][i] for q in range(m)])) for i in range(r)]
        z = [sub(F[i], d[i]) for i in range(r)]
        yield State(t, W, a, z, loss_of(context, fmt, loss, samples, total(z, z)))

        if collapsed:
            g = [mul(sigma[i], z[i]) for i in range(r)]
            da = [times(kappa, total(W[q], g)) for q in range(m)]
            dW = [[mul(times(kappa, a[q]), g[i]) for i in range(r)] for q in range(m)]
        else:
            e = [times(kappa, z[i]) for i in range(r)]
            da = [total(H[q], e) for q in range(m)]
            dW = [[mul(sigma[i], mul(a[q], e[i])) for i in range(r)] for q in range(m)]
        W = [[sub(W[q][i], mul(eta, dW[q][i])) for i in range(r)] for q in range(m)]
        a = [sub(a[q], mul(eta, da[q])) for q in range(m)]
        t = t + 1
