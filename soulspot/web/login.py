"""Logging in with the token, for browsers: a cookie that scripts cannot read and other sites cannot send."""

from __future__ import annotations

import asyncio
from html import escape

from aiohttp import web

from soulspot.web import bodies
from soulspot.web.guards import COOKIE, cookie_of, has_cookie, is_token
from soulspot.web.requests import LoginBody, body_of

DAYS = 30  # that a browser stays logged in

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>SoulSpot: log in</title>
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }}
body {{ display: grid; place-items: center; min-height: 90vh; margin: 1rem }}
form {{ display: grid; gap: .75rem; width: min(22rem, 100%) }}
input, button {{ font: inherit; padding: .5rem }}
</style></head><body><form method="post" action="/login">
<h1>SoulSpot</h1>
<p role="alert">{said}</p>
<label for="token">Token (http.token of the configuration)</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
</form></body></html>
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class Login:
    """The handlers for one token; without one there is nothing to log in to."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login", self.form),
            web.post("/login", self.login),
            web.post("/logout", self.logout),
        ]

    async def form(self, request: web.Request) -> web.StreamResponse:
        """The form, for whoever is not logged in."""
        if self._token is None or has_cookie(request, self._token):
            raise web.HTTPSeeOther("/")
        return _page("", 200)

    async def login(self, request: web.Request) -> web.StreamResponse:
        """{token} as JSON or from the form: a cookie, or 401."""
        by_form = request.content_type == "application/x-www-form-urlencoded"
        said = await _field(request) if by_form else (await body_of(request, LoginBody)).token
        if self._token is not None and not is_token(said, self._token):
            if by_form:
                return _page("That is not the token.", 401)
            raise web.HTTPUnauthorized(text="that is not the token", headers={"WWW-Authenticate": "Bearer"})
        response: web.Response = (
            web.Response(status=303, headers={"Location": "/"}) if by_form else web.Response(status=204)
        )
        if self._token is not None:
            response.set_cookie(
                COOKIE, cookie_of(self._token), max_age=DAYS * 86_400, httponly=True, samesite="Strict",
                secure=request.secure, path="/",
            )  # fmt: skip
        return response

    async def logout(self, request: web.Request) -> web.StreamResponse:
        """The cookie is taken back."""
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return response


async def _field(request: web.Request) -> str:
    try:
        async with asyncio.timeout(bodies.CHUNK_SECONDS):
            said = (await request.post()).get("token", "")
    except TimeoutError:
        raise bodies.too_slow() from None
    except (ValueError, LookupError):
        raise web.HTTPBadRequest(text="the body is not a form") from None
    return said if isinstance(said, str) else ""


def _page(said: str, status: int) -> web.Response:
    return web.Response(
        text=_PAGE.format(said=escape(said)), content_type="text/html", status=status,
        headers={"Content-Security-Policy": _POLICY},
    )  # fmt: skip
