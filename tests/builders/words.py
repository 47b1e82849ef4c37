"""`make words`: every sentence that templates and code say, as the files that translators edit.

Writes templates/messages.pot, and brings each templates/LANG/messages.po up to date: new sentences come in empty, those
that nobody says any more go, translations stay as they are.
"""

import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from io import BytesIO, StringIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Channel
from tocsin.wording.operator.advice import ADVICE

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
CODE = ROOT / "daemon" / "tocsin"
POT = TEMPLATES / "messages.pot"
SAID_BY_TEMPLATES = {"_": None, "n_": (1, 2)}
SAID_BY_CODE = {"say": None, "count": (1, 2)}
WHITESPACE = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
WIDTH = 110
HEADER = """\
# {about}
msgid ""
msgstr ""
"Language: {code}\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""

PLURALS = {
    "de": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "pt": "nplurals=2; plural=(n != 1);",
}
"""How languages count here. CLDR has a third form for whole millions, of which nothing here is counted."""

Sentence = tuple[str, str | tuple[str, str]]
"""Where it is said, and the sentence, or those of one and of many."""


def sentences() -> Iterator[Sentence]:
    """Every sentence, in the order of files and lines."""
    for path in sorted(TEMPLATES.rglob("*.j2")):
        yield from _extracted(path, babel_extract, SAID_BY_TEMPLATES, WHITESPACE)
    for path in sorted(CODE.rglob("*.py")):
        if "tocsin.wording.language" in path.read_text(encoding="utf-8"):
            yield from _extracted(path, "python", SAID_BY_CODE, {})
    yield from tables()


def tables() -> Iterator[Sentence]:
    """What code says that stands in a table."""
    for trouble in Trouble:
        yield from (
            ("daemon/tocsin/domain/operator_notice.py", text) for text in (trouble.headline, trouble.recovered) if text
        )
    for advice in ADVICE.values():
        yield from (("daemon/tocsin/wording/operator/advice.py", text) for text in (advice.meanwhile, advice.act))
    for channel in Channel:
        yield "daemon/tocsin/domain/people.py", channel.traits.word


def _extracted(path: Path, method: object, keywords: object, options: dict[str, str]) -> Iterator[Sentence]:
    place = path.relative_to(ROOT).as_posix()
    with path.open("rb") as file, redirect_stderr(StringIO()):  # it takes other calls of these names for its own
        for _line, text, _comments, _context in extract(method, file, keywords, (), options):  # type: ignore[arg-type]
            yield place, text  # type: ignore[misc]


def template() -> Catalog:
    """All sentences, none translated."""
    catalog = Catalog()
    for place, text in sentences():
        catalog.add(text, locations=[(place, 0)])
    return catalog


def written(catalog: Catalog, header: str) -> str:
    """A catalogue as the file has it."""
    body = BytesIO()
    write_po(body, catalog, width=WIDTH, omit_header=True, ignore_obsolete=True, include_lineno=False)
    return header + body.getvalue().decode()


def up_to_date(text: str, code: str) -> Catalog:
    """A language's catalogue with the sentences of today."""
    catalog = read_po(BytesIO(text.encode()), locale=code.replace("-", "_"), ignore_obsolete=True, abort_invalid=True)
    catalog.update(template(), no_fuzzy_matching=True)
    return catalog


def header_of(code: str) -> str:
    """The head of a language's file."""
    name = Locale.parse(code, sep="-").get_display_name("en")
    about = f"What tocsin says, in {name}. `make words` brings new sentences in; docs/templates.md says more."
    plurals = PLURALS.get(code) or get_plural(code.replace("-", "_")).plural_forms
    return HEADER.format(about=about, code=code, plurals=plurals)


def pot() -> str:
    """The template of all catalogues."""
    about = "Every sentence that tocsin says. To add a language: copy this file to templates/LANG/messages.po."
    return written(template(), HEADER.format(about=about, code="", plurals="nplurals=2; plural=(n != 1);"))


def main() -> None:
    """Write all files, and tell what is left to do."""
    POT.write_text(pot())
    for path in sorted(TEMPLATES.glob("*/messages.po")):
        code = path.parent.name
        catalog = up_to_date(path.read_text(), code)
        path.write_text(written(catalog, header_of(code)))
        left = [message for message in catalog if message.id and (message.fuzzy or not any(message.string or ()))]
        sys.stdout.write(f"{path.relative_to(ROOT)}: {len(left)} of {len(catalog)} sentences to translate\n")


if __name__ == "__main__":
    main()
