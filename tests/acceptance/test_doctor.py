"""`tocsin doctor` as people type it: the installed command against a real relay, a real DNS server, a stand-in for
Twilio. Beside a daemon, and when all of them are silent: `tests/attacks/test_doctor.py`.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fakes.certificates import Authority
from tests.fakes.dns_server import DnsServer
from tests.fakes.pager import Pager
from tests.fakes.ready_commands import run_ready
from tests.fakes.smtp_server import Relay
from tests.fakes.twilio_server import StandIn

ZONE: dict[tuple[str, str], Sequence[str]] = {
    ("acme.dev", "MX"): ["10 mx.acme.dev."],
    ("mx.acme.dev", "A"): ["192.0.2.1"],
    ("acme.dev", "TXT"): ["v=spf1 mx -all"],
    ("s1._domainkey.acme.dev", "TXT"): ["v=DKIM1; p=" + "A" * 392],
    ("_dmarc.acme.dev", "TXT"): ["v=DMARC1; p=reject"],
}
SETTINGS = """
operators: [olga]
last_resort: [olga, bo]
email: {{transport: smtp, host: localhost, port: {port}, username: tocsin, ca_file: {ca}, sender: Incidents <i@acme.dev>}}
sms: {{transport: twilio, account_sid: {account}, sender: "+14155550100", api_url: "{url}"}}
"""


async def doctor(pager: Pager, *arguments: str) -> tuple[int, str, str]:
    done = await asyncio.to_thread(run_ready, ("doctor", *arguments), pager.folder, pager.environ, 40)
    return done.returncode, done.stdout, done.stderr


def failures(document: dict[str, Any]) -> list[str]:
    return [check["code"] for check in document["checks"] if check["ok"] is False]


async def test_all_is_looked_at_and_nothing_is_sent(tmp_path: Path) -> None:
    """With the secrets all is well and the status 0. Without them logins are not tried. A certificate of somebody else
    and a suspended account fail with status 1. Neither the relay nor the account ever gets a message.
    """
    authority = Authority(tmp_path)
    secrets = {"TOCSIN_EMAIL__PASSWORD": "secret", "TOCSIN_SMS__AUTH_TOKEN": "token"}
    pager = Pager(tmp_path, **secrets)
    async with (
        Relay(tls=authority.server(), user="tocsin", password="secret") as relay,
        Relay(tls=authority.server(name="other.example")) as wrong,
        StandIn(numbers=["+14155550100"]) as twilio,
        DnsServer(ZONE) as dns,
    ):
        twilio.books.services["MG" + "1" * 32] = {"numbers": ["+14155550100"], "campaigns": ["VERIFIED"]}
        asked = ("--resolver", f"127.0.0.1:{dns.port}")

        def write(port: int) -> None:
            text = SETTINGS.format(port=port, ca=authority.ca_file, account=twilio.account, url=twilio.url)
            (pager.folder / "config" / "tocsin.yaml").write_text(text)

        write(relay.port)
        status, out, err = await doctor(pager, "--format", "json", *asked)
        document = json.loads(out)
        assert (status, err, failures(document)) == (0, "", [])
        assert document["ok"] is True
        assert all(set(check) == {"code", "target", "ok", "message", "cure"} for check in document["checks"])
        codes = {check["code"]: check["ok"] for check in document["checks"]}
        for code in (
            "relay-login",
            "relay-sender",
            "relay-reader",
            "spf",
            "dkim",
            "dmarc",
            "sms-sender",
            "sms-registration",
            "clock",
        ):
            assert codes[code] is True, code
        assert {"person": "ana", "via": "sms", "proved": None, "by": None} in document["people"]

        for secret in secrets:
            del pager.environ[secret]
        status, out, _ = await doctor(pager, "--format", "json", *asked)
        codes = {check["code"]: check["ok"] for check in json.loads(out)["checks"]}
        assert (status, codes["relay-login"], codes["sms-login"], codes["relay-certificate"]) == (0, None, None, True)

        pager.environ |= secrets
        twilio.books.status = "suspended"
        write(wrong.port)
        status, out, err = await doctor(pager, *asked)
        assert (status, err) == (1, "")
        assert max(map(len, out.splitlines())) <= 80
        assert "FAILS      its certificate is not good: Hostname mismatch" in out
        assert "-> name the server in email.host as its certificate does" in out
        assert "FAILS      the account is suspended" in out
        assert out.rstrip().splitlines()[-1].startswith("2 FAIL; ")
        assert (relay.arrived, twilio.created) == ([], [])
        assert "DATA" not in {line.split(" ")[0] for _, line in relay.commands}
