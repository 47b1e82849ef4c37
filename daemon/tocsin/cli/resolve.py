"""`tocsin resolve`: mark an incident resolved."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from tocsin.cli.options import anyway_option, config_option, incident_argument, person_option


@click.command()
@incident_argument
@click.argument("text", required=False)
@click.option("--public", default="", metavar="TEXT", help="What external stakeholders hear of the end.")
@person_option("--as", "person", help="Who resolves it: an id, full name or email.")
@anyway_option
@config_option
def command(
    incident: str, text: str | None, public: str, person: str | None, anyway: bool, config: Path | None
) -> None:
    r"""Mark incident ID resolved, with TEXT as its resolution. Paging stops, and everybody who heard of the incident
    gets one closing message: TEXT for your own people, --public for outsiders. Where outsiders were told of it and
    there is no word for them, a terminal is asked for one; a script is only told how to write it.

    \b
    Examples:
      tocsin resolve 2026-11-23-card-payments-fail
      tocsin resolve 2026-11-23-card "Failed over to the standby." --as bo \
        --public "Card payments work again. Please retry payments that failed."
    """
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.workspace import run_command
    from tocsin.domain.incident import Edit, Status
    from tocsin.text.cleaning import clean
    from tocsin.text.names import person_named

    async def act(commands: IncidentCommands, id_: str) -> str:
        word, advice, who = clean(public), "", person_named(person, commands.policy) if person else ""
        if await commands.closing_has_left(id_):
            advice = f"{id_} was resolved before, and its end has been told: nobody hears of these words"
        untold = () if word else await commands.outsiders_without_a_word(id_)
        if untold and sys.stdin.isatty() and sys.stderr.isatty():
            word = clean(_ask(untold))
        elif untold:
            advice = f'{_named(untold)} hear only that it is over; to say more, resolve with --public "TEXT" next time'
        edit = Edit(status=Status.RESOLVED, resolution=clean(text or "") or None, public_resolution=word or None)
        sentence = await commands.edit(id_, edit, by=who)
        return "\n".join(filter(None, (sentence, advice)))

    run_command(config, act, anyway=anyway, incident=incident)


def _ask(groups: Sequence[str]) -> str:
    """What outsiders are to hear of the end; nothing, if whoever is asked just goes on."""
    question = f"{_named(groups)} were told of it. What do they hear of its end? (Enter: only that it is over)\n"
    word: str = click.prompt(question, default="", show_default=False, prompt_suffix="> ", err=True)
    return word


def _named(groups: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(groups[:-1]), groups[-1])))
