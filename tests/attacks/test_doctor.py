"""Attacks on `tocsin doctor`: everything that it asks is silent at once; people without rights or secrets."""

import asyncio
import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.certificates import Authority
from tests.fakes.dns_server import DnsServer
from tests.fakes.pager import TOCSIN, Pager
from tests.fakes.sandbox import missing
from tests.fakes.server import STATE, installed_server
from tests.fakes.smtp_server import Relay
from tests.fakes.twilio_server import StandIn

WHY_NOT = missing()
SETTINGS = """
operators: [olga]
last_resort: [olga, bo]
email:
  {{transport: smtp, host: localhost, port: {first}, username: me, ca_file: {ca}, sender: i@acme.dev,
    fallbacks: {{second: {{host: localhost, port: {second}, security: none}}}}}}
sms:
  {{transport: twilio, account_sid: {account}, sender: "+14155550100", api_url: "{url}",
    fallbacks: {{other: {{account_sid: {other}, sender: "+14155550111", api_url: "{there}"}}}}}}
"""


def doctor(pager: Pager, *arguments: str) -> tuple[int, str, str]:
    done = pager.run("doctor", *arguments)
    return done.returncode, done.stdout, done.stderr


def failures(document: dict[str, Any]) -> list[str]:
    return [code for code, _ in codes(document)]


def codes(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(check["code"], check["message"]) for check in document["checks"] if check["ok"] is False]


@pytest.mark.attack
async def test_everything_is_silent_at_once(tmp_path: Path) -> None:
    """A relay that hangs at STARTTLS, one that hangs at MAIL, two APIs that never answer, a resolver that says nothing:
    one failure each, all within the 15 s, and no message to anybody.
    """
    authority = Authority(tmp_path)
    secrets = {
        "TOCSIN_EMAIL__PASSWORD": "x",
        "TOCSIN_SMS__AUTH_TOKEN": "token",
        "TOCSIN_SMS__FALLBACKS__OTHER__AUTH_TOKEN": "token",
    }
    pager = Pager(tmp_path, **secrets)
    async with (
        Relay(tls=authority.server()) as first,
        Relay() as second,
        StandIn() as twilio,
        StandIn(account="AC" + "1" * 32) as other,
        DnsServer({}, silent=True) as dns,
    ):
        first.always("starttls", "hang")
        second.always("mail", "hang")
        twilio.always("list", "slow 60")
        other.always("list", "slow 60")
        text = SETTINGS.format(
            first=first.port, second=second.port, ca=authority.ca_file,
            account=twilio.account, url=twilio.url, other=other.account, there=other.url,
        )  # fmt: skip
        (pager.folder / "config" / "tocsin.yaml").write_text(text)
        begun = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            TOCSIN, "doctor", "--format", "json", "--resolver", f"127.0.0.1:{dns.port}",
            cwd=pager.folder, env=pager.environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(process.communicate(), 40)
        took = time.monotonic() - begun
        assert (process.returncode, err) == (1, b"")
        document = json.loads(out)
        failed = codes(document)
        assert sorted(code for code, _ in failed) == [
            "dns-resolver", "relay-sender", "relay-tls", "sms-login", "sms-login",
        ]  # fmt: skip
        assert all("answer" in message for _, message in failed), failed
        assert took < 20, "15 s, and a busy machine's start of Python"
        assert (first.arrived, second.arrived, twilio.created, other.created) == ([], [], [], [])


@pytest.mark.attack
def test_beside_a_daemon_that_dies_and_with_a_refused_config(tmp_path: Path) -> None:
    """While it runs it is seen, after its end it is a failure; a refused config is one too, and the last good one of
    the ledger is looked at; without any there is still one document.
    """
    pager = Pager(tmp_path)
    pager.start()
    status, out, err = doctor(pager)
    assert (status, err) == (0, "")
    assert "a healthy daemon watches incidents" in out
    assert pager.stop(signal.SIGTERM) == 0
    status, out, _ = doctor(pager)
    assert status == 1
    assert "no healthy daemon watches incidents any more" in out
    (pager.folder / "config" / "all.yaml").write_text("roles: [\n")
    status, out, _ = doctor(pager, "--format", "json")
    document = json.loads(out)
    assert (status, failures(document)) == (1, ["config", "daemon"])
    assert "the last good one" in document["checks"][0]["message"]
    assert document["people"]
    (pager.folder / "var" / "tocsin.db").unlink()
    status, out, _ = doctor(pager, "--format", "json")
    document = json.loads(out)
    assert (status, failures(document), document["people"]) == (1, ["config"], [])
    assert "nothing else can be told" in document["checks"][0]["message"]


@pytest.mark.attack
async def test_what_was_delivered_proves_addresses(tmp_path: Path) -> None:
    """A page by both channels, the SMS delivered and answered for by no one: `doctor` and `check` know whose addresses
    work; nothing is said of `sent` alone.
    """
    pager = Pager(tmp_path, TOCSIN_SMS__AUTH_TOKEN="token")
    async with Relay() as relay, StandIn(numbers=["+14155550100"]) as twilio:
        (pager.folder / "config" / "tocsin.yaml").write_text(
            "operators: [olga]\nlast_resort: [olga, bo]\nreplies: {every: 1s}\n"
            f"email: {{transport: smtp, host: localhost, port: {relay.port}, security: none, sender: i@example.com}}\n"
            f'sms: {{transport: twilio, account_sid: {twilio.account}, sender: "+14155550100", api_url: "{twilio.url}"}}\n'
        )
        await asyncio.to_thread(pager.start)
        try:
            pager.write("pay.yaml", "title: Down\nseverity: sev1\n")
            await asyncio.to_thread(pager.until, lambda: twilio.sent and relay.arrived)
            proved: dict[tuple[str, str], str | None] = {}
            async with asyncio.timeout(20):
                while not proved.get(("ana", "sms")):
                    _, out, _ = await asyncio.to_thread(doctor, pager, "--format", "json")
                    proved = {(it["person"], it["via"]): it["by"] for it in json.loads(out)["people"]}
            assert proved["ana", "email"] == "accepted"
            assert proved["ana", "sms"] == "receipt"
            assert (proved["bo", "sms"], proved["bo", "email"]) == (None, None)
            warned = (await asyncio.to_thread(pager.run, "check")).stdout
            assert "people.bo: +14155550102 has not proved to work yet, bo@example.com" in warned
            assert "people.ana: " not in warned
        finally:
            await asyncio.to_thread(pager.stop, signal.SIGKILL)


@pytest.mark.attack
@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
def test_people_without_rights_or_secrets(tmp_path: Path) -> None:
    """Somebody of the group sees all but the logins; without the ledger's rights all but the ledger; outside the group
    one failure names the group. Never a traceback; and a folder that is closed to the daemon's user is a failure, whoever
    looks.
    """
    with installed_server(tmp_path) as server:
        server.start()
        server.root(
            "sed -i 's/^email:/email:\\n  host: localhost\\n  port: 9\\n  username: me/' /etc/tocsin/tocsin.yaml"
        )
        seen = server.run("carol", "doctor")
        assert "Traceback" not in seen.stderr
        assert "nothing fails; " in seen.stdout, seen.stdout + seen.stderr
        assert (seen.returncode, seen.stderr) == (0, "")
        assert "ledger: tocsin may read and write it" in seen.stdout
        assert "a healthy daemon watches /var/lib/tocsin/incidents" in " ".join(seen.stdout.split())

        server.root(f"chmod 0700 {STATE}/reviews; chown root:root {STATE}/reviews")
        for user in ("carol", "root"):
            closed = server.run(user, "doctor", "--format", "json")
            assert closed.returncode == 1, closed
            ((code, message),) = codes(json.loads(closed.stdout))
            assert code == "folder"
            assert "tocsin, whom the ledger belongs to, may not write /var/lib/tocsin/reviews" in message
        server.root(f"chown tocsin:tocsin {STATE}/reviews; chmod 0770 {STATE}/reviews; chmod 0600 {STATE}/tocsin.db*")
        hidden = server.run("carol", "doctor", "--format", "json")
        assert (hidden.returncode, hidden.stderr) == (0, "")
        ledger = next(check for check in json.loads(hidden.stdout)["checks"] if check["code"] == "ledger")
        assert ledger["ok"] is None
        assert "cannot be read by carol" in ledger["message"]

        outside = server.run("dave", "doctor", "--format", "json")
        assert (outside.returncode, outside.stderr) == (1, "")
        document = json.loads(outside.stdout)
        ((code, message),) = codes(document)
        assert (code, len(document["checks"])) == ("config", 1)
        assert "cannot be read by dave; ask to be in the group tocsin" in message
