"""Small playable audio files: a length and tags in, MP3, FLAC, Ogg or M4A files of silence out."""
