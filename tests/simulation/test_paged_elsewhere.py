"""Who was paged by a machine without the database, for whom nothing was decided where another one leads, hears the end
(P5, rule 54); on virtual time.
"""

import pytest
from tocsin.domain.facts import Closed, Paged
from tocsin.domain.notification import Kind

from tests.simulation.test_away import Cut, simulate
from tests.simulation.test_folders import FILE

ACKNOWLEDGED = f"{FILE}acknowledged: [ana, chen]\n"
RESOLVED = f"{ACKNOWLEDGED}status: resolved\n"


def closings(machines: Cut) -> list[tuple[str, str]]:
    """Who heard the end, by which channel."""
    told = [each.message for each in machines.first.arrived if each.message.kind == Kind.CLOSING]
    return sorted((message.person, message.via.value) for message in told)


async def page_four(machines: Cut) -> None:
    """The machine that is cut off pages ana and chen, and 5 min later bo and dai."""
    machines.lead.steps = True
    await machines.cut()
    await machines.first.wait(310)


BY_TWO_CHANNELS = [(person, via) for person in ("ana", "bo", "chen", "dai") for via in ("email", "sms")]


@pytest.mark.parametrize("after", [1, 5, 9, 15])
def test_an_end_soon_after_the_hand_in_is_told_to_whoever_was_paged_elsewhere(after: int) -> None:
    """P5: nothing is waited for before they count as reached."""

    async def story(machines: Cut) -> None:
        await page_four(machines)
        await machines.lose()
        await machines.second.start()
        await machines.second.wait(1)
        machines.second.folder.write("pay.yaml", ACKNOWLEDGED)
        await machines.second.wait(after)
        machines.second.folder.write("pay.yaml", RESOLVED)
        await machines.second.wait(600)
        await machines.second.stop()

    told = closings(simulate(story))
    assert [entry for entry in told if entry in BY_TWO_CHANNELS] == BY_TWO_CHANNELS


def test_an_end_before_the_hand_in_is_told_after_it_and_once() -> None:
    """P5, rule 25: whoever the hand-in names hears at once what the others heard before, also over a restart; what is
    written down of their pages bears the instants at which they left.
    """
    ended = []

    async def story(machines: Cut) -> None:
        await page_four(machines)
        await machines.second.start()
        await machines.second.wait(1)
        machines.second.folder.write("pay.yaml", ACKNOWLEDGED)
        await machines.second.wait(60)
        machines.second.folder.write("pay.yaml", RESOLVED)
        await machines.second.wait(60)
        ended.append(machines.facts(Closed)[0].at)
        assert not [entry for entry in closings(machines) if entry in BY_TWO_CHANNELS]
        await machines.lose()
        await machines.second.wait(5)
        assert [entry for entry in closings(machines) if entry in BY_TWO_CHANNELS] == BY_TWO_CHANNELS
        await machines.second.kill()
        await machines.second.start()
        await machines.second.wait(600)
        await machines.second.stop()

    machines = simulate(story)
    assert [entry for entry in closings(machines) if entry in BY_TWO_CHANNELS] == BY_TWO_CHANNELS
    assert [fact.person for fact in machines.facts(Paged)] == ["ana", "chen", "bo", "dai"]
    assert all(fact.at < ended[0] for fact in machines.facts(Paged))


def test_who_was_paged_elsewhere_in_an_episode_before_hears_the_next_end() -> None:
    """P5: resolved and opened again before the hand-in."""

    async def story(machines: Cut) -> None:
        await page_four(machines)
        await machines.second.start()
        await machines.second.wait(1)
        for text in (ACKNOWLEDGED, RESOLVED, ACKNOWLEDGED):
            machines.second.folder.write("pay.yaml", text)
            await machines.second.wait(60)
        assert not [entry for entry in closings(machines) if entry[0] in {"bo", "dai"}]
        await machines.lose()
        await machines.second.wait(5)
        machines.second.folder.write("pay.yaml", RESOLVED)
        await machines.second.wait(600)
        await machines.second.stop()

    told = closings(simulate(story))
    assert [entry for entry in told if entry[0] in {"bo", "dai"}] == [
        entry for entry in BY_TWO_CHANNELS if entry[0] in {"bo", "dai"}
    ]


def test_who_was_paged_elsewhere_hears_the_end_of_what_wants_nothing_more() -> None:
    """P5: a drill asks for no verify and no review, so that it rests in the ledger once its end is told; once, also over
    a restart within the hour in which what was handed in is kept.
    """

    async def story(machines: Cut) -> None:
        machines.first.folder.write("pay.yaml", f"{FILE}drill: true\n")
        await page_four(machines)
        await machines.second.start()
        await machines.second.wait(1)
        machines.second.folder.write("pay.yaml", f"{ACKNOWLEDGED}drill: true\n")
        await machines.second.wait(60)
        machines.second.folder.write("pay.yaml", f"{RESOLVED}drill: true\n")
        await machines.second.wait(1200)
        assert machines.second.daemon.incidents.rests("pay")
        await machines.lose()
        await machines.second.wait(30)
        assert [entry for entry in closings(machines) if entry in BY_TWO_CHANNELS] == BY_TWO_CHANNELS
        await machines.second.kill()
        await machines.second.start()
        await machines.second.wait(600)
        await machines.second.stop()

    machines = simulate(story)
    assert [entry for entry in closings(machines) if entry in BY_TWO_CHANNELS] == BY_TWO_CHANNELS
    assert sorted(fact.person for fact in machines.facts(Paged)) == ["ana", "bo", "chen", "dai", "olga"]


def test_who_was_paged_elsewhere_for_a_file_that_could_not_be_read_hears_the_end() -> None:
    """P5, rule 32: episode 0, in which it could not be read, and the first one are one life."""

    async def story(machines: Cut) -> None:
        await machines.cut()
        machines.first.folder.write("pay.yaml", "[[[[ : nothing\n")
        await machines.first.wait(40)
        await machines.lose()
        await machines.second.start()
        await machines.second.wait(1)
        for text in (FILE, ACKNOWLEDGED, RESOLVED):
            machines.second.folder.write("pay.yaml", text)
            await machines.second.wait(60)
        await machines.second.stop()

    machines = simulate(story)
    paged = {(page.message.person, page.message.via.value) for page in machines.first.pages()}
    assert ("olga", "sms") in paged
    assert paged <= set(closings(machines))
