"""Engine: the parts that move incidents on, put together at the ports: reconcile, scheduler, deliver, receipts,
operators.

It decides who hears of what inside the house. It must not know files, config folders or adapters, so that it runs on
virtual time as it does on real.
"""

import random
from collections.abc import Callable, Mapping

from tocsin.app.delivery.context import ChannelFailed, DeliveryContext
from tocsin.app.delivery.operator_notices import OperatorNotices
from tocsin.app.delivery.receipts import Receipts
from tocsin.app.delivery.sender import Sender
from tocsin.app.engine.incident_state import IncidentEvent, Known
from tocsin.app.engine.reconcile import Reconciler
from tocsin.app.engine.scheduler import Scheduler
from tocsin.app.reply_options.options import ReplyOptions
from tocsin.domain.facts import Seen
from tocsin.domain.operator_notice import OperatorNotice
from tocsin.domain.people import Channel
from tocsin.domain.policy import Policy
from tocsin.ports.clock import Clock
from tocsin.ports.ledger import Ledger
from tocsin.ports.renderer import Renderer
from tocsin.ports.transport import Transport


class Engine:
    """Reconcile decides, deliver sends, operators hear; the scheduler says when."""

    def __init__(
        self,
        clock: Clock,
        ledger: Ledger,
        renderer: Renderer,
        policy: Callable[[], Policy],
        ways: Mapping[Channel, Transport],
        dice: random.Random,
        invitations: ReplyOptions,
    ) -> None:
        self.clock, self.ledger, self.policy, self.invitations = clock, ledger, policy, invitations
        self.reconcile = Reconciler(clock, ledger, renderer, policy, self.tell, invitations)
        self.scheduler = Scheduler(clock, self.reconcile.look)
        house = DeliveryContext(self.reconcile.history, policy, self._stuck, self.tell, invitations.unsubscribe)
        self.deliver = self.reconcile.post = Sender(clock, ledger, house, dict(ways), dice)
        self.receipts = Receipts(clock, ledger, house, self.deliver, lambda: invitations.routes().receipts_every)
        self.operators = OperatorNotices(clock, ledger, policy, self.deliver)

    def tell(self, trouble: OperatorNotice) -> None:
        """Tell the operators."""
        self.operators.tell(trouble)

    def learn(self, incident: str, news: IncidentEvent) -> None:
        """Something came in for an incident: it is looked at now."""
        self.reconcile.learn(incident, news)
        self.scheduler.poke(incident)

    def poke_all(self) -> None:
        """Look at every incident: at the start, and when the config has changed."""
        for incident in self.reconcile.cases:
            self.scheduler.poke(incident)

    async def recall(self) -> Mapping[str, Known]:
        """Take over what the ledger knows of incidents that may still need something; the versions that files are
        compared with.
        """
        unfinished, files = await self.ledger.unfinished(), await self.ledger.files()
        known = {}
        for incident, facts in unfinished.items():
            self.reconcile.remember(incident, facts)
            if seen := [fact for fact in facts if isinstance(fact, Seen)]:
                newest, (file, _) = seen[-1], files.get(incident, ("", ""))
                older = frozenset(fact.digest for fact in seen) - {newest.digest}
                known[incident] = Known(newest.incident, newest.digest, file, older)
        self.reconcile.shelve(files.keys() - unfinished.keys())
        return known

    def _stuck(self, stuck: ChannelFailed) -> None:
        self.learn(stuck.page.incident, stuck)
