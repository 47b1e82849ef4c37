"""Answers by SMS from end to end: the installed daemon polls a stand-in for the provider; no port is open."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.pager import SETTINGS, Pager
from tests.fakes.phone import Phone
from tests.fakes.twilio_webhooks import ACCOUNT

FILE = "title: Card payments fail\nseverity: sev1\n"


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    made = Phone(tmp_path / "sms.truth")
    yield made
    made.close()


def test_a_page_is_answered_from_a_phone(phone: Phone, tmp_path: Path) -> None:
    """The page carries a code; `ok` with it is heard without an open port, accepts the role and is answered."""
    pager = Pager(tmp_path, TOCSIN_SMS__AUTH_TOKEN="secret")
    sms = f"sms: {{transport: twilio, account_sid: {ACCOUNT}, api_url: '{phone.url}', "
    settings = SETTINGS.replace("sms: {", sms) + "replies: {every: 1s}\n"
    (tmp_path / "config" / "tocsin.yaml").write_text(settings)
    pager.start()
    pager.write("pay.yaml", FILE)
    page = pager.until(lambda: phone.got("+14155550101"))[0]
    code = re.search(r"ok ([A-Z][1-9]) / pass", page)
    assert code, page
    phone.write("+14155550199", f"ok {code[1]}")
    phone.write("+14155550101", f"Ok {code[1].lower()}.")
    answer = pager.until(lambda: phone.got("+14155550101")[1:])[0]
    assert answer == "You are Technical Lead of Card payments fail (SEV1)."
    pager.until(
        lambda: json.loads(pager.run("status", "--format", "json").stdout)["incidents"][0]["roles"]["technical_lead"][
            "accepted"
        ]
    )
    assert not phone.got("+14155550199")
    assert pager.stop() == 0


def test_a_restart_repeats_no_answer_and_still_knows_the_codes(phone: Phone, tmp_path: Path) -> None:
    """Ana took it and passed it on before: bo, asked since, keeps his time; an ended incident's code is still known."""
    pager = Pager(tmp_path, TOCSIN_SMS__AUTH_TOKEN="secret")
    sms = f"sms: {{transport: twilio, account_sid: {ACCOUNT}, api_url: '{phone.url}', "
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS.replace("sms: {", sms) + "replies: {every: 1s}\n")
    pager.start()
    pager.write("pay.yaml", FILE)
    page = pager.until(lambda: phone.got("+14155550101"))[0]
    code = re.search(r"ok ([A-Z][1-9]) / pass", page)
    assert code, page
    phone.write("+14155550101", f"ok {code[1]}")
    pager.until(lambda: phone.got("+14155550101")[1:])
    phone.write("+14155550101", f"pass {code[1]}")
    pager.until(lambda: phone.got("+14155550102"))
    assert pager.stop() == 0
    pager.start()
    time.sleep(2.5)
    assert phone.got("+14155550103") == []
    pager.write("pay.yaml", FILE + "status: resolved\n")
    pager.until(lambda: pager.mails("closing"))
    assert pager.stop() == 0
    pager.start()
    before = len(phone.got("+14155550101"))
    phone.write("+14155550101", f"ok {code[1]}")
    answer = pager.until(lambda: phone.got("+14155550101")[before:])[0]
    assert answer.startswith("Card payments fail was resolved")
    assert pager.stop() == 0


@pytest.mark.attack
def test_a_number_says_stop_and_start(phone: Phone, tmp_path: Path) -> None:
    """Rule 51: whoever was asked there is asked by email at once; nothing goes there any more, after a restart neither,
    and answers still count; operators and `check` say so. START lifts it. Then `ok all` takes everything (rule 47).
    """
    pager = Pager(tmp_path, TOCSIN_SMS__AUTH_TOKEN="secret")
    sms = f"sms: {{transport: twilio, account_sid: {ACCOUNT}, api_url: '{phone.url}', "
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS.replace("sms: {", sms) + "replies: {every: 1s}\n")
    config = tmp_path / "config" / "all.yaml"
    config.write_text(config.read_text().replace("via: [sms, email]", "via: [sms]"))
    pager.start()
    pager.write("pay.yaml", FILE)
    (page,) = pager.until(lambda: phone.got("+14155550101"))
    code = re.search(r"ok ([A-Z][1-9]) / pass", page)
    assert code, page
    phone.write("+14155550101", "STOP")
    pager.until(lambda: pager.mails("page", "ana@"))
    (notice,) = pager.until(lambda: pager.mails("operator", "olga@"))
    assert "call Ana Souza, have them text START to +15005550006" in notice.get_body(("plain",)).get_content()
    assert pager.stop() == 0
    pager.start()
    pager.write("db.yaml", FILE.replace("Card payments", "Databases"))
    pager.until(lambda: len(pager.mails("page", "ana@")) == 2)
    phone.write("+14155550101", f"ok {code[1]}")
    pager.until(lambda: 'accepted": "' in pager.run("status", "--format", "json").stdout)
    assert "answered STOP on" in pager.run("check").stdout
    assert "the number answered STOP" in pager.run("explain", "db").stdout
    assert phone.got("+14155550101") == [page]
    phone.write("+14155550101", "Yes")
    pager.until(lambda: "takes SMS again" in pager.mails("operator", "olga@")[-1]["Subject"])
    pager.write("web.yaml", FILE.replace("Card payments", "Websites"))
    pager.until(lambda: phone.got("+14155550101")[1:])
    time.sleep(1)
    phone.write("+14155550101", "ok all")
    answer = pager.until(lambda: phone.got("+14155550101")[2:])[0]
    assert answer.startswith("You accepted 2: 2 SEV1. Worst: SEV1 Databases fail")
    assert pager.stop() == 0
