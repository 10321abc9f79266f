"""Release messages as import files: every recording becomes a track, nothing hostile gets in."""

from __future__ import annotations

import gzip
import re
import socket
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from soulspot.imports.ern import messages as ern
from soulspot.imports.files import ImportFile, UnusableFile, check_readable
from soulspot.imports.rows import BadRow, ImportRow
from tests.imports.ern import (
    ERN38,
    OLD_RECORDING,
    OLD_RELEASES,
    group,
    item,
    message,
    party,
    recording,
    release,
)
from tests.support.shared_data import shared

SAMPLES = ("1-Audio.xml", "4-SimpleAudioSingle.xml", "8-DjMix.xml", "Variant-Classical.xml")


def rows(folder: Path, content: str | bytes, name: str = "m.xml") -> list[ImportRow | BadRow]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(ImportFile(path))


def row(folder: Path, content: str) -> ImportRow:
    (found,) = rows(folder, content)
    assert isinstance(found, ImportRow), found
    return found


def bad(folder: Path, content: str | bytes, name: str = "m.xml") -> BadRow:
    found = rows(folder, content, name)[-1]
    assert isinstance(found, BadRow), found
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_every_recording_of_the_official_samples_arrives_with_its_isrc(name: str):
    path = shared("data", "ddex", "samples43", name)
    text = path.read_text(encoding="utf-8")
    found = [one for one in ImportFile(path) if isinstance(one, ImportRow)]
    assert len(found) == len(re.findall(r"<SoundRecording[ >]", text))
    assert [isrc for one in found for isrc in one.tags.ids.isrcs] == re.findall(r"<ISRC>(\w+)</ISRC>", text)
    root = ElementTree.fromstring(text.encode())
    titles = [one.findtext("DisplayTitle/TitleText") for one in root.iterfind("ResourceList/SoundRecording")]
    assert all(one.tags.title and one.tags.title.startswith(title) for one, title in zip(found, titles, strict=True))
    assert all(one.tags.duration_ms and one.tags.artist for one in found)
    assert len({one.key for one in found}) == len(found)
    assert not any(one.remarks for one in found)


def test_the_official_samples_say_where_a_recording_stands():
    album = [one.tags for one in ImportFile(shared("data", "ddex", "samples43", "1-Audio.xml"))]
    assert [(tags.disc_number, tags.track_number) for tags in album] == [(1, n) for n in range(1, 22)]
    assert {(tags.album, tags.album_artist) for tags in album} == {("Yume no Hajmari", "Saeko Shu")}
    works = [one.tags for one in ImportFile(shared("data", "ddex", "samples43", "Variant-Classical.xml"))]
    assert [tags.track_number for tags in works] == list(range(1, 13))
    assert works[0].artists == ("The English Concert", "Simon Standage", "Trevor Pinnock")


@pytest.mark.parametrize("namespace", [ERN38, "http://ddex.net/xml/ern/371", "http://ddex.net/xml/ern/411", "urn:any"])
def test_a_message_of_ern_3_is_read_whatever_its_namespace(tmp_path: Path, namespace: str):
    found = row(tmp_path, message(OLD_RECORDING, OLD_RELEASES, namespace=namespace))
    tags = found.tags
    assert found.key == "ern:4988006110809:GBAYE6500521"
    assert tags.title == "Harbour Song (Live at the Pier)"
    assert tags.artist == "The Lanterns feat. Bo"
    assert tags.artists == ("The Lanterns", "Bo")
    assert (tags.album, tags.album_artist, tags.date, tags.genres) == (
        "Night Shift",
        "The Lanterns",
        "1999-05",
        ("Rock",),
    )
    assert (tags.disc_number, tags.track_number) == (2, 7)
    assert tags.duration_ms == 185_500
    assert tags.ids.isrcs == ("GBAYE6500521",)


def test_an_id_directly_at_the_resource_is_read_as_ern_4_1_has_it(tmp_path: Path):
    found = row(tmp_path, message("<SoundRecording><ResourceReference>A1</ResourceReference><ResourceId>"
                                  "<ISRC>GBAYE6500521</ISRC></ResourceId></SoundRecording>"))  # fmt: skip
    assert found.tags.ids.isrcs == ("GBAYE6500521",)


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("<DisplayTitle><TitleText>One</TitleText><SubTitle>Live</SubTitle></DisplayTitle>", "One (Live)"),
        ("<DisplayTitle><TitleText>One (Live)</TitleText><SubTitle>Live</SubTitle></DisplayTitle>", "One (Live)"),
        ("<DisplayTitle><TitleText>One</TitleText><SubTitle>[Edit]</SubTitle></DisplayTitle>", "One [Edit]"),
        ("<DisplayTitle><TitleText>One</TitleText></DisplayTitle><VersionType>LiveVersion</VersionType>", "One (live)"),
        ("<DisplayTitle><TitleText>One - Live</TitleText></DisplayTitle><VersionType>LiveVersion</VersionType>",
         "One - Live"),
        ("<DisplayTitleText>Only this</DisplayTitleText>", "Only this"),
        ("<DisplayTitle LanguageAndScriptCode='ja-Jpan'><TitleText>一</TitleText></DisplayTitle>"
         "<DisplayTitle IsDefault='true'><TitleText>One</TitleText></DisplayTitle>", "One"),
        ("<DisplayTitle ApplicableTerritoryCode='DE'><TitleText>Eins</TitleText></DisplayTitle>"
         "<DisplayTitle ApplicableTerritoryCode='Worldwide'><TitleText>One</TitleText></DisplayTitle>", "One"),
        ("<AdditionalTitle><TitleText>Formal</TitleText></AdditionalTitle>"
         "<DisplayTitle><TitleText> Two\n  words </TitleText></DisplayTitle>", "Two words"),
    ],
)  # fmt: skip
def test_the_title_is_the_displayed_one_with_the_words_of_its_version(tmp_path: Path, title: str, read: str):
    assert row(tmp_path, message(recording(title=title))).tags.title == read


def test_artists_are_the_parties_that_are_referred_to(tmp_path: Path):
    artists = "".join(
        f"<DisplayArtist SequenceNumber='{n}'><ArtistPartyReference>P{n}</ArtistPartyReference>"
        f"<DisplayArtistRole>{role}</DisplayArtistRole></DisplayArtist>"
        for n, role in ((3, "Composer"), (2, "FeaturedArtist"), (1, "MainArtist"))
    )
    text = message(recording(more=artists), parties=party("P1", "Ana") + party("P2", "Bo") + party("P3", "Cy"))
    assert row(tmp_path, text.replace("<DisplayArtistName>Ana</DisplayArtistName>", "")).tags.artist == "Ana feat. Bo"
    assert row(tmp_path, text).tags.artists == ("Ana", "Bo")


@pytest.mark.parametrize(
    ("duration", "ms"),
    [
        ("PT3M25S", 205_000),
        ("PT1H2M3.25S", 3_723_250),
        ("PT205S", 205_000),
        ("P0DT0H4M", 240_000),
        ("PT0S", None),
    ],
)
def test_a_length_is_read_as_iso_8601(tmp_path: Path, duration: str, ms: int | None):
    found = row(tmp_path, message(recording(more=f"<Duration>{duration}</Duration>")))
    assert (found.tags.duration_ms, found.remarks) == (ms, ())


def test_values_that_are_of_no_use_are_remarked(tmp_path: Path):
    found = row(tmp_path, message(recording(isrcs=["GB123"], more="<Duration>3:25</Duration>")))
    assert found.tags.title == "One"
    assert [remark.partition(" is not")[0] for remark in found.remarks] == ["isrc 'GB123'", "Duration '3:25'"]


def test_several_isrcs_are_all_kept_and_replaced_ones_are_not(tmp_path: Path):
    replaced = "</ResourceId><ResourceId IsReplaced='true'><ISRC>GBAYE0000001</ISRC>"
    text = message(recording(isrcs=["GBAYE6500521", "USRC17607839"])).replace(
        "</ResourceId>", replaced + "</ResourceId>", 1
    )
    assert row(tmp_path, text).tags.ids.isrcs == ("GBAYE6500521", "USRC17607839")


def test_a_recording_without_isrc_is_known_by_its_reference_and_one_without_anything_is_a_bad_row(
    tmp_path: Path,
):
    text = message(recording("A1", isrcs=[]) + recording("A2", isrcs=[], title=""), release(group(item("A1", 1))))
    first, second = rows(tmp_path, text)
    assert isinstance(first, ImportRow)
    assert first.key == "ern:094631432057:A1"
    assert isinstance(second, BadRow)
    assert "A2 has neither a title nor an ISRC" in second.reason


def test_the_same_isrc_twice_in_a_message_are_two_tracks(tmp_path: Path):
    found = rows(tmp_path, message(recording("A1") + recording("A2"), release(group(item("A1", 1), item("A2", 2)))))
    assert [one.key for one in found] == ["ern:094631432057:GBAYE6500521", "ern:094631432057:GBAYE6500521:A2"]


def test_an_update_of_a_delivery_has_the_keys_of_the_first(tmp_path: Path):
    first = message(recording("A1"), release(group(item("A1", 1))))
    update = message(recording("A7", title="<DisplayTitle><TitleText>New</TitleText></DisplayTitle>"),
                     release(group(item("A7", 3))), more="<UpdateIndicator>UpdateMessage</UpdateIndicator>")  # fmt: skip
    assert row(tmp_path, first).key == row(tmp_path, update).key


def test_videos_covers_and_booklets_are_no_tracks_and_do_not_shift_the_numbers(tmp_path: Path):
    resources = (
        "<Video><ResourceReference>A9</ResourceReference><VideoId><ISRC>GBUV71400001</ISRC></VideoId></Video>"
        "<Image><ResourceReference>A8</ResourceReference></Image>"
    )
    places = group(item("A8", kind="SecondaryResource"), item("A1", kind="PrimaryResource"), item("A2"))
    found = rows(tmp_path, message(recording("A1") + recording("A2", ["GBAYE6500522"]) + resources, release(places)))
    assert [one.tags.track_number for one in found] == [1, 2]


def test_discs_are_groups_and_works_within_a_disc_are_not(tmp_path: Path):
    names = [f"A{n}" for n in range(1, 7)]
    recordings = "".join(recording(name, [f"GBAYE650052{n}"]) for n, name in enumerate(names))
    works = group(group(item("A1", 1), item("A2", 2), kind="MultiWorkPart", number=1),
                  group(item("A3", 1), kind="MultiWorkPart", number=2), number=1)  # fmt: skip
    plain = group(item("A4", 1), item("A5", 2), number=2)
    found = rows(tmp_path, message(recordings, release(group(works, plain))))
    places = [(one.tags.disc_number, one.tags.track_number) for one in found]
    assert places == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (None, None)]
    assert found[5].tags.album is None


def test_a_compilation_is_known_as_one(tmp_path: Path):
    more = "<IsMultiArtistCompilation>true</IsMultiArtistCompilation>"
    assert row(tmp_path, message(recording(), release(group(item("A1", 1)), more))).tags.compilation


@pytest.mark.parametrize(
    ("root", "words"),
    [("PurgeReleaseMessage", "it withdraws a release"), ("ManifestMessage", "lists the files of a delivery"),
     ("html", "only NewReleaseMessages")],
)  # fmt: skip
def test_another_message_is_a_bad_row_that_says_what_it_is(tmp_path: Path, root: str, words: str):
    found = bad(tmp_path, f'<?xml version="1.0"?>\n<e:{root} xmlns:e="http://ddex.net/xml/ern/43"/>')
    assert (found.line, found.ends_file) == (2, True)
    assert words in found.reason
    with pytest.raises(UnusableFile, match=f"m.xml: line 2: .*{words}"):
        check_readable(tmp_path / "m.xml")


def test_of_a_message_that_breaks_off_before_its_releases_nothing_is_taken_and_the_line_is_named(
    tmp_path: Path,
):
    whole = message(recording(), release(group(item("A1", 1))))
    found = bad(tmp_path, whole[: whole.index("<ReleaseList")])
    assert found.ends_file
    with pytest.raises(UnusableFile, match=r"m\.xml: line \d+: not XML from here on"):
        check_readable(tmp_path / "m.xml")


@pytest.mark.parametrize(
    "content", [b"", b"no XML at all", b"<a", b"\xff\xfe\x00", b"PK\x03\x04zip", b"<a>&undefined;</a>"]
)
def test_what_is_no_xml_is_a_bad_row(tmp_path: Path, content: bytes):
    assert bad(tmp_path, content).ends_file


def test_a_message_that_breaks_off_says_where_and_takes_nothing_for_granted(tmp_path: Path):
    whole = message(recording("A1") + "\n" + recording("A2", ["GBAYE6500522"]))
    broken = bad(tmp_path, whole[: whole.index("A2")])
    assert broken.line == 2
    assert "not XML from here on" in broken.reason


def test_entities_that_swell_are_refused_before_anything_is_read(tmp_path: Path):
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    head = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'
    text = message(recording(title="<DisplayTitle><TitleText>&l11;</TitleText></DisplayTitle>"), head=head)
    assert "DOCTYPE" in bad(tmp_path, text).reason


def test_entities_that_swell_in_an_attribute_are_refused(tmp_path: Path):
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    text = message(recording(), head=f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>')
    found = bad(tmp_path, text.replace("<ern:NewReleaseMessage", '<ern:NewReleaseMessage a="&l8;"'))
    assert found.ends_file


def test_outside_files_and_addresses_are_not_opened(tmp_path: Path):
    secret = tmp_path / "secret.txt"
    secret.write_text("canary-7261")
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}/x.dtd"
        for head in (
            f'<!DOCTYPE x [<!ENTITY file SYSTEM "{secret.as_uri()}">]>',
            f'<!DOCTYPE x SYSTEM "{address}">',
            f'<!DOCTYPE x [<!ENTITY % far SYSTEM "{address}"> %far;]>',
        ):
            title = "<DisplayTitle><TitleText>&file;</TitleText></DisplayTitle>"
            found = rows(tmp_path, message(recording(title=title), head=head))
            assert [type(one) for one in found] == [BadRow]
            assert "canary" not in str(found)
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_one_entry_that_never_ends_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ern, "MOST_ELEMENTS", 2_000)
    swollen = recording(more="<Contributor/>" * 2_500)
    assert "holds an entry of over 2000 elements" in bad(tmp_path, message(swollen)).reason


def test_a_packed_message_is_read_and_a_damaged_one_said(tmp_path: Path):
    packed = gzip.compress(message(recording()).encode())
    assert isinstance(rows(tmp_path, packed, "m.xml.gz")[0], ImportRow)
    assert "damaged" in bad(tmp_path, packed[: len(packed) // 2], "m.xml.gz").reason


def test_other_encodings_than_utf_8_are_read(tmp_path: Path):
    text = message(recording(title="<DisplayTitle><TitleText>Jóga</TitleText></DisplayTitle>"))
    for encoding in ("utf-16", "iso-8859-1"):
        found = rows(tmp_path, text.replace("UTF-8", encoding).encode(encoding))
        assert isinstance(found[0], ImportRow)
        assert found[0].tags.title == "Jóga"


def test_a_huge_message_is_read_in_bounded_memory(tmp_path: Path):
    path = tmp_path / "huge.xml"
    start, end = message("\0").split("\0")
    filler = "<TechnicalDetails>" + "<File><URI>resources/1.flac</URI></File>" * 30 + "</TechnicalDetails>"
    with path.open("w") as file:
        file.write(start)
        for n in range(3_000):
            file.write(recording(f"A{n}", [f"GBAYE65{n:05d}"], more=filler))
        file.write(end)
    measure = (
        "import re, sys; from pathlib import Path; from soulspot.imports.files import ImportFile\n"
        # of this program alone: ru_maxrss begins with what the one that started it had
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "rows = iter(ImportFile(Path(sys.argv[1]))); next(rows); before = peak(); count = 1 + sum(1 for _ in rows)\n"
        "print(count, (peak() - before) // 1024)"
    )
    ended = subprocess.run([sys.executable, "-c", measure, str(path)], capture_output=True, text=True, check=True)
    count, grown = map(int, ended.stdout.split())
    assert count == 3_000
    assert path.stat().st_size > 4 << 20  # ten times as much when it is parsed
    assert grown < 10
