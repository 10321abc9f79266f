"""Tests of the library room: what it finds on disk and in import files."""
