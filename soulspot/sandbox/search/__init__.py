"""MusicBrainz' search in small: Lucene queries over the catalogue in, scored documents out. A
document is a position in a sequence."""
