"""The interpreter of PTX itself: what it computes, and that it stops at what it does not know."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from cuda.compiled import HERE, NO_NVCC, NVCC, module_of, ptx_of
from cuda.ptx import Machine, PtxError, Unknown, parse
from cuda.ptx.machine import SCHEDULES

needs_nvcc = pytest.mark.skipif(NVCC is None, reason=NO_NVCC)

HEADER = """
.version 9.0
.target sm_80
.address_size 64
.visible .entry kernel(.param .u64 kernel_param_0)
{
	.reg .pred %p<8>;
	.reg .b32 %r<16>;
	.reg .f32 %f<16>;
	.reg .f64 %fd<16>;
	.reg .b64 %rd<16>;
	.shared .align 4 .b8 numbers[256];
	ld.param.u64 %rd1, [kernel_param_0];
	mov.u32 %r1, %tid.x;
	mul.wide.u32 %rd2, %r1, 8;
	add.s64 %rd3, %rd1, %rd2;
"""


def run(body, threads=32, *, words=None, schedule="block", budget=10**5):
    """Run a body; %rd3 is the address of the thread's own 8 bytes, %r1 its number."""
    module = parse(HEADER + body + "\nret;\n}\n")
    machine = Machine(module, 1 << 16)
    memory = machine.upload(np.zeros(threads, np.uint64) if words is None else words)
    machine.launch(
        module.kernel("kernel"), 1, threads, [struct.pack("<Q", memory)],
        schedule=schedule, budget=budget,
    )  # fmt: skip
    return machine.download(memory, np.uint64, threads)


def test_the_operations_of_float64():
    rng = np.random.default_rng(0)
    a = np.concatenate([rng.normal(size=28) * 2.0 ** rng.integers(-1060, 1000, 28),
                        [0.0, -0.0, np.inf, np.nan]])  # fmt: skip
    for name, expected in [("add", a + 1.1), ("sub", a - 1.1), ("mul", a * 1.1), ("div", a / 1.1)]:
        body = f"ld.global.f64 %fd1, [%rd3];\n{name}.rn.f64 %fd2, %fd1, 0d3FF199999999999A;\n"
        with np.errstate(all="ignore"):
            got = run(body + "st.global.f64 [%rd3], %fd2;", words=a).view(float)
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize(
    "text",
    ["add.f64 %fd1, %fd1, %fd1;", "add.rz.f64 %fd1, %fd1, %fd1;", "mul.rn.ftz.f32 %f1, %f1, %f1;",
     "fma.rn.f64 %fd1, %fd1, %fd1, %fd1;", "div.approx.f32 %f1, %f1, %f1;",
     "ex2.approx.f32 %f1, %f1;",
     "sqrt.approx.f32 %f1, %f1;", "cvt.rz.f32.f64 %f1, %fd1;", "red.global.add.f64 [%rd3], %fd1;",
     "tanh.approx.f32 %f1, %f1;", "dp4a.u32.u32 %r2, %r1, %r1, %r1;", "mov.u32 %r2, %clock;",
     "cp.async.wait_all;", "add.sat.s32 %r1, %r1, %r1;", "setp.lt.ftz.f32 %p1, %f1, %f1;",
     "min.NaN.f32 %f1, %f1, %f1;", "add.s32 %rd1, %rd1, %rd1;", "mad.rn.f32 %f1, %f1, %f1, %f1;"],
)  # fmt: skip
def test_what_is_not_known_raises_with_the_line(text):
    with pytest.raises(Unknown, match="line 17" if "clock" not in text else "clock"):
        run(text)


def test_lanes_part_and_meet_again():
    """An odd lane goes round a loop as often as its number says."""
    got = run("""
	mov.u32 %r2, 0;
	and.b32 %r3, %r1, 1;
	setp.eq.s32 %p1, %r3, 0;
	@%p1 bra $DONE;
$LOOP:
	setp.ge.u32 %p2, %r2, %r1;
	@%p2 bra $DONE;
	add.s32 %r2, %r2, 1;
	bra.uni $LOOP;
$DONE:
	vote.sync.ballot.b32 %r4, %p1, -1;
	mul.lo.s32 %r2, %r2, 2;
	st.global.v2.u32 [%rd3], {%r2, %r4};""").view(np.uint32).reshape(-1, 2)  # fmt: skip
    lanes = np.arange(32)
    np.testing.assert_array_equal(got[:, 0], np.where(lanes % 2, 2 * lanes, 0))
    assert (got[:, 1] == 0x55555555).all()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_barrier_that_not_all_come_to(schedule):
    with pytest.raises(PtxError, match=r"not all|left before"):
        run("setp.lt.u32 %p1, %r1, 5;\n@%p1 bra $A;\nbar.sync 0;\n$A:", schedule=schedule)


def test_a_lane_takes_from_one_that_takes_no_part():
    with pytest.raises(PtxError, match="takes no part"):
        run("setp.lt.u32 %p1, %r1, 5;\n@!%p1 bra $A;\n"
            "shfl.sync.idx.b32 %r2, %r1, 9, 31, 31;\n$A:")  # fmt: skip


def test_a_loop_without_end_is_noticed():
    with pytest.raises(PtxError, match="thought enough"):
        run("$A: bra $A;", budget=1000)


@pytest.mark.parametrize(
    ("address", "why"),
    [("[%rd3+4]", "aligned"), ("[%rd3+256]", "allocated"), ("[%rd3+-8]", "allocated"),
     ("[0]", "allocated")],
)  # fmt: skip
def test_addresses_must_be_aligned_and_allocated(address, why):
    with pytest.raises(PtxError, match=why):
        run(f"ld.global.f64 %fd1, {address};")


def test_shared_memory_is_of_its_size():
    run("st.shared.u32 [numbers+252], %r1;")
    with pytest.raises(PtxError, match="allocated"):
        run("st.shared.u32 [numbers+256], %r1;")


@needs_nvcc
@pytest.mark.parametrize("schedule", SCHEDULES)
class TestTogether:
    """What nvcc makes of shuffles, barriers, calls and grids; the same in every order of turns."""

    def machine(self):
        module = module_of(HERE / "interpreted.cu")
        return module, Machine(module, 1 << 18)

    def test_a_sum_by_halving(self, schedule):
        module, machine = self.machine()
        x = np.random.default_rng(1).normal(size=77)
        out, numbers = machine.upload(np.zeros(1)), machine.upload(x)
        arguments = [struct.pack("<Q", out), struct.pack("<Q", numbers), struct.pack("<I", 77)]
        machine.launch(module.kernel("sum_of_warp"), 1, 32, arguments, schedule=schedule)
        partial = np.array([np.add.accumulate(np.append(0.0, x[i::32]))[-1] for i in range(32)])
        while len(partial) > 1:
            partial = partial[: len(partial) // 2] + partial[len(partial) // 2 :]
        assert machine.download(out, float, 1) == partial

    def test_a_block(self, schedule):
        module, machine = self.machine()
        x = np.random.default_rng(2).normal(size=96)
        out, words = machine.upload(np.zeros(96)), machine.upload(np.zeros(96, np.uint32))
        arguments = [struct.pack("<Q", a) for a in (out, machine.upload(x), words)]
        machine.launch(
            module.kernel("backwards"), 1, 96, arguments, shared=96 * 8, schedule=schedule
        )
        expected = np.empty(96)
        for t, mine in enumerate(x[::-1]):
            horner = mine
            for _ in range(t % 5):
                horner = horner * 0.5 + mine
            positive = (x[::-1][t // 32 * 32 :][:32] > 0).sum()
            expected[t] = mine + (x > 2.5).any() + positive + horner
        np.testing.assert_array_equal(machine.download(out, float, 96), expected)
        sums = np.repeat(np.arange(96).reshape(3, 32).sum(axis=1), 32)
        np.testing.assert_array_equal(machine.download(words, np.uint32, 96), sums)

    def test_a_grid(self, schedule):
        module, machine = self.machine()
        a = np.random.default_rng(3).normal(size=128)
        first, second = machine.upload(a), machine.upload(np.zeros(128))
        words = machine.upload(np.zeros(1, np.uint32))
        arguments = [*(struct.pack("<Q", p) for p in (first, second, words)), struct.pack("<i", 6)]
        machine.launch(module.kernel("steps_of_grid"), 4, 32, arguments, schedule=schedule)
        for _ in range(6):
            a = np.roll(a, -1) * 0.5 + a
        np.testing.assert_array_equal(machine.download(first, float, 128), a)
        assert machine.download(words, np.uint32, 1) == 0b1111


def signed(value, bits=64):
    value %= 1 << bits
    return value - (1 << bits) if value >> bits - 1 else value


def toward_zero(a, b):
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if b else 0


def permuted(a, b):
    both = (a | b << 32).to_bytes(8, "little")
    return int.from_bytes(bytes(both[i] for i in (3, 7, 1, 5)), "little")


M = (1 << 64) - 1
LOW = (1 << 32) - 1
# Of a and b, signed: in the order of the cases of interpreted.cu.
INTEGERS = [
    lambda a, b: a * b, lambda a, b: (a & M) * (b & M) >> 64, lambda a, b: a * b >> 64,
    toward_zero, lambda a, b: (a & M) % (b & M) if b else 0,
    lambda a, b: 64 - (a & M).bit_length() + bin(b & M).count("1"),
    lambda a, b: ((a & M) * (b & M) + (a & M)) % (1 << 128) >> 77 ^ ((a & M) * (b & M) + (a & M)),
    lambda a, b: signed(a >> (b & 3), 32), lambda a, b: int(f"{b & M:064b}"[::-1], 2),
    lambda a, b: (a & M) << (b & 63) | (a & M) >> 64 - (b & 63),
    lambda a, b: permuted(a & LOW, b & LOW),
    lambda a, b: ((b & LOW) << 32 | a & LOW) << 13 >> 32 & LOW,
    lambda a, b: signed(a, 16), lambda a, b: min(a & LOW, b & LOW),
    lambda a, b: min(int(float(a)), (1 << 63) - 1),
    lambda a, b: int(np.int64(a).astype(np.float32).view(np.uint32)),
    lambda a, b: struct.unpack("<Q", struct.pack("<d", float(b & M)))[0],
    lambda a, b: (a & LOW) * (b & LOW) >> 32, lambda a, b: (a & -a).bit_length(),
]  # fmt: skip


@needs_nvcc
@pytest.mark.parametrize("which", range(len(INTEGERS)))
def test_integers(which):
    module = module_of(HERE / "interpreted.cu")
    random = np.random.default_rng(4).integers(-(2**62), 2**62, 24).tolist()
    edges = [0, 1, -1, 2**63 - 1, -(2**63), 5, -7, 1000, 64, -64]
    x = np.array(random + edges, np.int64)
    threads = len(x) - 1
    machine = Machine(module, 1 << 16)
    y = machine.upload(np.zeros(threads, np.uint64))
    arguments = [
        struct.pack("<Q", machine.upload(x)),
        struct.pack("<Q", y),
        struct.pack("<i", which),
    ]
    machine.launch(module.kernel("integers"), 1, threads, arguments)
    expected = [INTEGERS[which](a, b) & M for a, b in zip(x.tolist(), x.tolist()[1:], strict=False)]
    assert machine.download(y, np.uint64, threads).tolist() == expected


@needs_nvcc
@pytest.mark.parametrize(
    ("kernel", "barrier", "schedules"),
    [("next_of_block", "bar.sync", ("warp", "reverse", "lane")),
     ("next_of_warp", "bar.warp", ("lane",))],
)  # fmt: skip
def test_a_missing_barrier_is_noticed(kernel, barrier, schedules):
    """By those schedules in which others do not happen to keep step."""
    threads = 64 if kernel == "next_of_block" else 32
    text = ptx_of(HERE / "interpreted.cu")
    begin = text.index(f".entry {kernel}")
    at = text.index(barrier, begin)
    assert at < text.index("ret;", begin)
    for mutant, fails in [(text, False), (text[:at] + "// " + text[at:], True)]:
        for schedule in schedules:
            module = parse(mutant)
            machine = Machine(module, 1 << 16)
            out = machine.upload(np.zeros(threads, np.int32))
            machine.launch(
                module.kernel(kernel), 1, threads, [struct.pack("<Q", out)], schedule=schedule
            )
            right = machine.download(out, np.int32, threads) == (np.arange(threads) + 1) % threads
            assert right.all() != fails, schedule
