"""What requests about review may ask for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from soulspot.operations.review import cases
from soulspot.web.requests import HIGHEST, Asked, Query

MOST_AT_ONCE = 100  # ids of one request
LONGEST = 500  # characters of words, names and reasons

Text = Annotated[str, Field(max_length=LONGEST), AfterValidator(lambda said: said.strip() or None)]
Provider = Literal["musicbrainz", "spotify"]


class ReviewQuery(Query):
    """Which tracks in review to list."""

    after: int = Field(0, ge=0, le=HIGHEST, description="`next` of the page before")
    limit: int = Field(cases.PAGE, ge=1, le=cases.LARGEST_PAGE, description="tracks a page")
    query: str = Field("", max_length=LONGEST, description="words of names or path")


class PathQuery(Query):
    """Which file."""

    path: str = Field(description="the absolute path of a file; bytes that are no UTF-8 percent-encoded")


class Body(Asked):
    """Who says it, and why."""

    by: Text | None = Field(default=None, description="who says it; http where nothing is said")
    reason: Text | None = None


class Entity(Asked):
    """A recording of MusicBrainz or a track of Spotify: an id or the address of its page."""

    provider: Provider | None = Field(None, description="where the id does not tell")
    entity_id: str = Field(max_length=LONGEST)


class AcceptBody(Body, Entity):
    """What the track is."""


class RejectBody(Body):
    """What it is not: one (entity_id), or several (entities)."""

    provider: Provider | None = None
    entity_id: str | None = Field(None, max_length=LONGEST)
    entities: list[Entity] | None = Field(None, min_length=1, max_length=MOST_AT_ONCE)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.entity_id is None) == (self.entities is None):
            raise ValueError("entity_id or entities: one of them")
        return self

    @property
    def named(self) -> list[Entity]:
        """All that are rejected."""
        if self.entity_id is not None:
            return [Entity(provider=self.provider, entity_id=self.entity_id)]
        return list(self.entities or ())


class UndoBody(Body):
    """What to forget: of this service alone, or of all."""

    provider: Provider | None = None


class SearchBody(Body):
    """What to search for."""

    words: str = Field(max_length=LONGEST)
    provider: Provider | None = None
