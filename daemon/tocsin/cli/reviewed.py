"""`tocsin reviewed`: the post-incident review is done."""

from pathlib import Path

import click

from tocsin.cli.options import anyway_option, config_option, incident_argument, person_option

DONE = "done"


@click.command()
@incident_argument
@click.argument("link", metavar="[LINK]", required=False)
@person_option("--as", "person", help="Who says so: an id, full name or email.")
@anyway_option
@config_option
def command(incident: str, link: str | None, person: str | None, anyway: bool, config: Path | None) -> None:
    r"""Say that the review of incident ID is done, and where it is if LINK is given. Nobody is reminded of it any more.

    \b
    Examples:
      tocsin reviewed 2026-11-23-card
      tocsin reviewed 2026-11-23-card https://wiki.example.com/reviews/42 --as bo
    """
    from tocsin.cli.incident_edit import run_edit
    from tocsin.domain.incident import Edit

    review = (link or DONE).strip()
    if review.lower() == DONE:
        review = DONE
    elif not review.lower().startswith(("https://", "http://")):
        raise click.UsageError(f'LINK is "{review}"; write an https:// link, or nothing')
    run_edit(config, incident, lambda _policy, _by: Edit(review=review), by=person, anyway=anyway)
