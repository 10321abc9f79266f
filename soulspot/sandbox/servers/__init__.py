"""Local HTTP servers for MusicBrainz, Spotify, ListenBrainz, labs and the cover archives, with the
habits that the reference page on the upstream APIs records."""
