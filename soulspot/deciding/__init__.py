"""What is known of a track in; its row, its candidates and the lookups that it still wants out.

Pure: nothing here waits, reads or writes. Called by the pipeline for every answer, and by the estimate."""

from soulspot.deciding.outcome import Rules, as_asked, work_out
from soulspot.deciding.plan import artist_query, plan
from soulspot.deciding.plan_state import BY_HAND, Known, Services

__all__ = ["BY_HAND", "Known", "Rules", "Services", "artist_query", "as_asked", "plan", "work_out"]
