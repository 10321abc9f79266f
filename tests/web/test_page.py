"""The page as it is served: its files, its policy, and the contrast of its colours."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from soulspot.web.page import FOLDER, PREFIX
from tests.web.conftest import Running, Start
from tests.web.test_guards import TOKEN

HTML = (FOLDER / "index.html").read_text(encoding="utf-8")
STYLE = (FOLDER / "style.css").read_text(encoding="utf-8")
TEXTS = ("text", "muted", "accent", "good", "warn", "bad", "info")
READABLE, VISIBLE = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11


async def test_the_page_and_all_its_parts_come_from_here(running: Running) -> None:
    async with running.http.get("/") as answer:
        assert (answer.status, answer.content_type) == (200, "text/html")
        page = await answer.text()
    wanted = set(re.findall(r'(?:src|href)="(/page/[^"]+)"', page))
    for script in FOLDER.glob("*.js"):
        wanted |= {PREFIX + name for name in re.findall(r'from "\./([^"]+)"', script.read_text(encoding="utf-8"))}
    assert len(wanted) > 8
    for path in sorted(wanted):
        async with running.http.get(path) as answer:
            assert answer.status == 200, path
    assert not re.findall(r'(?:src|href)="(?!/|#)', page), "nothing of the page lies elsewhere"


async def test_an_unknown_part_is_not_found_and_no_file_beside_the_page_is_given_away(
    running: Running,
) -> None:
    for path in ("/page/none.js", "/page/..%2fapp.py", "/page/%2e%2e%2fguards.py", "/page/"):
        async with running.http.get(path) as answer:
            assert answer.status == 404, path


async def test_a_part_that_has_not_changed_is_not_sent_again(running: Running) -> None:
    async with running.http.get("/page/main.js") as answer:
        tag = answer.headers["ETag"]
        assert answer.headers["Cache-Control"] == "no-cache"
    async with running.http.get("/page/main.js", headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


async def test_the_policy_lets_the_page_ask_nobody_else(running: Running) -> None:
    async with running.http.get("/") as answer:
        said = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert said["img-src"] == "'self'"
    assert said.pop("require-trusted-types-for") == "'script'"
    assert set(said.values()) == {"'none'", "'self'"}
    assert (said["default-src"], said["script-src"], said["connect-src"]) == ("'none'", "'self'", "'self'")


def test_the_page_has_no_script_and_no_style_of_its_own_that_the_policy_would_forbid() -> None:
    assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=|javascript:", HTML) == []


async def test_with_a_token_the_page_leads_to_the_login_and_its_parts_are_closed(start: Start) -> None:
    running = await start(token=TOKEN)
    async with running.http.get("/", headers={"Accept": "text/html"}, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/login")
    async with running.http.get("/page/main.js") as answer:
        assert answer.status == 401
    async with running.http.post("/login", json={"token": TOKEN}) as answer:
        assert answer.status == 204
    async with running.http.get("/") as answer:
        assert answer.status == 200


# --- colours --------------------------------------------------------------------------------------


def colours(scheme: str) -> dict[str, str]:
    """Return the colours of the light or the dark scheme by name."""
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, flags=re.DOTALL)[:2]
    return dict(re.findall(r"--([\w-]+): (#\w{6});", light if scheme == "light" else dark))


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as WCAG defines it, 1 to 21."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def test_contrast_is_computed_as_the_standard_does() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_everything_it_stands_on(scheme: str) -> None:
    known = colours(scheme)
    pairs = [(text, ground) for text in TEXTS for ground in ("bg", "panel")]
    pairs += [(text, ground) for text in ("text", "muted") for ground in ("warn-bg", "bad-bg", "info-bg", "track")]
    pairs += [("accent-text", "accent"), ("warn", "warn-bg"), ("panel", "info"), ("panel", "idle")]
    pairs += [("panel", status) for status in ("good", "warn", "bad")]
    poor = {pair: round(contrast(known[pair[0]], known[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < READABLE} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_and_the_focus_can_be_seen_on_what_they_lie_on(scheme: str) -> None:
    known = colours(scheme)
    poor = {one: round(contrast(known[one], known["track"]), 2) for one in ("accent", "good", "info", "warn", "bad")}
    poor |= {ground: round(contrast(known["focus"], known[ground]), 2) for ground in ("bg", "panel", "info-bg")}
    assert {name: ratio for name, ratio in poor.items() if ratio < VISIBLE} == {}


def test_both_schemes_name_the_same_colours() -> None:
    assert colours("light").keys() == colours("dark").keys()


def test_every_view_has_a_heading_and_every_field_a_name() -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", HTML)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    for view in re.findall(r'<section id="view-\w+"[^>]*', HTML):
        assert re.search(r'aria-labelledby="(\w+-title)"', view)
