"""Addresses that want nothing more (rule 51, and readers who unsubscribed), and the policy as it is with them.

It decides what an opt-out means for a policy: a number that answered STOP is no channel of its person, a plain address
that was unsubscribed is in no external group. So everything that asks the policy heeds it, and nothing else need know.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from tocsin.domain.arrival import OptOut
from tocsin.domain.people import Channel, Person, StakeholderGroup
from tocsin.domain.policy import Policy
from tocsin.formats.settings.reply_routes import ReplyRoutes


class OptOuts:
    """What the ledger knows of them, found quickly. `changes` counts what came and went."""

    def __init__(self, known: Iterable[OptOut] = ()) -> None:
        self._known = {_key(opt_out.via, opt_out.address): opt_out for opt_out in known}
        self._heard: asyncio.Queue[OptOut] = asyncio.Queue()
        self.changes = 0

    def of(self, via: Channel, address: str) -> OptOut | None:
        """Since when this address wants nothing more; None: it may be written to."""
        return self._known.get(_key(via, address))

    def all(self) -> tuple[OptOut, ...]:
        """Every one, in the order they came."""
        return tuple(self._known.values())

    def add(self, opt_out: OptOut) -> None:
        """From now on nothing goes there. The first time it said so stands."""
        if self._known.setdefault(_key(opt_out.via, opt_out.address), opt_out) is opt_out:
            self.changes += 1

    def remove(self, via: Channel, address: str) -> None:
        """From now on it is written to again."""
        if self._known.pop(_key(via, address), None):
            self.changes += 1

    def hear(self, opt_out: OptOut) -> None:
        """A provider said so, in answer to a message: it counts at once, and is written down soon."""
        if self.of(opt_out.via, opt_out.address) is None:
            self.add(opt_out)
            self._heard.put_nowait(opt_out)

    async def next_heard(self) -> OptOut:
        """Wait for the next of which a provider said so."""
        return await self._heard.get()

    def heeded_by(self, policy: Policy, routes: ReplyRoutes) -> Policy:
        """The policy without what is off. A number from which no START could come in is not left alone for ever: it is
        tried, and the provider says whether it still wants nothing.
        """
        if not self._known:
            return policy
        people = {name: self._person(person, routes) for name, person in policy.people.items()}
        groups = {name: self._group(group) for name, group in policy.stakeholders.items()}
        return replace(policy, people=people, stakeholders=groups)

    def _person(self, person: Person, routes: ReplyRoutes) -> Person:
        via, number = Channel.SMS, person.phone
        return replace(person, stopped=(via,)) if number and self.of(via, number) and routes.hears(number) else person

    def _group(self, group: StakeholderGroup) -> StakeholderGroup:
        """Insiders are told all the same: what they are told is not for the reader to choose."""
        off = tuple(email for email in group.emails if group.external and self.of(Channel.EMAIL, email))
        if not off:
            return group
        return replace(group, emails=tuple(email for email in group.emails if email not in off), unsubscribed=off)


def _key(via: Channel, address: str) -> tuple[Channel, str]:
    return via, address.casefold()
