"""A dump in, a catalogue out."""

from soulspot.providers.catalogue.building.build import BuildProgress, BuildStopped, build_catalogue

__all__ = ["BuildProgress", "BuildStopped", "build_catalogue"]
