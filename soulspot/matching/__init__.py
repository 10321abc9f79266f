"""Matching: tags and candidates in, a decision with its reasons out.

`deciding` calls it for each answered lookup, `pipeline` and `estimate` to group albums, and
`operations` to compare titles for review. Pure: nothing here waits, reads or writes."""

from soulspot.matching.albums.editions import album_may_be_by, choose_editions
from soulspot.matching.albums.groups import identify_album
from soulspot.matching.albums.pairing import Pairing, pair_tracks
from soulspot.matching.candidates import preselect_recordings
from soulspot.matching.decision import accept_by_name, compare_records, decide
from soulspot.matching.text.names import artist_has_alias, artist_has_name
from soulspot.matching.text.paths import music_path
from soulspot.matching.text.tag_cleanup import normalise_tags, strip_artist
from soulspot.matching.text.titles import parse_title
from soulspot.matching.values import NO_EVIDENCE, AlbumEvidence, Candidate, Decision, MatchPolicy, ScoredCandidate
from soulspot.matching.versions.parsing import describe_versions, parse_versions
