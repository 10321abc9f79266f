"""Habits of filing: albums and versions as people name them, folders, and the lengths of rips."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from random import Random

from benchmarks.libraries.truth import hidden_version
from benchmarks.libraries.untidy import Habits, slip
from soulspot.sandbox import Recording, Release

_SHELVES = ("Downloads", "Music/New Folder (2)", "Unsorted", "phone backup", "usb/MUSIC", "from laptop/mp3")
_SHORT_MS = 10_000  # shorter tracks are ripped to the tenth of a second


def album_as_filed(rng: Random, habits: Habits, release: Release) -> str:
    """Return the album tag: a third of box sets names the disc, some albums an edition."""
    title = habits.album(release.title)
    title = slip(rng, title) if rng.random() < 0.02 else title
    if release.primary_type == "EP" and rng.random() < 0.3:
        title += " EP"
    elif len(release.media) > 1 and rng.random() < 0.3:
        title += rng.choice((" [Disc 1]", " (Disc 1)", " CD1"))
    elif rng.random() < 0.1:
        year = release.date[:4] or "1999"
        title += rng.choice((" (Deluxe Edition)", " [Remastered]", f" [{year}]", " (Expanded)"))
    return habits.spell(title)


def album_artist_as_filed(rng: Random, habits: Habits, release: Release) -> str | None:
    """Return the album artist tag: none in three of ten files, a wrong one in one of ten."""
    luck = rng.random()
    if luck < 0.3:
        return None
    if luck < 0.4:
        return rng.choice(("Various Artists", "Unknown Artist", "VA"))
    if is_various(release):
        return rng.choice(("Various Artists", "Various", "VA"))
    return habits.spell(habits.artist(release.credit[0]))


def album_folder(rng: Random, habits: Habits, release: Release) -> PurePosixPath:
    """Return a folder that names the album, in one of the usual shapes."""
    artist, title, year = habits.artist(release.credit[0]), habits.album(release.title), release.date[:4]
    if is_various(release):
        return PurePosixPath(rng.choice(("Various Artists", "VA", "Compilations")), safe(title))
    shapes = [(artist, title), (f"{artist} - {title}",)]
    if year:
        shapes += [(artist, f"{title} ({year})"), (artist, f"{year} - {title}")]
    return PurePosixPath(*(safe(part) for part in rng.choice(shapes)))


def shelf(rng: Random) -> PurePosixPath:
    """Return a folder whose name says nothing about the music."""
    return PurePosixPath(rng.choice(_SHELVES), f"rip{rng.randrange(10_000):04d}")


def is_various(release: Release) -> bool:
    return "Compilation" in release.secondary_types


def version_in_words(rng: Random, recording: Recording) -> tuple[str, str] | None:
    """Return (suffix of the title, version) for a version that only the comment on MusicBrainz
    tells.

    None where there is no such version, or where people often leave it out: singles, later
    editions."""
    hidden, comment = hidden_version(recording), recording.disambiguation
    if "live" in hidden:
        place = comment.partition(": ")[2]
        phrases = [(" (live)", ""), (" [Live]", ""), (" - Live", "")]
        phrases += [(f" (Live at {place})", place), (f" - Live in {place}", place)] if place else []
        return rng.choice(phrases)
    if "demo" in hidden:
        return rng.choice(((" (demo)", ""), (" (Demo Version)", "")))
    if hidden & {"remaster", "rerecording"} and rng.random() < 0.7:
        year = (re.search(r"\d{4}", comment) or [""])[0]
        word = "Remaster" if "remaster" in hidden else "Re-Recording"
        return f" ({year} {word})", year
    if "single version" in hidden and rng.random() < 0.5:
        return " (Single Version)", ""
    return None


def heard(rng: Random, true_ms: int) -> tuple[int | None, list[str]]:
    """Return (length of a file in ms, trait): 2 % unknown, 2 % about 5 s off by another master, the
    others up to 2 s off, most of them up to half a second."""
    luck = rng.random()
    if luck < 0.02:
        return None, ["no length"]
    if true_ms < _SHORT_MS:
        return true_ms + rng.randrange(-100, 101), []
    if luck < 0.04:
        return true_ms + rng.choice((-1, 1)) * rng.randrange(4000, 5500), ["5 s off"]
    spread = 2000 if luck < 0.35 else 500
    return true_ms + rng.randrange(-spread, spread + 1), []


def safe(name: str) -> str:
    """Return a name for any file system: no separators, printable, at most 120 bytes."""
    kept = "".join("_" if c in '/\\:*?"<>|' else c for c in name if c.isprintable())
    return kept.encode()[:120].decode(errors="ignore").strip(" .") or "Untitled"
