"""P5, rule 58 on virtual time: `closing: email`, and the mail that was to tell the end is refused. Its reader hears it by
SMS, whenever the daemon is killed.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tocsin.app.engine import reconcile
from tocsin.domain.delivery import Fault, Refused
from tocsin.domain.people import Channel

from tests.simulation.test_delivery import FILE, simulate
from tests.simulation.world import Faults, World

REFUSALS = {
    Fault.MESSAGE: Refused("message too big", "552 5.3.4", fault=Fault.MESSAGE),
    Fault.ADDRESS: Refused("no such user", "550 5.1.1"),
}
Moment = Callable[[World], bool]


def ends_by_mail(world: World, fault: Fault) -> None:
    """Ana hears the end by email alone, and her mail server refuses that mail."""
    ana = replace(world.policy.people["ana"], closing_by_email=True)
    world.policy = replace(world.policy, people={**world.policy.people, "ana": ana})
    mail = world.providers[Channel.EMAIL]
    send = mail.send

    async def refuses(message: Any) -> Any:
        is_end = (message.kind, message.person) == ("closing", "ana")
        return REFUSALS[fault] if is_end and Channel.EMAIL not in mail.faults.down else await send(message)

    mail.send = refuses  # type: ignore[method-assign]  # what else it gets it takes


def is_refused(world: World) -> bool:
    """Whether the disk knows that her mail was refused."""
    tries = [attempt for key in ends_on_disk(world) for attempt in world.disk.attempts.get(key, ())]
    return any(isinstance(attempt.outcome, Refused) for attempt in tries)


def is_settled(world: World) -> bool:
    """Whether the disk knows that nothing more is tried with it."""
    return any(world.disk.states.get(key) == "refused" for key in ends_on_disk(world))


def ends_on_disk(world: World) -> list[str]:
    told = {key: letter.notification for key, letter in world.disk.letters.items()}
    return [key for key, end in told.items() if (end.kind, end.to) == ("closing", "ana")]


async def resolved(world: World) -> None:
    await world.start()
    world.folder.write("pay.yaml", FILE)
    await world.wait(5)
    world.folder.write("pay.yaml", FILE + "status: resolved\n")


async def killed_once(world: World, known: Moment, later: float = 0) -> None:
    """Killed so many seconds after the disk knows that, and started anew."""
    while not known(world):
        await world.wait(0.00005)
    await world.wait(later)
    await world.kill()
    await world.wait(1)
    await world.start()
    await world.wait(600)


def ends_of_ana(world: World) -> list[Channel]:
    return [
        each.message.via for each in world.arrived if (each.message.kind, each.message.person) == ("closing", "ana")
    ]


@pytest.mark.parametrize("later", [0, 0.002, 5])
@pytest.mark.parametrize("known", [is_refused, is_settled])
@pytest.mark.parametrize("fault", REFUSALS)
def test_a_kill_after_the_refusal_loses_and_doubles_no_end(fault: Fault, known: Moment, later: float) -> None:
    """P5, rule 58: what follows from the refusal is on disk before the mail is settled; a start takes it up until then."""

    async def story(world: World) -> None:
        ends_by_mail(world, fault)
        await resolved(world)
        await killed_once(world, known, later)

    world = simulate(story)
    assert ends_of_ana(world) == [Channel.SMS]
    assert len(world.disk.states) == len(world.disk.letters)


@pytest.mark.parametrize("known", [is_refused, is_settled])
@pytest.mark.parametrize("fault", REFUSALS)
def test_a_kill_loses_no_end_of_an_incident_that_rests(fault: Fault, known: Moment) -> None:
    """P5, rule 58: her mail waits for its provider over a start, at whose first look the incident is finished."""

    async def story(world: World) -> None:
        ends_by_mail(world, fault)
        mail = world.providers[Channel.EMAIL]
        mail.faults = Faults(down=frozenset({Channel.EMAIL}))
        await resolved(world)
        await world.wait(5)
        await world.kill()
        await world.start()
        await world.wait(5)
        assert world.disk.finished == {"pay"}
        mail.faults = Faults()
        await killed_once(world, known)

    world = simulate(story)
    assert ends_of_ana(world) == [Channel.SMS]
    assert len(world.disk.states) == len(world.disk.letters)


def test_looks_that_break_leave_no_refused_end_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """One incident whose looks break holds up nothing else, such as a step of the clock, for ever."""

    def breaks(*_: Any) -> None:
        raise ValueError("a look that breaks")

    async def story(world: World) -> None:
        ends_by_mail(world, Fault.MESSAGE)
        await resolved(world)
        monkeypatch.setattr(reconcile, "choose_next_channel", breaks)
        await world.wait(600)
        assert world.daemon is not None
        assert not world.daemon.sender.has_unsaved()

    assert is_settled(simulate(story))
