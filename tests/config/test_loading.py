"""The configuration: the sources of its values, its errors, and its hidden secrets."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from secrets import token_hex, token_urlsafe
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soulspot.config import sources
from soulspot.config.loading import (
    Config,
    find_config,
    load_config,
    make_config,
    reloadable_differences,
)
from soulspot.config.model import walk_keys
from soulspot.config.sections import Merge
from soulspot.config.sources import CREDENTIALS, Layer
from soulspot.config.template import KEYS_TO_FILL_IN, default_as_toml, render_template, write_template
from soulspot.config.values import Secret, format_duration, format_size, parse_duration, parse_size
from soulspot.deciding.merge import DEFAULT_ORDER
from soulspot.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
CONTACT = {"providers.musicbrainz.contact": "me@example.org"}
CANARY = "canary-7f3a91"


def load(
    tmp_path: Path,
    text: str = "",
    environ: dict[str, str] | None = None,
    *,
    contact: bool = True,
    **more: Any,
) -> Config:
    """Load a file with this text, without a look at the test's machine."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    overrides = CONTACT if contact else {}
    return load_config(file, environ={"HOME": str(tmp_path), **(environ or {})}, overrides=overrides, **more)


def problems(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None, **more: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, environ, **more)
    return list(caught.value.problems)


def sections(config: Config) -> dict[str, Any]:
    return {name: getattr(config, name) for name in Config.model_fields}


# --- values and where they come from


def test_no_file_at_all_gives_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = load_config(environ={"HOME": str(tmp_path)}, overrides=CONTACT)
    assert config.source is None
    assert config.matching.accept == 0.9
    assert config.providers.spotify.daily_budget == 2000
    assert config.refresh.after == 90 * 86400
    assert (config.http.host, config.http.port) == ("127.0.0.1", 8753)


def test_the_environment_beats_the_file_and_overrides_beat_both(tmp_path):
    text = "[providers.spotify]\nrate = 1\nbatch_size = 10\ntimeout = 9\n"
    environ = {"SOULSPOT_PROVIDERS__SPOTIFY__RATE": "2", "SOULSPOT_PROVIDERS__SPOTIFY__BATCH_SIZE": "20"}
    config = load_config(
        _file(tmp_path, text), environ=environ, overrides=CONTACT | {"providers": {"spotify": {"rate": 2.5}}}
    )
    spotify = config.providers.spotify
    assert (spotify.rate, spotify.batch_size, spotify.timeout) == (2.5, 20, 9.0)


def _file(tmp_path: Path, text: str, name: str = "config.toml") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_every_kind_of_value_can_be_set_by_environment(tmp_path):
    config = load(
        tmp_path,
        environ={
            "SOULSPOT_LIBRARY__PATHS": "/music:/more music",
            "SOULSPOT_LIBRARY__EXCLUDE": '["*.tmp", "a,b"]',
            "SOULSPOT_LIBRARY__INCLUDE": "Jazz/**, Soul/**",
            "SOULSPOT_LIBRARY__WATCH": "false",
            "SOULSPOT_LIBRARY__RESCAN_INTERVAL": "2h",
            "SOULSPOT_LIMITS__MAX_FILE_SIZE": "1GiB",
            "SOULSPOT_LOG__LEVEL": "debug",
            "SOULSPOT_MATCHING__MARGIN": "0.1",
            "SOULSPOT_PROVIDERS__SPOTIFY__CLIENT_ID": "123",
        },
    )
    assert config.library.paths == (Path("/music"), Path("/more music"))
    assert config.library.exclude == ("*.tmp", "a,b")
    assert config.library.include == ("Jazz/**", "Soul/**")
    assert config.library.watch is False
    assert config.library.rescan_interval == 7200.0
    assert config.limits.max_file_size == 1024**3
    assert config.log.level == "debug"
    assert config.matching.margin == 0.1
    assert config.providers.spotify.client_id == "123"


def test_an_empty_text_means_absent(tmp_path):
    text = '[http]\ntoken = ""\nlisten = ""\n[library]\npaths = ["", "/music"]\n[log]\nlevel = "error"\n'
    config = load(tmp_path, text, {"SOULSPOT_LOG__LEVEL": ""})
    assert config.http.token is None
    assert config.http.listen == "127.0.0.1:8753"
    assert config.library.paths == (Path("/music"),)
    assert config.log.level == "error"


def test_the_file_is_looked_for_in_the_promised_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home/.config/soulspot").mkdir(parents=True)
    environ = {"HOME": str(tmp_path / "home")}
    home = _file(tmp_path / "home/.config/soulspot", "")
    assert find_config(environ) == home
    _file(tmp_path, "")
    assert find_config(environ) == Path("config.toml")
    assert find_config(environ | {"SOULSPOT_CONFIG": "/other.toml"}) == Path("/other.toml")


def test_a_named_file_that_is_not_there_is_a_problem_of_its_own(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path / "absent.toml", environ={})
    assert caught.value.problems == (f"{tmp_path}/absent.toml: cannot be read: No such file or directory",)


@pytest.mark.parametrize("text", ["paths = [", "a = 1\na = 2", "x = " + "[" * 5000, "x = " + "9" * 5000, "\x00"])
def test_what_is_not_toml_is_a_problem_and_not_a_crash(tmp_path, text):
    (problem,) = problems(tmp_path, text)
    assert "is not valid TOML" in problem


def test_a_file_that_is_not_utf8_is_named_with_the_line(tmp_path):
    file = tmp_path / "config.toml"
    file.write_bytes(b'[library]\npaths = ["/m\xfcsik"]\n')
    with pytest.raises(ConfigError) as caught:
        load_config(file, environ={})
    assert caught.value.problems == (f"{file}:2: is not UTF-8 text, which TOML is",)


def test_a_byte_order_mark_at_the_beginning_does_no_harm(tmp_path):
    file = tmp_path / "config.toml"
    file.write_bytes(b'\xef\xbb\xbf[providers.musicbrainz]\ncontact = "me@example.org"\n')
    assert load_config(file, environ={}).providers.musicbrainz.contact == "me@example.org"


@pytest.mark.parametrize("environ", [{}, {"STATE_DIRECTORY": "/var/lib/soulspot:/var/lib/more"}])
def test_a_configuration_below_etc_names_the_system_s_database_whoever_reads_it(tmp_path, monkeypatch, environ):
    monkeypatch.setattr(sources, "read_file", lambda path: Layer({}, str))
    for user in ("", "/home/me"):
        path = Path("/etc/soulspot/config.toml")
        found = load_config(path, environ=environ | {"XDG_DATA_HOME": user}, overrides=CONTACT)
        assert found.database.path == Path("/var/lib/soulspot/soulspot.db")


def test_a_link_to_a_configuration_below_etc_is_that_configuration(tmp_path, monkeypatch):
    link = tmp_path / "config.toml"
    link.symlink_to("/etc/soulspot/config.toml")
    monkeypatch.setattr(sources, "read_file", lambda path: Layer({}, str))
    assert load_config(link, environ={}, overrides=CONTACT).database.path == Path("/var/lib/soulspot/soulspot.db")


def test_any_other_configuration_means_the_user_s_folder_of_data(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load(tmp_path, "").database.path == tmp_path / ".local/share/soulspot/soulspot.db"
    assert load(tmp_path, "", {"XDG_DATA_HOME": "/data"}).database.path == Path("/data/soulspot/soulspot.db")
    relative = load(tmp_path, "", {"XDG_DATA_HOME": "data"})
    assert relative.database.path == tmp_path / ".local/share/soulspot/soulspot.db"


def test_a_service_whose_state_directory_is_elsewhere_is_refused_until_the_configuration_names_its_database(tmp_path):
    environ = {"STATE_DIRECTORY": "/var/lib/mine"}
    (problem,) = problems(tmp_path, "", environ)
    assert "soulspot/soulspot.db, but the service's state directory ($STATE_DIRECTORY) is /var/lib/mine" in problem
    named = load(tmp_path, '[database]\npath = "/var/lib/mine/s.db"', environ)
    assert (named.database.path, named.warnings) == (Path("/var/lib/mine/s.db"), load(tmp_path, "").warnings)


def test_a_database_outside_of_the_state_directory_is_used_and_named(tmp_path):
    config = load(tmp_path, '[database]\npath = "/data/s.db"', {"STATE_DIRECTORY": "/var/lib/soulspot"})
    assert config.database.path == Path("/data/s.db")
    assert any("/data/s.db" in one and "/var/lib/soulspot" in one for one in config.warnings)


def test_one_file_means_the_same_places_in_whatever_folder_a_command_runs(tmp_path, monkeypatch):
    text = """
        library.paths = ["music", "/srv/music", "~/Music"]
        database.path = "data/s.db"
        log.file = "s.log"
        http.token_file = "token"
    """
    _file(tmp_path, "word", "token")
    monkeypatch.setenv("HOME", "/home/me")
    for folder in (tmp_path, Path("/")):
        monkeypatch.chdir(folder)
        config = load(tmp_path, text, {"SOULSPOT_EXPORT__DIRECTORY": "exports"})
        assert config.library.paths == (tmp_path / "music", Path("/srv/music"), Path("/home/me/Music"))
        assert config.database.path == tmp_path / "data/s.db"
        assert config.log.file == tmp_path / "s.log"
        assert config.http.token.reveal() == "word"
        # a variable belongs to the process that has it
        assert config.export.directory == folder / "exports"


def test_a_home_folder_is_written_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    config = load(tmp_path, '[library]\npaths = ["~/Music"]')
    assert config.library.paths == (tmp_path / "Music",)
    assert config.database.path == tmp_path / ".local/share/soulspot/soulspot.db"


def test_merge_orders_name_the_fields_that_were_set_and_the_default(tmp_path):
    config = load(tmp_path, '[merge]\ngenres = ["spotify", "tags"]\n')
    assert config.merge.orders_by_field() == {"*": DEFAULT_ORDER, "genres": ("spotify", "tags")}
    assert Merge().default == DEFAULT_ORDER


# --- secrets


def _deny(monkeypatch, secret):
    real = Path.read_text

    def read_text(self, *arguments, **options):
        if self == secret:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", read_text)


@pytest.mark.parametrize(
    "text",
    [
        '[http]\nlisten = "0.0.0.0:8753"\ntoken_file = "secret"',
        '[providers.spotify]\nclient_id = "me"\nclient_secret_file = "secret"',
        '[webhooks]\nurl = "https://example.org/"\nsecret_file = "secret"',
        '[providers.listenbrainz]\ntoken_file = "secret"',
    ],
)
def test_a_secret_that_is_not_for_this_user_stops_only_what_needs_it(tmp_path, monkeypatch, text):
    secret = _file(tmp_path, "whsec_" + "A" * 32, "secret")
    before = load(tmp_path, text)
    _deny(monkeypatch, secret)
    (problem,) = problems(tmp_path, text)
    assert f"{secret} cannot be read: Permission denied" in problem
    config = load(tmp_path, text, needs_secrets=False)
    assert config.withheld == (problem,)
    assert config.warnings == before.warnings
    assert config.providers.spotify.enabled == before.providers.spotify.enabled


@pytest.mark.parametrize("text", ['http.listen = "0.0.0.0:8753"', 'webhooks.url = "https://example.org/"'])
def test_a_secret_that_only_the_unit_has_stops_no_command_that_works_through_the_daemon(tmp_path, text):
    config = load(tmp_path, text, needs_secrets=False)
    assert config.withheld == tuple(problems(tmp_path, text))
    (tmp_path / "http_token").write_text("2b7e151628aed2a6abf7158809cf4f3c")
    (tmp_path / "webhooks_secret").write_text("whsec_" + "A" * 32)
    assert load(tmp_path, text, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).withheld == ()


def test_a_configuration_in_a_closed_folder_is_named_and_not_passed_over(tmp_path, monkeypatch):
    def is_file(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", is_file)
    assert find_config({"HOME": str(tmp_path)}) == Path("config.toml")


def test_a_secret_from_a_later_source_makes_up_for_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    _deny(monkeypatch, _file(tmp_path, CANARY, "secret"))
    config = load(tmp_path, 'http.token_file = "secret"', {"SOULSPOT_HTTP__TOKEN": "mine"}, needs_secrets=False)
    assert (config.http.token.reveal(), config.withheld) == ("mine", ())
    config = load(
        tmp_path, 'http.token = "earlier"', {"SOULSPOT_HTTP__TOKEN_FILE": str(tmp_path / "secret")}, needs_secrets=False
    )
    assert config.http.token is None
    assert len(config.withheld) == 1


@pytest.mark.parametrize("how", ["file", "credential", "environment", "environment file"])
def test_a_secret_can_come_from_a_file_of_its_own_a_credential_or_the_environment(tmp_path, how):
    secret = _file(tmp_path, CANARY + "\n", "spotify_client_secret")
    text, environ = '[providers.spotify]\nclient_id = "me"\n', {}
    if how == "file":
        text += f'client_secret_file = "{secret}"\n'
    elif how == "credential":
        environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    elif how == "environment":
        environ = {"SOULSPOT_PROVIDERS__SPOTIFY__CLIENT_SECRET": CANARY}
    else:
        environ = {"SOULSPOT_PROVIDERS__SPOTIFY__CLIENT_SECRET_FILE": str(secret)}
    config = load(tmp_path, text, environ)
    assert config.providers.spotify.enabled
    assert config.providers.spotify.client_secret is not None
    assert config.providers.spotify.client_secret.reveal() == CANARY


def test_every_secret_has_a_file_and_a_credential(tmp_path):
    keys = {name for name, _ in walk_keys()}
    secrets = {name for name, field in walk_keys() if field.annotation == Secret | None}
    assert secrets == {name.removesuffix("_file") for name in keys if name.endswith("_file")}
    assert secrets <= {".".join(key) for key in CREDENTIALS.values()}


def test_a_secret_given_twice_in_one_place_unreadable_or_empty_is_a_problem(tmp_path):
    empty = _file(tmp_path, "\n", "empty")
    found = problems(
        tmp_path,
        f'[http]\ntoken = "{CANARY}"\ntoken_file = "{empty}"\n'
        f'[webhooks]\nsecret_file = "{tmp_path}/absent"\n[providers.listenbrainz]\ntoken_file = "{empty}"\n',
    )
    file = tmp_path / "config.toml"
    assert sorted(found) == [
        f"http.token_file ({file}:3): give either token or token_file, not both",
        f"providers.listenbrainz.token_file ({file}:7): {empty} is empty",
        f"webhooks.secret_file ({file}:5): {tmp_path}/absent cannot be read: No such file or directory",
    ]


def test_no_secret_is_ever_shown(tmp_path, caplog):
    secrets = {
        "SOULSPOT_PROVIDERS__SPOTIFY__CLIENT_SECRET": CANARY,
        "SOULSPOT_PROVIDERS__SPOTIFY__CLIENT_ID": "me",
        "SOULSPOT_PROVIDERS__LISTENBRAINZ__TOKEN": CANARY,
        "SOULSPOT_HTTP__TOKEN": CANARY,
        "SOULSPOT_WEBHOOKS__SECRET": CANARY,
    }
    config = load(tmp_path, "", secrets)
    logging.getLogger("canary").warning("%s %r", config, config)
    other = load(tmp_path, "", secrets | {"SOULSPOT_HTTP__TOKEN": CANARY + "2"})
    differences = reloadable_differences(config, other)
    shown = [
        str(config),
        repr(config),
        json.dumps(config.model_dump(mode="json")),
        caplog.text,
        config.model_dump_json(),
    ]
    shown += [f"{config.http.token}", repr(config.model_dump()), *config.warnings, repr(differences)]
    assert not [text for text in shown if CANARY in text]
    assert differences == ([], ["http.token"])
    assert config.http.token is not None
    assert config.http.token.reveal() == CANARY


def test_no_secret_is_shown_in_a_complaint(tmp_path):
    found = problems(
        tmp_path,
        f'[providers.spotify]\nclient_secrt = "{CANARY}"\nclient_secret = ["{CANARY}"]\n'
        f'[http]\ntoken = {{ a = "{CANARY}" }}\n[webhooks]\nsecret = ["{CANARY}"]\n'
        f'[providers.musicbrainz]\nbase_url = {{ secret = "{CANARY}" }}\n',
        {"SOULSPOT_PROVIDERS__LISTENBRAINZ": CANARY},
    )
    assert len(found) == 6
    assert CANARY not in "\n".join(found)


# --- what is refused


def test_every_problem_is_named_at_once_with_its_key_and_line(tmp_path):
    text = """\
[library]
paths = [
  "/nowhere",
]
watch = "yes"
pathes = ["/music"]

[providers.musicbrainz]
rate = 5
timeout = true

[providers.spotify]
batch_size = 51

[matching]
accept = 0.5
margin = 2

[refresh]
after = "soon"

[log]
format = "xml"
"""
    found = problems(
        tmp_path,
        text,
        {"SOULSPOT_LOG__LEVEL": "loud", "SOULSPOT_PROVIDER__SPOTIFY__RATE": "1"},
        contact=False,
        check_library=True,
    )
    file = tmp_path / "config.toml"
    expected = {
        f"library.watch ({file}:5): should be true or false, not 'yes'",
        f"library.pathes ({file}:6): unknown key; did you mean library.paths?",
        f"library.paths ({file}:2): /nowhere does not exist",
        f"providers.musicbrainz.timeout ({file}:10): should be a number, not True",
        f"providers.spotify.batch_size ({file}:13): should be less than or equal to 50, not 51",
        f"matching.margin ({file}:17): should be less than or equal to 1, not 2",
        f"matching.accept ({file}:16): must not be below matching.review",
        f"log.format ({file}:23): should be 'json' or 'console', not 'xml'",
        "log.level (SOULSPOT_LOG__LEVEL): should be 'debug', 'info', 'warning' or 'error', not 'loud'",
        "provider.spotify.rate (SOULSPOT_PROVIDER__SPOTIFY__RATE): unknown key; did you mean providers.spotify.rate?",
    }
    assert expected <= set(found)
    others = [problem for problem in found if problem not in expected]
    assert [problem.split(" (")[0].split(":")[0] for problem in others] == [
        "refresh.after",
        "providers.musicbrainz.contact",
        "providers.musicbrainz.rate",
    ]


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        (
            "[providers.musicbrainz]\ncontact = 'somebody'",
            "providers.musicbrainz.contact",
            "e-mail address or a URL",
        ),
        ("[providers.spotify]\nrate = 0", "providers.spotify.rate", "greater than 0"),
        ("[providers.spotify]\nrate = inf", "providers.spotify.rate", "finite|less than"),
        ("[providers.spotify]\nrate = nan", "providers.spotify.rate", "finite|greater"),
        ("[providers.spotify]\nrate = '3'", "providers.spotify.rate", "a number"),
        ("[providers.spotify]\nbatch_size = 0", "providers.spotify.batch_size", "greater than or equal to 1"),
        ("[providers.spotify]\nmarket = 'Germany'", "providers.spotify.market", "pattern"),
        ("[providers.listenbrainz]\nbatch_size = 1001", "providers.listenbrainz.batch_size", "1000"),
        ("[providers.musicbrainz]\nbatch_size = 101", "providers.musicbrainz.batch_size", "100"),
        ("[providers.musicbrainz]\nbase_url = 'musicbrainz.org'", "providers.musicbrainz.base_url", "a URL"),
        ("[providers.musicbrainz]\nbase_url = 'http://h:x/'", "providers.musicbrainz.base_url", "a URL"),
        (
            "[providers.musicbrainz]\nbase_url = 'https://me:pw@h/'",
            "providers.musicbrainz.base_url",
            "password",
        ),
        ("[retry]\nbase = '2h'", "retry.cap", "below retry.base"),
        ("[retry]\nbase = -1", "retry.base", "greater than 0"),
        ("[retry]\nattempts = 2.5", "retry.attempts", "whole number"),
        ("[http]\nlisten = '0.0.0.0:80'", "http.listen", "needs http.token"),
        ("[http]\nlisten = '[::]:80'", "http.listen", "needs http.token"),
        ("[http]\nlisten = 'music.example:80'", "http.listen", "needs http.token"),
        ("[http]\nlisten = '127.0.0.1'", "http.listen", "host:port"),
        ("[http]\nlisten = '::1:80'", "http.listen", "host:port"),
        ("[http]\nlisten = '127.0.0.1:65536'", "http.listen", "host:port"),
        ("[webhooks]\nurl = 'https://example.org/hook'", "webhooks.secret", "needed to sign"),
        ("[merge]\ngenres = ['lastfm']", r"merge.genres\[0\]", "'tags', 'musicbrainz'"),
        ("[merge]\ngenre = ['tags']", "merge.genre", "did you mean merge.genres"),
        ("[limits]\nmax_file_size = 'big'", "limits.max_file_size", "bytes"),
        ("[library]\npaths = '/music'", "library.paths", "a list"),
        ("library = '/music'", "library", "a table"),
        ("client_id = 'x'", "client_id", "did you mean providers.spotify.client_id"),
        ("[[export.ddex.deals]]\nuse_types = 'x'", r"export.ddex.deals\[0\].use_types", "a list"),
        (
            "[[export.ddex.deals]]\nuses = []",
            r"export.ddex.deals\[0\].uses",
            "did you mean export.ddex.deals.use_",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_is_right(tmp_path, text, key, says):
    found = problems(tmp_path, text, contact="contact" not in key)
    match = [problem for problem in found if re.match(rf"{key} ?[(:]", problem) and re.search(says, problem)]
    assert len(match) == 1, found
    line = 1 if "deals" in key else len(text.splitlines())  # of an array of tables: where it begins
    # no line at all when the key is absent from the file, and its default is what is wrong
    assert f"config.toml:{line})" in match[0] or key in {"retry.cap", "webhooks.secret"}


def test_musicbrainz_needs_a_contact_unless_it_is_off(tmp_path):
    (problem,) = problems(tmp_path, contact=False)
    assert problem.startswith("providers.musicbrainz.contact: is needed")
    off = load(tmp_path, "[providers.musicbrainz]\nenabled = false\n", contact=False)
    assert not off.providers.musicbrainz.enabled


@pytest.mark.parametrize("contact", ["me@example.org", "https://example.org/about", "http://music.example.org"])
def test_a_contact_is_an_address_or_a_page(contact):
    assert make_config({"providers.musicbrainz.contact": contact}).providers.musicbrainz.contact == contact


def test_only_a_mirror_may_be_asked_faster_than_once_a_second():
    mirror = {"base_url": "http://127.0.0.1:5000/ws/2", "rate": 50, "contact": "me@example.org"}
    assert make_config({"providers": {"musicbrainz": mirror}}).providers.musicbrainz.rate == 50
    for host in ("musicbrainz.org", "beta.musicbrainz.org", "MusicBrainz.org."):
        with pytest.raises(ConfigError, match=r"providers\.musicbrainz\.rate"):
            make_config({"providers": {"musicbrainz": mirror | {"base_url": f"https://{host}/ws/2"}}})


def test_a_public_address_is_fine_with_a_token():
    config = make_config(CONTACT | {"http.listen": "[::]:8753", "http.token": token_hex(16)})
    assert (config.http.host, config.http.port) == ("::", 8753)


@pytest.mark.parametrize(
    "token",
    ["a", "changeme", "x" * 40, "password12345678", "your-secret-token-here", "passwordpassword", "0123456789abcdef",
     "please-change-me-now", "abab" * 10],
)  # fmt: skip
def test_a_token_that_strangers_may_guess_is_refused_for_a_public_address_only(token):
    with pytest.raises(ConfigError, match=r"http\.token.*openssl rand") as error:
        make_config(CONTACT | {"http.listen": "0.0.0.0:8753", "http.token": token})
    if len(token) > 8:
        assert token not in str(error.value)
    assert make_config(CONTACT | {"http.token": token}).http.token is not None


@pytest.mark.parametrize("make", [token_hex, token_urlsafe])
@pytest.mark.parametrize("size", [16, 32])
def test_random_tokens_are_good_for_a_public_address(make, size):
    make_config(CONTACT | {"http.listen": "0.0.0.0:8753", "http.token": make(size)})


@pytest.mark.parametrize("token", [" ", " 3f9c2ae85d7710b4e6", "3f9c2ae85d7710b4e6\n", "3f9c2ae8\x005d7710b4"])
def test_a_token_that_no_client_can_send_is_refused_everywhere(token):
    with pytest.raises(ConfigError, match=r"http\.token.*no client can send"):
        make_config(CONTACT | {"http.token": token})


def test_missing_folders_are_looked_for_only_when_the_library_is_used(tmp_path):
    text = '[library]\npaths = ["/nowhere"]'
    assert load(tmp_path, text).library.paths == (Path("/nowhere"),)
    (problem,) = problems(tmp_path, text, check_library=True)
    assert problem == f"library.paths ({tmp_path}/config.toml:2): /nowhere does not exist"


def test_a_provider_without_its_credentials_is_off_with_a_warning(tmp_path):
    config = load(tmp_path, '[library]\npaths = ["/music"]\n[providers.spotify]\nclient_id = "me"')
    assert config.providers.spotify.enabled is False
    assert config.warnings == ("providers.spotify is off: client_secret is not set",)
    silent = load(tmp_path, '[library]\npaths = ["/music"]\n[providers.spotify]\nenabled = false')
    assert silent.warnings == ()


def test_the_configuration_cannot_be_changed_by_accident():
    config = make_config(CONTACT)
    with pytest.raises(ValueError, match="frozen"):
        config.matching.accept = 0.1
    with pytest.raises(ValueError, match="frozen"):
        config.matching = config.matching


def test_what_is_built_in_code_ignores_files_and_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _file(tmp_path, "[matching]\naccept = 0.7")
    monkeypatch.setenv("SOULSPOT_MATCHING__REVIEW", "0.1")
    config = make_config(CONTACT)
    assert (config.matching.accept, config.matching.review) == (0.9, 0.6)


# --- reload


def test_a_reload_says_what_is_applied_and_what_needs_a_restart():
    old = make_config(CONTACT)
    new = make_config(
        CONTACT
        | {
            "providers.musicbrainz.rate": 0.5,
            "providers.listenbrainz.batch_size": 10,
            "providers.spotify.max_wait_time": 1,
            "matching.accept": 0.95,
            "retry.attempts": 3,
            "alarms.stall_after": 60,
            "limits.memory_mb": 500,
            "log.level": "debug",
            "http.listen": "127.0.0.1:0",
            "database.path": "/elsewhere.db",
            "providers.musicbrainz.base_url": "http://127.0.0.1/ws/2",
        }
    )
    applied, needs_restart = reloadable_differences(old, new)
    assert applied == [
        "providers.musicbrainz.rate",
        "providers.spotify.max_wait_time",
        "providers.listenbrainz.batch_size",
        "matching.accept",
        "retry.attempts",
        "log.level",
        "limits.memory_mb",
        "alarms.stall_after",
    ]
    assert needs_restart == ["database.path", "providers.musicbrainz.base_url", "http.listen"]
    assert reloadable_differences(new, new) == ([], [])


# --- durations and sizes


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *[("30d", 2592000), ("12h", 43200), ("90s", 90), ("5m", 300), ("2w", 1209600), ("1h30m", 5400)],
        *[("250ms", 0.25), ("90", 90), ("1.5 h", 5400), (" 5M ", 300), (7, 7)],
    ],
)
def test_durations_are_seconds_or_text_with_a_unit(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "d", "5 parsecs", "-5m", "5m ago", "1:30", "1e3s", "5m5", "٣d ago"])
def test_other_texts_are_no_durations(text):
    with pytest.raises(ValueError, match="should be seconds"):
        parse_duration(text)


@given(st.integers(1, 10**10).map(lambda n: n / 1000))
def test_a_duration_written_is_read_back(seconds):
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds)


@given(st.integers(0, 10**15))
def test_a_size_written_is_read_back(size):
    assert parse_size(format_size(size)) == size


@given(st.text(max_size=12))
def test_any_text_is_a_duration_and_a_size_or_a_plain_complaint(text):
    for parse in (parse_duration, parse_size):
        try:
            outcome = parse(text)
        except ValueError as error:
            outcome = str(error)
        assert "should be" in outcome if isinstance(outcome, str) else outcome >= 0


# --- the template


def test_the_template_is_read_back_as_the_defaults(tmp_path):
    assert sections(load(tmp_path, render_template())) == sections(make_config(CONTACT))


def test_every_key_of_the_template_uncommented_is_still_the_defaults(tmp_path):
    text = re.sub(r"^#(?=[a-z_]+ = )", "", render_template(), flags=re.MULTILINE)
    assert text.count("\n#") < render_template().count("\n#")
    assert sections(load(tmp_path, text)) == sections(make_config(CONTACT))


def test_the_template_has_every_key_with_its_default_and_meaning():
    lines = render_template().splitlines()
    for key, field in walk_keys():
        name = key.rpartition(".")[2]
        assert any(
            line.startswith((f"{name} = {default_as_toml(field)} ", f"#{name} = {default_as_toml(field)} "))
            and line.endswith(f"# {field.description}")
            for line in lines
        ), key


def test_the_config_toml_of_the_repository_is_the_template():
    assert (ROOT / "config.toml").read_text() == render_template()


_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@settings(deadline=None)
@given(
    answers=st.fixed_dictionaries(
        {},
        optional={
            "library.include": st.lists(_texts, max_size=3),
            "providers.spotify.client_id": _texts,
            "providers.spotify.client_secret": _texts.map(Secret),
            "providers.listenbrainz.token": _texts,
            "providers.musicbrainz.rate": st.floats(0.001, 1),
            "library.watch": st.booleans(),
            "refresh.after": st.integers(1, 10**8),
            "http.allowed_hosts": st.lists(_texts, max_size=2),
            "export.ddex.deals": st.lists(st.fixed_dictionaries({"commercial_model": _texts}), max_size=2),
        },
    )
)
def test_answers_written_into_the_template_are_read_back(tmp_path_factory, answers):
    text = render_template(**answers, **CONTACT)
    config = load(tmp_path_factory.mktemp("config"), text, contact=False)
    assert sections(config) == sections(make_config(answers | CONTACT))


def test_an_answer_to_a_key_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match=r"library\.path: unknown key; did you mean library\.paths"):
        render_template(library__path=["/music"])


def test_a_written_file_is_private_and_never_overwritten_unasked(tmp_path):
    file = tmp_path / "new/config.toml"
    write_template(file, CONTACT)
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="exists already"):
        write_template(file, {})
    assert "me@example.org" in file.read_text()
    write_template(file, {}, force=True)
    assert file.read_text() == render_template()
    write_template(file, CONTACT)  # nothing is lost: it was the template without an answer
    assert "me@example.org" in file.read_text()
    assert [path.name for path in file.parent.iterdir()] == ["config.toml"]


def test_the_keys_that_init_asks_for_exist_and_stand_ready_to_be_filled_in():
    keys = {name for name, _ in walk_keys()}
    assert set(KEYS_TO_FILL_IN) <= keys
    active = [line.split(" =")[0] for line in render_template().splitlines() if re.match("[a-z_]+ =", line)]
    assert active == [key.rpartition(".")[2] for key in KEYS_TO_FILL_IN]


# --- the documentation


def test_the_documentation_lists_every_key_with_its_default():
    text = (ROOT / "docs/reference/configuration.md").read_text()
    for key, field in walk_keys():
        table, _, name = key.rpartition(".")
        part = text.split(f"## [{table}]\n", 1)[1].split("\n## ", 1)[0]
        assert f"| `{name}` | `{default_as_toml(field)}` |" in part, key
    for credential in CREDENTIALS:
        assert f"`{credential}`" in text


def test_the_documentation_lists_no_key_that_is_gone():
    text = (ROOT / "docs/reference/configuration.md").read_text()
    keys = {name for name, _ in walk_keys()}
    for part in re.split(r"^## ", text, flags=re.MULTILINE):
        if heading := re.match(r"\[([a-z_.]+)\]\n", part):
            for name in re.findall(r"^\| `(\w+)` \|", part, flags=re.MULTILINE):
                assert f"{heading[1]}.{name}" in keys


@pytest.mark.parametrize("url", [
    f"https://hooks.example.org/services/{CANARY}?a=1", f"https://me:{CANARY}@example.org/", f"ftp://x/{CANARY}",
    f"hooks.example.org/{CANARY}", f"http:/{CANARY}", f"https://{CANARY} .example.org",
])  # fmt: skip
@pytest.mark.parametrize("key", ["webhooks.url", "providers.musicbrainz.base_url", "export.covers.spotify_url"])
def test_an_address_that_cannot_be_used_is_not_shown(tmp_path, key, url):
    for value in (json.dumps(url), json.dumps([url])):
        found = problems(tmp_path, f"{key} = {value}\n")
        assert any(one.startswith(f"{key} (") for one in found)
        assert CANARY not in " ".join(found)


def test_the_address_of_the_receiver_is_not_in_the_text_of_a_configuration(tmp_path):
    config = load(tmp_path, f'[webhooks]\nurl = "https://hooks.example.org/{CANARY}"\nsecret = "whsec_{"a" * 43}="\n')
    assert CANARY not in f"{config} {config!r}"


def test_an_empty_text_means_none_where_the_default_is_a_text(tmp_path):
    assert load(tmp_path, '[export.ddex]\nprofile = ""\n').export.ddex.profile is None
    assert load(tmp_path, "").export.ddex.profile == "Audio"


def test_an_address_in_the_place_of_another_value_is_cut_to_its_host(tmp_path):
    [found] = problems(tmp_path, f'log.level = "https://me:{CANARY}@hooks.example.org/{CANARY}?t={CANARY}"\n')
    assert CANARY not in found
    assert "https://hooks.example.org/..." in found
