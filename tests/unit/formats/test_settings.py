"""Settings in layers: tocsin.yaml, credential files, the environment; secrets never in a file, never in a repr."""

from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.files.config_snapshot import credentials
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.settings.layers import SettingsLayers, read_settings
from tocsin.formats.settings.settings import reply_routes
from tocsin.text.yaml import read_yaml

LEAST = """operators: ana
last_resort: [ana, bo]
email: {sender: "Incidents <incidents@example.com>"}
sms: {sender: +15005550006}
"""


def read(text=LEAST, variables=None, files=None):
    document = read_yaml(text, "config/tocsin.yaml")
    return read_settings(SettingsLayers(document, files or {}, variables or {}, Path("/srv/pager/config")))


def test_defaults_are_those_of_the_manual():
    """What tocsin.yaml leaves out is as product.md section 3 shows it; paths start from its folder."""
    settings = read().settings
    assert settings.incidents == Path("/srv/pager/incidents")
    assert settings.templates == Path("/srv/pager/templates")
    assert settings.reviews == Path("/srv/pager/reviews")
    assert settings.outbox == Path("/srv/pager/var/outbox")
    assert settings.database == Path("/srv/pager/var/tocsin.db")
    assert settings.ledger == "sqlite:////srv/pager/var/tocsin.db"
    assert settings.unreadable_severity == "sev1"
    assert (settings.email.transport, settings.email.port, settings.email.security) == ("outbox", 587, "starttls")
    assert settings.sms.transport == "outbox"
    assert (settings.replies.by, settings.replies.every) == ("poll", timedelta(seconds=10))
    assert (settings.web.host, settings.web.port, settings.web.alertmanager) == ("127.0.0.1", 8765, None)
    assert settings.public_url is None
    assert (settings.heartbeat.url, settings.heartbeat.every) == (None, timedelta(seconds=60))
    assert (settings.operators, settings.last_resort) == (["ana"], ["ana", "bo"])


def test_the_environment_is_over_credentials_and_credentials_over_the_file():
    """Each setting comes from the uppermost layer that has it, key by key; lists are JSON."""
    found = read(
        LEAST + "web: {listen: 127.0.0.1:1}\n",
        {"TOCSIN_WEB__LISTEN": "127.0.0.1:3", "TOCSIN_OPERATORS": '["bo"]', "TOCSIN_EMAIL__PORT": "25"},
        {
            "tocsin_web__listen": "127.0.0.1:2",
            "tocsin_public_url": "https://t.example.com/",
            "tocsin_email__port": "26",
        },
    )
    assert found.settings.web.port == 3
    assert found.settings.operators == ["bo"]
    assert found.settings.public_url == "https://t.example.com"
    assert found.settings.email.port == 25
    assert found.settings.email.sender == "Incidents <incidents@example.com>"
    assert found.places["operators"] == "TOCSIN_OPERATORS"
    assert found.places["public_url"] == "tocsin_public_url"
    assert found.places["last_resort"] == "config/tocsin.yaml:2"


def test_everything_may_come_from_the_environment():
    """A container needs no tocsin.yaml at all."""
    found = read(
        "",
        {
            "TOCSIN_OPERATORS": '["ana"]',
            "TOCSIN_LAST_RESORT": '["ana"]',
            "TOCSIN_EMAIL": '{"transport": "smtp", "sender": "i@example.com", "host": "mx.example.com", "port": 25}',
            "TOCSIN_EMAIL__SECURITY": "none",
            "TOCSIN_SMS__SENDER": "+15005550006",
            "TOCSIN_WEB__ALERTMANAGER__SEVERITIES": '{"critical": "sev1"}',
            "TOCSIN_WEB__TOKEN": "t",
        },
    )
    assert found.problems == ()
    assert (found.settings.email.port, found.settings.email.security) == (25, "none")
    assert found.settings.web.alertmanager.severities == {"critical": "sev1"}


@pytest.mark.parametrize(
    ("written", "keys"),
    [("k1", ["k1"]), ('["k1", "k2"]', ["k1", "k2"]), ("12345", ["12345"]), ("true", ["true"])],
)
def test_the_signing_key_may_be_a_json_list(written, keys):
    """The first signs, all verify; a key that merely looks like JSON is a key."""
    found = read(variables={"TOCSIN_WEB__SIGNING_KEY": written})
    assert [key.get_secret_value() for key in found.settings.web.signing_key] == keys


def test_secrets_never_show():
    """A repr, a str and a problem give no secret away."""
    secrets = {"TOCSIN_EMAIL__PASSWORD", "TOCSIN_SMS__AUTH_TOKEN", "TOCSIN_SMS__API_SECRET", "TOCSIN_WEB__TOKEN"}
    found = read(variables=dict.fromkeys(secrets, "hunter2") | {"TOCSIN_WEB__SIGNING_KEY": '["hunter2"]'})
    assert "hunter2" not in repr(found) + str(found.settings)
    refused = read(LEAST.replace("{sender: +", "{auth_token: hunter2, sender: +"))
    assert "hunter2" not in repr(refused.problems)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TOCSIN_EMAIL__PORT", "x", "email.port"),
        ("TOCSIN_REPLIES__BY", "pigeon", "replies.by"),
        ("TOCSIN_OPERATORS", "ana,bo", "operators"),
        ("TOCSIN_EMAIL", "not json", "email must be a mapping"),
        ("TOCSIN_LEDGER", "postgresql://u:hunter2@db.example.com/t", "not supported yet"),
        ("TOCSIN_TYPO", "1", "unknown variable TOCSIN_TYPO"),
        ("TOCSIN_EMAIL__HOSTT", "1", 'did you mean "TOCSIN_EMAIL__HOST"'),
    ],
)
def test_a_wrong_variable_is_named(variable, value, words):
    """The problem stands at the variable, not at a line of the file, and does not repeat what may be a secret."""
    found = read(variables={variable: value})
    problem = next(problem for problem in found.problems if problem.level is ProblemLevel.ERROR)
    assert (problem.file, problem.line, problem.column) == (variable, 1, 1)
    assert words in problem.message
    assert "hunter2" not in repr(found.problems)


@pytest.mark.parametrize(
    ("text", "variables", "missing"),
    [
        (
            "email: {transport: smtp, host: mx.example.com, username: u, sender: i@example.com}",
            {},
            "TOCSIN_EMAIL__PASSWORD",
        ),
        ("sms: {transport: twilio, account_sid: AC1, sender: +15005550006}", {}, "TOCSIN_SMS__AUTH_TOKEN"),
        ("sms: {sender: +15005550006}", {"TOCSIN_SMS__API_KEY": "SK1"}, "TOCSIN_SMS__API_SECRET"),
        ("web: {alertmanager: {severities: {}}}", {}, "TOCSIN_WEB__TOKEN"),
    ],
)
def test_a_missing_secret_is_a_warning(text, variables, missing):
    """A check in a pipeline has no secrets, and must not fail for that."""
    key = text.partition(":")[0]
    rest = "".join(line for line in LEAST.splitlines(keepends=True) if not line.startswith(key))
    found = read(rest + text, variables)
    assert [(p.code, p.level) for p in found.problems] == [("missing-secret", ProblemLevel.WARNING)]
    assert missing in found.problems[0].message


@pytest.mark.parametrize(
    "text",
    [
        "email: {sender: i@example.com, security: none, username: u}",
        "email: {sender: i@example.com, security: tls}",
        "replies: {by: webhook}",
        "public_url: http://tocsin.example.com",
    ],
)
def test_settings_that_do_not_go_together_are_doubted(text):
    """A warning, at the setting."""
    key = text.partition(":")[0]
    rest = "".join(line for line in LEAST.splitlines(keepends=True) if not line.startswith(key))
    found = read(rest + text, {"TOCSIN_EMAIL__PASSWORD": "x", "TOCSIN_WEB__SIGNING_KEY": "0123456789abcdef"})
    assert [(p.code, p.level) for p in found.problems] == [("doubtful", ProblemLevel.WARNING)]
    assert found.settings is not None


@pytest.mark.parametrize(
    ("text", "variables", "code"),
    [
        ("public_url: https://tocsin.example.com\n", {}, "missing-secret"),
        ("", {"TOCSIN_WEB__SIGNING_KEY": "0123456789abcde"}, "doubtful"),
        ("", {"TOCSIN_WEB__SIGNING_KEY": '["0123456789abcdef", "short"]'}, "doubtful"),
        ("web: {alertmanager: {}}\n", {}, "missing-secret"),
        ("public_url: http://127.0.0.1:8765\n", {"TOCSIN_WEB__SIGNING_KEY": "0123456789abcdef"}, None),
        ("public_url: https://tocsin.example.com\n", {"TOCSIN_WEB__SIGNING_KEY": "0123456789abcdef"}, None),
    ],
)
def test_links_and_webhooks_without_a_good_secret_are_told(text, variables, code):
    """A warning names what to set; one short key of several is enough for it; the keys themselves are never shown."""
    found = read(LEAST + text, variables)
    assert [(p.code, p.level) for p in found.problems] == ([(code, ProblemLevel.WARNING)] if code else [])
    assert all("TOCSIN_WEB__" in str(p) and "0123" not in str(p) for p in found.problems)


def test_an_empty_key_opens_nothing():
    """Whatever an empty key would sign, anybody could: it counts as none."""
    assert reply_routes(read(LEAST, {"TOCSIN_WEB__SIGNING_KEY": '["", "0123456789abcdef"]'}).settings).keys == (
        "0123456789abcdef",
    )


@pytest.mark.parametrize(
    ("sms", "more", "answerable"),
    [
        ("transport: outbox, sender: +15005550006", "", False),
        ("transport: twilio, account_sid: AC1, sender: +15005550006", "", True),
        ("transport: twilio, account_sid: AC1, sender: '12345'", "", True),
        ("transport: twilio, account_sid: AC1, messaging_service_sid: MG1", "", True),
        ("transport: twilio, account_sid: AC1, sender: ACME Pager", "", False),
        ("transport: twilio, account_sid: AC1, sender: +15005550006", "replies: {by: off}\n", False),
        ("transport: twilio, account_sid: AC1, sender: +15005550006", "replies: {by: webhook}\n", False),
        (
            "transport: twilio, account_sid: AC1, sender: +15005550006",
            "replies: {by: webhook}\npublic_url: https://pager.example.com\n",
            True,
        ),
    ],
)
def test_an_answer_is_offered_only_where_one_can_come_in(sms, more, answerable):
    """Rule 42: not by the outbox, not to a sender that is a name, not by a webhook without an address."""
    text = LEAST.replace("sms: {sender: +15005550006}", f"sms: {{{sms}}}") + more
    settings = read(text, {"TOCSIN_SMS__AUTH_TOKEN": "secret"}).settings
    assert reply_routes(settings).replies is answerable


def test_credential_files_lose_their_last_line_end(tmp_path):
    """Files of systemd's credentials folder are read as they are; foreign ones are left alone, unreadable ones told."""
    (tmp_path / "tocsin_email__password").write_text("pass word\n")
    (tmp_path / "other").write_text("x")
    assert credentials(str(tmp_path)) == ({"tocsin_email__password": "pass word"}, [])
    assert credentials(None) == ({}, [])
    (tmp_path / "tocsin_folder").mkdir()
    (tmp_path / "tocsin_web__token").write_bytes(b"\xff\xfe")
    found, problems = credentials(str(tmp_path))
    assert found == {"tocsin_email__password": "pass word"}
    assert [(p.file, p.code) for p in problems] == [
        ("tocsin_folder", "unreadable-file"),
        ("tocsin_web__token", "not-utf8"),
    ]
