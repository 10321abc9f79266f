"""Containers of sound read where mutagen does not look: an opened file in, raw fields out."""

from soulspot.library.containers.chained_ogg import chained_seconds
from soulspot.library.containers.chunks import is_chunked, read_chunks
from soulspot.library.containers.content import open_sound
from soulspot.library.containers.second_tags import hidden_tags, second_tags

__all__ = ["chained_seconds", "hidden_tags", "is_chunked", "open_sound", "read_chunks", "second_tags"]
