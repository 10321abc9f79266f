"""The local MusicBrainz answers and refuses as the real service is known to."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from soulspot.sandbox import Behaviour
from tests.sandbox.calls import AGENT, catalogue, running
from tests.support.shared_data import shared

_NS = {"m": "http://musicbrainz.org/ns/mmd-2.0#", "e": "http://musicbrainz.org/ns/ext#-2.0"}


async def test_many_ids_in_one_search_find_all_that_are_not_merged() -> None:
    made = catalogue()
    merged = [old for r in made.recordings for old in r.merged_mbids]
    plain = [r.mbid for r in made.recordings[:90]]
    async with running() as calls:
        reply = await calls.mb("/recording", query=f"rid:({' OR '.join([*plain, *merged[:5]])})", limit=100)
    assert reply.status == 200
    assert reply.json["count"] == 90
    assert {hit["id"] for hit in reply.json["recordings"]} == set(plain)


async def test_a_merged_recording_redirects_to_the_one_it_became() -> None:
    recording = catalogue().recording(catalogue().cases["merged"][0])
    async with running() as calls:
        reply = await calls.mb(f"/recording/{recording.merged_mbids[0]}", inc="isrcs")
        assert reply.status == 301
        assert reply.headers["Location"].split("/recording/")[1] == f"{recording.mbid}?inc=isrcs&fmt=json"
        followed = await calls.mb(f"/recording/{recording.mbid}", inc="isrcs")
    assert followed.json["id"] == recording.mbid
    assert tuple(followed.json["isrcs"]) == recording.isrcs


async def test_isrcs_are_found_by_search_in_any_case_but_looked_up_only_in_canonical_spelling() -> None:
    made = catalogue()
    recording = made.recording(made.cases["shared_isrc"][0])
    isrc = recording.isrcs[0]
    async with running() as calls:
        found = await calls.mb("/recording", query=f"isrc:{isrc.lower()} OR isrc:XX0000000000")
        looked_up = await calls.mb(f"/isrc/{isrc}")
        careless = await calls.mb(f"/isrc/{isrc.lower()}")
        unknown = await calls.mb("/isrc/XXABC0000000")
        hyphens = await calls.mb("/recording", query=f'isrc:"{isrc[:2]}-{isrc[2:5]}-{isrc[5:7]}-{isrc[7:]}"')
    expected = {each.mbid for each in made.recordings_with_isrc(isrc)}
    assert len(expected) > 1
    assert {hit["id"] for hit in found.json["recordings"]} == expected
    assert {hit["id"] for hit in looked_up.json["recordings"]} == expected
    assert (careless.status, unknown.status, hyphens.json["count"]) == (400, 404, 0)


async def test_a_hit_repeats_the_release_for_every_medium_and_shows_the_matching_track_alone() -> None:
    made = catalogue()
    place = next(p for r in made.recordings for p in made.places(r.mbid) if p.medium.position == 2)
    async with running() as calls:
        reply = await calls.mb("/recording", query=f"rid:{place.track.recording_mbid}")
    (hit,) = reply.json["recordings"]
    shown = [release for release in hit["releases"] if release["id"] == place.release.mbid]
    assert [medium["position"] for release in shown for medium in release["media"]] == [2]
    assert shown[0]["media"][0]["track"][0]["number"] == place.track.number
    assert shown[0]["media"][0]["track-offset"] == place.track.position - 1
    assert shown[0]["track-count"] == len(place.release.tracks)
    assert not {"genres", "relations", "rating"} & set(hit)


async def test_a_popular_title_has_more_hits_than_a_page_and_a_stranger_limit_means_25() -> None:
    made = catalogue()
    title = made.recording(made.cases["popular"][0]).title
    async with running() as calls:
        page = await calls.mb("/recording", query=f'recording:"{title}"', limit=100)
        odd = [await calls.mb("/recording", query=title, limit=n) for n in (0, 101, -3, "x")]
        narrowed = await calls.mb("/recording", query=f'recording:"{title}" AND comment:live', limit=100)
    assert page.json["count"] > len(page.json["recordings"]) == 100
    assert [len(reply.json["recordings"]) for reply in odd] == [25, 25, 25, 25]
    assert 0 < narrowed.json["count"] < page.json["count"]


async def test_nothing_beyond_the_five_hundredth_hit_can_be_asked_for() -> None:
    async with running() as calls:
        last = await calls.mb("/recording", query="*:*", limit=100, offset=400)
        beyond = await calls.mb("/recording", query="*:*", limit=100, offset=401)
    assert (last.status, beyond.status) == (200, 400)


async def test_paging_through_ties_overlaps() -> None:
    async with running() as calls:
        pages = [await calls.mb("/recording", query="*:*", limit=100, offset=at) for at in (0, 100, 200, 300)]
    seen = [hit["id"] for page in pages for hit in page.json["recordings"]]
    assert len(set(seen)) < len(seen)


@pytest.mark.parametrize("query", ["AC/DC", "rid:zz", "(", "nofield:x", "dur:[a TO b]"])
async def test_a_malformed_query_is_400_as_a_whole(query: str) -> None:
    async with running() as calls:
        reply = await calls.mb("/recording", query=f"silver OR {query}")
    assert reply.status == 400
    assert "error" in reply.json


async def test_lookups_say_what_is_wrong_with_an_id_or_an_inc() -> None:
    async with running() as calls:
        malformed = await calls.mb("/recording/nonsense")
        unknown = await calls.mb("/recording/00000000-0000-4000-8000-000000000000")
        inc = await calls.mb(f"/recording/{catalogue().recordings[0].mbid}", inc="nonsense")
        place = await calls.mb("/nonsense/1")
    assert (malformed.status, malformed.json["error"]) == (400, "Invalid mbid.")
    assert (unknown.status, unknown.json["error"]) == (404, "Not Found")
    assert inc.json["error"] == "nonsense is not a valid inc parameter for the recording resource."
    assert (inc.status, place.status) == (400, 404)


async def test_a_release_lookup_is_a_whole_album() -> None:
    made = catalogue()
    release = next(r for r in made.releases if len(r.media) == 2 and r.linked)
    inc = "recordings artist-credits isrcs release-groups labels genres url-rels"
    async with running() as calls:
        shown = (await calls.mb(f"/release/{release.mbid}", inc=inc)).json
    tracks = [track for medium in shown["media"] for track in medium["tracks"]]
    assert [track["recording"]["id"] for track in tracks] == [t.recording_mbid for t in release.tracks]
    assert all("isrcs" in track["recording"] and "artist-credit" in track for track in tracks)
    assert shown["release-group"]["id"] == release.group_mbid
    assert shown["label-info"][0]["catalog-number"] == release.catno
    assert shown["relations"][0]["url"]["resource"].endswith(f"/album/{release.spotify_id}")


async def test_linked_releases_of_a_recording_are_capped_at_25_without_a_word() -> None:
    made = catalogue(1500)
    busiest = max(made.recordings, key=lambda r: len({p.release.mbid for p in made.places(r.mbid)}))
    many = len({p.release.mbid for p in made.places(busiest.mbid)})
    async with running(served=made) as calls:
        shown = (await calls.mb(f"/recording/{busiest.mbid}", inc="releases")).json
    assert len(shown["releases"]) == min(25, many)


async def test_spotify_urls_lead_to_recordings_and_unknown_ones_are_left_out() -> None:
    made = catalogue()
    linked = [r for r in made.recordings if r.url_ids][:3]
    urls = [f"https://open.spotify.com/track/{r.url_ids[0]}" for r in linked]
    nowhere = "https://open.spotify.com/track/0000000000000000000000"
    async with running() as calls:
        many = await calls.mb("/url", resource=[*urls, nowhere], inc="recording-rels")
        one = await calls.mb("/url", resource=urls[0], inc="recording-rels")
        none = await calls.mb("/url", resource=nowhere)
    assert [u["relations"][0]["recording"]["id"] for u in many.json["urls"]] == [r.mbid for r in linked]
    assert one.json["resource"] == urls[0]
    assert none.status == 404


async def test_who_does_not_say_who_they_are_gets_403() -> None:
    agents = ["", "python-requests/2.34", "Python-urllib/3.11", "curl/8.0", "Mozilla/5.0 (X11)", "MyApp/1.0"]
    async with running() as calls:
        statuses = [(await calls.mb("/recording", query="a", agent=agent)).status for agent in agents]
        known = await calls.mb("/recording", query="a", agent=AGENT)
        page = await calls.mb("/recording", query="a", agent="App/1 python-musicbrainzngs/0.7.1 ( https://a.example )")
    assert statuses == [403] * len(agents)
    assert (known.status, page.status) == (200, 200)


async def test_an_endless_url_is_refused() -> None:
    ids = [r.mbid for r in catalogue().recordings]
    async with running() as calls:
        fits = await calls.mb("/recording", query=f"rid:({' OR '.join(ids[:150])})", limit=100)
        long = await calls.mb("/recording", query=f"rid:({' OR '.join(ids[:200])})", limit=100)
    assert (fits.status, long.status) == (200, 414)
    assert "<html>" in long.text


async def test_more_than_a_request_a_second_is_refused_until_the_client_slows_down() -> None:
    async with running(limits=True) as calls:
        burst = [(await calls.mb("/recording", query="a")) for _ in range(6)]
        calls.clock.time += 1
        still = await calls.mb("/recording", query="a")
        calls.clock.time += 8
        calm = [(await calls.mb("/recording", query="a")).status]
        for _ in range(30):
            calls.clock.time += 1
            calm.append((await calls.mb("/recording", query="a")).status)
    assert [reply.status for reply in burst] == [200, 200, 503, 503, 503, 503]
    assert burst[2].headers["Retry-After"] == "1"
    assert burst[2].headers["X-RateLimit-Zone"].startswith("ws ip=")
    assert "exceeding the allowable rate limit" in burst[2].json["error"]
    assert still.status == 503
    assert calm == [200] * 31


async def test_a_busy_server_sheds_searches_apart_from_lookups() -> None:
    mbid = catalogue().recordings[0].mbid
    async with running(Behaviour(mb_search_busy_share=1.0)) as calls:
        search = await calls.mb("/recording", query="a")
        lookup = await calls.mb(f"/recording/{mbid}")
        calls.sandbox.behaviour.update({"mb_search_busy_share": 0.0, "mb_lookup_busy_share": 1.0})
        searched = await calls.mb("/recording", query="a")
        shed = await calls.mb(f"/recording/{mbid}")
    assert (search.status, lookup.status, searched.status, shed.status) == (503, 200, 200, 503)
    assert (search.headers["X-RateLimit-Zone"], shed.headers["X-RateLimit-Zone"]) == (
        "search-global",
        "global",
    )
    assert search.headers["Retry-After"] == "0"
    assert "currently busy" in search.json["error"]


async def test_a_search_cut_short_looks_like_any_other() -> None:
    ids = [r.mbid for r in catalogue().recordings[:80]]
    async with running(Behaviour(mb_search_cut_share=1.0)) as calls:
        reply = await calls.mb("/recording", query=f"rid:({' OR '.join(ids)})", limit=100)
    assert reply.status == 200
    assert 0 < reply.json["count"] == len(reply.json["recordings"]) < 80


async def test_without_fmt_the_same_answers_are_xml() -> None:
    made = catalogue()
    recording = made.recording(made.cases["two_isrcs"][0])
    release = next(r for r in made.releases if len(r.tracks) > 3)
    async with running() as calls:
        found = ElementTree.fromstring((await calls.mb("/recording", fmt=None, query=f"rid:{recording.mbid}")).text)
        one = await calls.mb(f"/recording/{recording.mbid}", fmt=None, inc="isrcs artist-credits releases")
        album = await calls.mb(f"/release/{release.mbid}", fmt=None, inc="recordings")
        broken = await calls.mb("/recording", fmt=None, query="AC/DC")
        by_isrc = ElementTree.fromstring((await calls.mb(f"/isrc/{recording.isrcs[0]}", fmt=None)).text)
    hit = found.find("m:recording-list/m:recording", _NS)
    assert hit is not None
    assert hit.get("id") == recording.mbid
    assert hit.get(f"{{{_NS['e']}}}score") == "100"
    looked_up = ElementTree.fromstring(one.text).find("m:recording", _NS)
    isrcs = [isrc.get("id") for isrc in looked_up.findall("m:isrc-list/m:isrc", _NS)]
    assert tuple(isrcs) == recording.isrcs
    tracks = ElementTree.fromstring(album.text).findall(".//m:track/m:recording", _NS)
    assert [track.get("id") for track in tracks] == [t.recording_mbid for t in release.tracks]
    assert ElementTree.fromstring(broken.text).tag == "error"
    listed = by_isrc.findall("m:isrc/m:recording-list/m:recording", _NS)
    assert recording.mbid in [each.get("id") for each in listed]


async def test_releases_are_found_by_title_barcode_and_catalogue_number() -> None:
    release = next(r for r in catalogue().releases if r.barcode and r.catno)
    async with running() as calls:
        barcode = await calls.mb("/release", query=f"barcode:{release.barcode}")
        catno = await calls.mb("/release", query=f'catno:"{release.catno}" AND reid:{release.mbid}')
        title = await calls.mb("/release", query=f'release:"{release.title}" AND rgid:{release.group_mbid}')
    assert [hit["id"] for hit in barcode.json["releases"]] == [release.mbid]
    assert [hit["id"] for hit in catno.json["releases"]] == [release.mbid]
    assert release.mbid in {hit["id"] for hit in title.json["releases"]}


def _keys(value: object, at: str = "") -> set[str]:
    """Return the paths of all keys in a JSON value: `{"a": [{"b": 1}]}` has ".a" and ".a.b"."""
    if isinstance(value, dict):
        return {f"{at}.{name}" for name in value} | {k for n, v in value.items() for k in _keys(v, f"{at}.{n}")}
    if isinstance(value, list):
        return {key for each in value for key in _keys(each, at)}
    return set()


async def test_a_hit_has_the_keys_of_recorded_hits() -> None:
    recorded = json.loads(shared("data", "api", "musicbrainz", "mb_solr_search", "recording-list.json").read_text())
    made = catalogue()
    ids = " OR ".join(r.mbid for r in made.recordings[:90])
    async with running() as calls:
        ours = (await calls.mb("/recording", query=f"rid:({ids})", limit=100)).json
    shown, real = _keys(ours["recordings"]), _keys(recorded["recordings"])
    assert real - shown == {".artist-credit.artist.aliases.type-id"} & real
    grown = {key.rsplit(".", 1)[1] for key in shown - real}
    assert grown <= {"name", "joinphrase", "disambiguation", "count", "title", "type-id", "secondary-type-ids"} | {
        "artist-credit", "artist", "id", "sort-name", "aliases", "locale", "type", "primary", "begin-date", "end-date"
    }  # fmt: skip


async def test_a_looked_up_release_has_the_keys_of_recorded_ones() -> None:
    folder = shared("data", "api", "musicbrainz", "wrtag_releases_json")
    recorded = json.loads((folder / "a99c577f-027d-4f96-8c47-d2b113fc0f2f").read_text())
    release = next(r for r in catalogue().releases if r.label and r.date and r.country)
    inc = "recordings artist-credits release-groups labels genres"
    async with running() as calls:
        ours = (await calls.mb(f"/release/{release.mbid}", inc=inc)).json
    assert set(recorded) <= set(ours)
    assert set(recorded["media"][0]) <= set(ours["media"][0])
    track, real = ours["media"][0]["tracks"][0], recorded["media"][0]["tracks"][0]
    assert set(real) <= set(track)
    assert set(real["recording"]) - {"first-release-date"} <= set(track["recording"])
    assert set(recorded["release-group"]) <= set(ours["release-group"])
