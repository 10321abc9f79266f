"""A public dump of MusicBrainz in, answers without a request out.

`build_catalogue` makes one file of a dump; `CatalogueProvider` answers from it in MusicBrainz' own
words, so that nothing behind it knows the difference."""

from soulspot.providers.catalogue.building import BuildProgress, BuildStopped, build_catalogue
from soulspot.providers.catalogue.provider import CatalogueProvider
from soulspot.providers.catalogue.reader import Catalogue

__all__ = ["BuildProgress", "BuildStopped", "Catalogue", "CatalogueProvider", "build_catalogue"]
