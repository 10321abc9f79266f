"""Tests of the walk, the watch, and the reading of audio files and identifiers."""
