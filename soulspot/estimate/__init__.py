"""A library in, the requests and the time that it will cost out, before any service is asked.

Reads files and the database, writes nothing. Called by `enrich --dry-run` and `check --plan`."""

from soulspot.estimate.cost import Tariff, in_words
from soulspot.estimate.requests import Estimate, Line
from soulspot.estimate.survey import Survey, Surveyed
from soulspot.estimate.terms import Circumstances, RememberedState, circumstances
