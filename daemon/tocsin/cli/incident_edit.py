"""Editing an incident by command: what is asked of somebody at a terminal before it is done, what is never done in
silence, and what is said afterwards: what is true now, whom that pages and who hears of it.
"""

import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from tocsin.app.arrivals.prepared_edit import WHEN_RESOLVED
from tocsin.app.edits.changes import Telling, change_sentence, changes, noted, set_fields, without_effectless
from tocsin.app.edits.edited import edited
from tocsin.app.edits.effect_words import effect_sentences
from tocsin.app.edits.effects import effects
from tocsin.app.incidents.commands import EditRefusedError, IncidentCommands, WrittenEdit
from tocsin.cli.incident_command import run_command
from tocsin.cli.options import fail, utc_now
from tocsin.domain.history import History
from tocsin.domain.incident import Edit, Incident, Status
from tocsin.domain.policy import Policy
from tocsin.text.cleaning import clean
from tocsin.text.names import person_named
from tocsin.text.times import clock, moment

NOTHING_DONE = "nothing was written"
FAR = timedelta(days=30)
"""An estimate that is further off is a slip, most likely."""


def run_edit(
    config: Path | None, incident: str, edit: Callable[[Policy, str], Edit], *, by: str | None, anyway: bool
) -> None:
    """Make an edit of an incident, and tell what is true then. `edit` gets the policy and the id of who does it, who
    stands with what they did in the timeline.
    """

    async def act(commands: IncidentCommands, id_: str) -> str:
        person = person_named(by, commands.policy) if by else ""
        return await edit_and_tell(commands, id_, edit(commands.policy, person), person)

    run_command(config, act, anyway=anyway, incident=incident)


async def edit_and_tell(commands: IncidentCommands, id_: str, wanted: Edit, person: str, *, yes: bool = False) -> str:
    """Make an edit in somebody's name (empty: nobody's), and say what is true then. What stands in the file already is
    not written again. Somebody at a terminal is asked before an incident is opened again and before an estimate is
    told that must be a slip, unless they said `yes`. Raises EditRefusedError.
    """
    now = utc_now()
    telling = Telling(commands.policy, now, zone_of(commands.policy, person))
    current, history = await commands.standing(id_)
    reopens = current is not None and current.resolved and wanted.status not in {None, Status.RESOLVED}
    slips = list(_slips(wanted, telling))
    asks = can_ask() and not yes
    if asks and reopens:
        assert current is not None
        over = f", since {telling.at(history.resolved_at)}" if history.resolved_at else ""
        what = _effects(current, _without_effect_left(current, wanted), history, telling)
        ask_whether([f"{id_} is resolved{over}. This opens it again. {what}".rstrip(), *slips], "Open it again?")
    elif asks and slips:
        ask_whether(slips, "Is that meant?")

    def prepare(found: Incident) -> Edit:
        _require_state(id_, found, wanted)
        if found.resolved and asks and wanted.status and not reopens and wanted.status is not Status.RESOLVED:
            raise EditRefusedError(f"{id_} was resolved just now, so nothing was written; look at it (tocsin status)")
        left = without_effectless(found, _without_lost_link(found, wanted))
        return noted(found, left, person, now.replace(microsecond=0), commands.policy) if left.keys else left

    written = await commands.change(id_, prepare)
    if not written.edit.keys:
        return f"{id_}: it says so already; nothing was written"
    told = _told(written, telling)
    if commands.is_watched:
        told += " " + _effects(written.before, written.edit, history, telling)
    said = [] if asks else slips
    lines = (f"{id_}: {told}", *said, written.sentence, commands.outsiders_wait(written))
    return "\n".join(filter(None, lines))


def _require_state(id_: str, found: Incident, wanted: Edit) -> None:
    """What is over takes no update, and nothing is set of it that somebody would have to act on or hear of: whoever
    types it thinks that it is open. Its review is not done before. Raises EditRefusedError.
    """
    if wanted.review and not found.resolved:
        raise EditRefusedError(f"{id_} is not resolved, so nothing was written: its review comes afterwards")
    if not found.resolved or wanted.status not in {None, Status.RESOLVED}:
        return
    if wanted.entry:
        raise EditRefusedError(_nobody_hears(id_, wanted.entry.text))
    if not set_fields(wanted).keys() <= WHEN_RESOLVED | {"status"}:
        again = f'to open it again, which pages people anew: tocsin update {id_} "TEXT" --status investigating'
        raise EditRefusedError(
            f"{id_} is resolved: nobody would be paged or hear of it, so nothing was written ({again})"
        )


def _without_lost_link(found: Incident, wanted: Edit) -> Edit:
    """The edit, unless it would put "done" in the place of the link to a review."""
    return replace(wanted, review=None) if wanted.review == "done" and found.review else wanted


def who_hears_of(commands: IncidentCommands, declared: Incident) -> str:
    """Whom a new incident pages and who hears of it; nothing where no daemon acts on it."""
    now = utc_now()
    if not commands.is_watched:
        return ""
    shown = effects(None, replace(declared, declared_at=now), commands.policy, History(), now)
    zone = zone_of(commands.policy, declared.declared_by)
    return " ".join(effect_sentences(shown, commands.policy, zone, now))


def _told(written: WrittenEdit, telling: Telling) -> str:
    """What is true now."""
    changed = changes(written.before, written.edit)
    if written.edit.status is not None:  # what is written of the end, or is gone again, goes without saying
        changed = tuple(
            change for change in changed if change.field not in {"resolution", "public_resolution", "verified_by"}
        )
    sentences = [change_sentence(change, telling) for change in changed]
    if written.edit.entry:
        sentences.insert(0, "The update is written.")
    return " ".join(sentences) or "noted."


def _effects(current: Incident, edit: Edit, history: History, telling: Telling) -> str:
    """Whom an edit of this version pages, and who hears of it; nothing of what no daemon has seen yet."""
    if history.incident is None:
        return ""
    shown = effects(current, edited(current, edit), telling.policy, history, telling.now)
    return " ".join(effect_sentences(shown, telling.policy, telling.zone, telling.now))


def zone_of(policy: Policy, person: str) -> str:
    """The zone in which somebody is told times; UTC for whoever is not in the config."""
    known = policy.people.get(person)
    return known.timezone if known else "UTC"


def _without_effect_left(current: Incident, wanted: Edit) -> Edit:
    """What an edit that opens it again comes to."""
    return replace(without_effectless(current, wanted), resolution="")


def _slips(wanted: Edit, telling: Telling) -> Iterator[str]:
    """What can hardly be meant."""
    if wanted.eta is None:
        return
    if wanted.eta <= telling.now:
        at, now = telling.at(wanted.eta), clock(telling.now, telling.zone, telling.now)
        yield f"The estimate, {at}, is past: it is {now}. Readers are told that it takes longer, with no new estimate."
    elif wanted.eta - telling.now > FAR:
        days = (wanted.eta - telling.now).days
        yield f"The estimate is {moment(wanted.eta, telling.zone)}, in {days} days."


def _nobody_hears(id_: str, text: str) -> str:
    """An update to what is over: with what it could be instead, so that no words are lost."""
    words = shlex.quote(text)
    return (
        f"{id_} is resolved: nobody would hear of an update, so nothing was written\n"
        f"  to keep it for the review: tocsin note {id_} {words}\n"
        f"  to open it again, which pages people anew: tocsin update {id_} {words} --status investigating"
    )


async def word_of_the_end(commands: IncidentCommands, id_: str, public: str) -> tuple[str, str]:
    """The words for outsiders, asked for where they were told of it and `public` is empty; and what is to be said of
    them once it is written, if anything.
    """
    word = clean(public)
    untold = () if word else await commands.outsiders_without_a_word(id_)
    if not untold:
        return word, ""
    if can_ask():
        return clean(
            ask_words(f"{_named(untold)} were told of it. What do they hear of its end? (Enter: only that it is over)")
        ), ""
    return "", f"{_named(untold)} read only that it is over, as no --public TEXT was given"


def _named(groups: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(groups[:-1]), groups[-1])))


def can_ask() -> bool:
    """Whether somebody is there to answer: stdin and stderr are a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_words(question: str) -> str:
    """A line of words; empty where whoever is asked just goes on."""
    with _asking([question]):
        words: str = click.prompt("", default="", show_default=False, prompt_suffix="> ", err=True)
        return words


def ask_whether(sentences: Iterable[str], question: str) -> None:
    """Go on only if whoever is asked says yes; else end with 1."""
    with _asking(sentences):
        if click.confirm(question, default=False, err=True):
            return
    fail([NOTHING_DONE])


@contextmanager
def _asking(sentences: Iterable[str]) -> Iterator[None]:
    """Say what it is about. Ctrl-C ends the command at once, also where a loop runs, which would wait for the answer;
    so does the end of the input. Then nothing is done.
    """
    from tocsin.cli.output.terminal.show import show

    show(sentences, err=True)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except click.Abort:
        click.echo(err=True)
        fail([NOTHING_DONE])
    finally:
        signal.signal(signal.SIGINT, before)
