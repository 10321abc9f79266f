"""MusicBrainz' search in small: Lucene queries over the catalogue come in, scored documents go out.

The local MusicBrainz and Spotify servers call it. `lucene` parses a query, `fields` names the
fields of each index, `index` keeps them, and `matching` ranks the documents. A document is a
position in a sequence."""
