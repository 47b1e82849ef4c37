"""A sample of what `make sim` holds over 10,000 incidents; and each law finds what it is for."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tocsin.app.simulation.play import SimulatedMessage
from tocsin.domain.delivery import Content
from tocsin.domain.notification import Kind

from tests.gallery import stories
from tests.readers import laws
from tests.readers.worlds import INSIDE, ReaderWorld, world, worlds

SAMPLE = 3
PARTS = 4
PLAIN = 47
"""The seed of a world that has messages of all sorts, also to outsiders."""

Spoil = Callable[[Content], Content]
SPOILERS: list[tuple[laws.Law, str, Spoil]] = [
    (laws.fits, "page sms", lambda words: replace(words, text=words.text + " more" * 40)),
    (laws.is_short_to_hear, "page sms", lambda words: replace(words, text="a b c d e " * 11)),
    (laws.is_in_order, "page sms", lambda words: replace(words, text=words.text + ". We do hope that you have slept well until now.")),
    (laws.is_in_order, "page sms", lambda words: replace(words, text=words.text.replace("SEV", "S"))),
    (laws.keeps_inside_inside, "outside email", lambda words: replace(words, html=words.html.replace("</body>", f"<p>{INSIDE}</p></body>"))),
    (laws.keeps_inside_inside, "outside email", lambda words: replace(words, text=words.text + "\nSEV1")),
    (laws.says_the_same_twice, "page email", lambda words: replace(words, text=words.text + "\nAnswer by 23:59.")),
    (laws.says_the_same_twice, "page email", lambda words: replace(words, text=words.text + "\nHurry.")),
    (laws.keeps_its_promise, "update email", lambda words: replace(words, text=words.text.replace(":", "."))),
    (laws.leaves_no_glue, "page email", lambda words: replace(words, text=words.text + "\nSince None.")),
    (laws.leaves_no_glue, "page sms", lambda words: replace(words, text=words.text + " , and")),
    (laws.marks_drills, "page sms", lambda words: replace(words, text="DRILL " + words.text)),
]  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> ReaderWorld:
    return world(PLAIN, stories.policy(), stories.renderer())


@pytest.mark.parametrize("part", range(PARTS))
def test_every_message_gives_its_reader_what_they_need(part: int) -> None:
    """Length, order, nothing internal outside, the same facts in text and HTML, promises, one subject, no glue."""
    wrong = [fault for one in worlds(1 + part * SAMPLE, SAMPLE) for fault in laws.faults(one)]
    assert not wrong, f"{len(wrong)} faults; the first:\n" + "\n\n".join(wrong[:3])


@pytest.mark.parametrize(("law", "which", "spoil"), SPOILERS)
def test_a_law_finds_what_it_is_for(plain: ReaderWorld, law: laws.Law, which: str, spoil: Spoil) -> None:
    """A good message that was spoiled in one thing is not let by."""
    message = next(message for message in plain.messages if _is(message, which))
    assert message.content is not None
    assert list(law(plain, message)) == []
    assert list(law(plain, replace(message, content=spoil(message.content))))


def test_two_subjects_are_found(plain: ReaderWorld) -> None:
    """A reader whose second mail has another subject sees two conversations."""
    first = next(message for message in plain.messages if message.content and message.content.subject)
    assert first.content is not None
    other = replace(first, content=replace(first.content, subject="Resolved"))
    assert list(laws.one_subject(plain)) == []
    assert list(laws.one_subject(replace(plain, messages=(*plain.messages, other))))


def _is(message: SimulatedMessage, which: str) -> bool:
    """Whether it is a `page sms`, an `update email`, or an `outside email`; an update that promises the next."""
    kind, via = which.split()
    notification = message.notification
    if kind == "outside":
        return notification.external and notification.via == via
    promises = notification.kind is not Kind.UPDATE or notification.next_update_at is not None
    return notification.kind == kind and notification.via == via and promises
