"""`tocsin schema`: print a JSON Schema for editors."""

import click


@click.command()
@click.argument("kind", type=click.Choice(["incident", "config"]))
def command(kind: str) -> None:
    r"""Print the JSON Schema (2020-12) of incident files, or of the YAML files of the config folder.

    Editors that use yaml-language-server complete, explain and underline by it. Either a file names it in its first
    line, as the shipped config does, or the editor's settings do, with a pattern of files.

    \b
    Examples:
      tocsin schema config > config/schema/config.json
      tocsin schema incident > config/schema/incident.json
      # yaml-language-server: $schema=schema/config.json   in config/people.yaml
    """
    from tocsin.app.configuration import editor_schemas

    click.echo(editor_schemas.SCHEMAS[kind](), nl=False)
