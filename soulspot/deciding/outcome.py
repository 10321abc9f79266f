"""From all that is known of a track to its row: gather candidates, decide, plan, merge."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeGuard

from soulspot.deciding.album_evidence import album_evidence
from soulspot.deciding.judging import (
    accepted_id,
    descriptions_of,
    fields_of,
    fill_gaps,
    judge_candidates,
    rejected_ids,
)
from soulspot.deciding.merge import RELEASE_FIELDS, TAGS, merge, release_facts, tag_facts
from soulspot.deciding.plan import make_plan
from soulspot.deciding.plan_state import BY_HAND, Known, Services
from soulspot.deciding.recording_evidence import (
    alias_artist_ids,
    artist_ids,
    known_isrcs,
    likely_editions,
    recording_candidates,
    searchable_tags,
)
from soulspot.deciding.spotify_outcome import (
    decide_own_track,
    decide_spotify_track,
    likely_spotify_albums,
    spotify_links,
    track_named_by_two_sources,
)
from soulspot.deciding.unheard_rivals import hold_back_unheard_rivals
from soulspot.matching import Decision, MatchPolicy
from soulspot.models import (
    MUSICBRAINZ,
    SPOTIFY,
    EnrichedTrack,
    LookupState,
    ShownCandidate,
    Status,
    TrackOutcome,
    TrackState,
    TrackTags,
    Verdict,
)

IMPRINT = ("label", "catalog_number", "barcode")


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything configured that the outcome of a track depends on."""

    services: Services = field(default_factory=Services)
    policy: MatchPolicy = field(default_factory=MatchPolicy)
    order: Mapping[str, Sequence[str]] = field(default_factory=dict)  # field of a row -> order of sources
    roots: tuple[bytes, ...] = ()  # of the library, whose names are not of music

    @property
    def fingerprint(self) -> str:
        """Return a text that is equal for equal settings.

        A change of the code does not change it: existing rows then stay until they are decided for
        another reason."""
        order = sorted((name, tuple(sources)) for name, sources in self.order.items())
        return repr((self.services, self.policy, order))


def decide_track(state: TrackState, rules: Rules) -> TrackOutcome:
    """Decide which recording and Spotify track this is; return its row so far and the lookups it
    wants."""
    outcome = _decide(state, rules)
    # A person decides by what there is to be seen; such a track is not decided over again.
    if not outcome.wanted and not state.decisions:
        outcome = _replay(state, rules)
    before = state.row
    if _still_accepted(before, state) and outcome.row.status is Status.PENDING:
        # the accepted row stays while more is looked up for it
        return replace(outcome, row=replace(before, path=state.path, source_key=state.source_key))
    is_news = outcome.row.status is not Status.PENDING and (before is None or before.status is not outcome.row.status)
    return replace(outcome, is_news=is_news)


def _replay(state: TrackState, rules: Rules) -> TrackOutcome:
    """Decide as if answers had come in the order of the plan, each only when it was wanted.

    Services answer when they like, and an early answer leads to other lookups than a late one. A
    row must not depend on that. A lookup that this order wants and nobody has asked yet is asked
    now. What a person searched for counts from the beginning, and so do answers of a provider that
    was switched off since."""
    heard = {
        key: lookup
        for key, lookup in state.lookups.items()
        if lookup.query.get("scope") == BY_HAND or lookup.query.provider not in rules.services.names
    }
    while True:
        outcome = _decide(replace(state, lookups=dict(heard)), rules)
        answers = {query: state.answer_to(query) for query in outcome.wanted}
        unanswered = tuple(query for query, lookup in answers.items() if lookup is None or not lookup.is_settled)
        if unanswered or not answers:
            return replace(outcome, wanted=unanswered)
        heard |= {(one.query.provider, one.query.kind, one.query.key): one for one in answers.values() if one}


def _still_accepted(before: EnrichedTrack | None, state: TrackState) -> TypeGuard[EnrichedTrack]:
    """Whether the track was accepted, as something that no person has rejected since."""
    if before is None or before.status is not Status.ACCEPTED:
        return False
    rejected = rejected_ids(state, MUSICBRAINZ) | rejected_ids(state, SPOTIFY)
    return rejected.isdisjoint({before.mb_recording_id, before.spotify_track_id})


def _decide(state: TrackState, rules: Rules) -> TrackOutcome:
    """Decide by the answers in `state` alone."""
    if state.unreadable:
        return TrackOutcome(_row(state, Status.FAILED, 0.0, {}, {}))
    tags = state.tags  # as they are: the matcher reads the path too, and believes it less
    own_track = decide_own_track(state, tags, rules.policy)
    tags = fill_gaps(tags, own_track)
    recording = _decide_recording(state, tags, own_track, rules)
    tags = fill_gaps(tags, recording)
    track = own_track
    if not accepted_id(own_track):
        track = decide_spotify_track(state, tags, recording, rules.policy)
        if accepted_id(track) and not accepted_id(recording):
            # what Spotify has confirmed tells recordings apart: its ISRC, and what the tags lack
            tags = fill_gaps(tags, track, length_too=True)
            recording = _decide_recording(state, tags, track, rules)
    unasked_track = None
    if not accepted_id(track) and not rules.services.spotify_batches:
        unasked_track = track_named_by_two_sources(state, recording)
        track = unasked_track or track
    known = _known(state, tags, recording, track, spotify_unasked=unasked_track is not None)
    plan = make_plan(state, known, rules.services)
    is_pending = bool(plan.wanted) or plan.waits_for_album
    status, confidence = _status(state, recording, track, is_pending=is_pending)
    values, sources = _merged(state, recording, track, rules)
    row = _row(state, status, confidence, values, sources)
    return TrackOutcome(row, tuple(_shown(recording, track)), plan.wanted, plan.waits_for_album)


def _decide_recording(state: TrackState, tags: TrackTags, track: Decision, rules: Rules) -> Decision:
    """Decide between the recordings. `track` is the decision on a Spotify track so far."""
    candidates = list(recording_candidates(state, tags, track))
    recording = judge_candidates(state, tags, candidates, MUSICBRAINZ, rules.policy)
    if candidates and not accepted_id(recording) and (evidence := album_evidence(state)):
        recording = judge_candidates(state, tags, candidates, MUSICBRAINZ, rules.policy, evidence)
    return hold_back_unheard_rivals(state, recording, knows_names=rules.services.knows_names)


def _known(state: TrackState, tags: TrackTags, recording: Decision, track: Decision, *, spotify_unasked: bool) -> Known:
    """Return what the plan depends on."""
    tags = searchable_tags(tags, state.music_path)
    release = recording.release if accepted_id(recording) else None
    return Known(
        tags,
        recording_id=accepted_id(recording),
        spotify_id=accepted_id(track),
        isrcs=known_isrcs(state, recording, track),
        spotify_links=spotify_links(state, accepted_id(recording)),
        editions=likely_editions(state, tags),
        spotify_albums=likely_spotify_albums(state),
        spotify_unasked=spotify_unasked,
        release_group_id=release.get("release_group_id") if release else None,
        needs_rivals=recording.version_unstated or recording.acceptable_by_name,
        has_likely_recording=recording.verdict is Verdict.REVIEW and not recording.title_uncompared,
        alias_artist_ids=artist_ids(state, tags.artist),
        album_alias_artist_ids=alias_artist_ids(state, state.group.artist if state.group else None),
    )


def _status(state: TrackState, recording: Decision, track: Decision, *, is_pending: bool) -> tuple[Status, float]:
    """Return the status of the row and its confidence, 0 to 1."""
    accepted = [one.confidence for one in (recording, track) if one.verdict is Verdict.ACCEPTED]
    if accepted:
        return Status.ACCEPTED, accepted[0]
    confidence = max(recording.confidence, track.confidence)
    if is_pending:
        return Status.PENDING, confidence
    if Verdict.REVIEW in (recording.verdict, track.verdict):
        return Status.REVIEW, confidence
    has_given_up = any(
        lookup.state in (LookupState.FAILED, LookupState.BURIED) and not lookup.is_answered
        for lookup in state.lookups.values()
    )
    only_malformed_ids = bool(state.tags.ids.malformed) and not state.lookups
    return (Status.FAILED if has_given_up or only_malformed_ids else Status.UNMATCHED), confidence


def _merged(
    state: TrackState, recording: Decision, track: Decision, rules: Rules
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of the row and the source of each, from what was accepted and the tags."""
    facts: dict[str, dict[str, Any]] = {TAGS: tag_facts(state.tags)}
    album = None
    if recording_id := accepted_id(recording):
        for source, entity in descriptions_of(state, recording_id).items():
            facts[source] = dict(entity.fields)
        if release := recording.release:
            # a recording is on many releases: only the one that it was accepted on may describe the
            # album
            fields = facts.get(MUSICBRAINZ, {})
            of_recording = {name: value for name, value in fields.items() if name not in RELEASE_FIELDS}
            facts[MUSICBRAINZ] = of_recording | release_facts(release) | _imprint(state, release.get("id"))
            album = release.get("title")
        facts.setdefault(MUSICBRAINZ, {})["mb_recording_id"] = recording_id
    if spotify_id := accepted_id(track):
        facts[SPOTIFY] = dict(fields_of(track)) | {"spotify_track_id": spotify_id}
    return merge(facts, rules.order, own=state.tags, album=album)


def _imprint(state: TrackState, release_id: str | None) -> dict[str, Any]:
    """Return label, catalogue number and barcode of a release, as far as any answer has them."""
    for lookup in state.lookups.values():
        for entity in lookup.entities:
            if entity.kind == "release" and entity.id == release_id:
                return {name: entity.fields[name] for name in IMPRINT if name in entity.fields}
    return {}


def _shown(recording: Decision, track: Decision) -> Iterator[ShownCandidate]:
    for decision, provider in ((recording, MUSICBRAINZ), (track, SPOTIFY)):
        for rank, scored in enumerate(decision.ranked):
            # the best candidate is shown with the reasons of the decision, which end with its own
            verdict, reasons = (Verdict.NONE, scored.reasons) if rank else (decision.verdict, decision.reasons)
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
