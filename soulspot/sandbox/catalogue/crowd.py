"""The 120 other recordings of a popular title: live takes, covers, karaoke, remixes, edits and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from soulspot.sandbox.catalogue import ids, words
from soulspot.sandbox.catalogue.build import Builder, Draft
from soulspot.sandbox.catalogue.values import Artist, Credit, CreditedName

_LIVE, _COVERS, _KARAOKE, _REMIXES, _EDITS, _AGAIN = 45, 38, 12, 12, 8, 5
CROWD = _LIVE + _COVERS + _KARAOKE + _REMIXES + _EDITS + _AGAIN


def crowd(out: Builder, rng: Random, original: Draft, acts: Sequence[Artist], at: int) -> None:
    """Add the crowd around `original`, each with a release of its own; `acts` lend the covers their names."""
    karaoke = out.add_artist(
        Artist(out.mbid("karaoke", at), None, f"Karaoke Stars {at + 1}", f"Karaoke Stars {at + 1}")
    )
    for n in range(CROWD):
        mbid = out.mbid("crowd", at, n)
        draft = _member(rng, original, acts, karaoke, n, mbid)
        out.add_recording(draft)
        out.cases["crowd"].append(mbid)
        year = 1985 + ids.number(mbid) % 40
        live = n < _LIVE
        spotify_id = ids.spotify_id("crowd", mbid) if n % 3 == 0 and out.at_spotify(draft.credit) else None
        release = out.add_release(
            f"crowd {at} {n}",
            f"Live at {rng.choice(words.PLACES)}, {year}" if live else draft.title,
            draft.credit,
            [[draft]],
            date=f"{year}-{n % 12 + 1:02d}-01",
            primary_type="Album" if live else "Single",
            secondary_types=("Live",) if live else ("Remix",) if "remix" in draft.title else (),
            format="Digital Media",
            country="XW",
            label=words.LABELS[n % len(words.LABELS)],
            spotify_id=spotify_id,
        )
        out.press_at_spotify(release, [[draft]])


def _member(
    rng: Random, original: Draft, acts: Sequence[Artist], karaoke: Artist, n: int, mbid: str
) -> Draft:
    title, credit = original.title, original.credit
    length = original.true_ms + rng.randrange(-20_000, 45_000)
    version, disambiguation = "", ""
    if n < _LIVE:
        place, year = rng.choice(words.PLACES), 1985 + n % 40
        version, disambiguation = f"Live at {place}", f"live, {year}-0{n % 9 + 1}-1{n % 10}: {place}"
    elif (n := n - _LIVE) < _COVERS:
        other = rng.choice(acts)
        credit = _by(other)
        if other is original.credit[0].artist:
            version = disambiguation = "Demo"
    elif (n := n - _COVERS) < _KARAOKE:
        title = (
            f"{title} (karaoke version)" if n % 2 else f"{title} (in the style of {original.credit[0].name})"
        )
        credit = _by(karaoke)
    elif (n := n - _KARAOKE) < _REMIXES:
        remixer = rng.choice(words.FAMILY)
        title, version, length = f"{title} ({remixer} remix)", f"{remixer} Remix", length + 90_000
    elif (n := n - _REMIXES) < _EDITS:
        kind = ("radio edit", "instrumental", "extended mix", "acoustic")[n % 4]
        title, version = f"{title} ({kind})", kind.title()
        length += {"radio edit": -30_000, "extended mix": 150_000}.get(kind, 0)
    else:  # remasters and re-recordings: the same name, artist and very nearly the same length
        year = 2005 + 3 * n
        version = f"{year} {'Remaster' if n % 2 else 'Version'}"
        disambiguation = f"{year} {'remaster' if n % 2 else 're-recording'}"
        length = original.true_ms + rng.randrange(-1500, 1500)
    isrc = ids.isrc(1985 + n % 40, mbid)
    return Draft(
        mbid, title, credit, max(length, 30_000), isrc, [isrc] if n % 2 else [], version=version,
        disambiguation=disambiguation, timed=n % 10 != 9,
        spotify_title=f"{original.title} - {version}" if version else None,
    )  # fmt: skip


def _by(artist: Artist) -> Credit:
    return (CreditedName(artist, artist.name),)
