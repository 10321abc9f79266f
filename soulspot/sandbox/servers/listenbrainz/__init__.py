"""The local ListenBrainz and labs: MBIDs or text come in, metadata and Spotify ids go out."""
