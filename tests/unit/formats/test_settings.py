"""Settings in layers: tocsin.yaml, credential files, the environment; secrets never in a file, never in a repr."""

from datetime import timedelta
from pathlib import Path

import pytest
from tocsin.adapters.files.config_snapshot import credentials
from tocsin.domain.people import Channel, Limit
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.settings.advice import needless_secrets
from tocsin.formats.settings.layers import SettingsLayers, ledger_addresses, read_settings
from tocsin.formats.settings.ledger_address import LedgerAddress
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
    """What tocsin.yaml leaves out is as `docs/behaviour.md` shows it; paths start from its folder."""
    settings = read().settings
    assert settings.incidents == Path("/srv/pager/incidents")
    assert settings.templates == Path("/srv/pager/templates")
    assert settings.reviews == Path("/srv/pager/reviews")
    assert settings.outbox == Path("/srv/pager/var/outbox")
    assert settings.database == Path("/srv/pager/var/tocsin.db")
    assert settings.ledger == LedgerAddress(Path("/srv/pager/var/tocsin.db"))
    assert settings.unreadable_severity == "sev1"
    assert (settings.email.transport, settings.email.port, settings.email.security) == ("outbox", 587, "starttls")
    assert settings.sms.transport == "outbox"
    assert (settings.replies.by, settings.replies.every) == ("poll", timedelta(seconds=10))
    assert (settings.web.host, settings.web.port, settings.web.alertmanager) == ("127.0.0.1", 8765, None)
    assert settings.public_url is None
    assert (settings.heartbeat.url, settings.heartbeat.every) == (None, timedelta(seconds=60))
    assert settings.limits.of(Channel.SMS) == Limit(3, timedelta(minutes=2))
    assert settings.limits.of(Channel.EMAIL) == Limit(10, timedelta(minutes=1))
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


@pytest.mark.parametrize(
    "sender",
    [
        "Störungen bei Acme <incidents@example.com>",
        '"Störungen, Acme \\"prod\\"" <incidents@example.com>',
        "Störungen <störung@example.com>",
    ],
)
def test_a_sender_stays_as_it_was_written(sender):
    """`init` writes it into tocsin.yaml and `doctor` names it: no header's encoding is for people."""
    assert read(variables={"TOCSIN_EMAIL__SENDER": sender}).settings.email.sender == sender


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
            "TOCSIN_WEB__TOKEN": "0123456789abcdef",
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


@pytest.mark.parametrize(
    ("written", "networks"),
    [
        ("", ["127.0.0.1/32", "::1/128"]),
        ("web: {proxies: 192.0.2.7}", ["192.0.2.7/32"]),
        ('web: {proxies: [10.0.0.0/8, 10.1.2.3/24, "2001:db8::/32", "::1"]}', None),
        ("web: {proxies: []}", []),
    ],
)
def test_proxies_are_addresses_or_networks(written, networks):
    """By default those of this machine; none is believed where there is none."""
    networks = ["10.0.0.0/8", "10.1.2.0/24", "2001:db8::/32", "::1/128"] if networks is None else networks
    found = read(f"{LEAST}\n{written}")
    assert found.problems == ()
    assert [str(network) for network in found.settings.web.proxies] == networks


@pytest.mark.parametrize("written", ["localhost", "10.0.0.0/33", "10.0.0", "[[10.0.0.1]]", "{a: b}", '"::/129"'])
def test_what_is_no_proxy_is_an_error(written):
    """With its place, and what to write instead."""
    problems = read(f"{LEAST}\nweb: {{proxies: {written}}}").problems
    assert problems
    assert all(problem.level is ProblemLevel.ERROR and problem.file == "config/tocsin.yaml" for problem in problems)


@pytest.mark.parametrize("written", ["0.0.0.0/0", '"::/0"'])
def test_a_proxy_that_is_everybody_is_doubted(written):
    """Then whoever asks could name another client."""
    (problem,) = read(f"{LEAST}\nweb: {{proxies: {written}}}").problems
    assert (problem.code, problem.level) == ("doubtful", ProblemLevel.WARNING)


@pytest.mark.parametrize(("path", "doubted"), [("", 0), ("/", 0), ("/pager", 1), ("/pager/", 1)])
def test_a_public_url_below_another_site_is_doubted(path, doubted):
    """Pages lead to the root of their host, so nobody could sign in there; links are as good as ever."""
    found = read(f"{LEAST}\npublic_url: https://example.com{path}", {"TOCSIN_WEB__SIGNING_KEY": "y" * 16})
    assert found.settings is not None
    assert [(one.code, one.level) for one in found.problems] == [("doubtful", ProblemLevel.WARNING)] * doubted


def test_what_the_daemon_alone_needs_is_named():
    """Secrets of providers, those of fallbacks too, by their variables and never by what they are."""
    fallbacks = "email: {sender: a@example.com, host: h, transport: smtp, fallbacks: {second: {host: i}}}\n"
    rest = "".join(line for line in LEAST.splitlines(keepends=True) if not line.startswith("email"))
    given = ("TOCSIN_EMAIL__FALLBACKS__SECOND__PASSWORD", "TOCSIN_SMS__AUTH_TOKEN", "TOCSIN_SMS__API_SECRET")
    settings = read(rest + fallbacks, dict.fromkeys(given, "hunter2") | {"TOCSIN_WEB__TOKEN": "x" * 16}).settings
    assert settings is not None
    assert needless_secrets(settings) == list(given)
    settings = read(variables={"TOCSIN_WEB__TOKEN": "x" * 16, "TOCSIN_WEB__SIGNING_KEY": "y" * 16}).settings
    assert settings is not None
    assert needless_secrets(settings) == []


def test_webhooks_that_nobody_can_check_are_told():
    """An API key sends, and only the auth token checks: `check` says so where a key is known and no token."""
    text = "sms: {transport: twilio, account_sid: AC" + "0" * 32 + ", sender: '+15005550006'}\n"
    rest = "".join(line for line in LEAST.splitlines(keepends=True) if not line.startswith("sms"))
    rest += "replies: {by: webhook}\npublic_url: https://t.example.com\n"
    key = {"TOCSIN_SMS__API_KEY": "SK" + "0" * 32, "TOCSIN_SMS__API_SECRET": "s", "TOCSIN_WEB__SIGNING_KEY": "y" * 16}
    (problem,) = read(text + rest, key).problems
    assert (problem.code, problem.level) == ("doubtful", ProblemLevel.WARNING)
    assert "needs TOCSIN_SMS__AUTH_TOKEN beside the API key" in str(problem)
    assert read(text + rest, key | {"TOCSIN_SMS__AUTH_TOKEN": "t"}).problems == ()


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
        ("TOCSIN_LEDGER", "postgresql://u:hunter2@db.example.com", "names no database"),
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
        "email: {sender: i@example.com, port: 465}",
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


@pytest.mark.parametrize(("letters", "codes"), [(40, []), (41, ["long-host"])])
def test_a_host_for_which_an_sms_has_no_room_is_told(letters, codes):
    """R42: of 40 letters at most behind the scheme; the daemon only warns of it, and goes on with other ways to answer."""
    url = f"https://{'t' * (letters - len('.example.com'))}.example.com"
    found = read(f"{LEAST}\npublic_url: {url}\n", {"TOCSIN_WEB__SIGNING_KEY": "0123456789abcdef"})
    assert [problem.code for problem in found.problems] == codes
    assert all(
        (problem.level, problem.line) == (ProblemLevel.WARNING, found.problems[0].line) for problem in found.problems
    )
    assert found.settings is not None


@pytest.mark.parametrize(("letters", "codes"), [(20, []), (21, ["long-organisation"])])
def test_an_organisation_that_fills_a_phones_preview_is_told(letters, codes):
    """R42: it stands before every SMS; a warning, since messages go all the same."""
    found = read(f"{LEAST}\norganisation: {'x' * letters}\n", {})
    assert [problem.code for problem in found.problems] == codes
    assert all(problem.level is ProblemLevel.WARNING for problem in found.problems)
    assert found.settings is not None


@pytest.mark.parametrize(
    ("text", "variables", "code"),
    [
        ("public_url: https://tocsin.example.com\n", {}, "missing-secret"),
        ("", {"TOCSIN_WEB__SIGNING_KEY": "0123456789abcde"}, "doubtful"),
        ("", {"TOCSIN_WEB__SIGNING_KEY": '["0123456789abcdef", "short"]'}, "doubtful"),
        ("", {"TOCSIN_WEB__TOKEN": "0123456789abcde"}, "doubtful"),
        ("", {"TOCSIN_WEB__TOKEN": "0123456789abcdef"}, None),
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
        ("transport: twilio, account_sid: AC1, messaging_service_sid: MG1, sender: ACME", "", True),
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
    assert reply_routes(settings).takes_sms("+14155550101") is answerable


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


@pytest.mark.parametrize(
    ("section", "secret"),
    [
        ("email", "password"),
        ("sms", "auth_token"),
        ("sms", "api_key"),
        ("sms", "api_secret"),
        ("web", "signing_key"),
        ("web", "token"),
    ],
)
def test_no_secret_stands_in_a_file(section, secret):
    """Each is refused at its place, with the variable and the credential file that it may stand in."""
    rest = "".join(line for line in LEAST.splitlines(keepends=True) if not line.startswith(section))
    given = {"email": "sender: i@example.com, ", "sms": "sender: +15005550006, "}.get(section, "")
    found = read(f"{rest}{section}: {{{given}{secret}: hunter2}}\n")
    (problem,) = [problem for problem in found.problems if problem.code == "secret-in-file"]
    name = f"TOCSIN_{section}__{secret}".upper()
    assert name in problem.message
    assert name.lower() in problem.message
    assert (problem.file, problem.level) == ("config/tocsin.yaml", ProblemLevel.ERROR)


def test_a_file_that_is_no_yaml_is_told_once():
    """What it lacks from there on is not missing: it could not be read."""
    found = read("operators: [ana\n")
    assert [problem.code for problem in found.problems] == ["not-yaml"]
    assert found.settings is None


def test_a_wrong_value_inside_a_variable_s_json_is_told_at_the_variable():
    """The variable of the whole section, where it came from."""
    found = read(variables={"TOCSIN_EMAIL": '{"sender": "i@example.com", "port": "x"}'})
    assert [(problem.file, problem.line) for problem in found.problems] == [("TOCSIN_EMAIL", 1)]


def test_a_setting_without_a_value_and_an_empty_variable_count_as_absent():
    """In every layer: the layer below speaks."""
    found = read(LEAST + "incidents:\nweb:\n", {"TOCSIN_OPERATORS": "", "TOCSIN_PUBLIC_URL": ""})
    assert found.problems == ()
    assert (found.settings.operators, found.settings.public_url) == (["ana"], None)
    assert found.settings.incidents == Path("/srv/pager/incidents")
    assert found.places["operators"] == "config/tocsin.yaml:1"


@pytest.mark.parametrize(
    ("variables", "files", "unknown"),
    [
        ({"TOCSIN_CONFIG": "/etc/tocsin"}, {}, None),
        ({"TOCSIN_WEB__ALERTMANAGER__SEVERITIES__CRITICAL": "sev1"}, {"tocsin_web__token": "t"}, None),
        ({"OTHER": "x"}, {"other": "x"}, None),
        ({"TOCSIN_OPERATOR": '["ana"]'}, {}, 'unknown variable TOCSIN_OPERATOR; did you mean "TOCSIN_OPERATORS"?'),
        ({}, {"tocsin_emial__password": "x"}, "unknown credential file tocsin_emial__password"),
        ({"tocsin_operators": '["ana"]'}, {}, None),
    ],
)
def test_a_variable_or_credential_file_of_ours_that_means_nothing_is_told(variables, files, unknown):
    """Everything that begins with TOCSIN_ must be a setting; severities of alerts may be called anything."""
    found = read(variables=variables, files=files)
    told = [problem.message for problem in found.problems if problem.code == "unknown-variable"]
    assert len(told) == (unknown is not None)
    assert all(unknown in message for message in told)


@pytest.mark.parametrize(
    ("text", "variables"),
    [
        ("email: {transport: smtp, host: mx.example.com, sender: i@example.com}", {}),
        ("email: {sender: i@example.com, security: tls, port: 465}", {}),
        ("email: {sender: i@example.com, security: none}", {}),
        (
            "sms: {transport: twilio, account_sid: AC1, sender: +15005550006}",
            {"TOCSIN_SMS__API_KEY": "SK1", "TOCSIN_SMS__API_SECRET": "x"},
        ),
        ("public_url: http://[::1]:8765", {"TOCSIN_WEB__SIGNING_KEY": "0123456789abcdef"}),
        ("public_url: http://localhost", {"TOCSIN_WEB__SIGNING_KEY": "0123456789abcdef"}),
        ("web: {listen: 127.0.0.1:65535}", {}),
        ("sms: {sender: '123'}", {}),
        ("replies: {by: webhook}\npublic_url: https://t.example.com", {"TOCSIN_WEB__SIGNING_KEY": "0123456789abcdef"}),
    ],
)
def test_settings_that_go_together_are_not_doubted(text, variables):
    """Nothing is asked for that is not needed, and no safe way is called unsafe."""
    key = text.partition(":")[0]
    rest = "".join(line for line in LEAST.splitlines(keepends=True) if not line.startswith(key))
    found = read(rest + text, variables)
    assert found.problems == ()
    assert found.settings is not None


@pytest.mark.parametrize(
    ("text", "variables", "files", "path"),
    [
        ("", {}, {}, "/srv/pager/var/tocsin.db /s/tocsin.db"),
        ("ledger: sqlite:///a.db", {}, {}, "/srv/pager/config/a.db"),
        ("ledger: sqlite:///a.db", {}, {"tocsin_ledger": "sqlite:///b.db"}, "/srv/pager/config/b.db"),
        (
            "ledger: sqlite:///a.db",
            {"TOCSIN_LEDGER": "sqlite:////c.db"},
            {"tocsin_ledger": "sqlite:///b.db"},
            "/c.db",
        ),
        ("ledger: sqlite:///a.db", {"TOCSIN_LEDGER": "postgresql://x"}, {}, "/srv/pager/config/a.db"),
        ("ledger: [a]", {}, {}, "/srv/pager/var/tocsin.db /s/tocsin.db"),
        ("- a", {}, {}, "/srv/pager/var/tocsin.db /s/tocsin.db"),
    ],
)
def test_the_ledger_is_found_where_settings_cannot_be_used(text, variables, files, path):
    """Rule 43: the uppermost layer that names a SQLite file, and nowhere else; else the default, then the state folder."""
    layers = SettingsLayers(read_yaml(text, "config/tocsin.yaml"), files, variables, Path("/srv/pager/config"))
    places = ledger_addresses(layers, [Path("/s")])
    assert places == tuple(LedgerAddress(Path(written)) for written in path.split())


def test_paths_start_from_the_folder_of_the_settings():
    """Also those inside a section; absolute ones stay."""
    email = 'email: {sender: "i@example.com", ca_file: certs/ca.pem}\n'
    rest = "".join(line for line in LEAST.splitlines(keepends=True) if not line.startswith("email"))
    settings = read(rest + email + "outbox: ../x/./outbox\nreviews: /r\n").settings
    assert settings.email.ca_file == Path("/srv/pager/config/certs/ca.pem")
    assert (settings.outbox, settings.reviews) == (Path("/srv/pager/x/outbox"), Path("/r"))


TWILIO = "transport: twilio, account_sid: AC1, sender: +15005550006"


@pytest.mark.parametrize(
    ("more", "every", "callbacks"),
    [
        ("", timedelta(seconds=10), False),
        ("public_url: https://t.example.com\n", timedelta(seconds=10), False),
        ("replies: {by: poll, every: 1m}\n", timedelta(minutes=1), False),
        ("replies: {by: webhook}\npublic_url: https://t.example.com\n", None, True),
        ("replies: {by: webhook}\n", None, False),
        ("replies: {by: off}\npublic_url: https://t.example.com\n", None, False),
    ],
)
def test_receipts_are_asked_for_or_told_but_not_both(more, every, callbacks):
    """Rule 42: a poll asks as often as for answers; a webhook is called; off does neither."""
    settings = read(LEAST.replace("sms: {sender: +15005550006}", f"sms: {{{TWILIO}}}") + more).settings
    assert reply_routes(settings).receipts_every == every
    assert settings.receives_callbacks is callbacks


@pytest.mark.parametrize(
    ("email", "sms", "kept"),
    [
        ("outbox", "outbox", True),
        ("smtp, host: mx.example.com", "outbox", True),
        ("outbox", "twilio, account_sid: AC1", True),
        ("smtp, host: mx.example.com", "twilio, account_sid: AC1", False),
    ],
)
def test_the_outbox_is_kept_while_any_channel_writes_to_it(email, sms, kept):
    """One is enough."""
    text = "operators: ana\nlast_resort: ana\n"
    text += f"email: {{sender: i@example.com, transport: {email}}}\nsms: {{sender: +15005550006, transport: {sms}}}\n"
    assert read(text).settings.keeps_outbox is kept


def test_the_web_side_s_address_is_taken_apart():
    """An IPv6 address loses its brackets."""
    web = read(LEAST + "web: {listen: '[::1]:8766'}\n").settings.web
    assert (web.host, web.port) == ("::1", 8766)


def test_links_need_an_address_and_a_key():
    """Rule 42: neither alone makes one."""
    key = {"TOCSIN_WEB__SIGNING_KEY": "0123456789abcdef"}
    with_url = LEAST + "public_url: https://t.example.com/\n"
    assert reply_routes(read(with_url, key).settings).links
    assert reply_routes(read(with_url, key).settings).public_url == "https://t.example.com"
    assert not reply_routes(read(LEAST, key).settings).links
    assert not reply_routes(read(with_url).settings).links


def test_a_messaging_service_needs_a_sender_in_the_outbox() -> None:
    """The service is the provider's; what the outbox writes comes from somewhere."""
    found = read(LEAST.replace("{sender: +15005550006}", "{messaging_service_sid: MG1}"))
    assert [(problem.code, problem.line) for problem in found.problems] == [("wrong-value", 4)]
    assert "transport outbox needs `sender`" in found.problems[0].message


def test_an_unknown_setting_without_a_value_is_told():
    """A known one counts as absent then, and the names of fallbacks are the writer's own."""
    mail = LEAST.replace(
        "email: {", "email: {transport: smtp, host: mail.example.com, fallbacks: {second: , third: {hst: }}, "
    )
    found = read(mail + "pubic_url: null\npublic_url:\nweb: {listne: }\n").problems
    assert {(each.line, each.column, each.message) for each in found if each.code == "unknown-empty-key"} == {
        (3, 80, 'unknown key "hst"; did you mean "host"?'),
        (5, 1, 'unknown key "pubic_url"; did you mean "public_url"?'),
        (7, 7, 'unknown key "listne"; did you mean "listen"?'),
    }
