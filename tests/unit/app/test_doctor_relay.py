"""What `doctor` says of real mail servers on loopback, good ones and each kind of bad one. Nothing is ever sent."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tocsin.adapters.smtp import dialogue
from tocsin.app.doctor import relay as room
from tocsin.app.doctor.check import Check
from tocsin.app.doctor.relay import MailServer, examine_relay

from tests.fakes.certificates import Authority
from tests.fakes.smtp_server import Relay

SENDER = "Incidents <incidents@example.com>"
READERS = ("olga@example.com", "support@example.org")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def server(relay: Relay, authority: Authority | None = None, **settings: Any) -> MailServer:
    security = settings.pop("security", "starttls" if authority else "none")
    login = settings.pop("login", None)
    host = settings.pop("host", "localhost")
    return MailServer(
        dialogue.Relay(host, relay.port, security, login),
        sender=SENDER,
        ca_file=authority.ca_file if authority else None,
        **settings,
    )


async def found(_host: str) -> tuple[str, ...]:
    return ("127.0.0.1",)


async def examined(target: MailServer, now: datetime | None = None) -> dict[str, Check]:
    checks = await examine_relay(target, found, now or datetime.now(UTC))
    assert [check.code for check in checks] == list(room.CODES)
    return {check.code.removeprefix("relay-"): check for check in checks}


def verdicts(checks: dict[str, Check]) -> dict[str, bool | None]:
    return {code: check.ok for code, check in checks.items()}


async def test_a_good_server_passes_and_gets_no_mail(authority: Authority) -> None:
    """TLS, certificate with its last day, login, sender, readers; the server hears MAIL, RCPT, RSET and QUIT, never
    DATA.
    """
    tls = authority.server()
    async with Relay(tls=tls, user="tocsin", password="secret") as relay:
        checks = await examined(server(relay, authority, login=("tocsin", "secret"), readers=READERS))
        assert set(verdicts(checks).values()) == {True}
        last_day = datetime.now(UTC) + timedelta(days=1)
        assert f"last day is {last_day:%Y-%m-%d} (in 1 day)" in checks["certificate"].message
        assert "renew" in checks["certificate"].cure, "one day is less than two weeks"
        assert checks["tls"].message.startswith("TLSv1.")
        verbs = [line.split(" ")[0] for _, line in relay.commands]
        assert verbs[-5:] == ["MAIL", "RCPT", "RCPT", "RSET", "QUIT"]
        assert "DATA" not in verbs
        assert relay.arrived == []


async def test_tls_from_the_first_byte(authority: Authority) -> None:
    """The same with `security: tls`."""
    async with Relay(tls=authority.server(), at_once=True) as relay:
        checks = await examined(server(relay, authority, security="tls"))
        assert verdicts(checks) == {
            "name": True, "connect": True, "tls": True, "certificate": True, "login": None, "sender": True, "reader": None,
        }  # fmt: skip


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize(
    ("certificate", "trusted", "message", "cure"),
    [
        ({"expired": True}, True, "expired", "renew"),
        ({"name": "other.example"}, True, "not valid for 'localhost'", "email.host"),
        ({}, False, "unable to get local issuer", "email.ca_file"),
    ],
)
async def test_a_bad_certificate_is_named(
    authority: Authority, certificate: dict[str, Any], trusted: bool, message: str, cure: str, at_once: bool
) -> None:
    """Expired, for another host, signed by nobody we trust: each by its own words and its own cure."""
    async with Relay(tls=authority.server(**certificate), at_once=at_once) as relay:
        target = server(relay, authority, security="tls" if at_once else "starttls")
        if not trusted:
            target = MailServer(target.relay, sender=SENDER)
        checks = await examined(target)
        assert checks["certificate"].ok is False
        assert message in checks["certificate"].message
        assert cure in checks["certificate"].cure
        assert (checks["login"].ok, checks["sender"].ok) == (None, None)
        assert "MAIL" not in str(relay.commands)


async def test_no_starttls_is_named(authority: Authority) -> None:
    """A server that offers none is not spoken to in the clear."""
    async with Relay(tls=authority.server(), user="a", password="b") as relay:
        relay.always("offer", "hide")
        checks = await examined(server(relay, authority, login=("a", "b")))
        assert verdicts(checks) == {
            "name": True, "connect": True, "tls": False, "certificate": None, "login": None, "sender": None, "reader": None,
        }  # fmt: skip
        assert "email.port" in checks["tls"].cure
        assert relay.logins == 0


@pytest.mark.parametrize(
    ("phase", "fault", "failed", "cure"),
    [
        ("connect", "554 5.7.1 go away", "connect", ""),
        ("auth", "535 5.7.8 no", "login", "TOCSIN_EMAIL__PASSWORD"),
        ("mail", "550 5.7.1 sender rejected", "sender", "email.sender"),
        ("mail", "530 5.7.0 log in", "sender", "TOCSIN_EMAIL__PASSWORD"),
        ("mail", "drop", "sender", ""),
        ("connect", "drop", "connect", ""),
    ],
)
async def test_a_refusal_is_named_with_its_cure(phase: str, fault: str, failed: str, cure: str) -> None:
    """The server's own words, what to look at, and nothing said of what comes after."""
    async with Relay(user="a", password="b") as relay:
        relay.always(phase, fault)
        checks = await examined(server(relay, login=("a", "b")))
        assert checks[failed].ok is False
        assert cure in checks[failed].cure
        assert checks[failed].cure
        if fault[:1] == "5":
            assert fault[:3] in checks[failed].message
        after = list(checks)[list(checks).index(failed) + 1 :]
        assert all(checks[code].ok is None for code in after)


@pytest.mark.parametrize(
    ("fault", "to", "ok", "cure"),
    [
        ("554 5.7.1 relay access denied", "", False, "email.username"),
        ("554 5.7.1 relay access denied", READERS[1], False, "email.username"),
        ("550 5.1.1 no such user", READERS[0], False, "correct it in the config"),
        ("450 4.7.1 greylisted", "", True, "try again in some minutes"),
    ],
)
async def test_a_relay_that_denies_readers_is_found(fault: str, to: str, ok: bool, cure: str) -> None:
    """D7, rule 38: many a relay denies other domains than its own, and only where a reader is named."""
    async with Relay() as relay:
        relay.always("rcpt", fault, to=to)
        checks = await examined(server(relay, readers=READERS))
        assert (checks["sender"].ok, checks["reader"].ok) == (True, ok)
        assert cure in checks["reader"].cure
        assert ok or f"it takes no mail to {to or READERS[0]}: {fault}" == checks["reader"].message
        assert relay.arrived == []


async def test_that_a_relay_denies_is_graver_than_that_it_does_not_know_somebody() -> None:
    """A mistyped address of the operator does not hide it."""
    async with Relay() as relay:
        relay.always("rcpt", "550 5.1.1 no such user", to=READERS[0])
        relay.always("rcpt", "554 5.7.1 relay access denied", to=READERS[1])
        checks = await examined(server(relay, readers=READERS))
        assert checks["reader"].message == f"it takes no mail to {READERS[1]}: 554 5.7.1 relay access denied"


@pytest.mark.parametrize(("phase", "code"), [("mail", "sender"), ("connect", "connect"), ("auth", "login")])
async def test_what_passes_by_itself_is_no_failure(phase: str, code: str) -> None:
    """A greylisting or busy server would take the mail in some minutes."""
    async with Relay(user="a", password="b") as relay:
        relay.always(phase, "451 4.7.1 greylisted, try again later")
        checks = await examined(server(relay, login=("a", "b")))
        assert checks[code].ok is True
        assert checks[code].message.startswith("not now: 451 4.7.1 greylisted")
        assert checks[code].cure


@pytest.mark.parametrize(("phase", "failed"), [("connect", "connect"), ("mail", "sender"), ("auth", "login")])
async def test_a_server_that_hangs_is_one_line(monkeypatch: pytest.MonkeyPatch, phase: str, failed: str) -> None:
    """Whatever it is silent at: one failure within the deadline, which says how long was waited."""
    monkeypatch.setattr(room, "ANSWERS_WITHIN", 0.5)
    async with Relay(user="a", password="b") as relay:
        relay.always(phase, "hang")
        checks = await examined(server(relay, login=("a", "b")))
        assert [check.code for check in checks.values() if check.ok is False] == [f"relay-{failed}"]
        assert "did not answer within" in checks[failed].message


async def test_a_login_that_is_not_offered() -> None:
    """It is named as that; the server hears no password."""
    async with Relay() as relay:
        checks = await examined(server(relay, login=("a", "b")))
        assert checks["login"].ok is False
        assert "AUTH extension is not supported" in checks["login"].message
        assert checks["login"].cure


@pytest.mark.parametrize("phase", ["connect", "ehlo", "auth", "mail"])
@pytest.mark.parametrize("said", ["hello", "", "999 what", "250", "2", "\x00\xff", "250-and\r\nso on", "x" * 70000])
async def test_a_server_that_talks_nonsense(monkeypatch: pytest.MonkeyPatch, phase: str, said: str) -> None:
    """Whatever is said in place of a reply: at most one failure, with its cure, and never a traceback."""
    monkeypatch.setattr(room, "ANSWERS_WITHIN", 0.4)
    async with Relay(user="a", password="b") as relay:
        relay.always(phase, said or " ")
        checks = await examined(server(relay, login=("a", "b")))
        failed = [check for check in checks.values() if check.ok is False]
        assert len(failed) <= 1
        assert all(check.cure for check in failed)


async def test_nobody_listens() -> None:
    """A closed port is a failed connection, with what to look at."""
    async with Relay() as relay:
        target = server(relay)
    checks = await examined(target)
    assert checks["connect"].ok is False
    assert "firewall" in checks["connect"].cure


async def test_the_certificate_is_told_of_a_server_that_refuses_the_login(authority: Authority) -> None:
    """What went well before is not forgotten; and the cure names the fallback's own setting and variable."""
    async with Relay(tls=authority.server(), user="a", password="b") as relay:
        target = server(relay, authority, login=("a", "x"), name="second", setting="email.fallbacks.second")
        checks = await examined(target)
        assert (checks["tls"].ok, checks["certificate"].ok, checks["login"].ok) == (True, True, False)
        assert "last day is" in checks["certificate"].message
        assert "TOCSIN_EMAIL__FALLBACKS__SECOND__PASSWORD" in checks["login"].cure
        assert "email.fallbacks.second.username" in checks["login"].cure


async def test_without_the_password_login_and_sender_are_not_tried() -> None:
    """Whoever has no secrets sees the rest, and how to see all of it; the server hears of no login and no mail."""
    async with Relay(user="a", password="b") as relay:
        checks = await examined(server(relay, secret_lacks="TOCSIN_EMAIL__PASSWORD"))
        assert verdicts(checks) == {
            "name": True, "connect": True, "tls": None, "certificate": None, "login": None, "sender": None, "reader": None,
        }  # fmt: skip
        assert "TOCSIN_EMAIL__PASSWORD is not known here" in checks["login"].message
        assert "CREDENTIALS_DIRECTORY" in checks["login"].cure
        assert relay.logins == 0
        assert "MAIL" not in str(relay.commands)


async def test_a_fallback_is_called_by_its_name() -> None:
    """So that two servers are told apart, and the variable that lacks is its own."""
    async with Relay() as relay:
        lacks = "TOCSIN_EMAIL__FALLBACKS__SECOND__PASSWORD"
        target = server(relay, secret_lacks=lacks, name="second", setting="email.fallbacks.second")
        checks = await examined(target)
        assert checks["connect"].target == f"second (localhost:{relay.port})"
        assert "TOCSIN_EMAIL__FALLBACKS__SECOND__PASSWORD" in checks["login"].message


async def test_a_name_that_is_not_found() -> None:
    """It is told as that, and no connection is tried."""

    async def lost(host: str) -> str:
        return "is not found (no such name)"

    target = MailServer(dialogue.Relay("mail.nowhere.example", 25, "none", None), sender=SENDER)
    checks = await examine_relay(target, lost, datetime.now(UTC))
    assert [check.ok for check in checks] == [False, None, None, None, None, None, None]
    assert "mail.nowhere.example is not found" in checks[0].message
    assert "email.host" in checks[0].cure


async def test_a_file_of_authorities_that_is_gone() -> None:
    """A ca_file that cannot be read is a failure of TLS, before anything is said."""
    async with Relay() as relay:
        target = MailServer(
            dialogue.Relay("localhost", relay.port, "starttls", None), sender=SENDER, ca_file=Path("/nowhere.pem")
        )
        checks = await examined(target)
        assert checks["tls"].ok is False
        assert relay.connections == 0
