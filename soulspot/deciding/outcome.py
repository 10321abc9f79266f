"""From all that is known of a track to its row: gather candidates, decide, plan what is still wanted, merge. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from soulspot.deciding.album_evidence import share_of
from soulspot.deciding.judging import (
    accepted_id,
    completed,
    entities_of,
    fields_of,
    judge,
    merged_into,
    rejected_ids,
)
from soulspot.deciding.merge import RELEASE_FIELDS, TAGS, merge, release_facts, tag_facts
from soulspot.deciding.plan import album_again, album_query, artist_query, planned
from soulspot.deciding.plan_state import BY_HAND, Known, Services
from soulspot.deciding.spotify_outcome import (
    own_track,
    same_track,
    spotify_albums,
    spotify_links,
    told_twice,
)
from soulspot.deciding.unheard_rivals import until_others_are_seen
from soulspot.matching import (
    Candidate,
    Decision,
    MatchPolicy,
    artist_has_alias,
    artist_has_name,
    choose_editions,
    normalise_tags,
    preselect_recordings,
    strip_artist,
)
from soulspot.models import (
    LISTENBRAINZ,
    MUSICBRAINZ,
    SPOTIFY,
    Asked,
    EnrichedTrack,
    Entity,
    LookupState,
    ShownCandidate,
    Status,
    TrackOutcome,
    TrackState,
    TrackTags,
    Verdict,
)
from soulspot.text import main_credit

EXACT_NAMES_SLACK = 2_500  # milliseconds
MAX_ARTISTS = 3
IMPRINT = ("label", "catalog_number", "barcode")


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything configured that the outcome of a track depends on."""

    services: Services = field(default_factory=Services)
    policy: MatchPolicy = field(default_factory=MatchPolicy)
    order: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Equal for rules that decide alike."""
        return repr(
            (self.services, self.policy, sorted((name, tuple(one)) for name, one in self.order.items()))
        )


def work_out(state: TrackState, rules: Rules) -> TrackOutcome:
    """Decide which recording and which Spotify track this is, what is still to be asked, and the row so far."""
    outcome = _worked_out(state, rules)
    if not outcome.wanted and not state.decisions:  # a person decides by what there is to be seen
        outcome = _in_order(state, rules)
    before = state.row
    if _stands(before, state) and outcome.row.status is Status.PENDING:
        # what was accepted stays while more is asked about it
        return replace(outcome, row=replace(before, path=state.path, source_key=state.source_key))
    news = outcome.row.status is not Status.PENDING and (
        before is None or before.status is not outcome.row.status
    )
    return replace(outcome, is_news=news)


def _in_order(state: TrackState, rules: Rules) -> TrackOutcome:
    """What comes out when the answers are heard in the order of the plan, each only when it is asked for.

    Services answer when they like, and an early answer leads to other questions than a late one. A row must not depend
    on that; where this order asks what has not been asked, it is asked now. What a person has searched for counts from
    the beginning, and so does what a provider said before it was switched off."""
    heard = {
        key: asked
        for key, asked in state.asked.items()
        if asked.query.get("scope") == BY_HAND or asked.query.provider not in rules.services.names
    }
    while True:
        outcome = _worked_out(replace(state, asked=dict(heard)), rules)
        answers = {query: state.answer_to(query) for query in outcome.wanted}
        open_ = tuple(query for query, asked in answers.items() if asked is None or not asked.settled)
        if open_ or not answers:
            return replace(outcome, wanted=open_)
        heard |= {(one.query.provider, one.query.kind, one.query.key): one for one in answers.values() if one}


def _stands(before: EnrichedTrack | None, state: TrackState) -> TypeGuard[EnrichedTrack]:
    """Whether the track was accepted, as something that no person has rejected since."""
    if before is None or before.status is not Status.ACCEPTED:
        return False
    rejected = rejected_ids(state, MUSICBRAINZ) | rejected_ids(state, SPOTIFY)
    return rejected.isdisjoint({before.mb_recording_id, before.spotify_track_id})


def _worked_out(state: TrackState, rules: Rules) -> TrackOutcome:
    if state.unreadable:
        return TrackOutcome(_row(state, Status.FAILED, 0.0, {}, {}))
    tags = state.tags  # as they are: the matcher reads the path too, and believes it less
    linked = own_track(state, tags, rules.policy)
    tags = completed(tags, linked)
    candidates = list(_recording_candidates(state, tags, linked))
    recording = judge(state, tags, candidates, MUSICBRAINZ, rules.policy)
    if candidates and not accepted_id(recording) and (share := share_of(state)):
        recording = judge(state, tags, candidates, MUSICBRAINZ, rules.policy, share)
    recording = until_others_are_seen(state, recording, musicbrainz=rules.services.musicbrainz)
    tags = completed(tags, recording)
    track = linked
    if not accepted_id(linked):
        track = same_track(state, tags, recording, rules.policy)
    unasked = None
    if not accepted_id(track) and not rules.services.spotify_batches:
        unasked = told_twice(state, recording)
        track = unasked or track
    tags = as_asked(tags, state.path)
    known = Known(
        tags,
        recording_id=accepted_id(recording),
        spotify_id=accepted_id(track),
        isrcs=_isrcs(state, recording, track),
        spotify_links=spotify_links(state, accepted_id(recording)),
        editions=_editions(state, tags),
        spotify_albums=spotify_albums(state),
        unasked=unasked is not None,
        release_group_id=_release_group(recording),
        unstated_version=recording.version_unstated or recording.acceptable_by_name,
        is_near=recording.verdict is Verdict.REVIEW and not recording.title_uncompared,
        other_names=_artists(state, tags.artist),
        album_other_names=_other_names(state, state.group.artist if state.group else None),
    )
    asking = planned(state, known, rules.services)
    status, confidence = _status(state, recording, track, pending=bool(asking.wanted) or asking.waits)
    values, sources = _merged(state, recording, track, rules)
    row = _row(state, status, confidence, values, sources)
    return TrackOutcome(row, tuple(_shown(recording, track)), asking.wanted, asking.waits)


def _release_group(recording: Decision) -> str | None:
    if not accepted_id(recording) or not recording.release:
        return None
    return recording.release.get("release_group_id")


def as_asked(tags: TrackTags, path: bytes | None) -> TrackTags:
    """The tags put in order for questions. A title that could be a placeholder ("Song 2", "22") is asked for all the
    same: it may be what the song is called."""
    tidy = normalise_tags(tags, path)
    title = tidy.title or (tags.title or "").strip() or None
    return replace(tidy, title=title and strip_artist(title, tidy.artist))


def _recording_candidates(state: TrackState, tags: TrackTags, linked: Decision) -> Iterator[Candidate]:
    own_ids = {*tags.ids.mb_recording_ids, *merged_into(state, tags.ids.mb_recording_ids)}
    hearsay = _hearsay(state, tags) - own_ids
    confirmed = {*state.tags.ids.isrcs, *(fields_of(linked).get("isrcs", ()) if accepted_id(linked) else ())}
    for asked in state.asked.values():
        whole = asked.query.kind == "release"
        for entity in (
            preselect_recordings(normalise_tags(tags, state.path), asked.entities)
            if whole
            else asked.entities
        ):
            if entity.kind != "recording" or (entity.id in hearsay and asked.query.provider == LISTENBRAINZ):
                continue
            reached = {"recording id"} if entity.id in own_ids else set()
            if asked.query.kind == "isrc":
                reached.add("isrc" if asked.query["isrc"] in confirmed else "text")
            elif asked.query.kind == "url":
                reached.add("spotify link")
            elif asked.query.kind in ("text", "loose", "by_artist"):
                reached.add("text")
            yield Candidate(entity, frozenset(reached))


def _hearsay(state: TrackState, tags: TrackTags) -> set[str]:
    """Recordings that only labs named: it answers one recording for a text and none of its rivals, so that its word
    counts only where the lengths agree closely."""
    named: set[str] = set()
    seconded: set[str] = set()
    lengths: dict[str, int] = {}
    for asked in state.asked.values():
        for entity in asked.entities:
            if entity.kind != "recording":
                continue
            if length := entity.fields.get("duration_ms"):
                lengths[entity.id] = int(length)
            if asked.query.provider == LISTENBRAINZ and asked.query.kind == "text":
                named.add(entity.id)
            elif asked.query.provider == MUSICBRAINZ:
                seconded.add(entity.id)
    own = tags.duration_ms
    return {
        one
        for one in named - seconded
        if own is None or one not in lengths or abs(lengths[one] - own) > EXACT_NAMES_SLACK
    }


def _isrcs(state: TrackState, recording: Decision, linked: Decision) -> tuple[str, ...]:
    """The track's own ISRCs first, then those of what it was accepted as; an accepted recording that has ISRCs knows
    better than the tags, which come last then unless it has them, too."""
    own = state.tags.ids.isrcs
    of_recording, of_track = (
        list(fields_of(one).get("isrcs", ())) if accepted_id(one) else [] for one in (recording, linked)
    )
    if of_recording:
        shared = [isrc for isrc in own if isrc in of_recording]
        return tuple(dict.fromkeys([*shared, *of_recording, *of_track, *own]))
    return tuple(dict.fromkeys([*own, *of_track]))


def _editions(state: TrackState, tags: TrackTags) -> tuple[Entity, ...]:
    """The releases that the track's album may be, where that has been asked."""
    group = state.group
    if group is None:
        return ()
    other_names = _other_names(state, group.artist)
    # of all its tracks, so that they all ask for the same edition
    highest = max((one.tags.track_number or 0 for one in group.members), default=0)
    tags = replace(tags, track_number=highest or tags.track_number)
    for query in (album_query(state), album_again(state, other_names)):
        answer = state.answer_to(query) if query else None
        if answer and query:
            own = {
                one.id for one in answer.entities if set(other_names) & {*one.fields.get("mb_artist_ids", ())}
            }
            found = choose_editions(
                tags, group.album, group.artist, answer.entities, size=group.size, by_artist=own
            )
            if found:
                return tuple(found)
    return ()


def _other_names(state: TrackState, name: str | None) -> tuple[str, ...]:
    """The MBIDs of artists that go by `name` and are called otherwise upstream: where the names are the same, a
    search by name has found what there is."""
    answer = state.answer_to(artist_query(name)) if name else None
    if answer is None or not name:
        return ()
    named = main_credit(name)
    found = [one for one in answer.entities if artist_has_alias(one.fields, named)]
    found.sort(key=lambda one: (-int(one.fields.get("score", 0)), one.id))
    return tuple(one.id for one in found)[:MAX_ARTISTS]


def _artists(state: TrackState, name: str | None) -> tuple[str, ...]:
    """The MBIDs of artists that go by `name`, those that are called otherwise upstream first: of the others a search by
    name has found what is called as the tags say, but not what is called otherwise."""
    answer = state.answer_to(artist_query(name)) if name else None
    if answer is None or not name:
        return ()
    called = [one.id for one in answer.entities if artist_has_name(one.fields, main_credit(name))]
    return tuple(dict.fromkeys((*_other_names(state, name), *called)))[:MAX_ARTISTS]


def _status(
    state: TrackState, recording: Decision, track: Decision, *, pending: bool
) -> tuple[Status, float]:
    accepted = [one.confidence for one in (recording, track) if one.verdict is Verdict.ACCEPTED]
    if accepted:
        return Status.ACCEPTED, accepted[0]
    confidence = max(recording.confidence, track.confidence)
    if pending:
        return Status.PENDING, confidence
    if Verdict.REVIEW in (recording.verdict, track.verdict):
        return Status.REVIEW, confidence
    given_up = [asked for asked in state.asked.values() if _given_up(asked)]
    only_malformed = bool(state.tags.ids.malformed) and not state.asked
    return (Status.FAILED if given_up or only_malformed else Status.UNMATCHED), confidence


def _given_up(asked: Asked) -> bool:
    return asked.state in (LookupState.FAILED, LookupState.BURIED) and not asked.answered


def _merged(
    state: TrackState, recording: Decision, track: Decision, rules: Rules
) -> tuple[dict[str, Any], dict[str, str]]:
    facts: dict[str, dict[str, Any]] = {TAGS: tag_facts(state.tags)}
    album = None
    if recording_id := accepted_id(recording):
        for source, entity in entities_of(state, recording_id).items():
            facts[source] = dict(entity.fields)
        if recording.release:
            said = facts.get(MUSICBRAINZ, {})
            of_any = {name: value for name, value in said.items() if name not in RELEASE_FIELDS}
            imprint = _imprint(state, recording.release.get("id"))
            facts[MUSICBRAINZ] = of_any | release_facts(recording.release) | imprint
            album = recording.release.get("title")
        facts.setdefault(MUSICBRAINZ, {})["mb_recording_id"] = recording_id
    if spotify_id := accepted_id(track):
        facts[SPOTIFY] = dict(fields_of(track)) | {"spotify_track_id": spotify_id}
    return merge(facts, rules.order, own=state.tags, album=album)


def _imprint(state: TrackState, release_id: str | None) -> dict[str, Any]:
    """Label, catalogue number and barcode of a release, where a search has brought them."""
    for asked in state.asked.values():
        for entity in asked.entities:
            if entity.kind == "release" and entity.id == release_id:
                return {name: entity.fields[name] for name in IMPRINT if name in entity.fields}
    return {}


def _shown(recording: Decision, track: Decision) -> Iterator[ShownCandidate]:
    for decision, provider in ((recording, MUSICBRAINZ), (track, SPOTIFY)):
        for rank, scored in enumerate(decision.ranked):
            verdict = decision.verdict if rank == 0 else Verdict.NONE
            reasons = (
                decision.reasons if rank == 0 else scored.reasons
            )  # the decision's end with the best's own
            yield ShownCandidate(provider, scored.candidate.entity.id, scored.score, verdict, reasons)


def _row(
    state: TrackState,
    status: Status,
    confidence: float,
    values: Mapping[str, Any],
    sources: Mapping[str, str],
) -> EnrichedTrack:
    return EnrichedTrack(
        state.track_id, state.path, state.source_key, status, round(confidence, 4), sources=sources, **values
    )
