"""`tocsin resolve`: mark an incident resolved."""

from pathlib import Path

import click

from tocsin.cli.options import anyway_option, config_option, open_incident_argument, person_option


@click.command()
@open_incident_argument
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
    there is no word for them, a terminal is asked for one; a script is told that they read only that it is over.

    \b
    Examples:
      tocsin resolve 2026-11-23-card-payments-fail
      tocsin resolve 2026-11-23-card "Failed over to the standby." --as bo \
        --public "Card payments work again. Please retry payments that failed."
    """
    from tocsin.app.incidents.commands import IncidentCommands
    from tocsin.cli.incident_command import run_command
    from tocsin.cli.incident_edit import edit_and_tell, word_of_the_end
    from tocsin.domain.incident import Edit, Status
    from tocsin.text.cleaning import clean
    from tocsin.text.names import person_named

    async def act(commands: IncidentCommands, id_: str) -> str:
        who, words = person_named(person, commands.policy) if person else "", clean(text or "")
        told_before = (words or public) and await commands.closing_has_left(id_)
        word, advice = await word_of_the_end(commands, id_, public)
        if told_before:
            advice = f"{id_} was resolved before, and its end has been told: nobody hears of these words"
        edit = Edit(status=Status.RESOLVED, resolution=words or None, public_resolution=word or None)
        return "\n".join(filter(None, (await edit_and_tell(commands, id_, edit, who), advice)))

    run_command(config, act, anyway=anyway, incident=incident)
