"""Rule 49: providers that stand in for the first: how they are written, their secrets in every layer, what is wrong
with them, and the senders of SMS by the number they go to.
"""

from itertools import product
from pathlib import Path

import pytest
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.settings.layers import SettingsLayers, SettingsReading, read_settings
from tocsin.formats.settings.running import taken_over, waiting
from tocsin.formats.settings.settings import Settings, reply_routes
from tocsin.text.yaml import read_yaml

HEAD = "operators: ana\nlast_resort: [ana, bo]\n"
EMAIL = """email:
  transport: smtp
  host: one.example.com
  username: tocsin
  sender: "Incidents <incidents@example.com>"
  fallbacks:
    zeta: {host: two.example.com, username: pager, sender: i@example.org, ca_file: two.pem}
    Alpha-2: {host: three.example.com, port: 25}
"""
SMS = """sms:
  transport: twilio
  account_sid: AC1
  sender: "+15005550006"
  senders: {"+49": "+4930100000001", "+49 151": "+4915100000001"}
  fallbacks:
    second: {account_sid: AC2, sender: "+15005550007"}
"""
SECRETS = {
    "TOCSIN_EMAIL__PASSWORD": "p",
    "TOCSIN_EMAIL__FALLBACKS__ZETA__PASSWORD": "z",
    "TOCSIN_SMS__AUTH_TOKEN": "t",
    "TOCSIN_SMS__FALLBACKS__SECOND__AUTH_TOKEN": "t2",
    "TOCSIN_PUBLIC_URL": "https://pager.example.com",
    "TOCSIN_WEB__SIGNING_KEY": "0123456789abcdef",
}


def read(
    text: str = HEAD + EMAIL + SMS,
    variables: dict[str, str] | None = None,
    files: dict[str, str] | None = None,
) -> SettingsReading:
    document = read_yaml(text, "config/tocsin.yaml")
    variables = SECRETS if variables is None else variables
    return read_settings(SettingsLayers(document, files or {}, variables, Path("/srv/pager/config")))


def good(text: str = HEAD + EMAIL + SMS, **variables: str) -> Settings:
    reading = read(text, SECRETS | variables)
    assert reading.settings is not None, reading.problems
    return reading.settings


def told(reading: SettingsReading) -> list[str]:
    return [str(problem) for problem in reading.problems]


def test_providers_are_tried_in_the_order_of_the_config() -> None:
    """The first is called main; a fallback takes transport and email's sender from it, and nothing else."""
    settings = good()
    assert list(settings.email.providers) == ["main", "zeta", "Alpha-2"]
    assert list(settings.sms.providers) == ["main", "second"]
    third = settings.email.providers["Alpha-2"]
    assert (third.transport, third.sender) == ("smtp", "Incidents <incidents@example.com>")
    assert (third.username, third.port, third.ca_file) == (None, 25, None)
    assert settings.email.providers["zeta"].ca_file == Path("/srv/pager/config/two.pem")
    assert settings.sms.providers["second"].senders == {}


def test_the_environment_leaves_the_order_of_the_file() -> None:
    """A whole fallback may come as JSON, behind those of the file."""
    settings = good(
        TOCSIN_EMAIL__FALLBACKS='{"last": {"host": "four.example.com"}, "Alpha-2": {"port": 26}}',
        TOCSIN_EMAIL__FALLBACKS__ALPHA_2__PORT="27",
    )
    assert [(name, one.host, one.port) for name, one in settings.email.providers.items()] == [
        ("main", "one.example.com", 587),
        ("zeta", "two.example.com", 587),
        ("Alpha-2", "three.example.com", 27),
        ("last", "four.example.com", 587),
    ]


@pytest.mark.parametrize("name", ["ZETA", "zeta", "Zeta"])
@pytest.mark.parametrize("layer", ["variables", "files"])
def test_a_secret_of_a_fallback_comes_from_every_layer_in_any_case(name: str, layer: str) -> None:
    """A variable, or a credential file of systemd, which people name as they like."""
    variable = f"TOCSIN_EMAIL__FALLBACKS__{name}__PASSWORD"
    rest = {key: value for key, value in SECRETS.items() if "ZETA" not in key}
    if layer == "variables":
        reading = read(variables=rest | {variable: "hunter2"})
    else:
        reading = read(variables=rest, files={f"tocsin_email__fallbacks__{name}__password": "hunter2"})
    assert told(reading) == []
    assert reading.settings is not None
    password = reading.settings.email.fallbacks["zeta"].password
    assert password is not None
    assert password.get_secret_value() == "hunter2"
    assert "hunter2" not in repr(reading)


def test_senders_may_come_as_json() -> None:
    """Over those of the file, key by key, as every mapping."""
    settings = good(TOCSIN_SMS__SENDERS='{"+49": "+4930100000009", "+33": "+33600000001"}')
    assert settings.sms.senders == {"+49": "+4930100000009", "+49151": "+4915100000001", "+33": "+33600000001"}


def test_a_dash_of_a_name_is_an_underscore_in_its_variables() -> None:
    """Shells know no dashes there; two tokens are JSON, as those of the first are."""
    text = HEAD + EMAIL + SMS.replace("second", "our-second")
    reading = read(text, SECRETS | {"TOCSIN_SMS__FALLBACKS__OUR_SECOND__AUTH_TOKEN": '["new", "old"]'})
    assert reading.settings is not None
    tokens = reading.settings.sms.fallbacks["our-second"].auth_token
    assert [token.get_secret_value() for token in tokens] == ["new", "old"]


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("TOCSIN_EMAIL__FALLBACKS__ZTEA__PASSWORD", 'email.fallbacks has no "ZTEA"; did you mean "zeta"?'),
        ("TOCSIN_SMS__FALLBACKS__ZETA__AUTH_TOKEN", 'sms.fallbacks has no "ZETA"'),
        ("TOCSIN_EMAIL__FALLBACKS__ZETA__PASWORD", 'did you mean "TOCSIN_EMAIL__FALLBACKS__ZETA__PASSWORD"?'),
        ("TOCSIN_EMAIL__FALLBACKS__ZETA", "unknown variable TOCSIN_EMAIL__FALLBACKS__ZETA"),
        ("TOCSIN_SMS__SENDERS__X", 'did you mean "TOCSIN_SMS__SENDERS"?'),
    ],
)
def test_a_variable_that_names_no_fallback_is_an_error(variable: str, words: str) -> None:
    """At the variable; it makes no fallback of its own."""
    reading = read(variables=SECRETS | {variable: "hunter2"})
    (problem,) = [problem for problem in reading.problems if problem.level is ProblemLevel.ERROR]
    assert (problem.file, problem.code) == (variable, "unknown-variable")
    assert words in problem.message
    assert reading.settings is not None
    assert list(reading.settings.email.fallbacks) == ["zeta", "Alpha-2"]


@pytest.mark.parametrize(
    ("lacking", "place", "words"),
    [
        (
            "TOCSIN_EMAIL__FALLBACKS__ZETA__PASSWORD",
            "config/tocsin.yaml:9:5",
            "email.fallbacks.zeta.password is missing",
        ),
        (
            "TOCSIN_SMS__FALLBACKS__SECOND__AUTH_TOKEN",
            "config/tocsin.yaml:17:5",
            "sms.fallbacks.second.auth_token is missing",
        ),
    ],
)
def test_a_fallback_without_its_secret_is_one_line(lacking: str, place: str, words: str) -> None:
    """With its place and the variable; a warning, as for the first provider: a check in a pipeline has no secrets."""
    (line,) = told(read(variables={key: value for key, value in SECRETS.items() if key != lacking}))
    assert line.startswith(place)
    assert words in line
    assert lacking in line
    assert lacking.lower() in line
    assert "warning" in line


@pytest.mark.parametrize(
    ("before", "after", "place", "words"),
    [
        ("zeta:", "main:", "9:5", '"main" is what the first provider is called'),
        ("zeta:", "MAIN:", "9:5", '"MAIN" is what the first provider is called'),
        ("zeta:", "zeta!:", "9:5", "zeta!"),
        ("zeta:", "alpha_2:", "10:5", "shares its variables with alpha_2"),
        ("port: 25", "password: x", "10:40", "email.fallbacks.Alpha-2.password is a secret"),
        ("port: 25", "prot: 25", "10:40", 'unknown key "prot"; did you mean "port"?'),
        ("port: 25", "fallbacks: {b: {host: x.example.com}}", "10:40", "a fallback has none of its own"),
        ("port: 25", "transport: outbox", "10:51", "reaches nobody and yet counts as sent"),
        ("{host: three.example.com, port: 25}", "{port: 25}", "10:5", "needs `host`"),
        ("{host: three.example.com, port: 25}", "", "10:5", "needs `host`"),
        ("{host: three.example.com, port: 25}", "[a]", "10:14", "must be a mapping"),
        ('sender: "+15005550007"', "api_url: https://x.example.com", "17:5", "needs `sender`"),
        ("AC2", "XX2", "17:27", "begins with AC"),
        ('"+49":', '"49":', "15:13", 'such as "+49"'),
        ('"+49 151":', '"+49x":', "15:38", 'such as "+49"'),
        ('"+4930100000001"', "Acme Incorporated", "15:20", "Acme Incorporated"),
    ],
)
def test_what_is_wrong_with_a_fallback_is_one_line_at_its_place(
    before: str, after: str, place: str, words: str
) -> None:
    """Whatever stands there."""
    reading = read((HEAD + EMAIL + SMS).replace(before, after, 1), {})
    errors = [str(problem) for problem in reading.problems if problem.level is ProblemLevel.ERROR]
    assert len(errors) == 1, errors
    assert errors[0].startswith(f"config/tocsin.yaml:{place}: error: ")
    assert words in errors[0]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("two.example.com, username: pager", "ONE.example.com, username: tocsin", "the same server as email:"),
        ("three.example.com, port: 25", "two.example.com, username: pager", "same server as email.fallbacks.zeta:"),
        ('AC2, sender: "+15005550007"', 'AC1, sender: "+15005550006"', "the same account and sender as sms:"),
    ],
)
def test_a_fallback_that_is_the_first_once_more_is_a_warning(before: str, after: str, words: str) -> None:
    """It would be sick together with it; another sender of one account is another way."""
    warnings = [line for line in told(read((HEAD + EMAIL + SMS).replace(before, after))) if "when one is sick" in line]
    assert len(warnings) == 1
    assert words in warnings[0]
    assert told(read((HEAD + EMAIL + SMS).replace("AC2", "AC1"))) == []


def test_while_the_first_writes_files_nothing_falls_back() -> None:
    """Whoever sets the outbox wants nothing to leave, whatever production has below it; no secret is missed."""
    reading = read(
        variables={"TOCSIN_EMAIL__TRANSPORT": "outbox", "TOCSIN_SMS__TRANSPORT": "outbox"}, text=HEAD + EMAIL + SMS
    )
    assert reading.settings is not None
    assert list(reading.settings.email.providers) == list(reading.settings.sms.providers) == ["main"]
    assert [line for line in told(reading) if "fallbacks" in line] == []


@pytest.mark.parametrize(
    ("number", "sender"),
    [("+4930123456", "+4930100000001"), ("+4915112345678", "+4915100000001"), ("+14155550101", "+15005550006")],
)
def test_the_longest_prefix_that_fits_picks_the_sender(number: str, sender: str) -> None:
    """Without a match `sender` stands; blanks in a prefix don't matter."""
    assert good().sms.by_number.to(number) == sender


@pytest.mark.parametrize(
    ("number", "answerable"), [("+4930123456", False), ("+4915112345678", True), ("+14155550101", True)]
)
def test_ok_is_offered_by_the_very_sender(number: str, answerable: bool) -> None:
    """Rule 42: not where a name is the sender for that number, though other numbers can answer."""
    settings = good((HEAD + EMAIL + SMS).replace('"+4930100000001"', "Acme"))
    assert reply_routes(settings).takes_sms(number) is answerable


@pytest.mark.parametrize(("first", "second"), list(product(['"+15005550006"', "ACME"], ['"+15005550007"', "ACME"])))
def test_ok_is_offered_only_if_every_provider_can_be_answered(first: str, second: str) -> None:
    """Rule 42: words are written before it is known which provider carries them; `check` names the one to blame."""
    text = HEAD + EMAIL + SMS.replace('sender: "+15005550006"', f"sender: {first}")
    text = text.replace('sender: "+15005550007"', f"sender: {second}")
    reading = read(text)
    assert reading.settings is not None
    names = [name for name, sender in (("sms", first), ("sms.fallbacks.second", second)) if sender == "ACME"]
    assert reply_routes(reading.settings).takes_sms("+14155550101") is (not names)
    warned = [line for line in told(reading) if "offers `ok`" in line and ".sender is" in line]
    assert len(warned) == (len(names) == 1), "where no provider can be answered nothing is taken away"
    assert all(f"{name}.sender is a name" in line for name, line in zip(names, warned, strict=False))


def test_a_sender_by_name_without_an_address_for_links_is_a_warning() -> None:
    """Rule 42: neither `ok` nor a link is left to whoever is paged by it."""
    text = (HEAD + EMAIL + SMS).replace('"+4930100000001"', "Acme")
    reading = read(text, {key: value for key, value in SECRETS.items() if "URL" not in key})
    (line,) = told(reading)
    assert line.startswith("config/tocsin.yaml:15:20: warning: sms.senders.+49 is a name, which cannot be answered")


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ("host: one.example.com", "host: evil.example.com", ("email.host",)),
        ("host: two.example.com", "host: evil.example.com", ("email.fallbacks.zeta.host",)),
        ("port: 25", "port: 26", ("email.fallbacks.Alpha-2.port",)),
        ("account_sid: AC2", "api_url: https://evil.example.com, account_sid: AC2", ("sms.fallbacks.second.api_url",)),
        ('    second: {account_sid: AC2, sender: "+15005550007"}\n', "", ("sms.fallbacks",)),
        ("    zeta:", "    added: {host: evil.example.com}\n    zeta:", ("email.fallbacks",)),
        ("transport: smtp\n  host: one.example.com", "transport: outbox", ("email.transport", "email.host")),
        ("host: one.example.com", "host: one.example.com\n  security: none", ("email.security",)),
        ("host: one.example.com", "host: one.example.com\n  ca_file: mine.pem", ("email.ca_file",)),
    ],
)
def test_where_messages_go_counts_only_after_a_restart(before: str, after: str, names: tuple[str, ...]) -> None:
    """Whoever may change the folder cannot send messages and secrets elsewhere within seconds; it is told by name."""
    started = good()
    new = good((HEAD + EMAIL + SMS).replace(before, after))
    running = taken_over(started, new)
    assert tuple(setting.name for setting in waiting(started, new)) == names
    for channel in ("email", "sms"):
        now, then = getattr(running, channel).providers, getattr(started, channel).providers
        assert list(now) == list(then)
        for name in then:
            ways = ("transport", "host", "port", "security", "ca_file", "api_url", "password", "sender")
            assert [getattr(now[name], way, None) for way in ways] == [getattr(then[name], way, None) for way in ways]


def test_where_messages_would_go_is_told_and_nothing_secret() -> None:
    """F3: the old host and the new one; of an address neither who logs in nor what follows the host."""
    text = HEAD + EMAIL + SMS
    started = good(
        text.replace("account_sid: AC1\n", "account_sid: AC1\n  api_url: https://u:canary@old.example.com/canary\n")
    )
    new = text.replace(
        "account_sid: AC1\n", "account_sid: AC1\n  api_url: https://canary@evil.example.com:8/canary?canary\n"
    )
    new = new.replace("host: one.example.com", "host: evil.example.com\n  security: none")
    new = new.replace("    zeta:", "    added: {host: canary@evil.example.com}\n    zeta:")
    sentence = ", ".join(map(str, waiting(started, good(new))))
    assert "email.host (from one.example.com to evil.example.com)" in sentence
    assert "email.security (from starttls to none)" in sentence
    assert "sms.api_url (from https://old.example.com to https://evil.example.com:8)" in sentence
    assert "added at evil.example.com" in sentence
    assert "canary" not in sentence


def test_links_lead_to_another_host_only_after_a_restart() -> None:
    """They answer for their reader: who may change the folder does not get them. To have links at all counts at once."""
    text = HEAD + EMAIL + SMS
    without = good(text, **{name: "" for name in SECRETS if "URL" in name})
    old, new = (good(text, TOCSIN_PUBLIC_URL=f"https://{name}.example.com") for name in ("old", "evil"))
    assert taken_over(old, new).public_url == "https://old.example.com"
    (link,) = waiting(old, new)
    assert str(link) == "public_url (from https://old.example.com to https://evil.example.com)"
    assert taken_over(without, new).public_url == "https://evil.example.com"
    assert taken_over(old, without).public_url is None
    assert waiting(without, new) == waiting(old, without) == ()


def test_what_says_how_and_not_where_counts_at_once() -> None:
    """Senders, logins and tokens of every provider; of one whose place changes, nothing: it would be for that place."""
    started = good()
    changes = {"+15005550006": "+15005550008", "i@example.org": "j@example.org", "username: pager": "username: other"}
    text = HEAD + EMAIL + SMS
    for before, after in changes.items():
        text = text.replace(before, after)
    new = good(text, TOCSIN_SMS__FALLBACKS__SECOND__AUTH_TOKEN="changed")
    running = taken_over(started, new)
    assert running == new
    assert waiting(started, new) == ()
    moved = good(text.replace("one.example.com", "evil.example.com").replace("username: tocsin", "username: x"))
    assert taken_over(running, moved).email.username == "tocsin"
    assert taken_over(running, moved).email.fallbacks["zeta"].username == "other"
    assert taken_over(running, replace_replies(moved)).replies.by == "off"


def replace_replies(settings: Settings) -> Settings:
    """The same without replies, which says nothing of where messages go."""
    return settings.model_copy(update={"replies": settings.replies.model_copy(update={"by": "off"})})


@pytest.mark.parametrize(
    ("url", "warned"), [("http://api.example.com", 1), ("https://api.example.com", 0), ("http://127.0.0.1:8", 0)]
)
@pytest.mark.parametrize("account", ["AC1", "AC2"])
def test_an_api_in_the_clear_is_doubted(account: str, url: str, warned: int) -> None:
    """F3: of the first account and of a fallback; this machine's own is no way that others listen on."""
    text = (HEAD + EMAIL + SMS).replace(f"account_sid: {account}", f"account_sid: {account}, api_url: '{url}'")
    if account == "AC1":
        text = (HEAD + EMAIL + SMS).replace("account_sid: AC1\n", f"account_sid: AC1\n  api_url: '{url}'\n")
    assert len([line for line in told(read(text)) if "travel in the clear" in line]) == warned
