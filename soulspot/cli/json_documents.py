"""Commands whose `--json` prints one JSON document to stdout, however they end."""

import contextlib
import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from soulspot.terminal.console import collected_complaints, hints_for
from soulspot.text import visible

Function = TypeVar("Function", bound=Callable[..., Any])
FLAG, USAGE = "--json", 2
# typer shows an argument's type behind its name: PATH <list[Path]>
_TYPE = re.compile(r" <[^<>]*>$")


def error_document(problems: Sequence[str], code: int) -> str:
    """Return the JSON of a command that failed: `error`, `problems` and `exit_code`."""
    named = list(problems) or [f"ended with exit code {code}"]
    return json.dumps({"error": "; ".join(named), "problems": named, "exit_code": code})


@contextlib.contextmanager
def usage_errors_as_documents(args: Sequence[str]) -> Iterator[None]:
    """Print a usage error raised inside the `with` as JSON, too, if `--json` is in `args`."""
    # looked at first: parsing takes the options out of `args`
    wants_json = FLAG in args
    try:
        yield
    except TyperException as error:
        if wants_json:
            print(error_document([error.format_message()], USAGE))
        # typer prints it to stderr: it quotes the command line, in which names of files stand
        error.message = visible(error.message)
        raise


class OneDocumentGroup(TyperGroup):
    """A group of commands that answers an unknown command with a document when `--json` follows."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with usage_errors_as_documents(args):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        with usage_errors_as_documents(args):
            return super().resolve_command(ctx, args)


class OneDocument(TyperCommand):
    """A command that prints under `--json` its own document, or else the document of an error.

    Its help names arguments without braces and Python's types."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        arguments = [one for one in self.get_params(ctx) if one.param_type_name == "argument"]
        shown = [(one, record) for one in arguments if (record := one.get_help_record(ctx))]
        return ["[OPTIONS]", *(_usage_piece(one, record[0]) for one, record in shown)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for title in ("Arguments", "Options"):
            shown = [one for one in self.get_params(ctx) if f"{one.param_type_name}s" == title.lower()]
            records = [record for one in shown if (record := one.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl([(_TYPE.sub("", name), help_) for name, help_ in records])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with usage_errors_as_documents(args):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with hints_for(getattr(ctx.find_root().command, "commands", ()), ctx.params.get("config")):
            return self._invoke(ctx)

    def _invoke(self, ctx: Any) -> Any:
        if not ctx.params.get("json_"):
            return super().invoke(ctx)
        # held back until the end: half a document, or two of them, could not be parsed
        held = io.StringIO()
        try:
            with collected_complaints() as complaints, contextlib.redirect_stdout(held):
                result = super().invoke(ctx)
        except typer.Exit as end:
            failed = f"{error_document(complaints, end.exit_code)}\n" if end.exit_code else ""
            sys.stdout.write(held.getvalue() or failed)
            raise
        except Exception as error:
            print(error_document([f"{type(error).__name__}: {error}"], 1))
            raise
        sys.stdout.write(held.getvalue())
        return result


def _usage_piece(argument: Any, shown: str) -> str:
    name = _TYPE.sub("", shown) + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


class Commands(typer.Typer):
    """One command, or a group of commands, that keep the promise of `--json`."""

    def __init__(self, *, cls: type[OneDocumentGroup] = OneDocumentGroup, **more: Any) -> None:
        super().__init__(
            cls=cls,
            no_args_is_help=True,
            add_completion=False,
            rich_markup_mode=None,
            # a traceback with the values of variables would show secrets
            pretty_exceptions_enable=False,
            pretty_exceptions_show_locals=False,
            **more,
        )

    def command(self, name: str | None = None, **more: Any) -> Callable[[Function], Function]:
        """Return a decorator that makes a function a command of this group."""
        return super().command(name, cls=OneDocument, **more)
