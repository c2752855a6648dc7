"""The minimalist model's gradient descent in spectral coordinates, one gmpy2 operation at a time.

The program of `oracles.minimalist` with X = diag(sigma), y = d, u = o: sums over a diagonal matrix
have one term. N is the number of samples, not of singular values.
"""

from __future__ import annotations

from typing import Any

from oracles.minimalist import make_context, round_to, rounded


def trajectory(
    fmt: tuple[int, int, int, bool],
    sigma: Any,
    d: Any,
    o: Any,
    v: Any,
    lr: Any,
    loss: str,
    samples: int,
    steps: int,
) -> list[tuple[list[Any], list[Any], Any]]:
    """Return (o, v, loss) at steps 0 ... steps; the inputs are first rounded to the format."""
    c = make_context(fmt)
    sigma, d, o, v = (rounded(fmt, values) for values in (sigma, d, o, v))
    eta, N, two_N, two = (round_to(fmt, x) for x in (lr, samples, 2 * samples, 2))

    def factor(x: Any) -> Any:
        if loss in ("mean", "sum"):
            x = c.mul(x, two)
        if loss in ("half_mean", "mean"):
            x = c.div(x, N)
        return x

    states = []
    for _ in range(steps + 1):
        P = v[0]
        for v_j in v[1:]:
            P = c.mul(P, v_j)
        f = [c.mul(s, o_i) for s, o_i in zip(sigma, o, strict=True)]
        z = [c.sub(c.mul(f_i, P), d_i) for f_i, d_i in zip(f, d, strict=True)]
        squares, s_zf = c.mul(z[0], z[0]), c.mul(z[0], f[0])
        for z_i, f_i in zip(z[1:], f[1:], strict=True):
            squares = c.add(squares, c.mul(z_i, z_i))
            s_zf = c.add(s_zf, c.mul(z_i, f_i))
        divisor = {"half_mean": two_N, "mean": N, "half_sum": two, "sum": None}[loss]
        states.append((o, v, squares if divisor is None else c.div(squares, divisor)))
        g = [factor(c.mul(c.mul(s, z_i), P)) for s, z_i in zip(sigma, z, strict=True)]
        h = []
        for j in range(len(v)):
            others = v[:j] + v[j + 1 :]
            total = s_zf
            if others:
                product = others[0]
                for q in others[1:]:
                    product = c.mul(product, q)
                total = c.mul(s_zf, product)
            h.append(factor(total))
        o = [c.sub(o_i, c.mul(eta, g_i)) for o_i, g_i in zip(o, g, strict=True)]
        v = [c.sub(v_j, c.mul(eta, h_j)) for v_j, h_j in zip(v, h, strict=True)]
    return states
