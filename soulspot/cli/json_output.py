"""`--json` keeps its word: one JSON document on stdout however a command ends, an error as much as a result."""

from __future__ import annotations

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

from soulspot.cli.console import complaints

Function = TypeVar("Function", bound=Callable[..., Any])
FLAG, USAGE = "--json", 2
_TYPE = re.compile(r" <[^<>]*>$")  # how an argument's type is shown: PATH <list[Path]>


def error_document(problems: Sequence[str], code: int) -> str:
    """What `--json` prints of a command that has nothing else to print: every problem, and the exit code."""
    said = list(problems) or [f"ended with exit code {code}"]
    return json.dumps({"error": "; ".join(said), "problems": said, "exit_code": code})


@contextlib.contextmanager
def wrong_usage(args: Sequence[str]) -> Iterator[None]:
    """What is wrong with these arguments is a document too, when `--json` is one of them."""
    asked = FLAG in args  # now: parsing takes them out
    try:
        yield
    except TyperException as error:
        if asked:
            print(error_document([error.format_message()], USAGE))
        raise


class OneDocumentGroup(TyperGroup):
    """A group of commands whose stdout is an error's document when `--json` follows what is no command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with wrong_usage(args):
            return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        with wrong_usage(args):
            return super().resolve_command(ctx, args)


class OneDocument(TyperCommand):
    """A command whose stdout under `--json` is its own document, or else an error's.

    Its help names arguments as people do, without braces and the types of Python."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        arguments = [one for one in self.get_params(ctx) if one.param_type_name == "argument"]
        shown = [(one, record) for one in arguments if (record := one.get_help_record(ctx))]
        return ["[OPTIONS]", *(_piece(one, record[0]) for one, record in shown)]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        for title in ("Arguments", "Options"):
            shown = [one for one in self.get_params(ctx) if f"{one.param_type_name}s" == title.lower()]
            records = [record for one in shown if (record := one.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl([(_TYPE.sub("", name), help_) for name, help_ in records])

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with wrong_usage(args):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        if not ctx.params.get("json_"):
            return super().invoke(ctx)
        # Held back until the end: a document that an error cuts short, or follows, would be none.
        held, problems = io.StringIO(), complaints()
        try:
            with problems as said, contextlib.redirect_stdout(held):
                result = super().invoke(ctx)
        except typer.Exit as end:
            sys.stdout.write(
                held.getvalue() or (f"{error_document(said, end.exit_code)}\n" if end.exit_code else "")
            )
            raise
        except Exception as error:
            print(error_document([f"{type(error).__name__}: {error}"], 1))
            raise
        sys.stdout.write(held.getvalue())
        return result


def _piece(argument: Any, shown: str) -> str:
    name = _TYPE.sub("", shown) + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


class Commands(typer.Typer):
    """A group of such commands."""

    def __init__(self, **more: Any) -> None:
        super().__init__(cls=OneDocumentGroup, **more)

    def command(self, name: str | None = None, **more: Any) -> Callable[[Function], Function]:
        return super().command(name, cls=OneDocument, **more)
