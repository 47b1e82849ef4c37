"""Stories, word for word as their readers get them: a customer, an executive, and who writes the updates.

Every story is played with the shipped templates. Kim is a customer in London, Gus an executive in Berlin, Dee holds
Communications; what one reads by SMS the others read by email too, and it says the same.
"""

import html
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.app.simulation.play import SimulatedMessage, play
from tocsin.domain.delivery import Content
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel, FirstUpdate, Person, StakeholderGroup
from tocsin.domain.policy import (
    Cadence,
    Level,
    PagePolicy,
    ReviewPolicy,
    Role,
    Service,
    Severity,
    Span,
    Stream,
    Who,
)
from tocsin.domain.problem import Problem
from tocsin.formats.policy_test.script import read_step
from tocsin.text.gsm import segments

from tests.builders.instants import T0
from tests.builders.policies import small_policy

DATA = Path(__file__).parents[2] / "data"
STANDS_IN_MAILS = {"This", "incident", "is", "It", "lasted", "Ended", "Sun", "Mon", "22", "23", "Nov", "Disk"}
"""Words of mails that an SMS has others for: the end in a sentence, days, and the summary."""
IN_MAILS_OF_THE_END = re.compile(
    r"^(?:Began|Impact until then|Communications|This was the last update).*\n?", re.MULTILINE
)
"""What the end says to insiders in a mail only: an SMS, which may wake them, holds what they need."""
BOTH = (Channel.EMAIL, Channel.SMS)
HALF_HOUR, HOUR = timedelta(minutes=30), timedelta(hours=1)


def _severity(name: str, title: str, meaning: str, every: timedelta, *groups: str) -> Severity:
    return Severity(
        name,
        title,
        meaning,
        page=PagePolicy(("communications",), (Channel.SMS,), HOUR),
        updates=(Stream(groups, Cadence((Span(every),))),),
        remind_before=timedelta(minutes=5),
        review=ReviewPolicy(timedelta(days=5)),
    )


POLICY = replace(
    small_policy(
        severities={
            "sev1": _severity("sev1", "Critical", "All hands on deck.", HALF_HOUR, "executives", "customers"),
            "sev2": _severity("sev2", "Major", "A core function is lost.", HOUR, "executives", "customers"),
            "sev3": _severity("sev3", "Minor", "", HOUR, "executives"),
        },
        roles={"communications": Role("communications", "Communications", chain=(Level((Who("dee"),)),))},
        people={
            "dee": Person("dee", "Dee Okafor", phone="+14155550104", timezone="Europe/London"),
            "gus": Person("gus", "Gus Keller", "gus@example.com", "+14155550107", timezone="Europe/Berlin"),
            "kim": Person("kim", "Kim Park", "kim@customer.example", "+14155550108", timezone="Europe/London"),
        },
        services={"checkout": Service("checkout", "Checkout")},
        stakeholders={
            "executives": StakeholderGroup("executives", "Executives", ("gus",), via=BOTH),
            "customers": StakeholderGroup("customers", "Customers", ("kim",), via=BOTH, external=True),
        },
        operators=("dee",),
        last_resort=("dee",),
    ),
    organisation="Acme",
    reply_to="help@acme.example",
)
STORIES: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "group_messages.yaml").read_text("utf-8"))
DATED = re.compile(r"(?:\w{3} \d{1,2} \w{3}, )?(\d\d:\d\d \w+)(?: \(\d\d:\d\d UTC\))?")
"""A time as mails write it, and what of it an SMS has."""
TAGS = re.compile(r"<(style|head|title)\b.*?</\1>|<div aria-hidden.*?</div>|<!--.*?-->|<[^>]*>", re.DOTALL)


def told(story: dict[str, Any]) -> list[SimulatedMessage]:
    """The messages of a story that begins at T0; every template must hold. Dee accepts after a minute."""

    def broken(problem: Problem) -> None:
        raise AssertionError(problem)

    customers = replace(POLICY.stakeholders["customers"], first=FirstUpdate(story.get("first", "at_once")))
    policy = replace(POLICY, stakeholders={**POLICY.stakeholders, "customers": customers})
    script = [read_step(step, policy) for step in ({"after": "1m", "ack": "dee"}, *story["steps"])]
    data = yaml.safe_dump(story["incident"]).encode()
    span = timedelta(minutes=story["minutes"])
    renderer = JinjaRenderer(shipped_folder(), broken)
    return list(play(policy, data, "cards.yaml", T0, span, script, renderer).messages)


def read(messages: Sequence[SimulatedMessage], to: str, via: Channel) -> dict[int, Content]:
    """What somebody reads, by the minute; pages apart."""
    of_reader = {}
    for message in messages:
        notification = message.notification
        if (notification.to, notification.via) == (to, via) and notification.kind is not Kind.PAGE:
            assert message.content is not None
            of_reader[int((notification.at - T0).total_seconds()) // 60] = message.content
    return of_reader


@pytest.mark.parametrize("name", STORIES)
def test_what_each_reader_gets(name: str) -> None:
    """Word for word, by SMS: the change first, then what else is true, then when the next word comes."""
    story, messages = STORIES[name], told(STORIES[name])
    for reader, texts in story["told"].items():
        heard = {minute: content.text for minute, content in read(messages, reader, Channel.SMS).items()}
        assert {minute: heard.get(minute) for minute in texts} == texts
    for message in messages:
        if message.notification.via is Channel.SMS and message.content:
            most = 3 if message.notification.kind in (Kind.UPDATE, Kind.CLOSING) else 1
            assert segments(message.content.text) <= most, message.content.text


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("reader", ["kim", "gus"])
def test_mail_and_sms_state_the_same(name: str, reader: str) -> None:
    """What one says in a mail, its HTML says too, and the SMS of that moment; names of who wrote stand in mails only."""
    messages = told(STORIES[name])
    by_sms, by_mail = read(messages, reader, Channel.SMS), read(messages, reader, Channel.EMAIL)
    assert by_sms.keys() == by_mail.keys()
    for minute, mail in by_mail.items():
        body = mail.text.partition("\n\n-- \n")[0].replace("DRILL: this is an exercise.\n\n", "DRILL ")
        seen = html.unescape(TAGS.sub(" ", mail.html))
        assert not words(body) - words(seen)
        body = IN_MAILS_OF_THE_END.sub("", body) if reader == "gus" and "This was the last update" in body else body
        plain = re.sub(r"\n  - .*", "", DATED.sub(r"\1", body))
        short = words(DATED.sub(r"\1", by_sms[minute].text))
        assert not short - words(plain) - {"resolved", "at", "after"}
        assert not words(plain) - short - STANDS_IN_MAILS - words(status_line(body))


def words(text: str) -> set[str]:
    """What a text says, whatever it is put together with."""
    return set(re.findall(r"\w+", text))


def status_line(body: str) -> str:
    """The first line of a mail: who writes, and what it is."""
    return body.partition("\n")[0]
