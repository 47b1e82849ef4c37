"""Every message in a language that is read from right to left: a whole catalogue, made here."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.text.gsm import segments

from tests.builders.examples import some
from tests.builders.words import POT
from tests.unit.adapters.test_jinja import INCIDENT, POLICY, history, notification

WORDS = {"ar": "نبأ", "he": "ידע"}
WORD = re.compile(r"(?<![{\w])[A-Za-z]{3,}(?![}\w])")


def catalogue(code: str) -> str:
    """Every sentence with as many words as the English one, as long as people there have them, and its names."""
    entries = [f'msgid ""\nmsgstr "Language: {code}\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"']
    with POT.open("rb") as file:
        for message in read_po(file):
            texts = [message.id] if isinstance(message.id, str) else list(message.id)
            if not texts[0]:
                continue
            sources = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
            said = [WORD.sub(WORDS[code], text) for text in sources]
            forms = (
                [f'msgstr "{said[0]}"']
                if len(said) == 1
                else [f'msgstr[{form}] "{text}"' for form, text in enumerate(said)]
            )
            many = [f'msgid_plural "{text}"' for text in sources[1:]]
            entries.append("\n".join([f'msgid "{sources[0]}"', *many, *forms]))
    return "\n\n".join(entries)


@cache
def renderer(code: str, folder: Path) -> JinjaRenderer:
    """All templates in that language."""
    (folder / code).mkdir()
    (folder / code / "messages.po").write_text(catalogue(code))
    told: list[object] = []
    made = JinjaRenderer(shipped_folder(), told.append)
    assert made.load(folder) == ()
    assert made.check() == ()
    assert made.missing([code]) == ()
    return made


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {code: tmp_path_factory.mktemp(code) for code in WORDS}


@pytest.mark.parametrize("code", WORDS)
@settings(max_examples=some(25), deadline=None)
@given(
    kind=st.sampled_from(
        [Kind.PAGE, Kind.STAND_DOWN, Kind.UPDATE, Kind.CLOSING, Kind.REMINDER, Kind.VERIFY, Kind.REVIEW]
    ),
    title=st.text(min_size=1, max_size=200),
)
def test_every_message_says_which_way_it_is_read(folders: dict[str, Path], code: str, kind: Kind, title: str) -> None:
    """On html and body, whatever the title; an SMS fits in the letters of that script too."""
    words = renderer(code, folders[code])
    people = {name: replace(person, language=code) for name, person in POLICY.people.items()}
    policy, incident = replace(POLICY, people=people), replace(INCIDENT, title=title)
    mail = words.render(notification(kind, Channel.EMAIL), incident, history(incident), policy)
    assert re.search(rf'<html[^>]* lang="{code}" dir="rtl"', mail.html)
    assert re.search(r'<body[^>]* dir="rtl"', mail.html)
    assert WORDS[code] in mail.text
    sms = words.render(notification(kind, Channel.SMS), incident, history(incident), policy)
    assert segments(sms.text) <= (1 if kind in (Kind.PAGE, Kind.STAND_DOWN, Kind.VERIFY) else 3)
