"""An invented catalogue in, archives in the form of MusicBrainz' public dumps out."""

from soulspot.sandbox.dumps.canonical import write_canonical_dump
from soulspot.sandbox.dumps.core import write_core_dump
from soulspot.sandbox.dumps.publishing import publish_dumps

__all__ = ["publish_dumps", "write_canonical_dump", "write_core_dump"]
