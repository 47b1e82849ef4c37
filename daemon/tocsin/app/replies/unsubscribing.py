"""Readers who unsubscribe by one click, and who are told again (product.md, section 5).

It decides whether a click takes effect: only for a plain address of an external group whose config says so, and that no
internal group names; else it is a wish that the operators hear of. What it means for messages is the policy's business
(`app/state/opt_outs`).
"""

from datetime import timedelta

from tocsin.app.state.active_config import ActiveConfig
from tocsin.app.state.notices import Notices
from tocsin.domain.arrival import Arrival, OptOut
from tocsin.domain.notification import NOBODY
from tocsin.domain.operator_notice import OperatorNotice, Trouble
from tocsin.domain.people import Channel, StakeholderGroup
from tocsin.domain.policy import Policy
from tocsin.ports.clock import Clock
from tocsin.ports.ledger.ledger import Ledger
from tocsin.text.cleaning import shown

UNSUBSCRIBED, RESUBSCRIBED = "unsubscribed", "resubscribed"
"""The address hears nothing more as an outsider; it is told again."""
PASSED_ON, NOTHING = "passed on", "nothing"
"""The operators hear that a reader wishes it; it was so already."""

ONCE_IN = timedelta(days=1)
"""How often the operators hear of the same wish."""


class Unsubscriptions:
    """The judge of clicks, and of what `tocsin resubscribe` leaves."""

    def __init__(self, clock: Clock, ledger: Ledger, config: ActiveConfig, notices: Notices) -> None:
        self._clock = clock
        self._ledger = ledger
        self._config = config
        self._notices = notices

    async def unsubscribe(self, arrival: Arrival) -> str:
        """A reader clicked; what it led to. Raises LedgerError: then it is judged again."""
        reader, policy = arrival.who, self._config.configured
        if policy.lets_go(reader):
            opt_out = OptOut(Channel.EMAIL, reader, min(arrival.at, self._clock.now()), arrival.ref)
            await self._ledger.opt_out(opt_out)
            self._config.opt_outs.add(opt_out)
            return UNSUBSCRIBED
        groups = groups_naming(policy, reader)
        now = self._clock.now()
        if groups and await self._ledger.claim_notice(wish_mark(arrival.body, reader), now, ONCE_IN):
            text = wish(arrival.body, reader, groups)
            self._notices.tell(OperatorNotice(Trouble.UNSUBSCRIBE_WISH, text, about=reader))
        return PASSED_ON if groups else NOTHING

    async def resubscribe(self, arrival: Arrival) -> str:
        """Somebody has an address told again; what it led to. Raises LedgerError: then it is judged again."""
        known = self._config.opt_outs.of(Channel.EMAIL, arrival.who)
        if known is None:
            return NOTHING
        await self._ledger.opt_in(Channel.EMAIL, known.address)
        self._config.opt_outs.remove(Channel.EMAIL, known.address)
        return RESUBSCRIBED


def wish_mark(incident: str, reader: str) -> str:
    """What the ledger remembers a wish by that was passed on; another cause than the one that operators are told."""
    return f"wish:{incident}:{reader}"


def wish(incident: str, reader: str, groups: list[StakeholderGroup]) -> str:
    """What the operators are told of a reader who wishes to be taken off, with the place to change."""
    names = " and ".join(f"{group.id} ({group.place})" if group.place else group.id for group in groups)
    about = "" if incident == NOBODY else f", in one about {shown(incident)}"  # as links said once
    sentence = f"{shown(reader)} asks to be taken off the updates{about}"
    return f"{sentence}; the config names them in the stakeholders {names}; nothing was changed"


def groups_naming(policy: Policy, reader: str) -> list[StakeholderGroup]:
    """The groups that name a reader."""
    return [group for group in policy.stakeholders.values() if reader in group.people or reader in group.emails]
