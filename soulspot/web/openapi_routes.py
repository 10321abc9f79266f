"""What every route takes and answers, for the OpenAPI document."""

from __future__ import annotations

from soulspot.web import requests as q
from soulspot.web import responses as a
from soulspot.web import review_requests as r
from soulspot.web import sql_imports as sql
from soulspot.web.exports import MEDIA_TYPES
from soulspot.web.openapi import Described

API = "/api/v1"
TRACK = f"{API}/review/{{track_id}}"
LAST_EVENT = {
    "name": "Last-Event-ID", "in": "header", "required": False,
    "description": "go on behind this event; it goes before the query's",
    "schema": {"type": "integer", "minimum": 0, "maximum": q.HIGHEST},
}  # fmt: skip


class Case(a.Open):
    """One track beside its candidates, field by field."""


class Cost(a.Open):
    """Lookups and requests, by service."""


class TagWrites(a.Open):
    """Operations that wrote tags, the latest first."""


class Finds(a.Open):
    """How a search stands, and what it found."""


ROUTES = (
    Described("GET", "/healthz", "Whether the process lives", {200: a.Health}, open=True),
    Described("GET", "/readyz", "Whether it can work", {200: a.Health, 503: a.Problem}, open=True),
    Described("GET", "/login", "The form to log in with the token", {200: "text/html", 303: None}, open=True),
    Described("POST", "/login", "Log in: a cookie for the token", {204: None}, body=q.LoginBody, problems=(401,),
              open=True),
    Described("POST", "/logout", "Take the cookie back", {204: None}),
    Described("GET", "/metrics", "Numbers for Prometheus", {200: "text/plain"}),
    Described("GET", f"{API}/openapi.json", "This document", {200: a.Open}),
    Described("GET", f"{API}/status", "Counts, queue, services, operations", {200: a.StatusDocument}),
    Described("GET", f"{API}/activity", "The last hour, and what has failed", {200: a.Activity}),
    Described("GET", "/", "The page", {200: "text/html"}),
    Described("POST", f"{API}/scan", "Look through the library for what changed", {202: a.Started},
              body=q.ScanBody),
    Described("POST", f"{API}/import", "Queue the rows of a file: CSV, JSON or NDJSON, also with .gz",
              {202: a.Started}, query=q.ImportQuery, body="application/octet-stream"),
    Described("GET", sql.ROUTE, "How far an import from another database has come", {200: sql.ImportPosition},
              query=sql.PositionQuery),
    Described("POST", sql.ROUTE, "Note how far it has come", {200: sql.ImportPosition}, body=sql.PositionBody),
    Described("POST", f"{API}/enrich", "Scan, and work until nothing is due", {202: a.Started}, body=q.EnrichBody),
    Described("POST", f"{API}/enrich/cost", "What it would cost to ask again for what is known (force)",
              {200: Cost}, body=q.ScanBody),
    Described("POST", f"{API}/retry", "Ask again for what failed, or was not known", {202: a.Started},
              body=q.RetryBody),
    Described("POST", f"{API}/export", "Write the tracks as a table, or as release messages, into a file to be fetched",
              {202: a.Started}, body=q.ExportBody),
    Described("POST", f"{API}/write-tags", "Write what was found out into tags, or say what would be written",
              {202: a.Started}, body=q.WriteTagsBody),
    Described("GET", f"{API}/write-tags", "What was written into tags, by operation", {200: TagWrites}),
    Described("POST", f"{API}/write-tags/{{id}}/undo", "Take back what an operation wrote into tags",
              {202: a.Started}, body=q.UndoTagsBody),
    Described("GET", f"{API}/operations", "Operations, newest first", {200: a.OperationPage},
              query=q.OperationQuery),
    Described("GET", f"{API}/operations/{{id}}", "How an operation stands", {200: a.Operation}),
    Described("POST", f"{API}/operations/{{id}}/cancel", "End an operation; what it queued stays queued",
              {200: a.Operation}, problems=(409,)),
    Described("GET", f"{API}/operations/{{id}}/file", "The file that an export has written",
              {200: MEDIA_TYPES, 206: MEDIA_TYPES}),
    Described("GET", f"{API}/tracks", "Tracks by number, of a status, with these words", {200: a.TrackPage},
              query=q.TrackQuery),
    Described("GET", f"{API}/tracks/{{track_id}}", "All that is known of a track", {200: a.Track}),
    Described("GET", f"{API}/tracks/{{track_id}}/cover", "The front cover of a track", {200: "image/*", 304: None},
              problems=(404, 502, 503)),
    Described("GET", f"{API}/covers", "The front cover at an address that a track or candidate has",
              {200: "image/*", 304: None}, query=q.CoverQuery, problems=(403, 404, 502, 503)),
    Described("GET", f"{API}/events", "What happens, as it happens (server-sent events)",
              {200: "text/event-stream"}, query=q.EventQuery, headers=(LAST_EVENT,), problems=(503,)),
    Described("GET", f"{API}/review", "Tracks that wait for a person", {200: a.ReviewPage}, query=r.ReviewQuery),
    Described("GET", f"{API}/review/track", "The number of a file's track", {200: a.TrackNumber}, query=r.PathQuery,
              problems=(404,)),
    Described("GET", TRACK, "A track beside its candidates", {200: Case}),
    Described("POST", f"{TRACK}/accept", "The track is this one", {200: Case}, body=r.AcceptBody),
    Described("POST", f"{TRACK}/reject", "The track is none of these", {200: Case}, body=r.RejectBody),
    Described("POST", f"{TRACK}/undo", "Forget what persons said", {200: Case}, body=r.UndoBody),
    Described("POST", f"{TRACK}/search", "Search for the track by hand", {202: a.SearchStarted}, body=r.SearchBody),
    Described("GET", f"{TRACK}/search/{{lookup_id}}", "How a search stands", {200: Finds}),
)  # fmt: skip
