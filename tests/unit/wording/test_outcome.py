"""How a try ended, in the words that explain, the review, a drill and send-test share."""

import pytest
from tocsin.domain.delivery import Accepted, Deferred, Fault, Outcome, Refused, Uncertain
from tocsin.wording.report.outcome import outcome_sentence, outcome_word, provider_answer


@pytest.mark.parametrize(
    ("outcome", "word", "sentence"),
    [
        (Accepted("SM1"), "accepted", "accepted"),
        (Deferred("try later", "451"), "put off", "put off: 451 try later"),
        (Refused("no such mailbox", "550"), "refused", "refused: 550 no such mailbox"),
        (
            Refused("552 5.3.4 too big", "552", Fault.MESSAGE),
            "refused this once",
            "refused this once: 552 5.3.4 too big",
        ),
        (Uncertain("the connection broke"), "uncertain", "uncertain, it may have left: the connection broke"),
        (Refused(""), "refused", "refused"),
        (None, "on its way", "on its way"),
    ],
)
def test_every_outcome_has_its_word(outcome: Outcome | None, word: str, sentence: str) -> None:
    """One word for how it ended, and a sentence that adds the provider's answer where there is one."""
    assert outcome_word(outcome) == word
    assert outcome_sentence(outcome) == sentence


def test_what_is_not_tried_again_is_deferred() -> None:
    """Where nobody tries again nothing is put off; the other outcomes say the same."""
    assert outcome_sentence(Deferred("try later"), tried_again=False) == "deferred: try later"
    assert outcome_sentence(Refused("gone"), tried_again=False) == "refused: gone"


def test_a_code_is_said_once() -> None:
    """The code leads the provider's text, but not where that names it already, and not alone."""
    answers = [
        provider_answer(Refused(*said)) for said in (("gone", "550"), ("550 gone", "550"), ("gone",), ("", "550"))
    ]
    assert answers == ["550 gone", "550 gone", "gone", "550"]


def test_an_answer_is_one_clean_line_of_bounded_length() -> None:
    """What a server answers cannot colour a terminal, and is cut where there is little room."""
    nasty = Refused("\x1b[31mred\nalert\x07", "550")
    assert provider_answer(nasty) == "550 red alert"
    assert provider_answer(nasty, 6) == "550 r…"
    assert outcome_sentence(nasty, 6) == "refused: 550 r…"
