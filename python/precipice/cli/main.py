"""The command `precipice`: finds its subcommands lazily and turns errors into one line."""

from __future__ import annotations

import ast
import importlib
import io
import sys
from typing import Any

import click

from precipice.errors import InvalidArgument

_COMMANDS = ("compare", "run", "ensemble", "sweep", "plot", "reproduce", "bench", "info")

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130
# click 8.2 and later raise it, where earlier ones print the help themselves.
_NO_ARGUMENTS: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())


class Precipice(click.Group):
    """A group whose commands live in one file each and are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they are useful."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, importing its file."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"precipice.cli.{cmd_name}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def main(self, *args: Any, **keywords: Any) -> Any:
        """Run a command: exit 0 when done, 2 on bad input, 130 when interrupted.

        Every error is one line on stderr that names what was wrong; a traceback is a bug.
        """
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                # A terminal that cannot show η or ‖z‖² must not end a finished run.
                stream.reconfigure(errors="replace")
        keywords["standalone_mode"] = False
        try:
            code = super().main(*args, **keywords)
        except _NO_ARGUMENTS as error:
            click.echo(error.ctx.get_help())
            code = DONE
        except (InvalidArgument, click.ClickException) as error:
            _complain(_one_line(error))
            code = BAD_INPUT
        except MemoryError:
            _complain("memory: this machine has not enough of it; record less often")
            code = BAD_INPUT
        except OSError as error:
            _complain(f"{error.filename or 'out'}: {error.strerror or error}")
            code = BAD_INPUT
        except RuntimeError as error:
            if not str(error).startswith("device: "):  # as the core says of a GPU that fails
                raise
            _complain(" ".join(str(error).split()))
            code = BAD_INPUT
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted; nothing was saved.", err=True)
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else DONE)


def _complain(message: str) -> None:
    """Write the one line an error is."""
    click.echo(f"Error: {message}", err=True)


def _one_line(error: InvalidArgument | click.ClickException) -> str:
    """Return an error's message without line breaks, with the help that applies to it."""
    message = error.format_message() if isinstance(error, click.ClickException) else str(error)
    context = getattr(error, "ctx", None)
    refused = _refused_value(error) if isinstance(error, click.BadParameter) else None
    if refused is not None:
        message = str(refused)
    elif isinstance(error, click.UsageError) and context is not None:
        message += f" (see '{context.command_path} --help')"
    return " ".join(message.split())


def _refused_value(error: click.BadParameter) -> InvalidArgument | None:
    """Return in the library's words what click says of a value; None where it says more.

    Click keeps the value only in its message: "'1.5' is not a valid integer."
    """
    value, separator, _ = error.message.rpartition(" is not ")
    if error.param is None or not separator:
        return None
    rule = _rule(error.param.type)
    if value[:1] in ("'", '"'):
        value = ast.literal_eval(value)
    return InvalidArgument(str(error.param.name), value, rule) if rule else None


def _rule(kind: click.ParamType[Any]) -> str | None:
    """Return what a kind of parameter accepts, in words."""
    if isinstance(kind, click.Choice):
        *others, last = map(str, kind.choices)
        return f"must be {', '.join(others)} or {last}" if others else f"must be {last}"
    if isinstance(kind, click.types.IntParamType):
        smallest = getattr(kind, "min", None)
        least = "" if smallest is None else f" of at least {smallest}"
        return f"must be an integer{least}"
    return "must be a number" if isinstance(kind, click.types.FloatParamType) else None


@click.group(
    cls=Precipice,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "show_default": True,
    },
    epilog="Without arguments, 'precipice compare' trains the three-parameter problem fig6 at "
    "seven precisions and shows which runs survive.",
)
@click.version_option(package_name="precipice", message="%(package)s %(version)s")
def main() -> None:
    """Gradient-descent training at any floating-point precision.

    precipice runs one training program in float32, float64 and MPFR formats of up to 100000
    bits, rounding for rounding, and shows when and how precision changes what happens.
    """
