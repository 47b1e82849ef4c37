"""Readers who unsubscribe by one click, where their group says so, and who are told again (product.md, section 5)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tocsin.app.arrivals.inbound import Arrivals
from tocsin.app.replies.unsubscribing import Unsubscriptions
from tocsin.app.state.opt_outs import OptOuts
from tocsin.domain.arrival import Arrival, ArrivalKind, OptOut
from tocsin.domain.incident import Status
from tocsin.domain.notification import Kind, Why
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.people import Channel, StakeholderGroup, Unsubscribing
from tocsin.planning.delivery.still_wanted import current_address, opted_out

from tests.unit.app.test_sms_replies import MINUTE, House

PRESS, OTHER = "press@example.com", "other@example.com"


class Desk(House):
    """A daemon with groups of outsiders and insiders."""

    async def open(self) -> "Desk":
        await super().open()
        groups = {
            "press": StakeholderGroup(
                "press", "Press", emails=(PRESS, OTHER), external=True, unsubscribe=Unsubscribing.ONE_CLICK
            ),
            "clients": StakeholderGroup("clients", "Clients", emails=("Press@Example.com",), external=True),
            "staff": StakeholderGroup("staff", "Staff", emails=("staff@example.com",)),
        }
        severity = self.policy.severities["sev1"]
        stream = replace(severity.updates[0], to=tuple(groups))
        self.policy = replace(
            self.policy, stakeholders=groups, severities={"sev1": replace(severity, updates=(stream,))}
        )
        self.config.opt_outs = OptOuts(await self.ledger.opt_outs())
        self.config.replace(self.policy, self.config.settings)
        judge = Unsubscriptions(self.clock, self.ledger, self.config, self.notices)
        judges = {ArrivalKind.UNSUBSCRIBE: judge.unsubscribe, ArrivalKind.RESUBSCRIBE: judge.resubscribe}
        self.arrivals = Arrivals(self.ledger, judges, self.notices)
        return self

    async def click(self, reader: str, kind: ArrivalKind = ArrivalKind.UNSUBSCRIBE) -> str:
        """Somebody's click is judged; what it led to."""
        self.count += 1
        await self.ledger.record_arrival(Arrival(kind, f"click{self.count}", reader, "pay", self.clock.now()))
        await self.judge()
        (result,) = await self.ledger.newest_results(kind, reader, 1)
        return result

    def heard(self, kind: Kind, to: str) -> int:
        """How many messages of a kind were decided for a reader."""
        letters = (letter.notification for letter in self.ledger.pages.letters.values())
        return sum(letter.kind is kind and letter.to.casefold() == to for letter in letters)


@pytest.fixture
async def desk() -> Desk:
    made = Desk()
    await made.open()
    await made.see("pay")
    await made.go(MINUTE)
    return made


async def test_one_click_takes_effect_everywhere_outside(desk: Desk) -> None:
    """Off every external group, also one that says `operators` and writes it otherwise; the end is not told there."""
    assert desk.heard(Kind.UPDATE, PRESS) == 1
    assert await desk.click(PRESS) == "unsubscribed"
    assert await desk.ledger.opt_outs() == (OptOut(Channel.EMAIL, PRESS, desk.clock.now(), "click1"),)
    await desk.see("pay", status=Status.IDENTIFIED)
    await desk.go(timedelta(seconds=3), "pay")
    assert (desk.heard(Kind.UPDATE, PRESS), desk.heard(Kind.UPDATE, OTHER)) == (1, 2)
    await desk.see("pay", status=Status.RESOLVED)
    assert (desk.heard(Kind.CLOSING, PRESS), desk.heard(Kind.CLOSING, OTHER)) == (0, 1)
    assert [notice for notice in desk.notices.take() if notice.trouble is Trouble.UNSUBSCRIBE_WISH] == []


async def test_what_is_held_back_is_written_down(desk: Desk) -> None:
    """P6: of each update whom it does not go to any more, and of the end."""
    await desk.click(PRESS)
    await desk.see("db", "Database down")
    await desk.see("pay", status=Status.RESOLVED)
    held = [one for one in desk.ledger.pages.held.values() if one.why is Why.OPTED_OUT]
    assert {(one.kind, one.to, one.detail) for one in held if one.incident == "db"} == {
        (Kind.UPDATE, "press", f"unsubscribed: {PRESS}"),
        (Kind.UPDATE, "clients", "unsubscribed: Press@Example.com"),
    }
    assert {(one.kind, one.to, one.detail) for one in held if one.incident == "pay"} == {
        (Kind.CLOSING, PRESS, "it was unsubscribed")
    }


async def test_letters_on_their_way_do_not_leave(desk: Desk) -> None:
    """From the next message on: what was decided before the click has no address any more."""
    letter = next(
        letter.notification for letter in desk.ledger.pages.letters.values() if letter.notification.to == PRESS
    )
    assert current_address(letter, desk.config.policy) == PRESS
    await desk.click(PRESS)
    assert current_address(letter, desk.config.policy) == ""
    assert opted_out(letter, desk.config.policy)
    insider = replace(letter, to="staff@example.com", external=False)
    assert current_address(insider, desk.config.policy) == "staff@example.com"


async def test_it_holds_beyond_a_restart_and_a_new_config(desk: Desk) -> None:
    """It stays off when the config names it anew."""
    await desk.click(PRESS)
    again = Desk(desk.clock, desk.ledger.pages)
    await again.open()
    again.config.replace(replace(again.policy, revision="anew"), again.config.settings)
    assert again.config.policy.stakeholders["press"].emails == (OTHER,)
    assert again.config.policy.stakeholders["press"].unsubscribed == (PRESS,)
    assert again.config.configured.stakeholders["press"].emails == (PRESS, OTHER)


@pytest.mark.parametrize("reader", ["staff@example.com", "ana"])
async def test_anybody_else_only_wishes(desk: Desk, reader: str) -> None:
    """Insiders, people of the config, groups that do not say so: the operators hear, nothing is changed."""
    group = replace(desk.policy.stakeholders["staff"], people=("ana",), unsubscribe=Unsubscribing.ONE_CLICK)
    desk.config.replace(
        replace(desk.policy, stakeholders={**desk.policy.stakeholders, "staff": group}), desk.config.settings
    )
    assert await desk.click(reader) == "passed on"
    assert await desk.ledger.opt_outs() == ()
    (notice,) = [notice for notice in desk.notices.take() if notice.trouble is Trouble.UNSUBSCRIBE_WISH]
    assert f"{reader} asks to be taken off the updates" in notice.text


async def test_who_is_an_insider_too_is_not_taken_off(desk: Desk) -> None:
    """They would be told all the same, and must not read otherwise: the operators hear, and no mail offers one click."""
    staff = replace(desk.policy.stakeholders["staff"], emails=("PRESS@example.com",))
    desk.config.replace(
        replace(desk.policy, stakeholders={**desk.policy.stakeholders, "staff": staff}), desk.config.settings
    )
    assert not desk.config.policy.lets_go(PRESS)
    assert desk.config.policy.lets_go(OTHER)
    assert await desk.click(PRESS) == "passed on"
    assert await desk.ledger.opt_outs() == ()
    assert await desk.click(OTHER) == "unsubscribed"


async def test_a_group_that_changed_its_mind(desk: Desk) -> None:
    """The config in force when the click is judged decides."""
    group = replace(desk.policy.stakeholders["press"], unsubscribe=Unsubscribing.OPERATORS)
    desk.config.replace(
        replace(desk.policy, stakeholders={**desk.policy.stakeholders, "press": group}), desk.config.settings
    )
    assert await desk.click(PRESS) == "passed on"
    assert await desk.click("nobody@example.com") == "nothing"


async def test_told_again(desk: Desk) -> None:
    """However it is written; an address that is not off stays as it is."""
    await desk.click(PRESS)
    assert await desk.click("PRESS@example.com", ArrivalKind.RESUBSCRIBE) == "resubscribed"
    assert await desk.ledger.opt_outs() == ()
    await desk.see("db", "Database down")
    assert desk.heard(Kind.UPDATE, PRESS) == 2
    assert await desk.click(OTHER, ArrivalKind.RESUBSCRIBE) == "nothing"


async def test_a_group_of_which_nobody_is_left(desk: Desk) -> None:
    """It goes on without a reader; nothing breaks, and the next episode neither."""
    await desk.click(PRESS)
    await desk.click(OTHER)
    await desk.see("db", "Database down")
    await desk.see("db", "Database down", status=Status.IDENTIFIED)
    await desk.go(timedelta(seconds=3), "db")
    await desk.see("db", "Database down", status=Status.RESOLVED)
    assert desk.heard(Kind.UPDATE, "staff@example.com") == 2
    assert desk.heard(Kind.CLOSING, "staff@example.com") == 1
