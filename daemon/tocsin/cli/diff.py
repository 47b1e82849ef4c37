"""`tocsin diff`: who is paged earlier, later, no longer or newly, and which cadences change, between two configs."""

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from tocsin.app.configuration.revisions import ComparedConfig
from tocsin.app.diff.comparison import Moved
from tocsin.app.diff.difference import Difference
from tocsin.cli.judging import ready_child
from tocsin.cli.options import config_option, fail, folder_of, instant_option, utc_now


@click.command()
@click.argument("revision")
@click.argument("other", required=False)
@instant_option("--at", today=True, help="The moments compared are the next ones after this. Default: now.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@config_option
def command(revision: str, other: str | None, at: datetime | None, form: str, config: Path | None) -> None:
    r"""Say what changes for whom between the config at REVISION and the config now (or at OTHER revision): who is paged
    earlier, later, no longer or newly, and which cadences change, with the line that did it. Nothing is checked out.

    Compared are pages and updates in fixed situations: every severity, with every service and without one, on a working
    day's noon, at night and on a weekend, while nobody answers; then every open incident as if first seen now, and the
    incidents of the policy tests; for people also whose words. Status 0 if they could be compared, whatever changes.

    \b
    Examples:
      tocsin diff HEAD                          what have I not committed yet?
      tocsin diff main HEAD --format markdown   a comment for a merge request
      tocsin diff v1.2 main --at 2026-12-24T12:00:00Z --format json
    """
    from tocsin.adapters.clock import SystemClock
    from tocsin.adapters.files.incident_folder.reading import FolderReading
    from tocsin.adapters.files.rights import closed
    from tocsin.app.configuration.load import label_of
    from tocsin.app.diff.attribution import Attribution
    from tocsin.app.diff.difference import differ
    from tocsin.app.diff.incident_scenarios import open_incidents, tested_incidents
    from tocsin.app.diff.scenarios import fixed, moments, zone_of
    from tocsin.app.diff.words import changed_words
    from tocsin.cli.output.diff.lines import markdown, text
    from tocsin.cli.output.terminal.show import progress, show

    base, folder = (at or utc_now()).astimezone(UTC).replace(microsecond=0), folder_of(config)
    if why := closed(folder):
        fail([f"the config folder {folder} {why}"])
    old, new = _configs(folder, (revision, other), base)
    zone = zone_of(new.policy)
    compared_at = moments(base, zone)
    scanned = FolderReading(new.settings.incidents, SystemClock()).scan()
    situations = [
        *fixed([old.policy, new.policy], compared_at),
        *open_incidents([] if isinstance(scanned, str) else scanned, new, base),
        *tested_incidents(new, label_of(folder), [new.policy, old.policy]),
    ]
    with progress("comparing situations", len(situations)) as shown:
        words = changed_words(ready_child(), old.templates, new.templates)
        attribution = Attribution(old, new, folder, base, os.environ)
        difference = differ(old, new, situations, attribution, shown.tell, words)
    if form == "json":
        json.dump(difference_document(difference), sys.stdout, ensure_ascii=False, indent=1)
        click.echo()
    elif form == "markdown":
        click.echo("\n".join(markdown(difference, compared_at, zone)))
    else:
        show(text(difference, compared_at, zone))


def _configs(folder: Path, names: Sequence[str | None], at: datetime) -> list[ComparedConfig]:
    """The configs at these revisions (None: as on disk). Those that cannot be compared are told, and end with 1."""
    from tocsin.app.configuration.revisions import open_config
    from tocsin.cli.output.terminal.show import progress

    with progress("reading both configs"):
        configs = [open_config(ready_child(), folder, name, at, os.environ) for name in names]
    refused = [why for why in configs if isinstance(why, str)]
    if refused:
        fail(refused)
    return [config for config in configs if not isinstance(config, str)]


def difference_document(difference: Difference) -> dict[str, Any]:
    """A difference as JSON (`docs/behaviour.md`): one entry for each message that moved, in each situation."""
    return {
        "from": difference.old.name,
        "to": difference.new.name,
        "changes": [
            {
                "situation": effect.scenario.name,
                "change": effect.change.moved.value,
                "to": effect.change.to,
                "via": effect.change.via.value,
                "before": _seconds(effect.change.before),
                "after": _seconds(effect.change.after),
                "file": effect.line.file,
                "line": effect.line.line,
            }
            for effect in difference.effects
            if effect.change.moved is not Moved.AS
        ],
    }


def _seconds(after: timedelta | None) -> int | None:
    return None if after is None else int(after.total_seconds())
