"""The models' texts in any arithmetic, over rationals.

Parameters are lists of blocks, the arrays that are updated at once: u and v; the rows of W, a and,
with biases, b1 and b2. Every method makes the calls of the written order, no more and no fewer: a
stochastic rounding's draw depends on their count.
"""

from __future__ import annotations

from typing import Any

from oracles import formats
from oracles.formats import Number
from oracles.staged_space import StagedSpace, Vector

Blocks = list[Vector]


# Element programs; r carries out and rounds one operation.


def times(r: Any, a: Number, b: Number) -> Number:
    """Return a b."""
    return r(formats.multiply, a, b)


def plus(r: Any, a: Number, b: Number) -> Number:
    """Return a + b."""
    return r(formats.add, a, b)


def over(r: Any, a: Number, n: Number) -> Number:
    """Return a / n."""
    return r(formats.divide, a, n)


def plus_product(r: Any, f: Number, a: Number, b: Number) -> Number:
    """Return f + a b."""
    return r(formats.add, f, r(formats.multiply, a, b))


def copied(r: Any, a: Number) -> Number:
    """Return a."""
    return a


def residual(r: Any, f: Number, P: Number, y: Number) -> Number:
    """Return f P - y."""
    return r(formats.subtract, r(formats.multiply, f, P), y)


def shifted_residual(r: Any, f: Number, P: Number, b: Number, y: Number) -> Number:
    """Return f P + b - y."""
    return r(formats.subtract, r(formats.add, r(formats.multiply, f, P), b), y)


def doubled_over(r: Any, a: Number, two: Number, n: Number) -> Number:
    """Return a 2 / n."""
    return r(formats.divide, r(formats.multiply, a, two), n)


class Model:
    """Data, rounded to forward, and a loss; `samples` is N where X is the diagonal sigma."""

    def __init__(self, space: StagedSpace, X: Any, y: Any, loss: str, samples: int = 0) -> None:
        self.space, self.loss = space, loss
        self.X, self.y = space.nearest("forward", X), space.nearest("forward", y)
        self.diagonal = samples > 0
        self.samples = samples or len(self.y)

    def with_rows(self, rows: list[int]) -> Any:
        """Return the same model on some samples."""
        raise NotImplementedError

    def integer(self, stage: str, n: int) -> Number:
        """Return an integer as the format has it."""
        return self.space.nearest(stage, n)

    def times_X(self, u: Vector) -> Vector:
        """Return X u."""
        if self.diagonal:
            return self.space.diagonal_times("forward", self.X, u)
        return self.space.rows_times("forward", self.X, u)

    def X_transposed_times(self, z: Vector) -> Vector:
        """Return X^T z."""
        if self.diagonal:
            return self.space.diagonal_times("gradient", self.X, z)
        return self.space.columns_times("gradient", self.X, z)

    def loss_of(self, z: Vector) -> Number:
        """Return the loss of the residuals."""
        squares = self.space.dot("measurement", z, z)
        divisor = {
            "half_mean": 2 * self.samples, "mean": self.samples, "half_sum": 2, "sum": None,
        }[self.loss]  # fmt: skip
        if divisor is None:
            return squares
        n = self.integer("measurement", divisor)
        return self.space.map_scalar("measurement", over, squares, n)

    def with_loss_factor(self, g: Vector) -> Vector:
        """Return derivatives of the loss from those of half the sum of squares."""
        two, n = self.integer("gradient", 2), self.integer("gradient", self.samples)
        if self.loss == "half_mean":
            return self.space.map("gradient", over, len(g), g, n)
        if self.loss == "mean":
            return self.space.map("gradient", doubled_over, len(g), g, two, n)
        if self.loss == "sum":
            return self.space.map("gradient", times, len(g), g, two)
        return g


class Minimalist(Model):
    """f(x) = (x.u) v_1 ... v_{D-1}."""

    def with_rows(self, rows: list[int]) -> Minimalist:
        """Return the same model on some samples."""
        return Minimalist(
            self.space, [self.X[i] for i in rows], [self.y[i] for i in rows], self.loss
        )

    def _residuals(self, theta: Blocks) -> tuple[Number, Vector, Vector]:
        """Return P, f and z."""
        P = self.space.product("forward", theta[1])
        f = self.times_X(theta[0])
        return P, f, self.space.map("forward", residual, len(f), f, P, self.y)

    def loss_alone(self, theta: Blocks) -> tuple[Vector, Number]:
        """Return z and L."""
        z = self._residuals(theta)[2]
        return z, self.loss_of(z)

    def _gradient(self, theta: Blocks) -> tuple[Vector, Blocks]:
        """Return z and the gradient."""
        space, v = self.space, theta[1]
        P, f, z = self._residuals(theta)
        g = self.X_transposed_times(z)
        g = self.with_loss_factor(space.map("gradient", times, len(g), g, P))
        s = space.dot("gradient", z, f)
        h = []
        for j in range(len(v)):
            if len(v) == 1:
                h.append(space.map_scalar("gradient", copied, s))
            else:
                q = space.product("gradient", v, j)
                h.append(space.map_scalar("gradient", times, s, q))
        return z, [g, self.with_loss_factor(h)]

    def evaluate(self, theta: Blocks) -> tuple[Vector, Number, Blocks]:
        """Return z, L and what gradient() needs."""
        z, gradient = self._gradient(theta)
        return z, self.loss_of(z), gradient

    def differentiate(self, theta: Blocks, work: Blocks) -> Blocks:
        """Return what gradient() needs, after evaluate()."""
        return work

    def differentiate_alone(self, theta: Blocks) -> Blocks:
        """Return what gradient() needs, of a batch."""
        return self._gradient(theta)[1]

    def gradient(self, theta: Blocks, work: Blocks, block: int) -> Vector:
        """Return the gradient with respect to a block."""
        return work[block]


class TwoLayer(Model):
    """F(x) = c a.(W x + b1) + b2 in either order of its products."""

    def __init__(
        self, space: StagedSpace, X: Any, y: Any, loss: str, width: int,
        scaled: bool, collapsed: bool, biased: bool = False, samples: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(space, X, y, loss, samples)
        self.width, self.scaled, self.collapsed, self.biased = width, scaled, collapsed, biased
        self.c, self.kappa, self.kappa_L = self._factors()

    def with_rows(self, rows: list[int]) -> TwoLayer:
        """Return the same model on some samples."""
        X, y = [self.X[i] for i in rows], [self.y[i] for i in rows]
        return TwoLayer(
            self.space, X, y, self.loss, self.width, self.scaled, self.collapsed, self.biased
        )

    def _factors(self) -> tuple[Number, Number, Number]:
        """Return c = 1 / sqrt(m), kappa = kappa_L c and kappa_L, each operation to nearest."""
        forward = self.space.arithmetic.stages["forward"].with_rounding("rn")
        gradient = self.space.arithmetic.stages["gradient"].with_rounding("rn")
        c: Number = self.integer("forward", 1)
        if self.scaled:
            root = formats.sqrt(forward, self.integer("forward", self.width))
            c = formats.divide(forward, c, root)
        one, two = self.integer("gradient", 1), self.integer("gradient", 2)
        n = self.integer("gradient", self.samples)
        kappa_L = {
            "half_mean": formats.divide(gradient, one, n),
            "mean": formats.divide(gradient, two, n),
            "half_sum": one,
            "sum": two,
        }[self.loss]
        return c, formats.multiply(gradient, kappa_L, c), kappa_L

    def _residuals(self, theta: Blocks) -> tuple[Vector, list[Vector]]:
        """Return z and, layerwise, H."""
        space, W, a = self.space, theta[: self.width], theta[self.width]
        b1, b2 = (theta[self.width + 1], theta[self.width + 2]) if self.biased else ([], [])
        H = []
        if self.collapsed:
            b = space.columns_times("forward", W, a)
            beta = space.dot("forward", a, b1) if self.biased else 0.0
            F = self.times_X(b)
            if self.biased:
                F = space.map("forward", plus, len(F), F, beta)
        else:
            for q in range(self.width):
                h = self.times_X(W[q])
                if self.biased:
                    h = space.map("forward", plus, len(h), h, b1[q])
                H.append(h)
            F = space.columns_times("forward", H, a)
        if self.biased:
            z = space.map("forward", shifted_residual, len(F), F, self.c, b2[0], self.y)
        else:
            z = space.map("forward", residual, len(F), F, self.c, self.y)
        return z, H

    def loss_alone(self, theta: Blocks) -> tuple[Vector, Number]:
        """Return z and L."""
        z = self._residuals(theta)[0]
        return z, self.loss_of(z)

    def evaluate(self, theta: Blocks) -> tuple[Vector, Number, dict[str, Any]]:
        """Return z, L and what differentiate() needs."""
        z, H = self._residuals(theta)
        work: dict[str, Any] = {"H": H}
        if self.collapsed:
            work["g"] = self.X_transposed_times(z)
        else:
            work["e"] = self.space.map("gradient", times, len(z), self.kappa, z)
        if self.biased:
            ones = [self.integer("forward", 1)] * len(z)
            work["s"] = self.space.dot("gradient", ones, z)
        return z, self.loss_of(z), work

    def differentiate(self, theta: Blocks, work: dict[str, Any]) -> dict[str, Any]:
        """Return what gradient() needs."""
        space, m, W, a = self.space, self.width, theta[: self.width], theta[self.width]
        if self.collapsed:
            ka = space.map("gradient", times, m, self.kappa, a)
            t = space.rows_times("gradient", W, work["g"])
            if self.biased:
                t = space.map("gradient", plus_product, m, t, theta[m + 1], work["s"])
                work["b1"] = space.map("gradient", times, m, ka, work["s"])
                work["b2"] = space.map("gradient", times, 1, self.kappa_L, work["s"])
            work["ka"] = ka
            work["a"] = space.map("gradient", times, m, self.kappa, t)
            return work
        work["a"] = space.rows_times("gradient", work["H"], work["e"])
        if self.biased:
            work["b2"] = space.map("gradient", times, 1, self.kappa_L, work["s"])
        work["W"], work["b1"] = [], []
        for q in range(m):
            share = space.map("gradient", times, len(work["e"]), a[q], work["e"])
            work["W"].append(self.X_transposed_times(share))
            if self.biased:
                ones = [self.integer("forward", 1)] * len(share)
                work["b1"].append(space.dot("gradient", ones, share))
        return work

    def differentiate_alone(self, theta: Blocks) -> dict[str, Any]:
        """Return what gradient() needs, of a batch."""
        return self.differentiate(theta, self.evaluate(theta)[2])

    def gradient(self, theta: Blocks, work: dict[str, Any], block: int) -> Vector:
        """Return the gradient with respect to a block."""
        if block < self.width:
            if not self.collapsed:
                return work["W"][block]
            g = work["g"]
            return self.space.map("gradient", times, len(g), work["ka"][block], g)
        return work[("a", "b1", "b2")[block - self.width]]
