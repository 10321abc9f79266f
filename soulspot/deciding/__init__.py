"""Everything known of a track in; its row, its candidates and the lookups that it still wants out.

Pure: nothing here waits, reads or writes. Called by the pipeline for every answer, and by the
estimate."""

from soulspot.deciding.outcome import Rules, decide_track
from soulspot.deciding.plan import artist_query, plan
from soulspot.deciding.plan_state import BY_HAND, Known, OfflineSource, Services
from soulspot.deciding.recording_evidence import searchable_tags
