"""Samples of answers to SMS, one of each, to try their template with."""

from collections.abc import Iterator
from dataclasses import replace

from tocsin.wording.answer.answer_wording import LAST, STANDS, AnswerWording

OF_ONE = (
    "accepted", "accepted_before", "responds", "looks_after", "taken", "healthy", "over", "passed", "passed_before",
    "not_asked", "noted", "status", "status_over",
)  # fmt: skip
"""Answers about one incident."""
OF_ALL = ("accepted_all", "confirmed_all", "passed_all")
"""Answers about everything that is asked of somebody."""
OF_NONE = ("none_asked", "none_sent", "none_open", LAST, STANDS)
"""Answers about no incident."""
OF_OPEN = ("which", "all_with_code", "only_others", "unclear", "no_such_code")
"""Answers that list what is open."""


def answer_samples() -> Iterator[AnswerWording]:
    """Every answer that there is, with all there is to say, and with as little as there can be."""
    one = AnswerWording(
        "",
        organisation="Example",
        title="Card payments fail at checkout",
        tag="SEV1",
        code="K7",
        roles="Incident Commander and Technical Lead",
        holder="Ana Souza",
        holders=(("Incident Commander", "Ana Souza"), ("Scribe", "")),
        at="11:06 CET",
        bridge="https://meet.example.com/incident",
        status="cause found",
        next="11:30 CET",
        id="2026-11-23-card-payments-fail",
        others=1,
    )
    for answer in OF_ONE:
        yield replace(one, answer=answer, after=(LAST,))
        yield replace(one, answer=answer, drill=True, organisation="", next="", holders=(), others=0)
    many = replace(one, count=5, tally="2 SEV1, 3 SEV2", drills=2, held=1, others=3, nobody=2, waiting=2, lost=1)
    for answer in OF_ALL:
        yield replace(many, answer=answer)
        yield replace(many, answer=answer, count=1, drills=1, held=0, others=0, nobody=1, waiting=0, lost=0)
        yield replace(many, answer=answer, tally="", title="", code="", drills=5, nobody=0)
    codes = (("K7", "Card payments fail"), ("B4", "Slow search"))
    for answer in OF_OPEN:
        yield AnswerWording(answer, word="ok", everything="ok all", code="Z9", open=codes, after=(STANDS, LAST))
        yield AnswerWording(answer, word="note", everything="ok all K7", code="Z9", needs_code=True, open=codes[:1])
        yield AnswerWording(answer, code="Z9")
    for answer in OF_NONE:
        yield AnswerWording(answer, waiting=1)
