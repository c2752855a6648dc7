"""Where runs are carried out: what is said without a GPU, what a GPU does not do."""

from __future__ import annotations

import subprocess
import sys

import pytest

import precipice as pc
from precipice import devices
from precipice.devices import PROCESSOR, Device, Probe, cuda_sentence
from precipice.errors import InvalidArgument
from precipice.placement import place, refusal
from precipice.record import Adaptive
from precipice.simulation import prepare

# (error, driver, runtime, devices) of the CUDA runtime, and what is said.
ROWS = [
    ((35, 0, 13000, 0), "no NVIDIA driver on this machine"),
    ((35, 12040, 13000, 0), "driver supports CUDA 12.4, this build needs 13.0"),
    ((100, 13000, 13000, 0), "driver present, no device visible (CUDA_VISIBLE_DEVICES?)"),
    ((0, 13000, 13000, 0), "driver present, no device visible (CUDA_VISIBLE_DEVICES?)"),
    ((34, 13000, 13000, 0), "the CUDA driver library found is a stub without a driver behind it"),
    ((46, 13000, 13000, 1), "every CUDA device is busy, or set to be used by nobody"),
    (
        (803, 13000, 13000, 0),
        "the NVIDIA driver and its library are of different versions: reboot, or reinstall",
    ),
    (
        (804, 12080, 13000, 0),
        "this GPU cannot run a CUDA newer than its driver's (forward compatibility)",
    ),
    ((209, 13000, 13000, 1), "this build has no kernels for this GPU's architecture"),
    ((222, 12080, 13000, 1), "this build's PTX is newer than the driver can compile"),
    ((719, 13000, 13000, 1), "CUDA error 719: words of 719"),
]
WORKING = (0, 13000, 13000, 1)


class FakeExtension:
    """The CUDA extension on a machine that says what the test wants."""

    architectures = "80-real 80-virtual"

    def __init__(self, *probe):
        self._probe = probe

    def probe(self):
        return self._probe

    def describe(self, code):
        return f"words of {code}"

    def facts(self):
        return {"name": "NVIDIA H100", "compute_capability": "9.0", "bytes": 80 * 2**30}

    def device(self):
        return "the table"


@pytest.fixture
def machine(monkeypatch):
    """Make this machine's CUDA extension one that is given."""

    def be(extension):
        monkeypatch.setattr(devices, "_extension", lambda: extension)

    return be


def fig6(**keywords):
    arguments = {"precision": "float64", "steps": 3, "init": pc.init.constant("0.01"), **keywords}
    model, optimizer = arguments.pop("model", pc.Minimalist()), arguments.pop("optimizer", None)
    return prepare(pc.problems.fig6(), model, optimizer or pc.GD("2/50"), **arguments)


def simulate(**keywords):
    problem = pc.problems.fig6()
    init = pc.init.constant("0.01")
    return pc.simulate(problem, pc.Minimalist(), pc.GD("2/50"), steps=3, init=init, **keywords)


@pytest.mark.parametrize(("probe", "sentence"), ROWS)
def test_every_failure_has_its_sentence(machine, probe, sentence):
    machine(FakeExtension(*probe))
    with pytest.raises(InvalidArgument) as caught:
        devices.find("cuda")
    assert str(caught.value) == f"device = cuda: {sentence}"
    found = devices.find("auto")
    assert (found.table, found.instead) == (None, sentence)
    assert devices.describe()["gpu"] == sentence


def test_an_extension_that_is_not_there_or_not_whole(machine):
    machine(None)
    with pytest.raises(InvalidArgument, match="^device = cuda: built without CUDA"):
        devices.find("cuda")
    assert devices.describe() == {"gpu": "built without CUDA (no nvcc at build time)"}
    machine(ImportError("libm.so.6:\nno version"))
    with pytest.raises(InvalidArgument, match=r"cannot be loaded \(libm.so.6: no version\)$"):
        devices.find("cuda")


@pytest.mark.parametrize("name", ["cuda", "auto"])
def test_a_gpu_that_works_is_found_and_named(machine, name):
    machine(FakeExtension(*WORKING))
    found = devices.find(name)
    assert (found.name, found.table, found.instead) == ("cuda", "the table", "")
    assert found.sentence == "cuda: NVIDIA H100, compute capability 9.0, 80 GiB"
    assert devices.describe() == {
        "gpu": "NVIDIA H100, compute capability 9.0, 80 GiB",
        "driver": "CUDA 13.0",
        "extension": "CUDA 13.0, architectures 80-real 80-virtual",
    }


def test_no_sentence_where_nothing_is_wrong():
    assert cuda_sentence(Probe(*WORKING)) is None


@pytest.mark.parametrize("name", ["gpu", None, 3])
def test_other_names_are_refused(name):
    with pytest.raises(InvalidArgument, match=r"^device = .*: must be cpu, cuda or auto$"):
        simulate(device=name)


def test_auto_falls_back_with_one_line(machine, capsys):
    machine(FakeExtension(35, 0, 13000, 0))
    run = simulate(device="auto")
    assert run.settings["device"] == "cpu"
    line = "device auto: no NVIDIA driver on this machine; runs on the processor\n"
    assert capsys.readouterr().err == line
    what = (pc.problems.fig6(), pc.Minimalist(), pc.GD("2/50"))
    how = {"steps": 3, "init": pc.init.constant("0.01")}
    comparison = pc.compare(*what, precisions=["float32", "mpfr113"], device="auto", **how)
    assert capsys.readouterr().err == line
    assert comparison.settings["device"] == "cpu"
    assert comparison == pc.compare(*what, precisions=["float32", "mpfr113"], **how)
    assert capsys.readouterr().err == ""


def test_cuda_is_an_error_before_anything_runs(machine):
    machine(FakeExtension(35, 0, 13000, 0))
    with pytest.raises(InvalidArgument, match="^device = cuda: no NVIDIA driver"):
        simulate(device="cuda")


def test_auto_says_which_run_no_gpu_carries_out(machine, capsys):
    machine(FakeExtension(*WORKING))
    run = simulate(device="auto", precision="mpfr113")
    assert run.settings["device"] == "cpu"
    assert capsys.readouterr().err.startswith("device auto: mpfr113: a device has float32")
    with pytest.raises(InvalidArgument, match="^device = cuda: mpfr113: a device has"):
        simulate(device="cuda", precision="mpfr113")


TWO_LAYER = {"model": pc.TwoLayerLinear(width=2), "init": pc.init.pytorch(seed=0)}

CARRIED_OUT = [
    {},
    {"precision": "float32", "order": "blocked"},
    {"precision": "bfloat16:sr", "rounding_seed": 3},
    {"precision": "e8m16:rz"},
    {"model": pc.Minimalist(depth=4)},
    {"coordinates": "spectral"},
    {"record": pc.Record(loss=1, sharpness=2, parameters=3, eigenvalues=5)},
    {"measure_precision": "mpfr100"},
    TWO_LAYER,
]
REFUSED = [
    ({"precision": "mpfr113"}, "float32, float64"),
    ({"precision": "e5m26"}, "at most 25 bits"),
    ({"precision": "e16m7"}, "float64's members"),
    ({"precision": "double_double"}, "float32, float64"),
    ({"precision": "bfloat16/accumulate=float32"}, "one format"),
    ({"precision": "float32->mpfr128@2"}, "one format to the end"),
    ({"order": "kahan"}, "sequential and blocked"),
    ({"order": "exact"}, "sequential and blocked"),
    ({"engine": "reference"}, "reference"),
    ({"optimizer": pc.HeavyBall("2/50", momentum="0.5")}, "gradient descent"),
    ({"optimizer": pc.SGD("2/50", batch_size=1)}, "gradient descent"),
    ({"optimizer": pc.GradientFlow()}, "gradient descent"),
    ({"optimizer": pc.GD(pc.lr.warmup("2/50", 2))}, "constant"),
    ({"record": pc.Record(loss=1, sharpness=Adaptive())}, "cadence"),
    ({**TWO_LAYER, "record": pc.Record(quantities=1)}, "quantities"),
    ({**TWO_LAYER, "model": pc.TwoLayerLinear(width=2, bias=True)}, "without biases"),
    ({**TWO_LAYER, "model": pc.TwoLayerLinear(width=2, contraction="layerwise")}, "collapsed"),
    ({**TWO_LAYER, "coordinates": "spectral"}, "primal"),
]


@pytest.mark.parametrize("keywords", CARRIED_OUT, ids=str)
def test_what_a_device_carries_out(keywords):
    device = Device("some", "some device", "its table")
    plan = fig6(**keywords).plan
    assert refusal(plan) is None
    assert plan.device is PROCESSOR
    assert place(plan, device).device is device


@pytest.mark.parametrize(("keywords", "words"), REFUSED, ids=str)
def test_what_no_device_carries_out(machine, keywords, words):
    machine(FakeExtension(*WORKING))
    plan = fig6(**keywords).plan
    assert words in refusal(plan)
    with pytest.raises(InvalidArgument, match="^device = cuda: "):
        place(plan, "cuda")
    assert place(plan, "cpu").device is PROCESSOR
    placed = place(plan, "auto")
    assert placed.device.table is None
    assert words in placed.device.instead


def test_the_extension_is_loaded_only_when_a_gpu_is_asked_for():
    program = (
        "import sys, precipice as pc\n"
        "pc.simulate(pc.problems.fig6(), pc.Minimalist(), pc.GD('2/50'), steps=3,\n"
        "            init=pc.init.constant('0.01'))\n"
        "print('precipice._cuda' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout.strip()) == (0, "False"), ran.stderr
