"""Log in with the token, for a cookie that scripts cannot read and other sites cannot send."""

from html import escape

from aiohttp import web

from soulspot.web.bodies import form_field
from soulspot.web.guards import COOKIE, cookie_of, has_cookie, is_token
from soulspot.web.requests import LoginBody
from soulspot.web.routing import Handlers, body_of, route
from soulspot.web.throttle import Throttle

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
<p role="alert">{alert}</p>
<label for="token">Token (http.token in config.toml)</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button>
</form></body></html>
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


class LoginRoutes(Handlers):
    """The handlers of logging in and out; `token` is None where no client needs to log in."""

    def __init__(self, token: str | None, throttle: Throttle) -> None:
        self._token = token
        self._throttle = throttle

    @route("GET", "/login", {200: "text/html", 303: None}, is_open=True)
    async def form(self, request: web.Request) -> web.Response:
        """Show the form to log in with the token."""
        if self._token is None or has_cookie(request, self._token):
            raise web.HTTPSeeOther("/")
        return _page("", 200)

    @route("POST", "/login", {204: None}, body=LoginBody, problems=(401, 429, 503), is_open=True)
    async def login(self, request: web.Request) -> web.Response:
        """Log in: exchange the token, as JSON or from the form, for a cookie."""
        by_form = request.content_type == "application/x-www-form-urlencoded"
        with self._throttle.login():
            given = await form_field(request, "token") if by_form else (await body_of(request, LoginBody)).token
        token = self._token
        # A form answers a browser with a page, JSON answers a program with a problem document.
        if token is not None and not await self._throttle.judge(request.remote or "", lambda: is_token(given, token)):
            if by_form:
                return _page("That is not the token.", 401)
            raise web.HTTPUnauthorized(text="that is not the token", headers={"WWW-Authenticate": "Bearer"})
        response = web.Response(status=303, headers={"Location": "/"}) if by_form else web.Response(status=204)
        if self._token is not None:
            response.set_cookie(
                COOKIE, cookie_of(self._token), max_age=DAYS * 86_400, httponly=True, samesite="Strict",
                secure=request.secure, path="/",
            )  # fmt: skip
        return response

    @route("POST", "/logout", {204: None})
    async def logout(self) -> web.Response:
        """Log out: remove the cookie from the browser."""
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return response


def _page(alert: str, status: int) -> web.Response:
    return web.Response(
        text=_PAGE.format(alert=escape(alert)), content_type="text/html", status=status,
        headers={"Content-Security-Policy": _POLICY},
    )  # fmt: skip
