"""Pages that make no headway on their channel, and those that do after all.

It decides when a page is looked after, and what its incident hears of it. Which channel comes next is the engine's.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.state.incident_state import ChannelFailed
from tocsin.app.state.incidents import Incidents
from tocsin.domain.delivery import Accepted, Fault, Refused
from tocsin.domain.notification import OUTSIDE_PLAN, Kind
from tocsin.planning.delivery import retry
from tocsin.ports.clock import Clock


class Headway:
    """Watches pages from the moment that they are to be sent."""

    def __init__(self, clock: Clock, incidents: Incidents) -> None:
        self._clock = clock
        self._incidents = incidents

    def watch(self, parcel: Parcel, *, hangs: bool) -> None:
        """Look after pages in time, whether they have left their queue by then or not: at once where the provider
        hangs. One look for all that leave together.
        """
        now = self._clock.now()
        wait = timedelta(0) if hangs else retry.headway_by(parcel.lead.since, now) - now
        asyncio.get_running_loop().call_later(wait.total_seconds(), self._check_all, tuple(parcel.members))

    def _check_all(self, deliveries: Sequence[Delivery]) -> None:
        for delivery in deliveries:
            self.check(delivery)

    def check(self, delivery: Delivery) -> None:
        """A page goes by its next channel too, unless it was accepted by now (rules 37, 70)."""
        if not isinstance(delivery.standing_outcome, Accepted):
            self.fail(delivery)

    def fail(self, delivery: Delivery, *, stopped: bool = False, unfit: bool = False) -> None:
        """The letter makes no headway on its channel: a refused address is noted, and a page goes elsewhere, once. One
        that was refused for its own sake did not arrive there, and trying again cannot help (rule 37), which `unfit`
        says where it was not the newest try; of a closing too, whose reader may hear the end by SMS then (rule 58).
        `stopped`: its reader wants nothing more there (rule 51).
        """
        outcome = delivery.standing_outcome
        refused = isinstance(outcome, Refused) and outcome.fault is Fault.ADDRESS and not stopped
        unfit = unfit or (isinstance(outcome, Refused) and not (refused or stopped))
        undelivered = delivery.undelivered or unfit
        if delivery.state or delivery.notification.kind in OUTSIDE_PLAN:
            return
        ends = unfit and delivery.notification.kind is Kind.CLOSING and not delivery.channel_failed
        if refused or ends or (delivery.page and (stopped or undelivered or not delivery.channel_failed)):
            delivery.channel_failed = True
            address = retry.deciding_attempt(delivery.attempts).address if refused else ""
            again = delivery.undelivered and (delivery.fate is None or delivery.fate.may_pass)
            event = ChannelFailed(delivery.notification, refused, address, undelivered, again, stopped)
            self._incidents.add_event(delivery.notification.incident, event)

    def note_delivered(self, parcel: Parcel) -> None:
        """A page that was delivered may be one that had reached nobody until now (rule 66)."""
        for member in parcel.members:
            if member.page and not member.undelivered:
                self._incidents.note_delivery(member.notification)
