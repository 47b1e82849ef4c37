"""What a machine without the database tells by itself, and when that is over (P9)."""

from dataclasses import dataclass

from tocsin.app.hand_ins.from_memory.away_notices import AwayNotices, AwayTold
from tocsin.app.leadership.tries_in_vain import TriesInVain
from tocsin.app.state.notices import Notices
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.ledger.trouble import LedgerError

from tests.fakes.clock import StillClock


@dataclass
class FakeLead:
    """A lead whose database is away while a test wants it."""

    away: bool
    why_away: str = "password authentication failed for user tocsin"
    too_old: str = ""

    def is_away(self) -> bool:
        """As it is told."""
        return self.away


def test_it_is_told_with_its_cause_and_that_it_is_over() -> None:
    """In the words of the newest try; a machine that leads tells the end of what it told, and of nothing else."""
    notices, lead = Notices(StillClock()), FakeLead(away=False)
    told = AwayTold(notices, lead)
    told.look()
    assert notices.take_recovered() == ()
    lead.away = True
    told.look()
    (notice,) = notices.take()
    assert notice.trouble is Trouble.LEDGER_AWAY
    assert "half a minute (password authentication failed for user tocsin), and perhaps nobody leads" in notice.text
    lead.away = False
    told.look()
    assert [over.trouble for over in notices.take_recovered()] == [Trouble.LEDGER_AWAY]


def test_without_the_ledger_nothing_else_is_told() -> None:
    """Neither another trouble nor an end: whoever leads tells those. What is told is noted in the ledger in memory."""
    notices, lead = AwayNotices(StillClock()), FakeLead(away=True)
    told = AwayTold(notices, lead)
    notices.tell(OperatorNotice(Trouble.WORD_LEFT, "something"))
    told.look()
    assert [notice.trouble for notice in notices.take()] == [Trouble.LEDGER_AWAY]
    assert not notices.is_open(Trouble.LEDGER_AWAY)
    lead.away = False
    told.look()
    assert notices.take_recovered() == ()


def test_tries_know_why_the_newest_failed() -> None:
    """Not the first: what is in the way may change."""
    tries = TriesInVain(lambda: 0.0)
    for why in ("connection refused", "the password of tocsin is wrong"):
        tries.note(0.0, LedgerError(why))
    assert tries.why == "the password of tocsin is wrong"
