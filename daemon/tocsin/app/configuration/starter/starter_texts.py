"""What fills the blanks of the config to start from, out of what somebody answered.

Decides how answers are read and checked, and how they are written so that YAML reads them back as they were.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from string import Template
from zoneinfo import ZoneInfo

from tocsin.domain.people import Person
from tocsin.formats.incident.new_id import slug
from tocsin.text import contacts
from tocsin.text.cleaning import clean, one_line

PEOPLE_LIMIT = 50
"""The most people that a starter begins with."""
NAME_LIMIT = 100
"""The longest name of one of them, in characters."""
ROTATION = "primary"
"""The starter's one rotation; no person may have this id."""
HANDOFF = time(9)

_PERSON = re.compile(r"(?P<name>[^<>]*)<(?P<email>[^<>]*)>(?P<phone>[^<>]*)", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_@.+/-]*(?: [A-Za-z0-9][A-Za-z0-9_@.+/-]*)*")
_WORDS_OF_YAML = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class StarterEmail:
    """How email leaves: without a `host` into the outbox."""

    sender: str = "Incidents <incidents@example.com>"
    host: str = ""
    port: int = 587
    username: str = ""


@dataclass(frozen=True, slots=True)
class StarterSms:
    """How SMS leave: without an `account` into the outbox."""

    sender: str = "+15005550006"
    account: str = ""


@dataclass(frozen=True, slots=True)
class StarterAnswers:
    """What the three questions bring: who is on call, in which zone, and how and in whose name messages leave."""

    team: tuple[Person, ...]
    timezone: str
    mail: StarterEmail = StarterEmail()
    sms: StarterSms = StarterSms()
    organisation: str = ""


class BlankTemplate(Template):
    """A text with blanks such as `@@people`."""

    delimiter = "@@"


def person(text: str) -> Person:
    """Somebody, as yet without an id, from `Ana Souza <ana@example.com> +14155550101`. Raises ValueError, in words."""
    parts = _PERSON.fullmatch(text.strip())
    if not parts:
        raise ValueError(
            f'"{_shown(text)}": write the name, <email> and phone: Ana Souza <ana@example.com> +14155550101'
        )
    name = _shown(parts["name"])
    if not name:
        raise ValueError(f'"{_shown(text)}" has no name; write Ana Souza <ana@example.com> +14155550101')
    if len(name) > NAME_LIMIT:
        raise ValueError(f"the name is over {NAME_LIMIT} characters; shorten it")
    if not parts["phone"].strip():
        raise ValueError(f"{name} has no phone, and a mailbox wakes nobody; write it after the <email>")
    return Person("", name, contacts.email(parts["email"]), contacts.phone(parts["phone"]))


def team(people: Sequence[Person]) -> tuple[Person, ...]:
    """All of them with ids of their own, made of their names. Raises ValueError when two cannot be told apart."""
    if len(people) > PEOPLE_LIMIT:
        raise ValueError(f"{len(people)} people are more than a starter takes; begin with {PEOPLE_LIMIT}")
    known: dict[str, Person] = {}
    for person in people:
        other = next((other for other in known.values() if other.phone == person.phone), None)
        if other:
            raise ValueError(
                f"{person.name} and {other.name} share the phone number {person.phone}; answers could not be told apart"
            )
        own_id = next(id_ for id_ in _ids(person) if id_ not in known and id_ != ROTATION)
        known[own_id] = replace(person, id=own_id)
    return tuple(known.values())


def blanks(answers: StarterAnswers, at: datetime) -> dict[str, str]:
    """What fills the starter's blanks; `at` (UTC) is now: the first turn began at the last handoff before it."""
    ids = [person.id for person in answers.team]
    zone = ZoneInfo(answers.timezone)
    starts = _last_monday(at.astimezone(zone).replace(tzinfo=None))
    working, night = starts + timedelta(hours=1), starts + timedelta(days=5, hours=-7)
    return {
        "people": "\n".join(_entry(person, answers.timezone) for person in answers.team),
        "ids": ", ".join(map(scalar, ids)),
        "organisation": scalar(answers.organisation) if answers.organisation else "null",
        "operators": ", ".join(map(scalar, ids[:2])),
        "id": ids[0],
        "first": scalar(ids[0]),
        "timezone": scalar(answers.timezone),
        "starts": f"{starts:%Y-%m-%dT%H:%M}",
        "working": working.replace(tzinfo=zone).isoformat(timespec="minutes"),
        "night": night.replace(tzinfo=zone).isoformat(timespec="minutes"),
        "email": "\n".join(_email(answers.mail)),
        "sms": "\n".join(_sms(answers.sms)),
        "leaving": _leaving(answers),
    }


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text of the starter with its blanks filled."""
    return BlankTemplate(text).substitute(values)


def scalar(text: str) -> str:
    """A text as a YAML scalar that reads back as it is: plain where that is safe, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS_OF_YAML:
        return text
    return json.dumps(text, ensure_ascii=False)


def organisation(text: str) -> str:
    """Who writes, on one line. Raises ValueError, in words."""
    name = _shown(text)
    if len(name) > NAME_LIMIT:
        raise ValueError(f"the name is over {NAME_LIMIT} characters; shorten it")
    return name


def _shown(text: str) -> str:
    """What was written, on one line, without what cannot be shown."""
    return one_line("".join(letter for letter in clean(text) if letter.isprintable() or letter == "\n"))


def _ids(person: Person) -> Iterator[str]:
    """Ids for somebody, the shortest first: ana, ana-souza, ana-2, ana-3, …"""
    whole = slug(person.name)[:NAME_LIMIT] or slug(person.email.partition("@")[0]) or "person"
    first = whole.partition("-")[0]
    yield first
    yield whole
    number = 2
    while True:
        yield f"{first}-{number}"
        number += 1


def _entry(person: Person, timezone: str) -> str:
    return (
        f"  {scalar(person.id)}:\n    name: {scalar(person.name)}\n    email: {scalar(person.email)}\n"
        f'    phone: "{person.phone}"\n    timezone: {scalar(timezone)}'
    )


def _last_monday(local: datetime) -> datetime:
    """The last handoff: Monday at nine, now or before."""
    monday = datetime.combine(local.date() - timedelta(days=local.weekday()), HANDOFF)
    return monday if monday <= local else monday - timedelta(days=7)


def _email(mail: StarterEmail) -> Iterator[str]:
    yield "email:"
    if mail.host:
        yield "  transport: smtp"
        yield f"  host: {scalar(mail.host)}"
        yield f"  port: {mail.port}"
        yield f"  security: {'tls' if mail.port == 465 else 'starttls'}"
        if mail.username:
            yield f"  username: {scalar(mail.username)}"
    else:
        yield "  transport: outbox"
    yield f"  sender: {scalar(mail.sender)}"


def _sms(sms: StarterSms) -> Iterator[str]:
    yield "sms:"
    if sms.account:
        yield "  transport: twilio"
        yield f"  account_sid: {scalar(sms.account)}"
    else:
        yield "  transport: outbox"
    yield f"  sender: {scalar(sms.sender)}"


def _leaving(answers: StarterAnswers) -> str:
    """Where messages go, in the words of the README."""
    secrets = [
        *(["`TOCSIN_EMAIL__PASSWORD`"] if answers.mail.username else []),
        *(["`TOCSIN_SMS__AUTH_TOKEN`"] if answers.sms.account else []),
    ]
    sentences = []
    if not answers.mail.host or not answers.sms.account:
        what = (
            "Messages"
            if not answers.mail.host and not answers.sms.account
            else "SMS"
            if answers.mail.host
            else "Emails"
        )
        sentences.append(
            f"{what} are written into `var/outbox/`, one file each, until `config/tocsin.yaml` says otherwise."
        )
    if secrets:
        sentences.append(f"Set {' and '.join(secrets)} where the daemon runs.")
    return " ".join([*sentences, f"Try it: `tocsin send-test {answers.team[0].id}`."])
