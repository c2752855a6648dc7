"""The flags that commands share, and the library calls that they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from precipice.cli.numerics import NUMERICS
from precipice.errors import InvalidArgument

if TYPE_CHECKING:
    from precipice.models import Model
    from precipice.optimizers import Optimizer
    from precipice.problems import Problem
    from precipice.record import Record

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Request:
    """What a command line asks for, in the library's words.

    Attributes
    ----------
    problem, model, optimizer
        The first arguments of `compare`.
    keywords : dict
        Its keywords, except for the precisions and those that say how it is carried out.
    """

    problem: Problem
    model: Model
    optimizer: Optimizer
    keywords: dict[str, Any]


# In the order in which --help shows them.
TRAINING = (
    click.argument("problem", default="fig6"),
    click.argument("settings", nargs=-1, metavar="[KEY=VALUE]..."),
    click.option(
        "--model",
        type=click.Choice(["minimalist", "two-layer"]),
        default="minimalist",
        help="What is trained: f(x) = (x·u) v_1 … v_{D-1}, or f(x) = c aᵀ W x.",
    ),
    click.option("--depth", type=int, help="minimalist: layers, at least 2; default: 2."),
    click.option("--width", type=int, help="two-layer: hidden neurons m."),
    click.option(
        "--scale",
        type=click.Choice(["1/sqrt(m)", "none"]),
        help="two-layer: c; default: 1/sqrt(m).",
    ),
    click.option(
        "--contraction",
        type=click.Choice(["collapsed", "layerwise"]),
        help="two-layer: the order of the products; default: collapsed.",
    ),
    click.option(
        "--bias", is_flag=True, default=None, help="two-layer: f(x) = c aᵀ (W x + b₁) + b₂."
    ),
    click.option(
        "--loss",
        type=click.Choice(["half_mean", "mean", "half_sum", "sum"]),
        help="Normalisation of the squared loss; default: the problem's, else half_mean.",
    ),
    click.option(
        "--lr",
        help="Learning rate η, exact: 2/50, 0.02; or a schedule: warmup:LR,STEPS, "
        "piecewise:LR*STEPS,…,LR or event:LR,sharpness>=2/lr,THEN; default: the problem's.",
    ),
    click.option(
        "--optimizer",
        type=click.Choice(["gd", "heavy-ball", "nesterov", "sgd", "flow"]),
        default="gd",
        help="How parameters are updated.",
    ),
    click.option("--momentum", help="heavy-ball, nesterov, sgd: β, exact, from 0 to below 1."),
    click.option("--batch-size", type=int, help="sgd: samples of a step."),
    click.option(
        "--sampling",
        type=click.Choice(["reshuffle", "iid"]),
        help="sgd: a permutation an epoch, or drawn afresh each step; default: reshuffle.",
    ),
    click.option("--batch-seed", type=int, help="sgd: seed of the batches; default: 0."),
    click.option("--flow-step", help="flow: the Runge-Kutta step h, exact; default: factor/S."),
    click.option("--flow-factor", type=float, help="flow: h times the sharpness S; default: 1."),
    click.option("--flow-every", type=int, help="flow: steps between measuring S; default: 50."),
    click.option(
        "--no-flow-guard",
        is_flag=True,
        default=None,
        help="flow: neither measure S early nor redo steps that were too long.",
    ),
    click.option("--steps", type=int, help="Steps to run; default: the problem's."),
    click.option(
        "--init",
        help="pytorch, normal:ALPHA,BETA, balanced:C, constant:C, symmetric or "
        "symmetric_gaussian; default: the problem's, "
        "else pytorch.",
    ),
    click.option("--seed", type=int, default=0, help="Seed of the initialisation."),
)

OUTPUT = (
    click.option(
        "--out",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="Directory for the results: absent, empty, or of the same command.",
    ),
    click.option(
        "--checkpoint",
        type=float,
        metavar="SECONDS",
        help="Save every run's exact state so often, in DIR.checkpoint beside --out DIR.",
    ),
    click.option("--resume", is_flag=True, help="Go on from the checkpoint beside --out DIR."),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead."),
    click.option("--quiet", is_flag=True, help="Say nothing on stderr but errors."),
)


def training_options(*, workers: bool, precision: Any) -> Callable[[_Command], _Command]:
    """Return a decorator that adds what every training command understands.

    Parameters
    ----------
    workers : bool
        Whether there is more than one run to hand out.
    precision : click option
        The command's own ``--precision``.
    """
    parallel = click.option("--workers", type=int, help="Threads; default: one a core.")
    options = [*TRAINING, precision, *NUMERICS, *([parallel] if workers else []), *OUTPUT]

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def request(problem: str, settings: Sequence[str], flags: Mapping[str, Any]) -> Request:
    """Return what the flags ask for, with the problem's presets where a flag is absent.

    Raises
    ------
    InvalidArgument
        If a flag breaks its rule, or is absent and the problem has no preset for it.
    """
    from precipice import initialisers, problems

    model = _model(flags)
    chosen = problems.by_name(problem, parse_settings(settings))
    presets = chosen.presets

    def given_or_preset(name: str) -> Any:
        value = flags[name] if flags[name] is not None else getattr(presets, name)
        if value is None:
            raise InvalidArgument(name, None, f"must be given: {chosen.name} has no preset for it")
        return value

    init = flags["init"] if flags["init"] is not None else presets.init or "pytorch"
    keywords = {
        "steps": given_or_preset("steps"),
        "init": initialisers.parse(init, flags["seed"]),
        "loss": flags["loss"] or presets.loss or "half_mean",
        "record": _record(flags),
    }
    for name in (
        "order", "rounding_seed", "coordinates", "problem_dtype", "measure_precision",
        "blowup_factor", "tol", "max_seconds", "engine", "device",
    ):  # fmt: skip
        keywords[name] = flags[name]
    keywords |= _saves(flags)
    optimizer = _optimizer(flags, lambda: given_or_preset("lr"))
    return Request(chosen, model, optimizer, keywords)


def _record(flags: Mapping[str, Any]) -> Record:
    """Return the cadences that the flags ask for."""
    from precipice.record import Record

    if flags["top"] is not None and not flags["record_eigenvalues"]:
        raise InvalidArgument("top", flags["top"], "needs --record-eigenvalues")
    every = flags["record_every"]
    return Record(
        loss=every if isinstance(every, int) else 1,
        sharpness=every,
        eigenvalues=flags["record_eigenvalues"] or 0,
        quantities=flags["record_quantities"] or 0,
        top=1 if flags["top"] is None else flags["top"],
    )


_MODEL_FLAGS = {"minimalist": ("depth",), "two-layer": ("width", "scale", "contraction", "bias")}


def _model(flags: Mapping[str, Any]) -> Model:
    """Return the model that the flags describe; a flag of another model is an error."""
    from precipice.models import Minimalist, TwoLayerLinear

    asked = flags["model"]
    given = {}
    for model, names in _MODEL_FLAGS.items():
        for name in names:
            if flags[name] is None:
                continue
            if model != asked:
                raise InvalidArgument(name, flags[name], f"needs --model {model}")
            given[name] = flags[name]
    if asked == "minimalist":
        return Minimalist(**given)
    if "width" not in given:
        raise InvalidArgument("width", None, "must be given for --model two-layer")
    return TwoLayerLinear(**given)


# Flag of an optimiser: who takes it, and its name there.
_OPTIMIZER_FLAGS = {
    "momentum": (("heavy-ball", "nesterov", "sgd"), "momentum"),
    "batch_size": (("sgd",), "batch_size"),
    "sampling": (("sgd",), "sampling"),
    "batch_seed": (("sgd",), "seed"),
    "flow_step": (("flow",), "step"),
    "flow_factor": (("flow",), "factor"),
    "flow_every": (("flow",), "every"),
    "no_flow_guard": (("flow",), "guard"),
}
_REQUIRED = {"heavy-ball": "momentum", "nesterov": "momentum", "sgd": "batch_size"}


def _optimizer(flags: Mapping[str, Any], lr: Callable[[], Any]) -> Optimizer:
    """Return the optimiser that the flags describe; a flag of another one is an error.

    Parameters
    ----------
    flags : mapping
    lr : callable
        Returns the learning rate given, or the problem's.
    """
    from precipice import optimizers, schedules

    asked, given = flags["optimizer"], {}
    for flag, (owners, name) in _OPTIMIZER_FLAGS.items():
        value = flags[flag]
        if value is None:
            continue
        if asked not in owners:
            raise InvalidArgument(flag, value, f"needs --optimizer {' or '.join(owners)}")
        given[name] = False if flag == "no_flow_guard" else value
    required = _REQUIRED.get(asked)
    if required is not None and required not in given:
        raise InvalidArgument(required, None, f"must be given for --optimizer {asked}")
    if asked == "flow":
        if flags["lr"] is not None:
            raise InvalidArgument("lr", flags["lr"], "a flow has none: see --flow-step")
        return optimizers.GradientFlow(**given)
    rate = lr()
    rate = schedules.parse(rate) if isinstance(rate, str) else rate
    kind: Any = optimizers.OPTIMIZERS[asked]
    made: Optimizer = kind(lr=rate, **given)
    return made


def checkpoint_folder(out: Path) -> Path:
    """Return the folder beside a comparison's own in which its runs are saved on their way."""
    return out.with_name(out.name + ".checkpoint")


def _saves(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keywords that say where and how often runs are saved, if they are."""
    if flags["checkpoint"] is None and not flags["resume"]:
        return {}
    if flags["out"] is None:
        name = "resume" if flags["resume"] else "checkpoint"
        raise InvalidArgument(name, flags[name], "needs --out DIR, beside which it is")
    folder = checkpoint_folder(flags["out"])
    if flags["resume"] and not folder.is_dir():
        raise InvalidArgument("resume", str(folder), "must hold the checkpoint of this command")
    keywords = {"checkpoint": folder, "resume": flags["resume"]}
    if flags["checkpoint"] is not None:
        keywords["checkpoint_seconds"] = flags["checkpoint"]
    return keywords


def parse_settings(settings: Sequence[str]) -> dict[str, str]:
    """Return ``key=value`` words as a dict.

    Raises
    ------
    InvalidArgument
        If a word has no ``=`` or a key comes twice.
    """
    parsed: dict[str, str] = {}
    for word in settings:
        key, separator, value = word.partition("=")
        if not separator or not key:
            raise InvalidArgument("setting", word, "must have the form key=value")
        if key in parsed:
            raise InvalidArgument("setting", word, f"{key} is set twice")
        parsed[key] = value
    return parsed
