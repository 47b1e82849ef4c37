"""Rule 63 on virtual time: incidents of which the ledger has a row that cannot be read."""

from datetime import datetime, timedelta

from tocsin.domain.people import Channel
from tocsin.ports.ledger.trouble import Unreadable

from tests.builders.policies import paging_policy
from tests.fakes.loop import VirtualClock, run_virtually
from tests.simulation.world import World

FILE = "title: Card payments fail\nseverity: sev1\n"
WHY = "row 5 of facts cannot be read (at: Field required)"


def killed(ended: bool, file: str | None) -> tuple[World, datetime]:
    """A daemon that paged for `pay`, was killed, and starts on a ledger that cannot be read in one row. `file` is what
    stands in the folder then. Gives the world and the instant of the second start.
    """

    async def main(clock: VirtualClock) -> tuple[World, datetime]:
        world = World(clock, paging_policy())
        await world.start()
        world.folder.write("pay.yaml", FILE)
        await world.wait(5)
        await world.kill()
        world.disk.unreadable["pay"] = Unreadable("pay", WHY, ended)
        for via in Channel:
            world.providers[via].arrived.clear()
        if file is None:
            world.folder.remove("pay.yaml")
        else:
            world.folder.write("pay.yaml", file)
        begun = clock.now()
        await world.start()
        await world.wait(30)
        await world.stop()
        return world, begun

    result: tuple[World, datetime] = run_virtually(main)
    return result


def asked(world: World, begun: datetime) -> set[tuple[str, int]]:
    """Who was paged by SMS after the start, and in which second."""
    pages = [page for page in world.pages() if page.message.via is Channel.SMS]
    return {(page.message.person, (page.at - begun) // timedelta(seconds=1)) for page in pages}


def test_its_file_declares_it_anew() -> None:
    """Rule 63: level 0 is paged again at once, although the file's content was known; nobody else is."""
    world, begun = killed(ended=False, file=FILE)
    assert asked(world, begun) == {("ana", 0), ("chen", 0)}
    assert "pay" not in world.disk.unreadable


def test_without_a_file_the_last_resort_is_paged() -> None:
    """Rules 32 and 63: after 15 s, by the channels of `unreadable_severity`."""
    world, begun = killed(ended=False, file=None)
    assert asked(world, begun) == {("olga", 15)}


def test_a_file_that_is_no_yaml_pages_the_last_resort() -> None:
    """Rules 32 and 63: a file that cannot be read declares nobody's incident: the last resort is paged, once."""
    world, begun = killed(ended=False, file=": {")
    assert {person for person, _ in asked(world, begun)} == {"olga"}
    assert len([page for page in world.pages("olga") if page.message.via is Channel.SMS]) == 1


def test_what_was_over_is_only_told() -> None:
    """Rule 63: resolved or closed as far as can be read: without a file, or with one that says so, nobody is paged; a
    start after that does not look at it again.
    """
    for file in (None, f"{FILE}status: resolved\n"):
        world, begun = killed(ended=True, file=file)
        assert asked(world, begun) == set()
        assert "pay" in world.disk.finished
        assert [each.message.kind for each in world.arrived if each.message.kind != "operator"] == []


def test_what_was_over_and_is_open_again_pages() -> None:
    """Rule 63: the file says that it is open: between no page and two pages, two."""
    world, begun = killed(ended=True, file=FILE)
    assert asked(world, begun) == {("ana", 0), ("chen", 0)}


def test_operators_hear_which_row() -> None:
    """Rule 63: they are told the incident and what could not be read."""
    world, _ = killed(ended=False, file=FILE)
    notices = [each.message.content.text for each in world.arrived if each.message.kind == "operator"]
    notice = max(notices, key=len)
    assert WHY in notice
    assert "pay" in notice
