"""The built-in texts, word for word: what readers get when a template is broken (P2)."""

from dataclasses import replace

import pytest
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.wording.message.builtin import builtin_content
from tocsin.wording.message.update_words import News
from tocsin.wording.message.wording import Wording

WORDS = Wording(
    kind="",
    reason="declared",
    drill=False,
    external=False,
    title="Cards fail",
    subject_title="As it began",
    status="identified",
    id="card",
    tag="SEV1",
    summary="The summary.",
    impact="The impact.",
    your_role="Scribe",
    why="You were assigned.",
    acknowledge="tocsin ack card --as bo",
    changes=("We have found the cause and are working on it.",),
    news=(News("One."), News("Two.")),
    standing="We know the cause.",
    next="Mon, 11:30 CET",
    next_short="11:30 CET",
    due_short="11:20 CET",
    duration="5 minutes",
    resolution="Rolled back.",
    review_file="reviews/card.md",
    review_due="Sat 28 Nov 2026, 11:00 CET",
)
BODIES = {
    Kind.PAGE: ("You were assigned.", "You: Scribe.", "Ack: tocsin ack card --as bo"),
    Kind.STAND_DOWN: ("stand down, you are no longer needed as Scribe.",),
    Kind.UPDATE: ("We have found the cause and are working on it.", "One.", "Two.", "Next update by 11:30 CET."),
    Kind.CLOSING: ("resolved after 5 minutes.", "Rolled back."),
    Kind.REMINDER: ("an update is due by 11:20 CET and nothing new was written.", "tocsin update card TEXT"),
    Kind.VERIFY: ("is all healthy? Confirm: tocsin ack card --as bo",),
    Kind.REVIEW: ("please finish the review in reviews/card.md, due Sat 28 Nov 2026, 11:00 CET.",),
}


@pytest.mark.parametrize("kind", BODIES)
def test_each_kind_word_for_word(kind: Kind) -> None:
    """An email has its reader's own subject, then all there is to say and what is known; an SMS the same in one
    line, without what would not fit it.
    """
    words = replace(WORDS, kind=kind.value)
    mail = builtin_content(words, Channel.EMAIL)
    assert mail.subject == "As it began"
    assert mail.text.split("\n\n") == ["SEV1: Cards fail", *BODIES[kind], "The impact.", "The summary.\n"]
    sms = builtin_content(words, Channel.SMS)
    assert sms.text == f"SEV1 Cards fail: {' '.join(BODIES[kind])}"
    assert sms.subject == sms.html == mail.html == ""


def test_a_drill_says_so_first() -> None:
    """In the subject, in the mail and in the SMS, whatever the kind."""
    for kind in BODIES:
        words = replace(WORDS, kind=kind.value, drill=True)
        mail = builtin_content(words, Channel.EMAIL)
        assert mail.subject.startswith("DRILL ")
        assert mail.text.startswith("DRILL SEV1")
        assert builtin_content(words, Channel.SMS).text.startswith("DRILL SEV1 ")


def test_where_little_is_known() -> None:
    """Without news the standing sentence speaks, without a promise the next word comes with the next change; a page by a
    file that cannot be read says that; without a severity the title stands alone.
    """
    bare = replace(WORDS, tag="", news=(), changes=(), next="", duration="", your_role="", why="")

    def text(kind: Kind) -> str:
        return builtin_content(replace(bare, kind=kind.value), Channel.SMS).text

    assert text(Kind.UPDATE) == "Cards fail: We know the cause. We write again when something changes."
    assert text(Kind.CLOSING) == "Cards fail: resolved. Rolled back."
    assert text(Kind.PAGE) == "Cards fail: The incident file cannot be read. Ack: tocsin ack card --as bo"


def test_the_shortest_way_to_answer() -> None:
    """A code by SMS, else the link, else the command; only a page can be passed on."""
    page, verify = (replace(WORDS, kind=kind.value, answer_url="https://x/1") for kind in (Kind.PAGE, Kind.VERIFY))
    assert builtin_content(page, Channel.SMS).text.endswith("Ack: https://x/1")
    assert builtin_content(verify, Channel.SMS).text.endswith("Confirm: https://x/1")
    assert builtin_content(replace(page, code="K7"), Channel.SMS).text.endswith("Reply ok K7 or pass K7")
    assert builtin_content(replace(verify, code="K7"), Channel.SMS).text.endswith("healthy? Reply ok K7")
