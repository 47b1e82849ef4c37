"""`tocsin status`: open incidents, their roles, the next update, and what is wrong."""

import json
import sys
from contextlib import suppress
from pathlib import Path

import click

from tocsin.app.configuration.judge import JUDGED_SOON
from tocsin.cli.judging import judge_many
from tocsin.cli.opened_config import Asked, judged_config
from tocsin.cli.options import config_option, fail, folder_of, utc_now


@click.command()
@click.option("--watch", is_flag=True, help="Look every 2 s and count down, until Ctrl-C.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@config_option
def command(watch: bool, form: str, config: Path | None) -> None:
    r"""Show the open incidents: who holds which role, when the next update is promised, what is wrong. It works beside
    the daemon and without it. Exit status 1 where this machine has none, and the ledger that several share cannot be
    read.

    \b
    Examples:
      tocsin status
      tocsin status --watch
      tocsin status --format json
    """
    if watch and form == "json":
        raise click.UsageError("--watch draws text; --format json prints one document")
    folder = folder_of(config)
    with suppress(KeyboardInterrupt):
        loaded = judged_config(folder, "tocsin.cli.status_look", patience=JUDGED_SOON, asked=Asked.INCIDENTS)
        from tocsin.cli.output.status_lines import lines
        from tocsin.cli.output.terminal.show import show
        from tocsin.cli.status_look import incident_document, look_at, watch_incidents
        from tocsin.ports.ledger.trouble import LedgerError

        if watch:
            judge_many()
        try:
            look = look_at(folder, loaded)
        except LedgerError as fault:
            fail([f"the ledger cannot be used: {fault}"])
        if watch:
            watch_incidents(folder, look)
        elif form == "json":
            for trouble in look.troubles:
                click.echo(trouble, err=True)
            json.dump(
                {"incidents": [incident_document(opened) for opened in look.incidents]},
                sys.stdout,
                ensure_ascii=False,
                indent=1,
            )
            click.echo()
        else:
            show(lines(look, utc_now()))
        if look.partial and not look.incidents:
            sys.exit(1)
