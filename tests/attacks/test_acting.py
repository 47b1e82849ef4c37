"""Acting from end to end: a note and an update by the link of a mail, through the forms of the installed web side, into
the incident's file and out to its readers.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.test_links import World

pytestmark = pytest.mark.attack


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.web.terminate()
    assert made.web.wait(15) == 0
    assert made.pager.stop() == 0


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
    return {name: html.unescape(value) for name, value in found}


def test_an_update_by_link_is_looked_at_and_sent(world: World) -> None:
    """The look leaves the file as it is; the press writes the entry with its author, comments kept, the page says what is
    true, and the readers get it. What needs to know who acts leads to the sign-in of the link's person.
    """
    pager = world.pager
    written = "title: Card payments fail\nseverity: sev1   # as bad as it gets\n"
    pager.write("card.yaml", written)
    (mail,) = pager.until(lambda: pager.mails("page", "ana@"))
    (link,) = re.findall(rf"{world.url}/a/\S+", mail.get_body(("plain",)).get_content())
    file = pager.folder / "incidents" / "card.yaml"
    status, page = world.ask(f"{link}/act/update")
    assert status == 200
    words = {"text": "Failover is under way."}
    status, page = world.ask(f"{link}/act/update", **hidden(page), **words, step="look")
    assert (status, "What this does" in page) == (200, True)
    assert file.read_text() == written
    form = hidden(page) | words | {"step": "do"}
    status, page = world.ask(f"{link}/act/update", **form)
    assert (status, "Your update is in the incident" in page) == (200, True)
    text = file.read_text()
    assert text.startswith(written)
    assert 'by: "ana", text: "Failover is under way."' in text
    assert world.ask(f"{link}/act/update", **form)[0] == 200  # pressed twice
    assert file.read_text() == text
    told = pager.until(lambda: [one for one in pager.mails("update", "support@") if "Failover" in one.as_string()])
    assert len(told) == 1
    status, page = world.ask(f"{link}/act/severity")
    assert (status, "Ana Souza" in page) == (200, True)
    assert f'value="{link.removeprefix(world.url)}/act/severity"' in page
