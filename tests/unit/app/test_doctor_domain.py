"""What `doctor` says of a sender's domain, asked of a real DNS server on loopback."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from tocsin.adapters.dns import resolver as adapter
from tocsin.adapters.dns.resolver import Resolver
from tocsin.app.doctor.check import Check
from tocsin.app.doctor.mail_domain import CODES, examine_domain, is_example

from tests.fakes.dns_server import DnsServer

KEY = "v=DKIM1; k=rsa; p=" + "A" * 392
GOOD: dict[tuple[str, str], Sequence[str]] = {
    ("acme.dev", "MX"): ["20 mx2.acme.dev.", "10 mx1.acme.dev."],
    ("mx1.acme.dev", "A"): ["192.0.2.1"],
    ("acme.dev", "TXT"): ["some-site-verification=1", "v=spf1 include:_spf.relay.dev -all"],
    ("_spf.relay.dev", "TXT"): ["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 ~all"],
    ("s1._domainkey.acme.dev", "TXT"): [KEY],
    ("_dmarc.acme.dev", "TXT"): ["v=DMARC1; p=quarantine; sp=reject; rua=mailto:dmarc@acme.dev"],
}

Zone = Mapping[tuple[str, str], Sequence[str]]


async def examined(zone: Zone, domain: str = "acme.dev", selector: str = "", **server: object) -> dict[str, Check]:
    async with DnsServer(zone, **server) as dns:  # type: ignore[arg-type]
        checks = await examine_domain(domain, Resolver("127.0.0.1", dns.port), selector)
    assert [check.code for check in checks] == list(CODES)
    return {check.code: check for check in checks}


def without(*keys: tuple[str, str]) -> dict[tuple[str, str], Sequence[str]]:
    return {key: value for key, value in GOOD.items() if key not in keys}


async def test_a_good_domain() -> None:
    """A mail server, SPF through an include, a key under a usual selector, DMARC."""
    checks = await examined(GOOD)
    assert {check.ok for check in checks.values()} == {True}
    assert not any(check.cure for check in checks.values())
    assert checks["sender-domain"].message == "mail to acme.dev goes to mx1.acme.dev"
    assert checks["spf"].message == "SPF: one record, 1 look-up, ends in -all"
    assert "s1._domainkey.acme.dev" in checks["dkim"].message
    assert checks["dmarc"].message == "_dmarc.acme.dev says p=quarantine"


async def test_a_domain_below_has_the_policy_and_the_key_of_the_one_above() -> None:
    """DMARC is looked for up to the organisation's domain, and its `sp` counts then."""
    below = {("alerts.acme.dev", "A"): ["192.0.2.2"], ("alerts.acme.dev", "TXT"): ["v=spf1 a -all"]}
    checks = await examined(GOOD | below, "alerts.acme.dev")
    assert checks["dmarc"].message == "_dmarc.acme.dev says p=reject, for what lies below acme.dev"
    assert checks["dkim"].ok is True
    assert checks["sender-domain"].ok is True
    assert "MX" in checks["sender-domain"].cure


def spf(*records: str, **others: str) -> Zone:
    zone = without(("acme.dev", "TXT")) | {("acme.dev", "TXT"): records}
    return zone | {(f"{name}.dev", "TXT"): [record] for name, record in others.items()}


@pytest.mark.parametrize(
    ("zone", "ok", "message"),
    [
        (spf(), False, "there is no SPF record at acme.dev"),
        (spf("v=spf1 -all", "v=spf1 mx -all"), False, "there are 2 SPF records"),
        (spf("v=spf1 ipv4:192.0.2.1 -all"), False, '"ipv4:192.0.2.1" is no term of SPF'),
        (spf("v=spf1 ip4:192.0.2.999 -all"), False, "names no address"),
        (spf("v=spf1 ip4:2001:db8::1 -all"), False, "is not an ip4 address"),
        (spf("v=spf1 include: -all"), False, "no term of SPF"),
        (spf("v=spf1 redirect=a.dev redirect=b.dev"), False, "stands there twice"),
        (spf("v=spf1 mx -all:acme.dev"), False, "says more than all can"),
        (spf("v=spf1 +all"), False, "everybody send"),
        (spf("v=spf1 mx"), True, "no all"),
        (spf("v=spf1 mx ?all"), True, "?all"),
        (spf("v=spf1 mx ~all"), True, "1 look-up, ends in ~all"),
        (spf("V=SPF1 MX -ALL"), True, "ends in -all"),
        (spf("v=spf1 exists:%{i}.x.dev -all"), True, "ends in -all"),
        (spf("v=spf1 redirect=a.dev", a="v=spf1 ip4:192.0.2.1 -all"), True, "1 look-up, ends in -all"),
        (spf("v=spf1 redirect=a.dev -all"), True, "0 look-ups, ends in -all"),
        (
            spf(
                "v=spf1 include:a.dev include:b.dev -all",
                a="v=spf1 include:c.dev",
                b="v=spf1 include:c.dev",
                c="v=spf1 mx",
            ),
            True,
            "6 look-ups",
        ),
        (spf("v=spf1 redirect=a.dev"), False, "no SPF record at a.dev (in what acme.dev includes)"),
        (spf("v=spf1 include:a.dev -all", a="v=spf1 mx oops"), False, "a.dev cannot be read"),
        (spf("v=spf1 include:a.dev -all", a="v=spf1 include:acme.dev"), False, "in a circle"),
        (spf("v=spf1 " + "a " * 10 + "-all"), True, "10 look-ups"),
        (spf("v=spf1 " + "a " * 11 + "-all"), False, "more than 10 look-ups"),
        (
            spf("v=spf1 include:a.dev include:b.dev -all", a="v=spf1 mx a ptr a a", b="v=spf1 mx a ptr a a"),
            False,
            "more than 10 look-ups (passed in b.dev)",
        ),
    ],
)
async def test_spf_as_receivers_read_it(zone: Zone, ok: bool, message: str) -> None:
    """Missing, double, unreadable, too long or too open; each failure with its cure."""
    check = (await examined(zone))["spf"]
    assert check.ok is ok
    assert message in check.message
    assert check.cure or ok


async def test_spf_that_is_too_long_for_one_string() -> None:
    """A record in several strings, which needs TCP besides, is read whole."""
    addresses = " ".join(f"ip4:192.0.2.{number}" for number in range(200))
    assert (await examined(spf(f"v=spf1 {addresses} -all")))["spf"].ok is True


@pytest.mark.parametrize(
    ("record", "ok", "message"),
    [
        ("v=DMARC1; p=none", True, "p=none"),
        ("v=DMARC1;p=reject;", True, "p=reject"),
        ("v=dmarc1; p=none", False, "must begin with v=DMARC1"),
        ("v=DMARC1; rua=mailto:a@acme.dev", False, "p= lacks"),
        ("v=DMARC1; p=strict", False, "p=strict is none of"),
        ("v=DMARC1; p=none; rua=dmarc@acme.dev", False, "is no mailto: address"),
        ("v=DMARC1; p=none; adkim=relaxed", False, "adkim=relaxed"),
        ("v=DMARC1; p=none; p=reject", False, "twice"),
        ("v=DMARC1 p=none", False, "v=DMARC1"),
    ],
)
async def test_dmarc_as_receivers_read_it(record: str, ok: bool, message: str) -> None:
    """A record with a mistake counts as none, and says which."""
    check = (await examined(GOOD | {("_dmarc.acme.dev", "TXT"): [record]}))["dmarc"]
    assert check.ok is ok
    assert message in check.message
    assert check.cure or ok


async def test_dmarc_missing_or_double() -> None:
    """None, or two, is no policy; the cure names the record to publish."""
    none = (await examined(without(("_dmarc.acme.dev", "TXT"))))["dmarc"]
    assert none.ok is False
    assert "_dmarc.acme.dev" in none.cure
    double = {("_dmarc.acme.dev", "TXT"): ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}
    assert (await examined(GOOD | double))["dmarc"].ok is False


async def test_the_record_of_a_registry_is_no_organisations() -> None:
    """One with `psd=y` speaks for a public suffix, and does not count."""
    zone = {("acme.co.uk", "A"): ["192.0.2.1"], ("_dmarc.co.uk", "TXT"): ["v=DMARC1; p=reject; psd=y"]}
    assert (await examined(zone, "acme.co.uk"))["dmarc"].ok is False


async def test_a_selector_that_nobody_knows_is_not_a_failure() -> None:
    """DNS has no list of keys: not found under the usual names is not tried, and says how to find out."""
    check = (await examined(without(("s1._domainkey.acme.dev", "TXT"))))["dkim"]
    assert check.ok is None
    assert "selector" in check.message
    assert "tocsin doctor --selector" in check.cure


@pytest.mark.parametrize(
    ("record", "ok", "message"),
    [
        (KEY, True, "ours._domainkey.acme.dev"),
        ("v=DKIM1; p=", False, "revoked"),
        ("v=DKIM1; k=rsa; p=MIIB…", False, "not base64"),
        ("v=DKIM1; k=rsa; p=" + "A" * 64, False, "shorter than 1024 bits"),
        ("v=DKIM1; k=ed25519; p=" + "A" * 44, True, "ours._domainkey.acme.dev"),
        ("v=DKIM1; k=dsa; p=AAAA", False, "kind of key"),
        ("hello", False, "is no tag"),
        (None, False, "there is no key ours._domainkey.acme.dev"),
    ],
)
async def test_a_selector_that_is_named(record: str | None, ok: bool, message: str) -> None:
    """Then a key that lacks or cannot be used is a failure."""
    zone = GOOD | ({("ours._domainkey.acme.dev", "TXT"): [record]} if record else {})
    check = (await examined(zone, selector="ours"))["dkim"]
    assert check.ok is ok
    assert message in check.message
    assert check.cure or ok


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        (GOOD | {("acme.dev", "MX"): ["0 ."]}, "null MX"),
        (without(("mx1.acme.dev", "A")), "mx1.acme.dev has no address"),
        (without(("acme.dev", "MX")), "neither an MX nor an address"),
    ],
)
async def test_a_sender_that_cannot_be_answered(zone: Zone, message: str) -> None:
    """Receivers ask whether mail to the sender would find a server."""
    check = (await examined(zone))["sender-domain"]
    assert check.ok is False
    assert message in check.message
    assert check.cure


async def test_a_domain_that_is_not_there() -> None:
    """It is told once; nothing beneath is asked."""
    checks = await examined(GOOD, "acme-typo.dev")
    assert checks["sender-domain"].ok is False
    assert [checks[code].ok for code in ("spf", "dkim", "dmarc")] == [None, None, None]


async def test_a_domain_whose_servers_fail() -> None:
    """SERVFAIL is a failure of the domain, not of the resolver."""
    checks = await examined(GOOD, broken=["acme.dev"])
    assert checks["dns-resolver"].ok is True
    assert checks["sender-domain"].ok is False
    assert "SERVFAIL" in checks["sender-domain"].message


async def test_a_record_that_cannot_be_had_is_not_a_failure() -> None:
    """A part of the domain that does not answer was not tried; the rest is told."""
    checks = await examined(GOOD, broken=["_spf.relay.dev", "_dmarc.acme.dev"])
    assert (checks["spf"].ok, checks["dmarc"].ok, checks["dkim"].ok) == (None, None, True)
    assert "_spf.relay.dev" in checks["spf"].message


async def test_a_resolver_that_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """One failure within the deadline of one question, with what to do; the rest was not tried."""
    monkeypatch.setattr(adapter, "ANSWERS_WITHIN", 0.5)
    begun = asyncio.get_running_loop().time()
    checks = await examined(GOOD, silent=True)
    assert asyncio.get_running_loop().time() - begun < 2
    assert [check.ok for check in checks.values()] == [False, None, None, None, None]
    assert "no answer within" in checks["dns-resolver"].message
    assert "--resolver" in checks["dns-resolver"].cure


@pytest.mark.parametrize("answer", [b"", b"x", b"\x00" * 12, b"\xff" * 600])
async def test_a_resolver_that_talks_nonsense(monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    """It is as good as silent; never a traceback."""
    monkeypatch.setattr(adapter, "ANSWERS_WITHIN", 0.5)
    monkeypatch.setattr(DnsServer, "_answer", lambda _self, _data: answer)
    checks = await examined(GOOD)
    assert checks["dns-resolver"].ok is False or checks["sender-domain"].ok is False
    assert {checks[code].ok for code in ("spf", "dkim", "dmarc")} == {None}


@pytest.mark.parametrize(
    "domain", ["acme..dev", "x" * 64 + ".dev", "a." * 130 + "dev", "acme dev", "ü.dev", ".", "[192.0.2.1]"]
)
async def test_a_domain_that_is_no_name(domain: str) -> None:
    """What DNS cannot be asked for is a failure or not found, never a traceback."""
    checks = await examined(GOOD, domain)
    assert checks["sender-domain"].ok is False
    assert checks["sender-domain"].cure


def test_domains_that_dns_does_not_serve() -> None:
    """Those for examples and for private networks."""
    assert all(map(is_example, ("example.com", "mail.example.org", "acme.test", "pager.internal", "localhost")))
    assert not any(map(is_example, ("acme.dev", "myexample.com", "internal.acme.dev")))
