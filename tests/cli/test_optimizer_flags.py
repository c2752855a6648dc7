"""Optimisers on the command line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import precipice as pc
from precipice.cli.main import main

QUICK = ("--engine", "reference", "--steps", "12", "--precision", "float64", "--json")


def invoke(*arguments):
    return CliRunner().invoke(main, ["compare", *QUICK, *arguments])


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], pc.GD("2/50")),
        (["--lr", "1/7"], pc.GD("1/7")),
        (["--lr", "warmup:0.1,5"], pc.GD(pc.lr.warmup("0.1", 5))),
        (["--lr", "piecewise:0.1*6,0.05*6"], pc.GD(pc.lr.piecewise(("0.1", 6), ("0.05", 6)))),
        (["--lr", "event:0.1,sharpness>=2/lr,0.05"],
         pc.GD(pc.lr.at_event("0.1", "sharpness>=2/lr", "0.05"))),
        (["--optimizer", "heavy-ball", "--momentum", "9/10"],
         pc.HeavyBall("2/50", momentum="9/10")),
        (["--optimizer", "nesterov", "--momentum", "0.5", "--lr", "warmup:0.1,5"],
         pc.Nesterov(pc.lr.warmup("0.1", 5), momentum="0.5")),
        (["--optimizer", "sgd", "--batch-size", "1"], pc.SGD("2/50", 1)),
        (["--optimizer", "sgd", "--batch-size", "2", "--sampling", "iid", "--batch-seed", "7",
          "--momentum", "0.5"], pc.SGD("2/50", 2, "iid", 7, momentum="0.5")),
        (["--optimizer", "flow", "--flow-step", "0.01"], pc.GradientFlow("0.01")),
    ],
)  # fmt: skip
def test_flags_say_what_the_library_does(flags, expected):
    result = invoke(*flags)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["optimizer"] == expected.describe()
    (run,) = pc.compare(
        pc.problems.fig6(), pc.Minimalist(), expected, precisions=["float64"], steps=12,
        init=pc.init.constant("0.01"), loss="mean", engine="reference",
    ).runs  # fmt: skip
    assert document["runs"][0]["final"] == json.loads(json.dumps(run.to_dict()["final"]))


def test_flags_of_an_adaptive_flow_arrive():
    """The reference engine refuses it, and says why, once the flags have been understood."""
    result = invoke("--optimizer", "flow", "--flow-factor", "0.5", "--flow-every", "10",
                    "--no-flow-guard")  # fmt: skip
    assert result.exit_code == 2
    assert result.stderr == "Error: engine = reference: needs a fixed step for gradient flow\n"
    from precipice.cli.options import _optimizer

    flags = dict.fromkeys(("momentum", "batch_size", "sampling", "batch_seed", "flow_step", "lr"))
    flags |= {"optimizer": "flow", "flow_factor": 0.5, "flow_every": 10, "no_flow_guard": True}
    assert _optimizer(flags, lambda: "2/50") == pc.GradientFlow(factor=0.5, every=10, guard=False)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--momentum", "0.9"], "momentum = 0.9: needs --optimizer heavy-ball or nesterov or sgd"),
        (["--batch-size", "1"], "batch_size = 1: needs --optimizer sgd"),
        (["--optimizer", "heavy-ball"], "momentum = None: must be given for --optimizer heavy-"),
        (["--optimizer", "sgd"], "batch_size = None: must be given for --optimizer sgd"),
        (["--optimizer", "sgd", "--batch-size", "3"], "batch_size = 3: must be at most the probl"),
        (["--optimizer", "sgd", "--batch-size", "x"], "batch_size = x: must be an integer"),
        (["--optimizer", "sgd", "--batch-size", "1", "--batch-seed", "-1"], "seed = -1: must be"),
        (
            ["--optimizer", "sgd", "--batch-size", "1", "--coordinates", "spectral"],
            "coordinates = spectral: must be primal for mini-batches",
        ),
        (["--optimizer", "heavy-ball", "--momentum", "1"], "momentum = 1: must be at least 0 and"),
        (["--optimizer", "adam"], "optimizer = adam: must be gd, heavy-ball, nesterov, sgd or fl"),
        (["--optimizer", "flow", "--lr", "0.1"], "lr = 0.1: a flow has none: see --flow-step"),
        (
            ["--optimizer", "flow", "--flow-step", "0.1", "--flow-every", "5"],
            "every = 5: must be left out with a fixed step",
        ),
        (["--flow-step", "0.1"], "flow_step = 0.1: needs --optimizer flow"),
        (["--no-flow-guard"], "no_flow_guard = True: needs --optimizer flow"),
        (["--lr", "piecewise:0.1*5"], "lr = piecewise of 5 steps: must not end before the run's"),
        (["--lr", "cosine:0.1,5"], "lr = cosine:0.1,5: must be a number, warmup:LR,STEPS"),
        (["--lr", "event:0.1,speed>=1,0.2"], "event = speed>=1: must be such as"),
    ],
)
def test_bad_flags_are_one_line(flags, message):
    result = invoke(*flags)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {message}")
    assert result.stderr.count("\n") == 1
