"""The turns to come that a page of who is on call lists."""

from datetime import UTC, datetime, timedelta

from tocsin.app.incidents.on_call.duties import SHOWN, duties

from tests.builders.policies import shipped_policy

NOW = datetime(2026, 11, 27, 15, 32, tzinfo=UTC)


def test_a_turn_ends_when_it_ends_not_where_the_list_does() -> None:
    """What is listed looks two weeks ahead; a turn that begins in these and goes on beyond keeps its own end."""
    (commanders,) = [duty for duty in duties(shipped_policy(), NOW) if duty.rotation == "commanders"]
    ends = [(turn.name, turn.end) for turn in commanders.turns]
    assert ends == [
        ("Fay Moreau", datetime(2026, 12, 7, 8, tzinfo=UTC)),
        ("Ana Souza", datetime(2026, 12, 14, 8, tzinfo=UTC)),
    ]
    assert NOW + SHOWN - commanders.turns[-1].start < timedelta(days=7)
