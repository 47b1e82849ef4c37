"""`tocsin send-test`: a real message to one person, over each of their channels."""

import asyncio
import getpass
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from tocsin.adapters.files.config_snapshot import UNREADABLE_SECRETS
from tocsin.adapters.files.rights import closed
from tocsin.cli.opened_config import OpenedConfig, open_policy
from tocsin.cli.options import AS, completed, config_option, fail, tell_problems, utc_now
from tocsin.cli.output.terminal.line import Line, Mark, marked
from tocsin.domain.delivery import Accepted, Message, Outcome
from tocsin.domain.notification import NOBODY, Kind
from tocsin.domain.people import MAIN, Channel, Person
from tocsin.domain.policy import Policy
from tocsin.domain.problem import Problem
from tocsin.formats.settings.advice import LACKING
from tocsin.formats.settings.settings import Settings
from tocsin.text.scalars import closest

SECRETS_LACK = frozenset({LACKING, UNREADABLE_SECRETS})
"""Codes of warnings that say why a provider will refuse us."""


@click.command()
@click.argument("person", shell_complete=completed("people"))
@click.option("--via", type=click.Choice([via.value for via in Channel]), help="Only this channel. Default: all.")
@click.option("--provider", metavar="NAME", help="By just this provider: a fallback, or `main`, the first.")
@click.option(
    "--as",
    "sender",
    envvar=AS,
    metavar="P",
    help=f"Who sends it. Default: ${AS}, else you here.",
    shell_complete=completed("people"),
)
@config_option
def command(person: str, via: str | None, provider: str | None, sender: str | None, config: Path | None) -> None:
    r"""Send PERSON a real message over each channel they have, as the config says, and print what became of it. It says
    that it is a test, and who sent it. Exit status 1 unless every one was accepted. Without --provider the first one is
    tried, and no other.

    \b
    Examples:
      tocsin send-test ana
      tocsin send-test "Ana Souza" --via sms --as bo
      tocsin send-test ana --provider backup
    """
    from tocsin.cli.output.terminal.show import show

    now = utc_now()
    opened = open_policy(config, now)
    reader = _person(person, opened.policy)
    channels = (Channel(via),) if via else reader.channels
    settings = opened.settings
    channels = tuple(channel for channel in channels if _has_provider(settings, channels, channel, provider))
    for channel in channels:
        if not reader.address(channel):
            fail([f"{reader.id} has no {channel.traits.address_field} in the config"])
    transports = {Channel.EMAIL: settings.email.transport.value, Channel.SMS: settings.sms.transport.value}
    outbox = settings.outbox
    place = next(path for path in (outbox, *outbox.parents) if os.path.lexists(path))
    if "outbox" in {transports[via] for via in channels} and (why := closed(place, "written", os.W_OK)):
        fail([f"the outbox {outbox} {why}; ask root to send it"])
    tell_problems(warning for warning in opened.warnings if warning.code in SECRETS_LACK)
    messages = _messages(opened, reader, _sender(sender, opened.policy), channels, now)
    outcomes = asyncio.run(_send(opened, messages, provider or MAIN))
    by = f" by {provider}" if provider else ""
    show(
        Line(
            f"{channel.value:<5} {reader.address(channel)}{by}  ",
            _outcome_words(channel, provider or MAIN, outcome),
            hang=6,
        )
        for channel, outcome in zip(channels, outcomes, strict=True)
    )
    sys.exit(0 if all(isinstance(outcome, Accepted) for outcome in outcomes) else 1)


def _person(written: str, policy: Policy) -> Person:
    from tocsin.text.names import person_named

    try:
        return policy.people[person_named(written, policy)]
    except ValueError as unknown:
        fail([str(unknown)])


def _has_provider(settings: Settings, asked: Sequence[Channel], channel: Channel, provider: str | None) -> bool:
    """Whether a channel has the provider that is asked for. One that none of them has is told."""
    known = {Channel.EMAIL: tuple(settings.email.providers), Channel.SMS: tuple(settings.sms.providers)}
    if provider is None or provider in known[channel]:
        return True
    if not any(provider in known[other] for other in asked):
        names = [name for other in asked for name in known[other]]
        rests = [name for part in (settings.email, settings.sms) for name in part.fallbacks if name == provider]
        if rests:
            fail([f'"{provider}" is not in use: while `transport` is outbox nothing leaves, and nothing falls back'])
        has = ", ".join(dict.fromkeys(names))
        fail([f'the config has no provider "{provider}"{closest(provider, names)}; it has {has}'])
    return False


def _sender(written: str | None, policy: Policy) -> str:
    """Who sends it: a person of the config, else the user of this machine; "" where it has no name for them."""
    if written:
        return _person(written, policy).name
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return ""


async def _send(opened: OpenedConfig, messages: Sequence[Message], provider: str) -> list[Outcome]:
    """One try of each, all at once."""
    from tocsin.adapters.clock import SystemClock
    from tocsin.app.wiring.transports import make_transports

    transports = make_transports(opened.settings, SystemClock())
    try:
        return await asyncio.gather(*(transports[message.via][provider].send(message) for message in messages))
    finally:
        every = {transport for by_name in transports.values() for transport in by_name.values()}
        await asyncio.gather(*(transport.close() for transport in every))


def _messages(
    opened: OpenedConfig, reader: Person, sender: str, channels: Sequence[Channel], now: datetime
) -> list[Message]:
    """A message for each channel, in the words of the templates."""
    from tocsin.app.wiring.renderer import shipped_renderer
    from tocsin.formats.settings.settings import reply_routes
    from tocsin.wording.operator.send_test import send_test_wording

    def tell(problem: Problem) -> None:
        tell_problems([problem])

    renderer, policy = shipped_renderer(opened.settings.templates, tell), opened.policy
    answers = bool(reader.phone) and reply_routes(opened.settings).takes_sms(reader.phone)
    messages = []
    for via in channels:
        words_in = partial(send_test_wording, reader, policy, sender, via, now, answers)
        messages.append(
            Message(
                reference=f"{NOBODY}/0/{Kind.OPERATOR.value}/{now:%Y%m%dT%H%M%S.%fZ}/{reader.id}/{via.value}/test",
                via=via,
                address=reader.address(via),
                person=reader.id,
                name=reader.name,
                content=renderer.render_own(words_in, via, reader.language),
                incident=NOBODY,
                episode=0,
                kind=Kind.OPERATOR.value,
                at=now,
                reply_to=policy.reply_to,
            )
        )
    return messages


def _outcome_words(via: Channel, provider: str, outcome: Outcome) -> str:
    """What became of it, with the provider's name for it, or its answer and what to look at."""
    from tocsin.wording.delivery.answer_words import for_provider, provider_cure
    from tocsin.wording.report.outcome import outcome_sentence

    if isinstance(outcome, Accepted) and outcome.provider_id:
        return f"accepted ({outcome.provider_id})"
    setting = via.value if provider == MAIN else f"{via.value}.fallbacks.{provider}"
    cure = for_provider(provider_cure(via, outcome), via.value, setting)
    return Line(marked(outcome_sentence(outcome, tried_again=False), Mark.ALARM), f"; {cure}" if cure else "")
