"""A sample library: a catalogue comes in, a folder of tagged audio files and the truth of each go
out.

The demo, the sandbox' command, tests and benchmarks call `sample`; `plan` chooses files, `styles`
tags."""
