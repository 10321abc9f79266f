"""Catalogues invented from a seed, with the awkward cases of real ones at fixed intervals."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from soulspot.sandbox.catalogue import ids, words
from soulspot.sandbox.catalogue.build import Builder, Draft, ReleaseDraft, no_garbage_collection, sole_credit
from soulspot.sandbox.catalogue.crowd import add_crowd
from soulspot.sandbox.catalogue.values import Artist, Catalogue, Credit, CreditedName, SpotifyTrack

# The kinds of release an artist makes, over and over; "compilation" draws from everybody.
_CYCLE = ("album", "single", "album", "compilation", "ep", "double", "live", "single", "album", "single")
_DISC_SIZES = {"ep": [5], "double": [12, 11]}  # albums have 8 to 13 tracks on one disc
_CROWD_EVERY = 2000
# Recordings number `first`, `first + every`, ... are an awkward case: (case, every, first). The
# intervals are prime, so that every combination of cases comes up in a large catalogue.
_AWKWARD = (
    ("no_length", 23, 11), ("two_isrcs", 29, 5), ("shared_isrc", 37, 8), ("merged", 31, 13),
    ("featured_in_title", 41, 17), ("dead_link", 43, 21), ("four_seconds", 97, 50),
    ("ninety_minutes", 101, 60), ("blank_title", 89, 70), ("remaster", 17, 3), ("video", 71, 40),
)  # fmt: skip


class Inventor:
    """Makes releases until there are enough recordings. A call of `rng` changes what follows it."""

    def __init__(self, seed: int, tracks: int) -> None:
        if tracks < 1:
            raise ValueError(f"a catalogue has at least one track, not {tracks}")
        self.seed, self.wanted = seed, tracks
        self.rng = Random(seed)
        self.out = Builder(seed)
        self.songs: dict[str, list[Draft]] = {}  # an artist's MBID -> the studio recordings they made
        self.scripts: dict[str, words.Script] = {}  # an artist's MBID -> the script of their titles
        self.popular: list[Draft] = []
        self.acts: list[Artist] = []

    def invent(self) -> Catalogue:
        turn = 0
        while self._room > 0:
            if turn % 2 == 0:
                self.act = self._add_artist(turn // 2)
            self._add_releases(turn, _CYCLE[turn % len(_CYCLE)])
            turn += 1
        for at, original in enumerate(self.popular):
            self.out.cases["popular"].append(original.mbid)
            add_crowd(self.out, self.rng, original, self.acts, at)
        placed = {track.recording_mbid for release in self.out.releases for track in release.tracks}
        self.out.cases["standalone"] = [d.mbid for d in self.out.drafts if d.mbid not in placed]
        self.out.cases["musicbrainz_only"] = [d.mbid for d in self.out.drafts if not d.spotify_ids]
        return self.out.finish()

    @property
    def _room(self) -> int:
        return self.wanted - len(self.out.drafts)

    def _add_artist(self, at: int) -> Artist:
        rng, mbid = self.rng, self.out.mbid("artist", at)
        country, kind, spotify_name, disambiguation = rng.choice(words.COUNTRIES), "Person", None, ""
        aliases: tuple[str, ...] = ()
        # Every third artist writes in another script; Spotify has half of them in Latin letters.
        if at % 3 == 2:
            script = words.SCRIPTS[at // 3 % len(words.SCRIPTS)]
            name, latin, sort_name = script.person(rng)
            self.scripts[mbid] = script
            country, aliases = script.country, (latin,) if latin != name else ()
            spotify_name = latin if at % 2 else None
            self.out.cases["artist_other_script"].append(mbid)
        elif at % 10 == 6:
            # A homonym: a different artist of the same name.
            twin = self.acts[at - 5]
            name, sort_name, kind = twin.name, twin.sort_name, twin.type
            disambiguation = f"{rng.choice(words.GENRES)} act from {rng.choice(words.PLACES)}"
            if twin.mbid in self.scripts:
                self.scripts[mbid] = self.scripts[twin.mbid]
            self.out.cases["artist_homonym"] += [twin.mbid, mbid]
        elif at % 3 == 1:
            name, sort_name = words.person(rng)
        else:
            name, sort_name = words.band(rng)
            kind = "Group"
            if at % 6 == 0:
                aliases = (name.removeprefix("The ").upper(),)
        artist = Artist(
            mbid, ids.spotify_id(mbid), name, sort_name, aliases, disambiguation, country, kind, self._tags()
        )
        self.acts.append(artist)
        self.songs[mbid] = []
        return self.out.add_artist(artist, spotify_name)

    def _tags(self) -> tuple[tuple[str, int], ...]:
        rng = self.rng
        chosen = rng.sample(words.GENRES, rng.randrange(4)) + rng.sample(words.TAGS, rng.randrange(2))
        return tuple((tag, rng.randrange(1, 20)) for tag in chosen)

    def _add_releases(self, turn: int, kind: str) -> None:
        """Add one release of a kind in `_CYCLE`, and to some albums a later edition."""
        rng, act = self.rng, self.act
        year = 1965 + ids.number(self.seed, "year", turn) % 60
        credit = sole_credit(act)
        secondary: tuple[str, ...] = ()
        primary, title = "Album", self._title(act)[0]
        if kind == "compilation":
            # A compilation draws from recordings that exist: the first turns have too few.
            if len(self.out.drafts) < 12:
                return
            title = f"{rng.choice(words.GENRES).title()} Hits {year}"
            credit, secondary = self.out.various, ("Compilation",)
            discs = [rng.sample(self.out.drafts, min(16, len(self.out.drafts)))]
        elif kind == "single":
            primary, discs = "Single", [self._single_tracks(act, min(self._room, 3), year)]
            title = discs[0][0].title.split(" (")[0]
        elif kind == "live":
            place = rng.choice(words.PLACES)
            title, secondary, note = f"Live in {place}", ("Live",), f"live, {year}: {place}"
            songs = self.songs[act.mbid][: min(self._room, 10)] or [self._add_song(act, year)]
            discs = [[self._add_version(song, title, disambiguation=note) for song in songs]]
        else:
            sizes = _DISC_SIZES.get(kind, [rng.randrange(8, 14)])
            primary = "EP" if kind == "ep" else "Album"
            discs = [[self._add_song(act, year) for _ in range(min(size, self._room))] for size in sizes]
            discs = [disc for disc in discs if disc]
        date = f"{year}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 28):02d}"
        label, country, tags = rng.choice(words.LABELS), rng.choice(words.COUNTRIES), self._tags()
        draft = ReleaseDraft(
            turn, title, credit, discs,
            date={4: date[:7], 8: date[:4]}.get(turn % 9, date),
            primary_type=primary, secondary_types=secondary, format=rng.choice(words.FORMATS),
            country=country, label=label, tags=tags,
            spotify_id=ids.spotify_id(self.seed, "album", turn) if turn % 7 != 6 else None,
        )  # fmt: skip
        self.out.publish(draft, self._spotify_only(turn, discs, draft.spotify_id))
        if kind in ("album", "double") and turn % 5 in (0, 3):
            self._add_later_edition(turn, draft, f"{min(year + 20, 2025)}-03-01")

    def _add_later_edition(self, turn: int, first: ReleaseDraft, date: str) -> None:
        last = first.discs[-1]
        bonus = [self._add_version(song, "Acoustic") for song in last[:2] if self._room]
        edition = replace(
            first, key=f"{turn}+", discs=[*first.discs[:-1], [*last, *bonus]], date=date, group=turn,
            group_first_date=first.date, format="Digital Media", country="XW",
            disambiguation="deluxe edition" if bonus else "",
            spotify_id=ids.spotify_id(self.seed, "again", turn),
        )  # fmt: skip
        self.out.publish(edition)

    def _spotify_only(self, turn: int, discs: Sequence[Sequence[Draft]], album_id: str | None) -> list[SpotifyTrack]:
        """Return a bonus track that only Spotify has, and note it as a case, if `turn` is even,
        `album_id` is given and the last disc has at least four tracks; else nothing."""
        if album_id is None or turn % 2 or len(discs[-1]) < 4:
            return []
        track_id = ids.spotify_id(album_id, "only")
        self.out.cases["spotify_only"].append(track_id)
        return [
            SpotifyTrack(
                track_id, f"{words.title(self.rng)} - Bonus Track",
                self.out.credit_at_spotify(discs[-1][0].credit), album_id, self.rng.randrange(120_000, 320_000),
                ids.isrc(2020, track_id), len(discs[-1]) + 1, len(discs), popularity=self.rng.randrange(40),
            )
        ]  # fmt: skip

    def _title(self, act: Artist) -> tuple[str, tuple[str, ...]]:
        script = self.scripts.get(act.mbid)
        if script is None:
            return words.title(self.rng), ()
        title, latin = script.title(self.rng)
        return title, (latin,) if latin != title else ()

    def _add_song(self, act: Artist, year: int) -> Draft:
        """Add the next studio recording; its number decides which awkward cases it is."""
        at, out, rng = len(self.out.drafts), self.out, self.rng
        title, aliases = self._title(act)
        credit: Credit = sole_credit(act)
        if at % 11 == 4 and len(self.acts) > 1:
            guest = rng.choice([a for a in self.acts[-8:] if a is not act])
            credit = (CreditedName(act, act.name, (" feat. ", " & ")[at % 2]), *sole_credit(guest))
            out.cases["featured"].append(out.mbid("recording", at))
        draft = self._add_draft(title, credit, rng.randrange(140_000, 330_000), year)
        draft.aliases = aliases
        # A small catalogue would be nothing but its crowd.
        if self.wanted >= 100 and at % _CROWD_EVERY == 7:
            draft.title, draft.aliases = words.POPULAR[len(self.popular) % len(words.POPULAR)], ()
            self.popular.append(draft)
        else:
            for case, every, first in _AWKWARD:
                if at % every == first:
                    out.cases[case].append(draft.mbid)
                    self._make_awkward(case, at, draft, year)
        self.songs[act.mbid].append(draft)
        return draft

    def _add_draft(self, title: str, credit: Credit, length: int, year: int) -> Draft:
        """Add a recording; MusicBrainz does not know the ISRC of one in three."""
        at = len(self.out.drafts)
        mbid = self.out.mbid("recording", at)
        isrc = ids.isrc(year, mbid)
        is_known = at % 3 != 1
        draft = Draft(mbid, title, credit, length, isrc, [isrc] if is_known else [], tags=self._tags())
        if not is_known:
            self.out.cases["isrc_unknown"].append(mbid)
        return self.out.add_recording(draft)

    def _make_awkward(self, case: str, at: int, draft: Draft, year: int) -> None:
        match case:
            case "no_length":
                draft.has_length = False
            case "two_isrcs":
                draft.isrcs = [draft.isrc or "", ids.isrc(year + 1, draft.mbid, 2)]
            case "shared_isrc":
                # Two recordings with one ISRC, as careless labels assign them.
                twin = self.out.drafts[at - 1]
                draft.isrc = twin.isrc
                draft.isrcs = [draft.isrc or ""]
                twin.isrcs = twin.isrcs or [draft.isrc or ""]
            case "merged":
                draft.merged_mbids = [ids.mbid(draft.mbid, "old", n) for n in range(1 + at % 2)]
            case "featured_in_title":
                draft.title = f"{draft.title} (feat. {self.rng.choice(words.GIVEN)})"
            case "dead_link":
                draft.dead_ids = [ids.spotify_id(draft.mbid, "dead")]
                draft.url_ids = list(draft.dead_ids)
            case "four_seconds":
                draft.true_ms = 4_000
            case "ninety_minutes":
                draft.true_ms = 5_400_000 + at % 1000
            case "blank_title":
                draft.title, draft.aliases, draft.spotify_title = "[untitled]", (), ""
            case "remaster":
                draft.version = f"{year + 25} Remaster"
            case "video":
                draft.video = True

    def _single_tracks(self, act: Artist, room: int, year: int) -> list[Draft]:
        """Add the single version of an album track, a B-side and an instrumental, if they fit."""
        songs = self.songs[act.mbid]
        if not songs:
            return [self._add_song(act, year) for _ in range(room)]
        hit = self.rng.choice(songs)
        single = [self._add_version(hit, "Single Version", cut=0.8, disambiguation="single version")]
        if room > 1:
            single.append(self._add_song(act, year))
        if room > 2:
            single.append(self._add_version(hit, "Instrumental", title=f"{hit.title} (instrumental)"))
        self.out.cases["single_version"].append(single[0].mbid)
        return single

    def _add_version(
        self, song: Draft, version: str, *, cut: float = 1.03, title: str | None = None, disambiguation: str = ""
    ) -> Draft:
        """Add another recording of a song, told by its disambiguation or else by its title."""
        name = title or (song.title if disambiguation else f"{song.title} ({version.lower()})")
        year = 1980 + len(self.out.drafts) % 45
        length = int(song.true_ms * cut) + self.rng.randrange(3000)
        draft = self._add_draft(name, song.credit, length, year)
        draft.version, draft.disambiguation = version, disambiguation
        draft.spotify_title = f"{song.title_at_spotify().split(' - ')[0]} - {version}"
        self.out.cases["version"].append(draft.mbid)
        return draft


def invent_catalogue(seed: int, tracks: int) -> Catalogue:
    """Invent a catalogue of `tracks` ordinary recordings, the same for the same arguments.

    From 100 tracks on, every 2,000 tracks begun bring one popular title with 120 recordings more,
    so that there are more recordings than `tracks`. Raises ValueError below 1."""
    with no_garbage_collection():
        return Inventor(seed, tracks).invent()
