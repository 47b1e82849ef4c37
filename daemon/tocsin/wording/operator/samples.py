"""Samples of notices to operators and of tests, to try their templates with."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tocsin.domain.operator_notice import OperatorNotice, OperatorWord, Recovery, Trouble
from tocsin.wording.language.language import ENGLISH
from tocsin.wording.operator.notice import MOST, OperatorWording, operator_wording
from tocsin.wording.operator.send_test import SendTestWording

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
REFUSED = OperatorNotice(
    Trouble.CONFIG_REFUSED, 'config/all.yaml:7:3: error: unknown key "chans"', since=AT - timedelta(minutes=3)
)
LOST = OperatorNotice(Trouble.PAGE_LOST, "incident pay: call ana, or name somebody with tocsin assign", about="pay")
BACK = Recovery(Trouble.FOLDER_UNREADABLE, "new files count again", until=AT, since=AT - timedelta(minutes=24))
FLOOD = tuple(
    OperatorNotice(
        Trouble.FILE_FAULTY, f"incidents/{number}.yaml:1:1: error: eta\nis no instant", about=f"{number}.yaml"
    )
    for number in range(MOST + 2)
)
TESTS = (
    SendTestWording(
        "Example",
        "ana",
        "Ana Souza",
        "Bo Lindqvist",
        "11:00 CET",
        "Example SEV1",
        answers=True,
        reply_to="it@example.com",
    ),
    SendTestWording("", "ana", "Ana Souza", "", "11:00 CET", "SEV1", answers=False),
)


def notice_samples() -> Iterator[OperatorWording]:
    """A notice of one trouble, of several, of very many, that something is over; with and without names around it."""
    told: tuple[tuple[OperatorWord, ...], ...] = ((REFUSED,), (BACK,), (REFUSED, LOST, BACK), (*FLOOD, REFUSED))
    for words in told:
        for organisation, revision in (("Example", "3f2a9c1"), ("", "")):
            yield operator_wording(words, "pager1.example.com", organisation, revision, "Europe/Berlin", AT, ENGLISH)
