"""Sample libraries: a catalogue in, a folder of tagged audio files and the truth about each out."""
