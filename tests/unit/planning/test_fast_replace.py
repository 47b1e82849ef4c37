"""Frozen values with some fields changed: as `dataclasses.replace` does it, whatever the class."""

import dataclasses
from datetime import UTC, datetime

import pytest
from tocsin.app.state.incident_state import IncidentState
from tocsin.domain.facts import Gone
from tocsin.domain.history import NEVER_SEEN, History, RoleHistory
from tocsin.planning.history.fast_replace import replace

T0 = datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_it_is_what_dataclasses_replace_makes() -> None:
    """The same class, equal, with the same hash where there is one; the value itself stays as it is."""
    role = RoleHistory("lead", needed=True, passed=frozenset({"ana"}))
    changed = replace(role, holder="bo", needed=False)
    assert changed == dataclasses.replace(role, holder="bo", needed=False)
    assert type(changed) is RoleHistory
    assert hash(changed) == hash(dataclasses.replace(role, holder="bo", needed=False))
    assert role == RoleHistory("lead", needed=True, passed=frozenset({"ana"}))


@pytest.mark.parametrize("value", [NEVER_SEEN, RoleHistory("lead"), Gone(T0), IncidentState()])
def test_every_field_is_taken_over(value: History | RoleHistory | Gone | IncidentState) -> None:
    """One field or sixty, frozen or not: the very same values stand in the copy."""
    copy = replace(value)
    assert copy is not value
    assert all(getattr(copy, field.name) is getattr(value, field.name) for field in dataclasses.fields(value))


def test_what_it_makes_is_frozen() -> None:
    """As frozen as what it was made of, and it has no other fields."""
    changed = replace(NEVER_SEEN, acted=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        changed.acted = False  # type: ignore[misc]  # that is the test
    with pytest.raises(AttributeError):
        replace(NEVER_SEEN, akted=True)
