"""A name typed in one Unicode form means the file whose name is in the other, as Macs write it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from soulspot.library.scan import Walk
from soulspot.text import as_on_disk, composed, spellings
from tests.library.audio import flac
from tests.support.flow import rows, soulspot, write_config

NAMES = ("Beyoncée", "Sigur Rós", "Björk", "Dvořák", "Việt Nam", "Ёлка", "Й", "がらくた", "각하", "Ångström (Ω)")


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("typed", "stored"), [(nfc, nfd), (nfd, nfc)])
def test_include_and_exclude_name_a_folder_in_either_form(
    tmp_path: Path, name: str, typed: Callable[[str], str], stored: Callable[[str], str]
) -> None:
    for folder in (stored(name), "Other"):
        (tmp_path / folder / "deep").mkdir(parents=True)
        flac(tmp_path / folder / "deep" / f"{stored('é')}.flac")

    def folders(**rules: list[str]) -> list[str]:
        found = Walk([os.fsencode(tmp_path)], **rules)
        return sorted(os.fsdecode(one.path).split("/")[-3] for one in found)

    assert folders(exclude=[typed(name)]) == ["Other"]
    assert folders(include=[f"{typed(name)}/**"]) == [stored(name)]
    assert folders(include=[typed(f"{name[:1]}*")]) == [stored(name)]
    assert folders(exclude=[typed("*é.flac")]) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_spelled_as_on_the_disk(tmp_path: Path, name: str) -> None:
    (tmp_path / nfd(name) / "Plain" / nfc(name)).mkdir(parents=True)
    there = os.fsencode(tmp_path / nfd(name) / "Plain" / nfc(name))
    for one in (nfc, nfd):
        for other in (nfc, nfd):
            assert as_on_disk(os.fsencode(tmp_path / one(name) / "Plain" / other(name))) == there
    nowhere = os.fsencode(tmp_path / nfc(name) / "None" / "x.flac")
    assert as_on_disk(nowhere) in (nowhere, os.fsencode(tmp_path / nfd(name) / "None" / "x.flac"))
    assert {os.fsencode(nfc(name)), os.fsencode(nfd(name))} <= set(spellings(os.fsencode(nfd(name))))


def test_of_two_files_that_look_the_same_neither_is_taken_for_the_other(tmp_path: Path) -> None:
    for form in (nfc, nfd):
        flac(tmp_path / f"{form('é')}.flac")
    for form in (nfc, nfd):
        path = os.fsencode(tmp_path / f"{form('é')}.flac")
        assert as_on_disk(path) == path


def test_a_name_that_is_not_utf8_and_a_path_of_many_parts_stay_as_they_are(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9"
    assert (as_on_disk(raw), composed(b"caf\xe9")) == (raw, "caf\udce9")
    long = os.fsencode(tmp_path) + "/é".encode() * 1300
    assert as_on_disk(long) == long


async def test_settings_and_commands_take_either_form_of_a_name(tmp_path: Path) -> None:
    library = tmp_path / nfd("Müsik")
    (library / nfd("Beyoncée")).mkdir(parents=True)
    (library / nfd("Hörspiel")).mkdir()
    song = flac(library / nfd("Beyoncée") / nfd("Café.flac"))
    flac(library / nfd("Hörspiel") / "a.flac")
    values = {
        "database.path": str(tmp_path / "soulspot.db"), "providers.musicbrainz.contact": "tests@example.org",
        "library.paths": [str(tmp_path / nfc("Müsik"))], "library.exclude": [nfc("Hörspiel")],
    }  # fmt: skip
    config = write_config(tmp_path / "config.toml", values)
    typed = str(tmp_path / nfc("Müsik") / nfc("Beyoncée") / nfc("Café.flac"))
    assert (await soulspot("scan", "--config", config)).code == 0
    found = rows(tmp_path / "soulspot.db", "SELECT path FROM tracks")
    assert [one["path"] for one in found] == [os.fsencode(song)]
    for arguments in (("scan", typed), ("review", "show", typed)):
        ended = await soulspot(*arguments, "--config", config)
        assert ended.code == 0, ended.err
    assert len(rows(tmp_path / "soulspot.db", "SELECT path FROM tracks")) == 1
    song.unlink()
    ended = await soulspot("review", "show", typed, "--config", config)
    assert ended.code == 0, ended.err
