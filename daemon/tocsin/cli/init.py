"""`tocsin init`: a commented config to start from, by three questions or by options."""

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from tocsin.app.configuration.starter.starter_texts import StarterAnswers, StarterEmail, StarterSms
from tocsin.cli.options import fail, utc_now
from tocsin.domain.people import Person
from tocsin.domain.problem import Problem

T = TypeVar("T")
G = TypeVar("G")
FORM = "Name <email> +phone"
HOW = (
    "3. How do messages go out? In whose name; and as files into var/outbox/, to try it, or by mail server and Twilio."
)
WHO = "   who writes, such as Acme (empty: nobody is named)"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, readable=False))
@click.option("--server", is_flag=True, help="DIR is the config folder itself, with the paths of an installed server.")
@click.option("--person", "people", multiple=True, metavar="P", help=f'"{FORM}"; once for each who is on call.')
@click.option("--timezone", metavar="ZONE", help="The team's time zone, such as Europe/Berlin.")
@click.option("--outbox", is_flag=True, help="Messages become files in var/outbox; nothing leaves.")
@click.option("--smtp", metavar="HOST[:PORT]", help="The mail server; with --email-from.")
@click.option("--smtp-user", metavar="NAME", help="Who logs in there.")
@click.option("--email-from", metavar="SENDER", help='Such as "Incidents <incidents@example.com>".')
@click.option("--twilio", metavar="ACCOUNT", help="The Twilio account that sends SMS; with --sms-from.")
@click.option("--sms-from", metavar="SENDER", help="The number that SMS come from.")
@click.option("--organisation", metavar="NAME", help="Who writes, as readers know you: stands in every message.")
def command(
    folder: Path,
    server: bool,
    people: tuple[str, ...],
    timezone: str | None,
    outbox: bool,
    organisation: str | None,
    **sending: str | None,
) -> None:
    r"""Write a config to start from into DIR: config/ with tests and schemas, a CI workflow, a pre-commit hook.

    On a terminal three questions are asked: who is on call, in which time zone, and how messages go out; options answer
    them beforehand. Elsewhere --person and --timezone are needed, and messages go to the outbox unless --smtp or
    --twilio say otherwise. Nothing that is there already is written over. With --server only what stands in config/
    is written, right into DIR, and everything else is in /var/lib/tocsin (see docs/installing.md).

    \b
    Examples:
      tocsin init pager
      tocsin init pager --timezone Europe/Berlin --outbox \
        --person "Ana Souza <ana@example.com> +14155550101" \
        --person "Bo Berg <bo@example.com> +14155550102"
      tocsin init pager --timezone UTC \
        --person "Ana Souza <ana@example.com> +14155550101" \
        --smtp mail.example.com:587 --email-from incidents@example.com
      tocsin init --server /etc/tocsin
    """
    from tocsin.adapters.files.new_files import NewFilesError
    from tocsin.app.configuration.starter.begin import FilesInTheWayError, begin, begin_server

    given = {name: text for name, text in sending.items() if text}
    if outbox and given:
        raise click.UsageError("--outbox sends nothing; leave it out, or the options of sending")
    asks = sys.stdin.isatty()
    if not asks and not (people and timezone):
        raise click.UsageError("there is no terminal to ask on: give --timezone, and --person for each who is on call")
    answers = _answers(people, timezone, organisation or "", None if asks and not given and not outbox else given)
    try:
        if server:
            os.umask(0o022)  # the daemon reads what root writes; the folder keeps others out
        names, problems = (begin_server if server else begin)(folder, answers, utc_now())
    except FilesInTheWayError as present:
        fail([*(f"{folder / name} is there already" for name in present.names), "nothing was written"])
    except NewFilesError as fault:
        fail([str(fault)])
    _report(folder, names, problems, server)


def _answers(
    people: Sequence[str], timezone: str | None, organisation: str, sending: dict[str, str] | None
) -> StarterAnswers:
    """What the options and the questions bring. Without `sending` it is asked how messages go out."""
    from tocsin.app.configuration.starter import starter_texts

    team = _team(people) if people else _ask_team()
    zone = _ask_zone(timezone)
    name = _read("--organisation", starter_texts.organisation, organisation)
    if sending is not None:
        return StarterAnswers(team, zone, *_sending(sending), name)
    click.echo(HOW, err=True)
    name = name or _ask(WHO, starter_texts.organisation, "")
    return StarterAnswers(team, zone, *_ask_sending(), name)


def _report(folder: Path, names: Sequence[str], problems: Sequence[Problem], server: bool) -> None:
    """What was written, what `tocsin check` says of it, and what to do next."""
    for name in names:
        click.echo(folder / name)
    for problem in problems:
        click.echo(str(problem), err=True)
    place = shlex.quote(str(folder))
    serve = f"tocsin check --config {place} && systemctl enable --now tocsin"
    begin_here = f"cd {place} && tocsin check && tocsin run   (README.md says more)"
    click.echo(f"now: {serve if server else begin_here}", err=True)


def _team(texts: Sequence[str]) -> tuple[Person, ...]:
    """Everybody on call, from the options."""
    from tocsin.app.configuration.starter import starter_texts

    return _read("--person", lambda people: starter_texts.team([starter_texts.person(text) for text in people]), texts)


def _ask_team() -> tuple[Person, ...]:
    """Everybody on call, one a line."""
    from tocsin.app.configuration.starter import starter_texts

    click.echo(f"1. Who is on call? {FORM}, one a line, in the order of their turns; two or more.", err=True)
    people: list[Person] = []
    while True:
        text = click.prompt("   on call (empty: that is all)", default="", show_default=False, err=True)
        if not text.strip() and people:
            return starter_texts.team(people)
        try:
            person = starter_texts.person(text)
            starter_texts.team([*people, person])
        except ValueError as wrong:
            click.echo(f"   {wrong}", err=True)
        else:
            people.append(person)


def _ask_zone(given: str | None) -> str:
    """The team's time zone."""
    from tocsin.text import scalars

    if given:
        return _read("--timezone", scalars.zone, given)
    return _ask("2. Which time zone does the team live by? Such as Europe/Berlin", scalars.zone)


def _sending(given: dict[str, str]) -> tuple[StarterEmail, StarterSms]:
    """How messages go out, from the options."""
    from tocsin.formats.settings.types import account_sid, mail_sender, sms_sender

    for option, needed in (("smtp", "email_from"), ("twilio", "sms_from"), ("smtp_user", "smtp")):
        if option in given and needed not in given:
            raise click.UsageError(f"--{option} needs --{needed}".replace("_", "-"))
    mail, sms = StarterEmail(), StarterSms()
    if "email_from" in given:
        host, port = _read("--smtp", _server, given["smtp"]) if "smtp" in given else ("", mail.port)
        sender = _read("--email-from", mail_sender, given["email_from"])
        mail = StarterEmail(sender, host, port, given.get("smtp_user", ""))
    if "sms_from" in given:
        account = _read("--twilio", account_sid, given["twilio"]) if "twilio" in given else ""
        sms = StarterSms(_read("--sms-from", sms_sender, given["sms_from"]), account)
    return mail, sms


def _ask_sending() -> tuple[StarterEmail, StarterSms]:
    """How messages go out: the outbox, or a mail server and perhaps Twilio."""
    from tocsin.formats.settings.types import account_sid, mail_sender, sms_sender

    host, port = _ask("   mail server (empty: the outbox)", lambda text: _server(text) if text else ("", 0), "")
    if not host:
        return StarterEmail(), StarterSms()
    sender = _ask("   emails come from", mail_sender)
    user = click.prompt("   login there (empty: none)", default="", show_default=False, err=True).strip()
    account = _ask("   Twilio account AC… (empty: SMS into the outbox)", _optional(account_sid), "")
    number = _ask("   SMS come from", sms_sender) if account else StarterSms().sender
    return StarterEmail(sender, host, port, user), StarterSms(number, account)


def _server(text: str) -> tuple[str, int]:
    """A mail server's name and port."""
    host, colon, port = text.strip().partition(":")
    if (
        not host
        or any(letter.isspace() for letter in host)
        or (colon and not (port.isdecimal() and 0 < int(port) < 65536))
    ):
        raise ValueError(f'"{text}" is no mail server; write its name such as mail.example.com or mail.example.com:465')
    return host, int(port or StarterEmail().port)


def _optional(read: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: read(text) if text else ""


def _ask(question: str, read: Callable[[str], T], default: str | None = None) -> T:
    """Ask until the answer can be read."""
    while True:
        try:
            return read(click.prompt(question, default=default, show_default=False, err=True).strip())
        except ValueError as wrong:
            click.echo(f"   {wrong}", err=True)


def _read(option: str, read: Callable[[G], T], given: G) -> T:
    """Read what an option gave; a wrong one is wrong usage."""
    try:
        return read(given)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint=option) from None
