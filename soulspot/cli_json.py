"""`--json` keeps its word: one JSON document on stdout however a command ends, an error as much as a result."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from soulspot.console import complaints

Function = TypeVar("Function", bound=Callable[..., Any])
FLAG, USAGE = "--json", 2


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
    """A command whose stdout under `--json` is its own document, or else an error's."""

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


class Commands(typer.Typer):
    """A group of such commands."""

    def __init__(self, **more: Any) -> None:
        super().__init__(cls=OneDocumentGroup, **more)

    def command(self, name: str | None = None, **more: Any) -> Callable[[Function], Function]:
        return super().command(name, cls=OneDocument, **more)
