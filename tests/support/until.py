"""Waiting for what another process brings about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import aiohttp

T = TypeVar("T")


async def until(look: Callable[[], T]) -> T:
    """Look again and again until what is seen is true; return it."""
    while True:
        if found := look():
            return found
        await asyncio.sleep(0.02)


async def answered(session: aiohttp.ClientSession, path: str, wanted: Callable[[int, str], bool]) -> str:
    """Ask again and again until status and text of the answer are as wanted; return the text."""
    while True:
        async with session.get(path) as response:
            text = await response.text()
            if wanted(response.status, text):
                return text
        await asyncio.sleep(0.02)
