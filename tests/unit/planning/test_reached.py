"""Whom an incident has reached, and by which channels: one for all incidents that reached the same readers first."""

from tocsin.domain.history import ReaderHistory
from tocsin.domain.people import Channel
from tocsin.planning.history.reached import reached_with

GROUP = [(f"reader{number}@example.com", Channel.EMAIL) for number in range(3)]


def test_incidents_that_reached_the_same_readers_first_share_what_is_known_of_them() -> None:
    """Ten thousand that told one large group hold it once. What comes after is each one's own."""
    first, second = (reached_with({}, list(GROUP), external=True, told=True) for _ in range(2))
    assert first is second
    assert first == {
        reader: ReaderHistory((Channel.EMAIL,), external=True, told_by=frozenset({Channel.EMAIL}))
        for reader, _ in GROUP
    }
    later = reached_with(first, [("ana", Channel.SMS)], external=False, told=False)
    assert set(later) - set(first) == {"ana"}
    assert reached_with({}, GROUP, external=True, told=True) is first
    assert "ana" not in first


def test_how_they_were_told_is_not_mixed_up() -> None:
    """The same readers by a page, as outsiders, or in another order are something else."""
    ways = [
        reached_with({}, GROUP, external=external, told=told) for external in (True, False) for told in (True, False)
    ]
    assert len({id(way) for way in ways}) == len(ways)
    assert [way[GROUP[0][0]].external for way in ways] == [True, True, False, False]
    assert [bool(way[GROUP[0][0]].told_by) for way in ways] == [True, False, True, False]
    assert list(reached_with({}, GROUP[::-1], external=True, told=True)) == [reader for reader, _ in GROUP[::-1]]
