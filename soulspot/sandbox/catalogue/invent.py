"""Invents a catalogue of any size from a seed, with the awkward cases of the real ones at fixed intervals."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from soulspot.sandbox.catalogue import ids, words
from soulspot.sandbox.catalogue.build import Builder, Draft, Parts, uncollected
from soulspot.sandbox.catalogue.crowd import crowd
from soulspot.sandbox.catalogue.values import Artist, Catalogue, Credit, CreditedName, SpotifyTrack

# The kinds of release an artist makes, over and over; "compilation" draws from everybody.
_CYCLE = ("album", "single", "album", "compilation", "ep", "double", "live", "single", "album", "single")
_CROWD_EVERY = 2000


class Inventor:
    """Makes releases one after the other until there are enough recordings."""

    def __init__(self, seed: int, tracks: int) -> None:
        if tracks < 1:
            raise ValueError(f"a catalogue has at least one track, not {tracks}")
        self.seed, self.wanted = seed, tracks
        self.rng = Random(seed)
        self.out = Builder(seed)
        self.songs: dict[str, list[Draft]] = {}  # an artist's MBID -> the studio recordings they made
        self.latin: dict[str, words.Script] = {}
        self.popular: list[Draft] = []
        self.acts: list[Artist] = []

    def run(self) -> Parts:
        turn = 0
        while len(self.out.drafts) < self.wanted:
            if turn % 2 == 0:
                self.act = self._artist(turn // 2)
            self._release(turn, _CYCLE[turn % len(_CYCLE)])
            turn += 1
        for at, original in enumerate(self.popular):
            self.out.cases["popular"].append(original.mbid)
            crowd(self.out, self.rng, original, self.acts, at)
        placed = {track.recording_mbid for release in self.out.releases for track in release.tracks}
        self.out.cases["standalone"] = [d.mbid for d in self.out.drafts if d.mbid not in placed]
        self.out.cases["musicbrainz_only"] = [d.mbid for d in self.out.drafts if not d.spotify_ids]
        return self.out.finish()

    def _artist(self, at: int) -> Artist:
        rng, mbid = self.rng, self.out.mbid("artist", at)
        country, kind, spotify_name, disambiguation = rng.choice(words.COUNTRIES), "Person", None, ""
        aliases: tuple[str, ...] = ()
        if at % 3 == 2:
            script = words.SCRIPTS[at // 3 % len(words.SCRIPTS)]
            name, latin, sort_name = script.person(rng)
            self.latin[mbid] = script
            country, aliases = script.country, (latin,) if latin != name else ()
            spotify_name = latin if at % 2 else None
            self.out.cases["artist_other_script"].append(mbid)
        elif at % 10 == 6:
            twin = self.acts[at - 5]
            name, sort_name, kind = twin.name, twin.sort_name, twin.type
            disambiguation = f"{rng.choice(words.GENRES)} act from {rng.choice(words.PLACES)}"
            if twin.mbid in self.latin:
                self.latin[mbid] = self.latin[twin.mbid]
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
        chosen = self.rng.sample(words.GENRES, self.rng.randrange(4)) + self.rng.sample(
            words.TAGS, self.rng.randrange(2)
        )
        return tuple((tag, self.rng.randrange(1, 20)) for tag in chosen)

    def _release(self, turn: int, kind: str) -> None:
        rng, act = self.rng, self.act
        room = self.wanted - len(self.out.drafts)
        year = 1965 + ids.number(self.seed, "year", turn) % 60
        credit: Credit = (CreditedName(act, act.name),)
        secondary: tuple[str, ...] = ()
        primary, title = "Album", self._title(act)[0]
        if kind == "compilation":
            if len(self.out.drafts) < 12:
                return
            title = f"{rng.choice(words.GENRES).title()} Hits {year}"
            credit, secondary = self.out.various, ("Compilation",)
            discs = [rng.sample(self.out.drafts, min(16, len(self.out.drafts)))]
        elif kind == "single":
            primary, discs = "Single", [self._single(act, min(room, 3), year)]
            title = discs[0][0].title.split(" (")[0]
        elif kind == "live":
            place = rng.choice(words.PLACES)
            title, secondary = f"Live in {place}", ("Live",)
            songs = self.songs[act.mbid][: min(room, 10)] or [self._song(act, year)]
            discs = [
                [self.version(s, f"Live in {place}", disambiguation=f"live, {year}: {place}") for s in songs]
            ]
        else:
            sizes = {"ep": [5], "double": [12, 11]}.get(kind, [rng.randrange(8, 14)])
            primary = "EP" if kind == "ep" else "Album"
            discs = []
            for size in sizes:
                disc = [self._song(act, year) for _ in range(min(size, self.wanted - len(self.out.drafts)))]
                if disc:
                    discs.append(disc)
        self._publish(turn, title, credit, discs, year, primary, secondary, kind)

    def _publish(
        self,
        turn: int,
        title: str,
        credit: Credit,
        discs: list[list[Draft]],
        year: int,
        primary: str,
        secondary: tuple[str, ...],
        kind: str,
    ) -> None:
        rng = self.rng
        date = f"{year}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 28):02d}"
        label, country, tags = rng.choice(words.LABELS), rng.choice(words.COUNTRIES), self._tags()
        shown = (date, date[:7], date[:4])[(turn % 9 == 4) + (turn % 9 == 8) * 2]
        spotify_id = ids.spotify_id(self.seed, "album", turn) if turn % 7 != 6 else None
        release = self.out.add_release(
            turn, title, credit, discs, date=shown, primary_type=primary, secondary_types=secondary,
            format=rng.choice(words.FORMATS), country=country, label=label, tags=tags, spotify_id=spotify_id,
        )  # fmt: skip
        self.out.press_at_spotify(release, discs, self._spotify_only(turn, discs, spotify_id))
        if kind in ("album", "double") and turn % 5 in (0, 3):
            # a later edition, of which Spotify keeps its own copy
            later = f"{min(year + 20, 2025)}-03-01"
            bonus = [self.version(d, "Acoustic") for d in discs[-1][:2] if len(self.out.drafts) < self.wanted]
            editions = [*discs[:-1], [*discs[-1], *bonus]]
            again = self.out.add_release(
                f"{turn}+", title, credit, editions, date=later, primary_type=primary,
                secondary_types=secondary, group=turn, group_first_date=shown, format="Digital Media",
                country="XW", label=label, tags=tags, disambiguation="deluxe edition" if bonus else "",
                spotify_id=ids.spotify_id(self.seed, "again", turn),
            )  # fmt: skip
            self.out.press_at_spotify(again, editions)

    def _spotify_only(
        self, turn: int, discs: Sequence[Sequence[Draft]], album_id: str | None
    ) -> list[SpotifyTrack]:
        """One more track at Spotify on every other album, unknown to MusicBrainz."""
        if album_id is None or turn % 2 or len(discs[-1]) < 4:
            return []
        track_id, like = ids.spotify_id(album_id, "only"), discs[-1][0]
        self.out.cases["spotify_only"].append(track_id)
        return [
            SpotifyTrack(
                track_id,
                f"{words.title(self.rng)} - Bonus Track",
                self.out.at_spotify(like.credit),
                album_id,
                self.rng.randrange(120_000, 320_000),
                ids.isrc(2020, track_id),
                len(discs[-1]) + 1,
                len(discs),
                popularity=self.rng.randrange(40),
            )
        ]

    def _title(self, act: Artist) -> tuple[str, tuple[str, ...]]:
        """A title in the artist's script, and its Latin spelling as an alias."""
        script = self.latin.get(act.mbid)
        if script is None:
            return words.title(self.rng), ()
        title, latin = script.title(self.rng)
        return title, (latin,) if latin != title else ()

    def _song(self, act: Artist, year: int) -> Draft:
        """The next new studio recording; which awkward case it is follows from its number."""
        at, out, rng = len(self.out.drafts), self.out, self.rng
        title, aliases = self._title(act)
        credit: Credit = (CreditedName(act, act.name),)
        if at % 11 == 4 and len(self.acts) > 1:
            guest = rng.choice([a for a in self.acts[-8:] if a is not act])
            credit = (
                CreditedName(act, act.name, (" feat. ", " & ")[at % 2]),
                CreditedName(guest, guest.name),
            )
            out.cases["featured"].append(out.mbid("recording", at))
        draft = self._draft(at, title, credit, rng.randrange(140_000, 330_000), year)
        draft.aliases = aliases
        if self.wanted >= 100 and at % _CROWD_EVERY == 7:
            draft.title, draft.aliases = words.POPULAR[len(self.popular) % len(words.POPULAR)], ()
            self.popular.append(draft)
        else:
            self._awkward(at, draft, year)
        self.songs[act.mbid].append(draft)
        return draft

    def _draft(self, at: int, title: str, credit: Credit, length: int, year: int) -> Draft:
        mbid = self.out.mbid("recording", at)
        isrc = ids.isrc(year, mbid)
        known = at % 3 != 1
        draft = Draft(mbid, title, credit, length, isrc, [isrc] if known else [], tags=self._tags())
        if not known:
            self.out.cases["isrc_unknown"].append(mbid)
        return self.out.add_recording(draft)

    def _awkward(self, at: int, draft: Draft, year: int) -> None:
        drafts, cases = self.out.drafts, self.out.cases
        note = [
            name
            for name, every, first in (
                ("no_length", 23, 11), ("two_isrcs", 29, 5), ("shared_isrc", 37, 8), ("merged", 31, 13),
                ("featured_in_title", 41, 17), ("dead_link", 43, 21), ("four_seconds", 97, 50),
                ("ninety_minutes", 101, 60), ("blank_title", 89, 70), ("remaster", 17, 3), ("video", 71, 40),
            )
            if at % every == first
        ]  # fmt: skip
        for name in note:
            cases[name].append(draft.mbid)
            match name:
                case "no_length":
                    draft.timed = False
                case "two_isrcs":
                    draft.isrcs = [draft.isrc or "", ids.isrc(year + 1, draft.mbid, 2)]
                case "shared_isrc":
                    draft.isrc = drafts[at - 1].isrc
                    draft.isrcs = [draft.isrc or ""]
                    drafts[at - 1].isrcs = drafts[at - 1].isrcs or [draft.isrc or ""]
                case "merged":
                    draft.merged = [ids.mbid(draft.mbid, "old", n) for n in range(1 + at % 2)]
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
                case _:
                    draft.video = True

    def _single(self, act: Artist, room: int, year: int) -> list[Draft]:
        """The single version of an album track, a new B-side and an instrumental, as far as there is room."""
        songs = self.songs[act.mbid]
        if not songs:
            return [self._song(act, year) for _ in range(room)]
        hit = self.rng.choice(songs)
        single = [self.version(hit, "Single Version", cut=0.8, disambiguation="single version")]
        if room > 1:
            single.append(self._song(act, year))
        if room > 2:
            single.append(self.version(hit, "Instrumental", title=f"{hit.title} (instrumental)"))
        self.out.cases["single_version"].append(single[0].mbid)
        return single

    def version(
        self,
        of: Draft,
        version: str,
        *,
        cut: float = 1.03,
        title: str | None = None,
        disambiguation: str = "",
    ) -> Draft:
        """Another recording of the same song by the same artists."""
        at = len(self.out.drafts)
        name = title or (of.title if disambiguation else f"{of.title} ({version.lower()})")
        year = 1980 + at % 45
        draft = self._draft(at, name, of.credit, int(of.true_ms * cut) + self.rng.randrange(3000), year)
        draft.version, draft.disambiguation = version, disambiguation
        base = of.title_at_spotify().split(" - ")[0]
        draft.spotify_title = f"{base} - {version}"
        self.out.cases["version"].append(draft.mbid)
        return draft


def invent_catalogue(seed: int, tracks: int) -> Catalogue:
    """Invent a catalogue of `tracks` ordinary recordings, the same for the same arguments.

    From 100 tracks on there comes one popular title with 120 further recordings for every 2,000 tracks
    begun, so that there are more recordings than `tracks`. Raises ValueError below 1."""
    with uncollected():
        return Catalogue(**Inventor(seed, tracks).run())
