"""Small playable audio files: a length and tags come in, MP3, FLAC, Ogg or M4A files of silence go
out.

The sample library calls `files.write_audio`; benchmarks use the parts."""
