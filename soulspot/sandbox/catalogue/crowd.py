"""The 120 other recordings of a popular title: live takes, covers, karaoke, remixes and more."""

from collections.abc import Sequence
from random import Random

from soulspot.sandbox.catalogue import ids, words
from soulspot.sandbox.catalogue.build import Builder, Draft, ReleaseDraft, sole_credit
from soulspot.sandbox.catalogue.values import Artist

_LIVE, _COVERS, _KARAOKE, _REMIXES, _EDITS, _REMAKES = 45, 38, 12, 12, 8, 5
_SIZE = _LIVE + _COVERS + _KARAOKE + _REMIXES + _EDITS + _REMAKES


def add_crowd(out: Builder, rng: Random, original: Draft, acts: Sequence[Artist], at: int) -> None:
    """Add the crowd around `original`, popular title number `at`, with covers by random `acts`."""
    name = f"Karaoke Stars {at + 1}"
    karaoke = out.add_artist(Artist(out.mbid("karaoke", at), None, name, name))
    for n in range(_SIZE):
        mbid = out.mbid("crowd", at, n)
        draft = out.add_recording(_member(rng, original, acts, karaoke, n, mbid))
        out.cases["crowd"].append(mbid)
        year = 1985 + ids.number(mbid) % 40
        is_live = n < _LIVE
        # Spotify has every third of them; the karaoke act is not at Spotify at all.
        at_spotify = n % 3 == 0 and out.credit_at_spotify(draft.credit)
        out.publish(
            ReleaseDraft(
                f"crowd {at} {n}", f"Live at {rng.choice(words.PLACES)}, {year}" if is_live else draft.title,
                draft.credit, [[draft]], f"{year}-{n % 12 + 1:02d}-01", "Album" if is_live else "Single",
                secondary_types=("Live",) if is_live else ("Remix",) if "remix" in draft.title else (),
                format="Digital Media", country="XW", label=words.LABELS[n % len(words.LABELS)],
                spotify_id=ids.spotify_id("crowd", mbid) if at_spotify else None,
            )
        )  # fmt: skip


def _member(rng: Random, original: Draft, acts: Sequence[Artist], karaoke: Artist, n: int, mbid: str) -> Draft:
    """Return the draft of recording number `n`; its kind is the range that `n` falls into."""
    title, credit = original.title, original.credit
    length = original.true_ms + rng.randrange(-20_000, 45_000)
    version, disambiguation = "", ""
    if n < _LIVE:
        place, year = rng.choice(words.PLACES), 1985 + n % 40
        version, disambiguation = f"Live at {place}", f"live, {year}-0{n % 9 + 1}-1{n % 10}: {place}"
    elif (n := n - _LIVE) < _COVERS:
        other = rng.choice(acts)
        credit = sole_credit(other)
        # An artist does not cover themselves.
        if other is original.credit[0].artist:
            version = disambiguation = "Demo"
    elif (n := n - _COVERS) < _KARAOKE:
        note = "karaoke version" if n % 2 else f"in the style of {original.credit[0].name}"
        title, credit = f"{title} ({note})", sole_credit(karaoke)
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
        disambiguation=disambiguation, has_length=n % 10 != 9,
        spotify_title=f"{original.title} - {version}" if version else None,
    )  # fmt: skip
