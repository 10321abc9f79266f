"""Local HTTP servers for MusicBrainz, Spotify, ListenBrainz, labs and the cover archives.

A `Catalogue` and a `Behaviour` come in; answers in the services' own formats go out, limits and
faults included. `Sandbox` in `sandbox.py` starts all of them. The services' habits are those that
the reference page on the upstream APIs records, not those that SoulSpot's own clients expect."""
