"""What stands around a name: albums and versions as people file them, folders, and lengths as people rip."""

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
    """The album tag: one in three box sets names the disc, some albums an edition."""
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
    """The album artist tag: three in ten have none, one in ten has a wrong one."""
    luck = rng.random()
    if luck < 0.3:
        return None
    if luck < 0.4:
        return rng.choice(("Various Artists", "Unknown Artist", "VA"))
    if is_various(release):
        return rng.choice(("Various Artists", "Various", "VA"))
    return habits.spell(habits.artist(release.credit[0]))


def album_folder(rng: Random, habits: Habits, release: Release) -> PurePosixPath:
    """A folder that tells the album, in one of the usual shapes."""
    artist, title, year = habits.artist(release.credit[0]), habits.album(release.title), release.date[:4]
    if is_various(release):
        return PurePosixPath(rng.choice(("Various Artists", "VA", "Compilations")), safe(title))
    shapes = [(artist, title), (f"{artist} - {title}",)]
    if year:
        shapes += [(artist, f"{title} ({year})"), (artist, f"{year} - {title}")]
    return PurePosixPath(*(safe(part) for part in rng.choice(shapes)))


def shelf(rng: Random) -> PurePosixPath:
    """A folder whose name is of no help."""
    return PurePosixPath(rng.choice(_SHELVES), f"rip{rng.randrange(10_000):04d}")


def is_various(release: Release) -> bool:
    return "Compilation" in release.secondary_types


def version_in_words(rng: Random, recording: Recording) -> tuple[str, str] | None:
    """(what to put behind the title, which one it names) for versions told by MusicBrainz' comment alone.

    None where there is no such version, or where people often do not say: singles, later editions."""
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
    """(length of a file in ms, what is awkward about it): 2% are unknown, 2% from another master, about 5 s off,
    and the others up to 2 s, most of them up to half a second."""
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
    """A name that every file system takes: no separators, nothing unprintable, at most 120 bytes."""
    kept = "".join("_" if c in '/\\:*?"<>|' else c for c in name if c.isprintable())
    return kept.encode()[:120].decode(errors="ignore").strip(" .") or "Untitled"
