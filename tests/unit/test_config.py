"""The configuration file: what loads, and that each mistake names file, key and rule."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError
from unit.builders import organisation

from ssbtek_gateway import config
from ssbtek_gateway.config import ConfigError

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").rglob("*.toml"))
ISSUER = """[[utfardare]]
namn = "Utfärdaren"
certifikat = "issuer.pem"
attribut = "serialNumber"
monster = "16([0-9]{10})"
crl = "list.crl"
"""
WHOLE = """\
miljo = "test"
public_url = "https://gateway.example/"

[listen]
certificate = "pki/server.pem"
key = "/etc/server.key"
client_authorities = ["pki/ca.pem"]

[audit]
database = "audit.sqlite"
key = "audit.key"
key_id = "2026"
chain_key = "audit-chain.key"

[bastjanst.AF]
url = "https://af.example/af"
authority = "pki/ca.pem"

[bastjanst.CSN]
url = "http://127.0.0.1:8080/csn/"
allow_plain_http = true

[[organisation]]
organisationsnummer = "162021004748"
namn = "Testkommunen"
"""


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "gateway.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def edited(old: str, new: str) -> str:
    assert WHOLE.count(old) == 1
    return WHOLE.replace(old, new)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_load(path: Path) -> None:
    settings = config.load(path)
    assert settings.organisation
    assert settings.audit.key.is_absolute()


def test_there_are_examples() -> None:
    assert EXAMPLES


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    settings = config.load(write(tmp_path, WHOLE))
    assert settings.listen.certificate == tmp_path / "pki" / "server.pem"
    assert settings.listen.key == Path("/etc/server.key")
    assert settings.listen.client_authorities == (tmp_path / "pki" / "ca.pem",)
    assert settings.bastjanst.AF is not None
    assert settings.bastjanst.AF.authority == tmp_path / "pki" / "ca.pem"


def test_a_slash_at_the_end_of_an_address_does_not_matter(tmp_path: Path) -> None:
    settings = config.load(write(tmp_path, WHOLE))
    assert settings.public_url == "https://gateway.example"
    assert settings.bastjanst.CSN is not None
    assert settings.bastjanst.CSN.url == "http://127.0.0.1:8080/csn"


def test_what_is_not_configured_is_not_granted_or_connected(tmp_path: Path) -> None:
    settings = config.load(write(tmp_path, WHOLE))
    assert settings.bastjanst.SO is None
    entry = settings.organisation[0]
    assert (entry.versioner, entry.bastjanster, entry.syften, entry.bitraden) == ((), (), (), ())


def test_a_gateway_waits_shorter_than_its_callers() -> None:
    # A real consumer reads for 30 s (domain facts, section 5); later than that nobody listens.
    assert config.Limits().question_seconds < 30


def test_the_base_services_leave_time_to_put_the_answer_together() -> None:
    assert config.Limits().service_seconds == config.Limits().question_seconds - 1
    assert config.Bastjanst.model_fields["seconds"].default < config.Limits().service_seconds


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = config.load(write(tmp_path, WHOLE))
    with pytest.raises(ValidationError):
        settings.miljo = "produktion"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "key", "rule"),
    [
        ("[audit]\n", '[audit]\nkey_ic = "x"\n', "audit.key_ic", "Extra inputs are not permitted"),
        ("[listen]\n", "[llisten]\n[listen]\n", "llisten", "Extra inputs are not permitted"),
        ('miljo = "test"\n', "", "miljo", "Field required"),
        ('key_id = "2026"\n', "", "audit.key_id", "Field required"),
        ('"test"', '"prod"', "miljo", "should be 'utveckling', 'test' or 'produktion'"),
        ("https://gateway.example/", "http://gateway.example", "public_url", "must start with https://"),
        ("https://gateway.example/", "gateway.example", "public_url", "must be https://host"),
        ("https://gateway.example/", "https://x/?a=b", "public_url", "must be https://host"),
        ("https://gateway.example/", "https:///x", "public_url", "must be https://host"),
        ('["pki/ca.pem"]', "[]", "file", "name the authorities of callers' certificates"),
        ("[audit]\n", f"{ISSUER}[audit]\n", "file", "in [[utfardare]] or in listen.client_authorities"),
        ("[audit]\n", ISSUER.replace("10})", "10}") + "[audit]\n", "utfardare.0.monster", "is no regular expression"),
        ("[audit]\n", ISSUER.replace("(", "").replace(")", "") + "[audit]\n", "utfardare.0.monster", "has no group"),
        (
            'namn = "Testkommunen"',
            'namn = "T"\nsignerade_svar = true',
            "file",
            "signering.certificate and signering.key",
        ),
        ('namn = "Testkommunen"', 'namn = "T"\nws_security = "ja"', "organisation.0.ws_security", "'av', 'tillaten'"),
        ("[audit]\n", '[signering]\nkey = "k"\n[audit]\n', "signering", "certificate and key go together"),
        ("[listen]\n", "[listen]\nport = 65536\n", "listen.port", "less than or equal to 65535"),
        ("[listen]\n", "[listen]\nbody_seconds = 0\n", "listen.body_seconds", "greater than 0"),
        ("[audit]\n", "[limits]\nquestion_seconds = inf\n[audit]\n", "limits.question_seconds", "less than or equal"),
        ("[audit]\n", "[limits]\nassembly_seconds = 25\n[audit]\n", "limits", "assembly_seconds leaves nothing"),
        ("[audit]\n", "[limits]\nquestion_seconds = nan\n[audit]\n", "limits.question_seconds", "than"),
        (
            "[audit]\n",
            "[limits]\nmessage_bytes = 10\n[audit]\n",
            "limits.message_bytes",
            "greater than or equal to 1024",
        ),
        ('authority = "pki/ca.pem"\n', "", "bastjanst.AF", "authority is missing"),
        ("allow_plain_http = true\n", "", "bastjanst.CSN", "url is http://"),
        (
            "allow_plain_http = true",
            'allow_plain_http = true\nkey = "k"',
            "bastjanst.CSN",
            "certificate and key go together",
        ),
        ("[audit]\n", '[proxy]\nheader = "X"\n[audit]\n', "proxy", "name socket, peers or both"),
        ("[audit]\n", f'[proxy]\nheader = "X"\npeers = ["{"AB" * 32}"]\n[audit]\n', "proxy.peers.0", "pattern"),
        ("[audit]\n", f'[proxy]\nheader = "X"\nsocket = "{"x" * 108}"\n[audit]\n', "proxy.socket", "107 bytes"),
        ("[audit]\n", '[rates]\nredis = "http://x"\n[audit]\n', "rates.redis", "must be rediss://"),
        ("[audit]\n", '[rates]\nredis = "redis://:secret@x"\n[audit]\n', "rates.redis", "password in a file"),
        ("[audit]\n", '[rates]\nredis = "redis://x/first"\n[audit]\n', "rates.redis", "must be rediss://"),
        ("[audit]\n", '[rates]\nredis = "rediss://x"\n[audit]\n', "rates", "name the authority"),
        ("[audit]\n", '[rates]\nredis = "redis://x"\nauthority = "a"\n[audit]\n', "rates", "go together"),
        (
            "[audit]\n",
            '[versioner."10"]\nstanger = 2027-12-31T00:00:00\n[audit]\n',
            "versioner.10.stanger",
            "valid date",
        ),
        ("[audit]\n", '[versioner."10"]\nstanger = "2027-12-31"\n[audit]\n', "versioner.10.stanger", "valid date"),
        ("[audit]\n", '[versioner."10"]\nstangs = 2027-12-31\n[audit]\n', "versioner.10.stangs", "Extra inputs"),
        ("[bastjanst.CSN]", "[bastjanst.FKX]", "bastjanst.FKX", "Extra inputs are not permitted"),
        ("162021004748", "2021004748", "organisation.0.organisationsnummer", "pattern"),
        ("162021004748", "161912121212", "organisation.0.organisationsnummer", "pattern"),
        ("162021004748", "16202100474\u0668", "organisation.0.organisationsnummer", "pattern"),
        ("162021004748", "162021004748\\n", "organisation.0.organisationsnummer", "pattern"),
        ('namn = "Testkommunen"', 'namn = ""', "organisation.0.namn", "at least 1 character"),
        (
            'namn = "Testkommunen"',
            'namn = "T"\nbastjanster = ["FKX"]',
            "organisation.0.bastjanster.0",
            "'AF', 'CSN', 'FK'",
        ),
        ('namn = "Testkommunen"', 'namn = "T"\nbitraden = ["556000-0167"]', "organisation.0.bitraden.0", "pattern"),
    ],
)
def test_a_mistake_names_file_key_and_rule(tmp_path: Path, old: str, new: str, key: str, rule: str) -> None:
    path = write(tmp_path, edited(old, new))
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    lines = [line for line in str(caught.value).splitlines() if line.startswith(f"{path}: {key}")]
    assert lines, str(caught.value)
    assert rule in lines[0]
    assert caught.value.__suppress_context__


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, edited('miljo = "test"\n', "").replace("162021004748", "1"))
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "miljo",
        "organisation.0.organisationsnummer",
    ]


def test_plain_http_is_refused_in_production(tmp_path: Path) -> None:
    path = write(tmp_path, edited('"test"', '"produktion"'))
    with pytest.raises(
        ConfigError, match=r"gateway\.toml: .*bastjanst\.CSN: allow_plain_http is refused in production"
    ):
        config.load(path)


def test_https_is_enough_in_production(tmp_path: Path) -> None:
    text = edited('"test"', '"produktion"').replace("http://127.0.0.1:8080/csn/", "https://csn.example")
    text = text.replace("allow_plain_http = true", 'authority = "ca.pem"')
    with pytest.raises(ConfigError, match="utfardare: at least one is required in production"):
        config.load(write(tmp_path, text))
    text = text.replace('client_authorities = ["pki/ca.pem"]\n', "").replace("[audit]\n", f"{ISSUER}[audit]\n")
    assert config.load(write(tmp_path, text)).miljo == "produktion"
    with pytest.raises(ConfigError, match="utfardare Utfärdaren: crl is required in production"):
        config.load(write(tmp_path, text.replace('crl = "list.crl"\n', "")))


def test_an_organisation_is_listed_once(tmp_path: Path) -> None:
    entry = WHOLE[WHOLE.index("[[organisation]]") :]
    with pytest.raises(ConfigError, match=r"gateway\.toml: .*organisation 162021004748 is listed twice"):
        config.load(write(tmp_path, WHOLE + entry))


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"{tmp_path}/none.toml: cannot be read: No such file")):
        config.load(tmp_path / "none.toml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        config.load(tmp_path)


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gateway\.toml: not TOML: .*line 1"):
        config.load(write(tmp_path, "<miljo>test</miljo>"))


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_bytes('miljo = "test" # för test'.encode("latin-1"))
    with pytest.raises(ConfigError, match=r"gateway\.toml: not UTF-8"):
        config.load(path)


def test_an_empty_file_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, ""))
    assert {line.split(": ")[1] for line in str(caught.value).splitlines()} == {
        "miljo",
        "public_url",
        "listen",
        "audit",
    }


REMOTE = "postgresql://user@db.example/audit"


@pytest.mark.parametrize(
    ("audit", "key", "rule"),
    [
        ("", "audit", "name either database or postgresql"),
        (f'database = "a"\npostgresql = "{REMOTE}"\n', "audit", "name either database or postgresql"),
        ('database = "a"\npassword_file = "p"\n', "audit", "password_file is of no use without postgresql"),
        (f'postgresql = "{REMOTE}?options=x"\n', "audit.postgresql", "options cannot stand in it"),
        (f'postgresql = "{REMOTE}?password=hemligt"\n', "audit.postgresql", "password cannot stand in it"),
        ('postgresql = "postgresql://user:hemligt@db/audit"\n', "audit.postgresql", "put it in a file"),
        ('postgresql = "mysql://user@db/audit"\n', "audit.postgresql", "must be postgresql://"),
    ],
)
def test_the_audit_is_kept_in_one_place(tmp_path: Path, audit: str, key: str, rule: str) -> None:
    with pytest.raises(ConfigError) as raised:
        config.load(write(tmp_path, edited('database = "audit.sqlite"\n', audit)))
    assert re.fullmatch(rf".*gateway\.toml: {re.escape(key)}: .*{re.escape(rule)}.*", str(raised.value))
    assert "hemligt" not in str(raised.value)


@pytest.mark.parametrize(("options", "fine"), [("", False), ("?sslmode=verify-full", True)])
def test_in_production_the_audit_leaves_the_machine_over_tls_only(tmp_path: Path, options: str, fine: bool) -> None:  # noqa: FBT001
    text = edited('database = "audit.sqlite"\n', f'postgresql = "{REMOTE}{options}"\npassword_file = "password"\n')
    assert config.load(write(tmp_path, text)).audit.password_file == tmp_path / "password"
    for old, new in (
        ('"test"', '"produktion"'),
        ("allow_plain_http = true", 'authority = "a"'),
        ("http:", "https:"),
        ('client_authorities = ["pki/ca.pem"]', "client_authorities = []"),
    ):
        text = text.replace(old, new)
    path = write(tmp_path, text + ISSUER)
    if fine:
        config.load(path)
    else:
        with pytest.raises(ConfigError, match="needs sslmode=verify-full in production"):
            config.load(path)


def test_syften_are_a_list_or_the_word_alla() -> None:
    assert organisation(syften=["a"]).syften == ("a",)
    assert organisation(syften="alla").syften == "alla"
    with pytest.raises(ValidationError):
        organisation(syften="a")


def test_a_version_closes_on_a_day(tmp_path: Path) -> None:
    settings = config.load(write(tmp_path, edited("[audit]\n", '[versioner."10"]\nstanger = 2027-12-31\n[audit]\n')))
    assert settings.versioner["10"].stanger == date(2027, 12, 31)


def test_maintenance_without_an_offset_is_in_swedish_time(tmp_path: Path) -> None:
    windows = "underhall = [{ fran = 2026-07-01T22:00:00, till = 2026-07-02T04:00:00Z }]\n"
    settings = config.load(write(tmp_path, edited("[bastjanst.AF]\n", f"[bastjanst.AF]\n{windows}")))
    assert settings.bastjanst.AF is not None
    (window,) = settings.bastjanst.AF.underhall
    assert window.fran == datetime(2026, 7, 1, 20, tzinfo=UTC)
    assert window.till == datetime(2026, 7, 2, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "rule"),
    [
        ("{ fran = 2026-07-02T04:00:00, till = 2026-07-01T22:00:00 }", "till is not after fran"),
        ("{ fran = 2026-07-02T04:00:00 }", "Field required"),
        ("{ fran = 2026-07-02, till = 2026-07-03 }", "valid datetime"),
        ("{ fran = 1, till = 2 }", "valid datetime"),
    ],
)
def test_maintenance_has_two_ends_in_order(tmp_path: Path, window: str, rule: str) -> None:
    text = edited("[bastjanst.AF]\n", f"[bastjanst.AF]\nunderhall = [{window}]\n")
    with pytest.raises(ConfigError, match=rule):
        config.load(write(tmp_path, text))
