"""Which providers `doctor` looks at: the first and each fallback, each by its own settings, secrets and name."""

from datetime import UTC, datetime
from pathlib import Path

from tocsin.adapters.clock import SystemClock
from tocsin.app.doctor.check import Check
from tocsin.app.wiring.doctor import DoctorOptions, OpenedInstallation, make_examinations

from tests.builders.loading import load
from tests.fakes.dns_server import DnsServer
from tests.fakes.pager import CONFIG
from tests.fakes.smtp_server import Relay
from tests.fakes.twilio_server import StandIn

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SETTINGS = """
operators: [olga]
last_resort: [olga, bo]
email:
  transport: smtp
  host: localhost
  port: {first}
  security: none
  sender: Incidents <i@acme.dev>
  fallbacks:
    second: {{host: localhost, port: {second}, security: none, username: me, sender: i@other.dev}}
sms:
  transport: twilio
  account_sid: {account}
  sender: "+14155550100"
  senders: {{"+49": Acme}}
  api_url: "{url}"
  fallbacks:
    other: {{account_sid: AC22222222222222222222222222222222, sender: "+14155550111"}}
"""


async def looked_at(folder: Path, text: str, resolver_port: int, environ: dict[str, str]) -> dict[str, list[Check]]:
    (folder / "all.yaml").write_text(CONFIG)
    (folder / "tocsin.yaml").write_text(text)
    loaded = load(folder, NOW, environ)
    assert not loaded.errors
    options = DoctorOptions("127.0.0.1", resolver_port)
    examinations = make_examinations(OpenedInstallation(loaded, folder, None, ""), options, SystemClock())
    wanted = [it for it in examinations if it.title.startswith(("email", "SMS", "DNS"))]
    return {examination.title: list(await examination.work()) for examination in wanted}


async def test_every_provider_by_its_own_settings(tmp_path: Path) -> None:
    """Two relays, two domains, two accounts, three senders; a fallback without its secret is not tried, and says which
    variable lacks.
    """
    zone = {("acme.dev", "MX"): ["10 mx.acme.dev."], ("other.dev", "MX"): ["10 mx.other.dev."]}
    async with Relay() as first, Relay() as second, StandIn(numbers=["+14155550100"]) as twilio, DnsServer(zone) as dns:
        text = SETTINGS.format(first=first.port, second=second.port, account=twilio.account, url=twilio.url)
        found = await looked_at(tmp_path, text, dns.port, {"TOCSIN_SMS__AUTH_TOKEN": "token"})
        assert list(found) == [
            f"email: localhost:{first.port}",
            f"email by second: localhost:{second.port}",
            "DNS of acme.dev",
            "DNS of other.dev",
            f"SMS: account {twilio.account}",
            "SMS by other: account AC22222222222222222222222222222222",
        ]
        assert (first.connections, second.connections) == (1, 1)
        login = next(
            check for check in found[f"email by second: localhost:{second.port}"] if check.code == "relay-login"
        )
        assert login.ok is None
        assert "TOCSIN_EMAIL__FALLBACKS__SECOND__PASSWORD is not known here" in login.message
        senders = {check.target for check in found[f"SMS: account {twilio.account}"] if check.code == "sms-sender"}
        assert senders == {"+14155550100", "Acme"}
        other = found["SMS by other: account AC22222222222222222222222222222222"]
        assert {check.ok for check in other} == {None}
        assert "TOCSIN_SMS__FALLBACKS__OTHER__AUTH_TOKEN is not known here" in other[0].message


async def test_the_outbox_needs_no_look(tmp_path: Path) -> None:
    """Where nothing leaves nothing is asked, and the codes are there all the same."""
    text = 'operators: [olga]\nlast_resort: [olga, bo]\nemail: {sender: i@acme.dev}\nsms: {sender: "+15005550006"}\n'
    async with DnsServer({}) as dns:
        found = await looked_at(tmp_path, text, dns.port, {})
        assert dns.questions == []
    assert {check.ok for checks in found.values() for check in checks} == {None}
    assert {"relay-login", "spf", "sms-login"} <= {check.code for checks in found.values() for check in checks}
