"""One `Release` -> one NewReleaseMessage of ERN 4.3, as bytes. Same release, ids and times: same bytes."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from lxml import etree

from soulspot.export.ddex.credits import Artist, Credit
from soulspot.export.ddex.release import Release
from soulspot.export.ddex.settings import ErnDeal, ErnSettings
from soulspot.export.ddex.tracks import Track

Element = etree._Element

AVS_VERSION = "3"  # of the allowed-value sets that everything here is in
GENRE = {"4.3": "Genre", "4.3.2": "DisplayGenre"}  # all that the two versions differ in here
MAIN = "R0"  # the reference of the release itself; its tracks are R1 ...
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")


@dataclass(frozen=True, slots=True)
class Header:
    """What tells one message from another: its id, and when it was made (with a time zone)."""

    message_id: str
    created_at: datetime


def message_id(settings: ErnSettings, key: str, created_at: datetime) -> str:
    """An id that no other message has: made of the time, the release, and of who sends to whom."""
    told = "\0".join((settings.sender, settings.recipient, key, created_at.isoformat()))
    return f"{created_at.astimezone(UTC):%Y%m%d%H%M%S}-{hashlib.sha256(told.encode()).hexdigest()[:20]}"


def write_message(release: Release, settings: ErnSettings, header: Header) -> bytes:
    """The message as UTF-8 XML, indented."""
    message = etree.Element(
        f"{{{settings.namespace}}}NewReleaseMessage",
        nsmap={"ern": settings.namespace},
        attrib={"AvsVersionId": AVS_VERSION, "LanguageAndScriptCode": settings.language},
    )
    if settings.profile:
        message.set("ReleaseProfileVersionId", settings.profile)
    _header(_add(message, "MessageHeader"), release, settings, header)
    _Body(message, release, settings).write()
    written: bytes = etree.tostring(message, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return written


def duration(ms: int) -> str:
    """ISO 8601 as DDEX writes it: PT[[hhH]mmM]ssS, with a fraction where there is one."""
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 1000}.{rest % 1000:03d}".rstrip("0").rstrip(".")
    return f"PT{f'{hours}H' if hours else ''}{f'{minutes}M' if hours or minutes else ''}{seconds}S"


def _add(parent: Element, name: str, text: str | None = None) -> Element:
    child = etree.SubElement(parent, name)
    child.text = text
    return child


def _header(element: Element, release: Release, settings: ErnSettings, header: Header) -> None:
    _add(element, "MessageThreadId", release.ident)
    _add(element, "MessageId", header.message_id)
    for name, dpid, full_name in (
        ("MessageSender", settings.sender, settings.sender_name),
        ("MessageRecipient", settings.recipient, settings.recipient_name),
    ):
        party = _add(element, name)
        _add(party, "PartyId", dpid)
        if full_name:
            _add(_add(party, "PartyName"), "FullName", full_name)
    _add(element, "MessageCreatedDateTime", header.created_at.isoformat(timespec="seconds"))
    _add(element, "MessageControlType", "TestMessage" if settings.test else "LiveMessage")


class _Parties:
    """The PartyList: a name is one party, unless ids say that two artists share it."""

    def __init__(self, element: Element) -> None:
        self._element = element
        self._known: defaultdict[str, list[tuple[str | None, str]]] = defaultdict(list)
        self._count = 0

    def reference(self, artist: Artist) -> str:
        known = self._known[artist.name.casefold()]
        for ident, reference in known:
            if artist.ident is None or artist.ident == ident:
                return reference
        self._count += 1
        known.append((artist.ident, f"P{self._count}"))
        party = _add(self._element, "Party")
        _add(party, "PartyReference", f"P{self._count}")
        _add(_add(party, "PartyName"), "FullName", artist.name)
        return f"P{self._count}"


class _Body:
    """The lists of a message, in the order the schema wants them."""

    def __init__(self, message: Element, release: Release, settings: ErnSettings) -> None:
        self._release = release
        self._settings = settings
        self._parties = _Parties(_add(message, "PartyList"))
        self._resources = _add(message, "ResourceList")
        self._releases = _add(message, "ReleaseList")
        self._deals = _add(message, "DealList") if settings.deals else None
        # A recording that is on the release twice is one resource in two places.
        self._recordings: dict[str, Track] = {}
        for track in release.tracks:
            self._recordings.setdefault(track.isrc, track)
        self._references = {isrc: f"A{number}" for number, isrc in enumerate(self._recordings, 1)}

    def write(self) -> None:
        label = self._parties.reference(Artist(self._release.label))
        self._main_release(label)
        for number, track in enumerate(self._recordings.values(), 1):
            self._sound_recording(track)
            self._track_release(f"R{number}", track, label)
        if self._deals is not None:
            self._release_deal(self._deals)

    def _sound_recording(self, track: Track) -> None:
        element = _add(self._resources, "SoundRecording")
        _add(element, "ResourceReference", self._references[track.isrc])
        _add(element, "Type", "MusicalWorkSoundRecording")
        edition = _add(element, "SoundRecordingEdition")
        _add(_add(edition, "ResourceId"), "ISRC", track.isrc)
        _line(edition, "PLine", track.p_line)
        _title(element, track.title)
        self._credit(element, track.credit)
        _add(element, "Duration", duration(track.duration_ms))
        _add(element, "ParentalWarningType", _warning(track.explicit))

    def _main_release(self, label: str) -> None:
        release = self._release
        element = _add(self._releases, "Release")
        _add(element, "ReleaseReference", MAIN)
        _add(element, "ReleaseType", release.kind)
        self._release_id(_add(element, "ReleaseId"))
        _title(element, release.title)
        self._credit(element, release.credit)
        _add(element, "ReleaseLabelReference", label)
        _line(element, "PLine", release.p_line)
        _line(element, "CLine", release.c_line)
        _add(element, "Duration", duration(sum(track.duration_ms for track in release.tracks)))
        for genre in release.genres:
            self._genre(element, genre)
        for name, date in (
            ("ReleaseDate", release.release_date),
            ("OriginalReleaseDate", release.original_date),
        ):
            if date:
                _add(element, name, date)
        _add(element, "ParentalWarningType", _warning(release.explicit))
        _add(element, "IsMultiArtistCompilation", str(release.credit.various).lower())
        self._groups(_add(element, "ResourceGroup"))

    def _release_id(self, element: Element) -> None:
        release = self._release
        if release.barcode:
            _add(element, "ICPN", release.barcode)
        name, number = (
            ("CatalogNumber", release.catalog_number)
            if release.catalog_number
            else ("ProprietaryId", None if release.barcode else release.proprietary_id)
        )
        if number:
            _add(element, name, number).set("Namespace", self._settings.sender)

    def _groups(self, element: Element) -> None:
        """One group a disc; the tracks of a single disc stand in the release's own group."""
        discs = [
            list(tracks) for _, tracks in groupby(self._release.tracks, lambda one: one.position[0] or 1)
        ]
        for tracks in discs:
            inner = element
            disc = tracks[0].position[0] or 1
            if len(discs) > 1 or disc > 1:
                inner = _add(element, "ResourceGroup")
                inner.set("ResourceGroupType", "Component")
                _add(inner, "SequenceNumber", str(disc))
            for number, track in _numbered(tracks):
                item = _add(inner, "ResourceGroupContentItem")
                _add(item, "SequenceNumber", str(number))
                _add(item, "ReleaseResourceReference", self._references[track.isrc])

    def _track_release(self, reference: str, track: Track, label: str) -> None:
        element = _add(self._releases, "TrackRelease")
        _add(element, "ReleaseReference", reference)
        own = _add(_add(element, "ReleaseId"), "ProprietaryId", f"{self._release.ident}_{track.isrc}")
        own.set("Namespace", self._settings.sender)
        _add(element, "ReleaseResourceReference", self._references[track.isrc])
        _add(element, "ReleaseLabelReference", label)
        self._genre(element, track.genres[0] if track.genres else self._release.genres[0])

    def _genre(self, element: Element, genre: str) -> None:
        _add(_add(element, GENRE[self._settings.version]), "GenreText", genre)

    def _release_deal(self, element: Element) -> None:
        of_all = _add(element, "ReleaseDeal")
        for reference in (MAIN, *(f"R{number}" for number in range(1, len(self._recordings) + 1))):
            _add(of_all, "DealReleaseReference", reference)
        for deal in self._settings.deals:
            self._terms(_add(_add(of_all, "Deal"), "DealTerms"), deal)

    def _terms(self, element: Element, deal: ErnDeal) -> None:
        for territory in deal.territories:
            _add(element, "TerritoryCode", territory)
        start = deal.start_date or self._release.release_date
        _add(_add(element, "ValidityPeriod"), "StartDate", start)
        _add(element, "CommercialModelType", deal.commercial_model)
        for use in deal.use_types:
            _add(element, "UseType", use)

    def _credit(self, element: Element, credit: Credit) -> None:
        _add(element, "DisplayArtistName", credit.shown)
        roles: dict[str, str] = {}
        for artist in credit.artists:
            roles.setdefault(self._parties.reference(artist), artist.role)
        for number, (reference, role) in enumerate(roles.items(), 1):
            shown = _add(element, "DisplayArtist")
            shown.set("SequenceNumber", str(number))
            _add(shown, "ArtistPartyReference", reference)
            _add(shown, "DisplayArtistRole", role)


def _title(element: Element, title: str) -> None:
    _add(element, "DisplayTitleText", title)
    _add(_add(element, "DisplayTitle"), "TitleText", title)


def _line(element: Element, name: str, text: str | None) -> None:
    """A PLine or CLine, with the year that it names."""
    if text:
        line = _add(element, name)
        if year := _YEAR.search(text):
            _add(line, "Year", year[1])
        _add(line, f"{name}Text", text)


def _warning(explicit: bool | None) -> str:
    return "NoAdviceAvailable" if explicit is None else "Explicit" if explicit else "NotExplicit"


def _numbered(tracks: Sequence[Track]) -> list[tuple[int, Track]]:
    """The tracks of a disc with their numbers; where one has none, all are counted."""
    numbers = [track.position[1] for track in tracks]
    return [(number or place, track) for place, (number, track) in enumerate(zip(
        numbers if all(numbers) else [None] * len(tracks), tracks, strict=True), 1)]  # fmt: skip
