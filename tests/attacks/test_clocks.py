"""The clock is wrong, and put right, before and while the daemon runs (rules 59, 60)."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.fakes.pager import CONFIG, ROOMY, SETTINGS, Pager
from tests.fakes.phone import Phone
from tests.fakes.twilio_webhooks import ACCOUNT
from tests.fakes.wall_clock import WallClock

HOUR = timedelta(hours=1)
INCIDENT = "title: Card payments fail\nseverity: sev1\n"


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path)


@pytest.fixture
def pager(tmp_path: Path, clock: WallClock) -> Iterator[Pager]:
    """A pager by that clock, which is gone when the test is over."""
    pager = Pager(tmp_path, **ROOMY, **clock.environ)
    yield pager
    if pager.process is not None:
        pager.process.kill()
        pager.process.wait()


def next_level_after(pager: Pager, window: str) -> None:
    """The next level is paged after so long."""
    fragment = re.sub("acknowledge_within: 5m", f"acknowledge_within: {window}", CONFIG)
    (pager.folder / "config" / "all.yaml").write_text(fragment)


@pytest.mark.attack
def test_a_config_from_a_fast_clock_silences_nobody(pager: Pager, clock: WallClock) -> None:
    """Rule 59: the config was first recorded an hour ahead; with the clock put right and the daemon started anew, a new
    incident is paged at once, and the operators hear that the clock was wrong.
    """
    clock.set(HOUR)
    pager.start()
    pager.stop()
    clock.set(timedelta(0))
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"), 3)
    told = pager.until(lambda: pager.mails("operator", "olga@"))
    assert "the clock was ahead" in words(told[0])
    pager.stop()


@pytest.mark.attack
def test_a_ladder_from_a_fast_clock_goes_on(pager: Pager, clock: WallClock) -> None:
    """Rule 59: an incident's facts lie an hour ahead; after a start with the right clock its ladder goes on from then."""
    next_level_after(pager, "4s")
    clock.set(HOUR)
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    pager.stop()
    clock.set(timedelta(0))
    pager.start()
    pager.until(lambda: pager.mails("page", "bo@"), 8)
    assert len(pager.mails("page", "ana@")) == 1
    pager.stop()


@pytest.mark.attack
def test_an_acknowledgment_by_a_slow_laptop_counts(pager: Pager) -> None:
    """Rule 68: ana writes herself into the file by a clock that is 95 s slow; nobody else is paged, and no operator reads
    that she was never asked.
    """
    next_level_after(pager, "4s")
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    at = datetime.now(UTC) - timedelta(seconds=95)
    pager.write("pay.yaml", f"{INCIDENT}acknowledged: [{{by: ana, at: {at.isoformat()}}}]\n")
    time.sleep(6)
    pager.stop()
    assert not pager.mails("page", "bo@")
    assert not pager.mails("operator")


ROTATION = """
people:
  ana: {{name: Ana Souza, email: ana@example.com}}
  bo: {{name: Bo Berg, email: bo@example.com, timezone: UTC}}
  olga: {{name: Olga Ops, email: olga@example.com}}
rotations:
  platform: {{shifts: [{{members: [ana, bo], handoff: "{minute} {hour} * * *", timezone: UTC, starts: {starts}}}]}}
roles:
  technical_lead: {{title: Technical Lead, duties: Fixes it., chain: [platform.on_call]}}
stakeholders:
  support: {{title: Support, emails: [support@example.com], external: false, timezone: UTC}}
severities:
  sev1:
    title: Critical
    page: {{roles: [technical_lead], via: [email], acknowledge_within: 1h}}
    updates: [{{to: [support], every: 30m}}]
"""


def words(mail: EmailMessage) -> str:
    """A mail's text."""
    body = mail.get_body(("plain",))
    assert body
    return str(body.get_content())


@pytest.mark.attack
@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_a_step_of_the_clock_moves_no_ladder(pager: Pager, clock: WallClock, step: timedelta) -> None:
    """Rule 60: the next level is paged when its window is over, neither at once nor an hour late; nobody twice."""
    next_level_after(pager, "8s")
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    paged_at = time.monotonic()
    time.sleep(2)
    clock.set(step)
    time.sleep(4)
    assert not pager.mails("page", "bo@")
    assert len(pager.until(lambda: pager.mails("page", "bo@"), 5)) == 1
    assert 7 < time.monotonic() - paged_at < 9.5
    pager.until(lambda: pager.mails("page", "olga@"), 11)
    assert 15 < time.monotonic() - paged_at < 18
    assert (len(pager.mails("page", "ana@")), len(pager.mails("page", "bo@"))) == (1, 2)
    told = pager.until(lambda: pager.mails("operator", "olga@"))
    way = "forward" if step > timedelta(0) else "back"
    assert f"this machine's clock was put {way} by 1h" in words(told[0])
    pager.stop()


@pytest.mark.attack
def test_a_slow_clock_put_right_names_the_person_of_now(pager: Pager, clock: WallClock) -> None:
    """Rule 60: an hour slow, the turn passes in that hour. Seconds after the step the pages, the words, the Date,
    and what other processes say are by the wall clock; what was promised before has moved along.
    """
    now = datetime.now(UTC)
    handoff, starts = now - HOUR / 2, now - 12 * HOUR
    clock.set(-HOUR)
    fragment = ROTATION.format(minute=handoff.minute, hour=handoff.hour, starts=f"{starts:%Y-%m-%dT%H:%M}")
    (pager.folder / "config" / "all.yaml").write_text(fragment)
    pager.start()
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: pager.mails("page", "ana@"))
    clock.set(timedelta(0))
    pager.until(lambda: pager.said("clock"), 3)
    time.sleep(1)
    pager.write("web.yaml", INCIDENT)
    page = pager.until(lambda: pager.mails("page", "bo@"), 3)[0]
    assert abs(parsedate_to_datetime(page["Date"]) - datetime.now(UTC)) < timedelta(seconds=10)
    update = pager.until(lambda: [mail for mail in pager.mails("update") if mail["X-Tocsin-Incident"] == "web"], 5)[0]
    promised_at = datetime.now(UTC) + HOUR / 2
    assert re.search(f"{promised_at:%H:%M}|{promised_at - timedelta(minutes=1):%H:%M}", words(update)), words(update)
    document = json.loads(pager.run("status", "--format", "json").stdout)
    for incident in document["incidents"]:
        late = datetime.fromisoformat(incident["next_update"]) - promised_at
        assert abs(late) < timedelta(minutes=1)
    draft = (pager.folder / pager.run("review", "pay").stdout.strip()).read_text()
    assert "The clock was put forward by 1h; the times before this were put right with it" in draft
    assert f"{now - HOUR:%H:%M}" not in draft
    pager.stop()


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[Phone]:
    made = Phone(tmp_path / "sms.truth")
    yield made
    made.close()


@pytest.mark.attack
@pytest.mark.parametrize("ahead", [timedelta(minutes=15), -HOUR, timedelta(days=2)])
def test_answers_by_sms_count_although_our_clock_is_wrong(
    pager: Pager, clock: WallClock, phone: Phone, ahead: timedelta
) -> None:
    """Rule 60: the provider's clock is another than ours. `ok` counts and is answered, nobody else is woken, a send of
    uncertain end is found in its list and not made again, and the operators hear of the difference.
    """
    next_level_after(pager, "12s")
    clock.set(ahead)
    pager.environ["TOCSIN_SMS__AUTH_TOKEN"] = "secret"
    sms = f"sms: {{transport: twilio, account_sid: {ACCOUNT}, api_url: '{phone.url}', "
    settings = SETTINGS.replace("sms: {", sms) + "replies: {every: 1s}\n"
    (pager.folder / "config" / "tocsin.yaml").write_text(settings)
    pager.start()
    time.sleep(2)
    phone.spoil("create", "drop")
    pager.write("pay.yaml", INCIDENT)
    pager.until(lambda: phone.got("+14155550101"))
    phone.write("+14155550101", "ok")
    answer = pager.until(lambda: phone.got("+14155550101")[1:], 5)[0]
    assert answer == "You are Technical Lead of Card payments fail (SEV1)."
    time.sleep(14)
    assert not phone.got("+14155550102")
    assert len(phone.got("+14155550101")) == 2
    told = [words(mail) for mail in pager.mails("operator", "olga@")]
    which = "behind" if ahead < timedelta(0) else "ahead of"
    assert any(re.search(f"this machine's clock is [0-9a-z]+ {which} that of the SMS provider", text) for text in told)
    pager.stop()
