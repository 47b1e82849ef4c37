"""`tocsin doctor`: what it prints, at 80 columns and as JSON, and the addresses of resolvers that it takes."""

import io
from datetime import UTC, datetime, timedelta

import click
import pytest
from tocsin.app.doctor.check import Check, Diagnosis, ProvenAddress, not_tried
from tocsin.cli.doctor import CLEAR, ResolverAddress, show_waiting
from tocsin.cli.output.doctor_lines import document, lines
from tocsin.domain.people import Channel
from tocsin.wording.delivery.answer_words import for_provider

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
FOUND = Diagnosis(
    [
        ("email: smtp.acme.dev:587", [
            Check("relay-connect", "smtp.acme.dev:587", True, "it answers"),
            Check("relay-certificate", "smtp.acme.dev:587", True, "its last day is 2026-11-30", "have it renewed"),
            Check("relay-login", "smtp.acme.dev:587", False, "it does not let us in: 535 5.7.8 no", "is the name right? " * 6),
            *not_tried(["relay-sender"], "smtp.acme.dev:587", "the step before it failed"),
        ]),
        ("SMS", not_tried(["sms-login", "sms-account"], "SMS", "messages go to the outbox: nothing leaves")),
    ],
    [
        ProvenAddress("ana", Channel.SMS, NOW - timedelta(days=3), "receipt"),
        ProvenAddress("bo", Channel.EMAIL, NOW - timedelta(days=100), "accepted"),
        ProvenAddress("chen", Channel.SMS, None, None),
    ],
)  # fmt: skip


def test_what_is_printed() -> None:
    """Grouped, each with its cure, what was not tried for one reason in one line, people, and a line that sums up."""
    assert list(lines(FOUND, NOW)) == [
        "email: smtp.acme.dev:587",
        "  ok         it answers",
        "  look       its last day is 2026-11-30",
        "             -> have it renewed",
        "  FAILS      it does not let us in: 535 5.7.8 no",
        "             -> is the name right? is the name right? is the name right? is the",
        "                name right? is the name right? is the name right?",
        "  not tried  relay-sender: the step before it failed",
        "",
        "SMS",
        "  not tried  messages go to the outbox: nothing leaves",
        "",
        "people: when their addresses last proved to work",
        "  ana   sms    2026-11-20, 3 days ago, by a delivery receipt",
        "  bo    email  2026-08-15, 100 days ago, by an accepted mail (long ago)",
        "  chen  sms    never",
        "             -> a drill proves it (tocsin drill SEV), a number also a text from",
        "                it to the sender of our SMS",
        "",
        "1 FAILS; 1 ok, 1 to look at, 3 not tried",
    ]


def test_the_document() -> None:
    """P7: the keys of each check and of each address, null where nothing is known; good only without a failure."""
    shown = document(FOUND)
    assert shown["ok"] is False
    assert shown["checks"][1] == {
        "code": "relay-certificate",
        "target": "smtp.acme.dev:587",
        "ok": True,
        "message": "its last day is 2026-11-30",
        "cure": "have it renewed",
    }
    assert [check["ok"] for check in shown["checks"]] == [True, True, False, None, None, None]
    assert shown["people"][0] == {"person": "ana", "via": "sms", "proved": "2026-11-20T12:00:00Z", "by": "receipt"}
    assert shown["people"][2] == {"person": "chen", "via": "sms", "proved": None, "by": None}
    assert document(Diagnosis(FOUND.groups[1:], []))["ok"] is True


def test_what_is_waited_for_is_seen_on_a_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that is drawn over, and gone in the end; nothing where stderr is a file."""
    for terminal, shown in ((False, ""), (True, f"{CLEAR}waiting for email, SMS{CLEAR}")):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda terminal=terminal: terminal)
        monkeypatch.setattr("sys.stderr", stream)
        show_waiting(["email", "SMS"])
        show_waiting([])
        assert stream.getvalue() == shown


def test_no_text_of_a_stranger_harms_a_terminal() -> None:
    """What a server says is shown without its escapes."""
    said = Check("relay-connect", "x", False, "554 \x1b[31mred\x1b[0m \u202eturned", "look")
    printed = "\n".join(lines(Diagnosis([("x", [said])], []), NOW))
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def test_a_cure_names_the_settings_of_its_provider() -> None:
    """What is said of the first provider is said of the fallback by its own names."""
    cure = "are TOCSIN_EMAIL__PASSWORD and email.username right?"
    assert for_provider(cure, "email", "email") == cure
    assert for_provider(cure, "email", "email.fallbacks.second-one") == (
        "are TOCSIN_EMAIL__FALLBACKS__SECOND_ONE__PASSWORD and email.fallbacks.second-one.username right?"
    )


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("9.9.9.9", ("9.9.9.9", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("localhost:5353", ("127.0.0.1", 5353)),
        ("2620:fe::fe", ("2620:fe::fe", 53)),
        ("[2620:fe::fe]", ("2620:fe::fe", 53)),
        ("[2620:fe::fe]:5353", ("2620:fe::fe", 5353)),
    ],
)
def test_addresses_of_resolvers(written: str, address: tuple[str, int]) -> None:
    """With a port or without."""
    assert ResolverAddress().convert(written, None, None) == address


@pytest.mark.parametrize("written", ["", "nine", "9.9.9.9:99999", "9.9.9.9:x", "9.9.9.9:0", "dns.acme.dev", "::1:x"])
def test_what_is_no_address_of_a_resolver(written: str) -> None:
    """It is wrong usage, in a sentence."""
    with pytest.raises(click.BadParameter, match="is no address of a resolver"):
        ResolverAddress().convert(written, None, None)
