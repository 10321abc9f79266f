"""The local MusicBrainz web service (WS/2): requests come in, entities and search hits go out."""
