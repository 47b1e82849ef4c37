"""Words that other tocsin commands leave for the operators: `tocsin pull` tells of a pull that it refused."""

from datetime import timedelta

from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.ports.clock import Clock

TOLD_WITHIN = timedelta(hours=1)
"""How old a word may be when it is found: one left while the daemon was down is still told."""
TOLD, OLD = "told", "old"
PULL = "pull"
"""What the causes of `tocsin pull` begin with, up to a colon."""


class Words:
    """The judge of words."""

    def __init__(self, clock: Clock, notices: Notices) -> None:
        self._clock = clock
        self._notices = notices

    async def judge(self, arrival: Arrival) -> str:
        """Let the operators hear of it, unless it is too old. Of a cause that only another version of tocsin knows they
        hear all the same.
        """
        if self._clock.now() - arrival.at >= TOLD_WITHIN:
            return OLD
        begins, _, about = arrival.who.partition(":")
        trouble = Trouble.PULL_REFUSED if begins == PULL else Trouble.WORD_LEFT
        about = about if trouble is Trouble.PULL_REFUSED else arrival.who
        self._notices.tell(OperatorNotice(trouble, arrival.body, about=about))
        return TOLD
