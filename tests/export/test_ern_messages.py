"""The content of a release message, and its validity by the official schema."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soulspot.errors import ReleaseRefused
from soulspot.export.ddex.grouping import Group
from soulspot.export.ddex.job import Builder, Job
from soulspot.export.ddex.message import duration
from soulspot.export.ddex.settings import ErnSettings
from tests.export.ern import CREATED, PARTIES, RECIPIENT, SENDER, album, built, faults, message, song, texts
from tests.support.shared_data import shared

DEAL = {
    "commercial_model": "PayAsYouGoModel",
    "use_types": ["PermanentDownload"],
    "territories": ["GB", "IE"],
}


@pytest.mark.parametrize(("second", "said"), [("1998-05", ["1998-05"]), ("1971", []), (None, ["1998-05"])])
def test_the_original_date_is_that_of_all_recordings_or_not_there(second, said):
    records = [song(1, original_date="1998-05"), song(2, original_date=second)]
    assert texts(message(records), "ReleaseList/Release/OriginalReleaseDate") == said
    assert built(records).successes[0].remarks == ()


def test_the_header_says_who_sends_what_to_whom_and_when():
    header = message(album(), sender_name="Us", recipient_name="Them").find("MessageHeader")
    assert texts(header, "MessageSender/PartyId") == [SENDER]
    assert texts(header, "MessageSender/PartyName/FullName") == ["Us"]
    assert texts(header, "MessageRecipient/PartyId") == [RECIPIENT]
    assert texts(header, "MessageCreatedDateTime") == ["2026-03-01T12:30:00+00:00"]
    assert texts(header, "MessageControlType") == ["LiveMessage"]


def test_every_recording_has_its_isrc_title_artist_and_length():
    found = message([song(1, duration_ms=3_723_500), song(2, isrc="gb-aye-65-00502", title="Second & last")])
    recordings = found.findall("ResourceList/SoundRecording")
    assert [texts(one, "SoundRecordingEdition/ResourceId/ISRC") for one in recordings] == [
        ["GBAYE6500001"],
        ["GBAYE6500502"],
    ]
    assert texts(recordings[0], "Duration") == ["PT1H2M3.5S"]
    assert texts(recordings[1], "DisplayTitle/TitleText") == ["Second & last"]
    assert texts(recordings[1], "DisplayArtistName") == ["The Lanterns"]


@pytest.mark.parametrize(
    ("ms", "written"), [(1, "PT0.001S"), (60_000, "PT1M0S"), (3_600_000, "PT1H0M0S"), (148_000, "PT2M28S")]
)
def test_a_length_is_written_as_iso_8601_without_loss(ms, written):
    assert duration(ms) == written


def test_the_release_is_named_by_its_barcode_else_its_catalogue_number_else_an_id_of_the_sender():
    assert texts(message(album()), "ReleaseList/Release/ReleaseId/ICPN") == ["094631432057"]
    by_number = message(album(barcode=None, catalog_number="HR 001"))
    number = by_number.find("ReleaseList/Release/ReleaseId/CatalogNumber")
    assert (number.text, number.get("Namespace")) == ("HR 001", SENDER)
    by_own = message(album(barcode=None, mb_release_id="0d5aa4a0-3d6b-4b5d-9d2b-000000000001"))
    own = by_own.find("ReleaseList/Release/ReleaseId/ProprietaryId")
    assert (own.text, own.get("Namespace")) == ("0d5aa4a0-3d6b-4b5d-9d2b-000000000001", SENDER)


@pytest.mark.parametrize(
    ("barcode", "icpn"),
    [("0 94631-43205 7", "094631432057"), (94631432057, "094631432057"), (94631432057.0, "094631432057"),
     ("4988006110809", "4988006110809"), ("04988006110809", "04988006110809"), ("96385074", "96385074")],
)  # fmt: skip
def test_a_barcode_is_taken_in_every_usual_spelling(barcode, icpn):
    assert texts(message(album(barcode=barcode)), "ReleaseList/Release/ReleaseId/ICPN") == [icpn]


@pytest.mark.parametrize(
    ("barcode", "why"),
    [("094631432058", "its last digit should be 7"), ("12345", "it has 5 digits"), ("none", "is no barcode"),
     ("000000000000", "nothing but zeros")],
)  # fmt: skip
def test_a_barcode_that_is_none_is_reported_and_not_sent(barcode, why):
    assert why in faults(album(barcode=barcode))["barcode"]


def test_tracks_are_ordered_by_disc_and_number_whatever_the_order_of_the_records():
    records = [song(disc * 10 + n, disc_number=disc, track_number=n) for disc in (1, 2) for n in (1, 2, 10)]
    in_order = built(records, validate=shared("data", "ddex")).successes[0].message
    for seed in range(5):
        random.Random(seed).shuffle(records)
        assert built(records).successes[0].message == in_order
    found = message(records)
    discs = found.findall("ReleaseList/Release/ResourceGroup/ResourceGroup")
    assert [texts(disc, "SequenceNumber") for disc in discs] == [["1"], ["2"]]
    assert [texts(disc, "ResourceGroupContentItem/SequenceNumber") for disc in discs] == [["1", "2", "10"]] * 2
    assert texts(discs[1], "ResourceGroupContentItem/ReleaseResourceReference") == ["A4", "A5", "A6"]
    assert texts(found, "ResourceList/SoundRecording/DisplayTitleText")[3] == "Song 21"


def test_every_track_is_a_release_of_its_own_too_that_refers_to_its_recording():
    found = message(album(2)).findall("ReleaseList/TrackRelease")
    assert [texts(one, "ReleaseReference") for one in found] == [["R1"], ["R2"]]
    assert [texts(one, "ReleaseResourceReference") for one in found] == [["A1"], ["A2"]]
    assert texts(found[0], "ReleaseId/ProprietaryId") == ["094631432057_GBAYE6500001"]


def test_a_file_that_is_in_the_library_twice_is_one_track_and_that_is_said():
    batch = built([song(1), song(1, title="Song 1"), song(2)])
    assert batch.successes[0].tracks == 2
    assert any("written once" in remark for remark in batch.successes[0].remarks)


def test_a_recording_that_is_on_the_release_twice_is_one_resource_in_two_places():
    found = message([song(1), song(2), song(3, title="Song 1", isrc="GBAYE6500001")])
    assert len(found.findall("ResourceList/SoundRecording")) == 2
    items = "ReleaseList/Release/ResourceGroup/ResourceGroupContentItem/ReleaseResourceReference"
    assert texts(found, items) == ["A1", "A2", "A1"]


def test_two_tracks_in_one_place_and_an_isrc_with_two_titles_are_reported():
    assert "disc 1 track 1 is both" in faults([song(1), song(2, track_number=1)])["track_number"]
    assert "is that of both" in faults([song(1), song(2, isrc="GBAYE6500001")])["isrc"]


def test_artists_of_a_credit_are_parties_with_the_role_that_the_credit_gives_them():
    found = message([song(1, artist="Ana & Bo feat. Cy", artists=["Ana", "Bo", "Cy"]), song(2, artist="Cy (ft. Dee)")])
    names = dict(zip(texts(found, "PartyList/Party/PartyReference"),
                     texts(found, "PartyList/Party/PartyName/FullName"), strict=True))  # fmt: skip
    assert len(set(names.values())) == len(names)

    def roles(recording):
        return [(names[one.find("ArtistPartyReference").text], one.find("DisplayArtistRole").text)
                for one in recording.findall("DisplayArtist")]  # fmt: skip

    first, second = found.findall("ResourceList/SoundRecording")
    assert roles(first) == [("Ana", "MainArtist"), ("Bo", "MainArtist"), ("Cy", "FeaturedArtist")]
    assert roles(second) == [("Cy", "MainArtist"), ("Dee", "FeaturedArtist")]
    assert texts(first, "DisplayArtistName") == ["Ana & Bo feat. Cy"]


def test_roles_that_a_record_gives_are_kept_and_names_that_two_artists_share_are_two_parties():
    artists = [{"name": "John", "role": "Composer", "id": "1"}, {"name": "John", "id": "2"}]
    found = message([song(1, artist="John, John", artists=artists)], validate=shared("data", "ddex"))
    roles = texts(found.find("ResourceList/SoundRecording"), "DisplayArtist/DisplayArtistRole")
    assert roles == ["Composer", "MainArtist"]
    assert texts(found, "PartyList/Party/PartyName/FullName").count("John") == 2


def test_a_release_of_several_artists_without_album_artist_is_by_various_artists():
    found = message([song(1, album_artist=None, artist="Ana"), song(2, album_artist=None, artist="Bo")])
    release = found.find("ReleaseList/Release")
    assert texts(release, "DisplayArtistName") == ["Various Artists"]
    assert texts(release, "IsMultiArtistCompilation") == ["true"]
    assert texts(message(album()), "ReleaseList/Release/IsMultiArtistCompilation") == ["false"]


def test_explicit_words_of_one_track_make_the_release_explicit():
    found = message([song(1, explicit=True), song(2, explicit=0), song(3)])
    recordings = found.findall("ResourceList/SoundRecording")
    assert [texts(one, "ParentalWarningType")[0] for one in recordings] == [
        "Explicit", "NotExplicit", "NoAdviceAvailable",
    ]  # fmt: skip
    assert texts(found, "ReleaseList/Release/ParentalWarningType") == ["Explicit"]


def test_the_release_type_follows_from_the_tracks_unless_it_is_given():
    kinds = "ReleaseList/Release/ReleaseType"
    assert texts(message(album(2)), kinds) == ["Single"]
    assert texts(message(album(5)), kinds) == ["EP"]
    assert texts(message(album(9)), kinds) == ["Album"]
    assert texts(message(album(2, release_type="album")), kinds) == ["Album"]
    assert texts(message(album(2), release_type="DjMix"), kinds) == ["DjMix"]


def test_deals_are_those_of_the_configuration_and_begin_with_the_release():
    assert message(album()).find("DealList") is None
    found = message(album(2), deals=[DEAL], validate=shared("data", "ddex"))
    terms = found.find("DealList/ReleaseDeal/Deal/DealTerms")
    assert texts(found, "DealList/ReleaseDeal/DealReleaseReference") == ["R0", "R1", "R2"]
    assert texts(terms, "TerritoryCode") == ["GB", "IE"]
    assert texts(terms, "ValidityPeriod/StartDate") == ["2001-02-03"]
    assert texts(terms, "CommercialModelType") == ["PayAsYouGoModel"]
    assert texts(terms, "UseType") == ["PermanentDownload"]


def test_a_deal_needs_a_full_release_date_or_a_date_of_its_own():
    assert "start_date" in faults(album(release_date="2001"), deals=[DEAL])["release_date"]
    dated = message(album(release_date="2001"), deals=[{**DEAL, "start_date": "2026-05-01"}])
    assert texts(dated, "DealList/ReleaseDeal/Deal/DealTerms/ValidityPeriod/StartDate") == ["2026-05-01"]
    assert texts(dated, "ReleaseList/Release/ReleaseDate") == ["2001"]


def test_label_and_genre_of_the_settings_stand_in_for_missing_ones_alone():
    found = message(
        [song(1, label=None, genres=[]), song(2, label=None, genres='["jazz", "soul"]')],
        label="Ours", genre="Pop", group_by="album",
    )  # fmt: skip
    assert "Ours" in texts(found, "PartyList/Party/PartyName/FullName")
    assert texts(found, "ReleaseList/Release/Genre/GenreText") == ["jazz"]
    assert texts(found, "ReleaseList/TrackRelease/Genre/GenreText") == ["jazz", "jazz"]
    assert texts(message(album(genres=None), genre="Pop"), "ReleaseList/Release/Genre/GenreText") == ["Pop"]


def test_the_same_data_are_the_same_bytes_but_for_the_id_and_the_time():
    first, again = (built(album(5)).successes[0].message for _ in range(2))
    assert first == again
    later = datetime(2026, 3, 2, tzinfo=UTC)
    other = built(album(5), created_at=later).successes[0]
    assert other.message_id != built(album(5)).successes[0].message_id
    old_lines, new_lines = first.decode().splitlines(), other.message.decode().splitlines()
    differing = [old for old, new in zip(old_lines, new_lines, strict=True) if old != new]
    assert [line.strip().partition(">")[0] for line in differing] == ["<MessageId", "<MessageCreatedDateTime"]
    assert CREATED.isoformat() in first.decode()


def test_text_that_xml_cannot_hold_is_left_out_and_that_is_said():
    batch = built([song(1, title="Half\x00 a\ud800 title\x0b"), song(2)], validate=shared("data", "ddex"))
    assert "<TitleText>Half a title</TitleText>" in batch.successes[0].message.decode()
    assert any("3 characters that XML cannot hold" in remark for remark in batch.successes[0].remarks)


@pytest.mark.parametrize("version", ["4.3", "4.3.2"])
def test_messages_of_every_kind_are_valid_by_the_official_schema(version):
    records = [
        *album(12, mb_release_id="a"),
        *[song(n, mb_release_id="b", disc_number=n % 3 + 1, artist=f"Artist {n} feat. X") for n in range(1, 20)],
        song(1, mb_release_id="c", release_date="1999", original_date="1998-05", p_line="(P) 1998 Us", c_line="Us"),
        song(1, mb_release_id="d", title='<&>"\' ]]> 夢のララバイ 🎵', artist="しゅうさえこ", explicit=True),
        song(1, mb_release_id="e", barcode=None, track_number=None, disc_number=None),
        *[song(n, mb_release_id="f", album_artist="Various Artists", artist=f"Artist {n}") for n in (1, 2, 3)],
    ]  # fmt: skip
    terms = {"sender_name": "A & Co", "deals": [DEAL, {**DEAL, "start_date": "2026-01-01"}], "test": True}
    records = [{**one, "release_date": "1999-01-02"} if one["release_date"] == "1999" else one for one in records]
    batch = built(records, validate=shared("data", "ddex"), version=version, **terms)
    assert not batch.errors
    assert len(batch.successes) == 6


_words = st.text(min_size=1, max_size=30)
_cells = st.fixed_dictionaries(
    {"title": _words, "artist": _words, "album": _words, "label": _words, "genres": st.lists(_words, max_size=3)},
    optional={
        "album_artist": _words, "artists": st.lists(_words, max_size=3), "catalog_number": _words,
        "explicit": st.sampled_from([None, True, False, "yes", 0]), "p_line": _words,
        "disc_number": st.integers(-1, 200), "track_number": st.one_of(st.none(), st.integers(0, 10**9), _words),
        "release_date": st.one_of(_words, st.dates().map(str)), "release_type": _words,
        "duration_ms": st.one_of(_words, st.integers(-5, 10**12), st.floats()),
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def builder():
    return Builder(Job(ErnSettings.of(PARTIES), CREATED, shared("data", "ddex")))


@settings(max_examples=200, deadline=None)
@given(records=st.lists(_cells, min_size=1, max_size=4))
def test_whatever_a_record_holds_it_is_a_valid_message_or_a_reason(builder, records):
    whole = tuple(song(n) | {"barcode": None} | cells for n, cells in enumerate(records, 1))
    outcome = builder.build_message(Group("all of them", whole, len(whole)))
    errors = outcome.errors if isinstance(outcome, ReleaseRefused) else ()
    refused = {error.field for error in errors if "the schema refuses it" in error.words}
    assert refused <= {"ReleaseType"}  # which only the schema knows all of
