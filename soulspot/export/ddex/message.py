"""A `Release` in, a NewReleaseMessage of DDEX ERN 4.3 as bytes out: equal input, equal bytes."""

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from lxml import etree

from soulspot.export.ddex.credits import Artist, Credit
from soulspot.export.ddex.release import Release
from soulspot.export.ddex.settings import ErnSettings
from soulspot.export.ddex.tracks import Track

Element = etree._Element

AVS_VERSION = "3"  # of the allowed-value sets that everything here is in
# The only difference between the two versions in the elements written here.
GENRE = {"4.3": "Genre", "4.3.2": "DisplayGenre"}
_YEAR = re.compile(r"\b((?:19|20)\d\d)\b")


@dataclass(frozen=True, slots=True)
class Header:
    """The identity of a message. `created_at` has a time zone."""

    message_id: str
    created_at: datetime


def message_id(settings: ErnSettings, key: str, created_at: datetime) -> str:
    """Return a unique id, made of the time, the release's key, the sender and the recipient."""
    parts = "\0".join((settings.sender, settings.recipient, key, created_at.isoformat()))
    return f"{created_at.astimezone(UTC):%Y%m%d%H%M%S}-{hashlib.sha256(parts.encode()).hexdigest()[:20]}"


def write_message(release: Release, settings: ErnSettings, header: Header) -> bytes:
    """Return the NewReleaseMessage (DDEX ERN) of a release, as indented XML in UTF-8."""
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
    """Return milliseconds as an ISO 8601 duration in the style of DDEX: "PT1H2M3.5S", "PT2M28S"."""
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
    for role in ("sender", "recipient"):
        party = _add(element, f"Message{role.title()}")
        _add(party, "PartyId", getattr(settings, role))
        if full_name := getattr(settings, f"{role}_name"):
            _add(_add(party, "PartyName"), "FullName", full_name)
    _add(element, "MessageCreatedDateTime", header.created_at.isoformat(timespec="seconds"))
    _add(element, "MessageControlType", "TestMessage" if settings.test else "LiveMessage")


class _Parties:
    """The PartyList. One name is one party, unless ids say that two artists share the name."""

    def __init__(self, element: Element) -> None:
        self._element = element
        self._known: defaultdict[str, list[tuple[str | None, str]]] = defaultdict(list)

    def reference(self, artist: Artist) -> str:
        known = self._known[artist.name.casefold()]
        for ident, reference in known:
            if artist.ident is None or artist.ident == ident:
                return reference
        reference = f"P{len(self._element) + 1}"
        known.append((artist.ident, reference))
        party = _add(self._element, "Party")
        _add(party, "PartyReference", reference)
        _add(_add(party, "PartyName"), "FullName", artist.name)
        return reference


class _Body:
    """The lists of a message, in the order that the schema demands."""

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
        """Add the main release, each recording with its own track release, and the deals."""
        label = self._parties.reference(Artist(self._release.label))
        self._main_release(label)
        for number, track in enumerate(self._recordings.values(), 1):
            self._sound_recording(track)
            self._track_release(f"R{number}", track, label)
        if self._deals is not None:
            self._release_deal(_add(self._deals, "ReleaseDeal"))

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
        _add(element, "ReleaseReference", "R0")
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
        for name, date in (("ReleaseDate", release.release_date), ("OriginalReleaseDate", release.original_date)):
            if date:
                _add(element, name, date)
        _add(element, "ParentalWarningType", _warning(release.explicit))
        _add(element, "IsMultiArtistCompilation", str(release.credit.is_various).lower())
        self._groups(_add(element, "ResourceGroup"))

    def _release_id(self, element: Element) -> None:
        release = self._release
        if release.barcode:
            _add(element, "ICPN", release.barcode)
        if release.catalog_number:
            _add(element, "CatalogNumber", release.catalog_number).set("Namespace", self._settings.sender)
        # The sender's own id stands alone: a release with a better id does not need it.
        if not len(element):
            _add(element, "ProprietaryId", release.proprietary_id).set("Namespace", self._settings.sender)

    def _groups(self, element: Element) -> None:
        """Add one group a disc; the tracks of a single disc 1 stand in the release's own group."""
        by_disc = groupby(self._release.tracks, lambda track: track.position[0] or 1)
        discs = {disc: list(tracks) for disc, tracks in by_disc}
        for disc, tracks in discs.items():
            inner = element
            if len(discs) > 1 or disc > 1:
                inner = _add(element, "ResourceGroup")
                inner.set("ResourceGroupType", "Component")
                _add(inner, "SequenceNumber", str(disc))
            numbered = all(track.position[1] for track in tracks)
            for place, track in enumerate(tracks, 1):
                item = _add(inner, "ResourceGroupContentItem")
                # On a disc with a track without a number all tracks are counted instead.
                _add(item, "SequenceNumber", str(track.position[1] if numbered else place))
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
        # R0 is the main release, and each recording has a track release.
        for number in range(len(self._recordings) + 1):
            _add(element, "DealReleaseReference", f"R{number}")
        for deal in self._settings.deals:
            terms = _add(_add(element, "Deal"), "DealTerms")
            for territory in deal.territories:
                _add(terms, "TerritoryCode", territory)
            _add(_add(terms, "ValidityPeriod"), "StartDate", deal.start_date or self._release.release_date)
            _add(terms, "CommercialModelType", deal.commercial_model)
            for use in deal.use_types:
                _add(terms, "UseType", use)

    def _credit(self, element: Element, credit: Credit) -> None:
        _add(element, "DisplayArtistName", credit.text)
        # An artist that is credited twice is one display artist, in its first role.
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
    if text:
        line = _add(element, name)
        if year := _YEAR.search(text):
            _add(line, "Year", year[1])
        _add(line, f"{name}Text", text)


def _warning(explicit: bool | None) -> str:
    return "NoAdviceAvailable" if explicit is None else "Explicit" if explicit else "NotExplicit"
