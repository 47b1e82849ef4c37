"""Situations that are brought to `tocsin diff` from outside: open incidents, and the incidents of policy tests.

Decides which of them can be played. Must not know what is compared; what cannot be read is left to `check` and `test`.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

from tocsin.app.configuration.revisions import ComparedConfig
from tocsin.app.diff.scenarios import Scenario, ScenarioMoment, ScenarioOrigin
from tocsin.domain.policy import Policy
from tocsin.formats.incident.read import read_incident
from tocsin.formats.policy_test.read import PolicyTest, read_policy_tests
from tocsin.ports.folder import Listed
from tocsin.text.decoding import displayed_path

INCIDENTS_MOST = 100
"""The most open incidents that are walked, in the order of their names."""
TESTS_MOST = 1000
"""The most policy tests that are walked."""


def open_incidents(listed: Iterable[Listed], side: ComparedConfig, at: datetime) -> Iterator[Scenario]:
    """The incidents of a folder that can be read and are not resolved, as first seen at that instant."""
    found = 0
    for each in listed:
        reading = read_incident(each.data, each.name, side.policy, None, each.name) if each.data else None
        incident = reading.incident if reading else None
        if incident is None or incident.resolved or each.data is None or found >= INCIDENTS_MOST:
            continue
        found += 1
        yield Scenario(
            f"incident {incident.id}",
            incident.severity,
            incident.services,
            ScenarioMoment("at once", at),
            each.name,
            each.data,
            ScenarioOrigin.OPEN,
        )


def tested_incidents(side: ComparedConfig, label: str, policies: Sequence[Policy]) -> Iterator[Scenario]:
    """The incidents of a config's policy tests, at their own moments and with what happens in them. A test counts if it
    can be read with one of the policies: what it expects may be what one of them lacks. `label` is the config folder.
    """
    found: dict[str, PolicyTest] = {}
    for path, data in sorted(side.tests.items()):
        for policy in policies:
            tests, _ = read_policy_tests(data, displayed_path(label, path), policy, partial(_beside, side, path))
            for test in tests:
                found.setdefault(test.place, test)
    names = [test.name for test in found.values()]
    for test in [*found.values()][:TESTS_MOST]:
        name = f"test {test.name}" + (f" ({test.place})" if names.count(test.name) > 1 else "")
        incident = read_incident(test.incident, test.file_name, policies[0], None, test.file_name).incident
        about = (incident.severity, incident.services) if incident else (policies[0].unreadable_severity, ())
        moment = ScenarioMoment("of the test", test.at)
        yield Scenario(name, *about, moment, test.file_name, test.incident, ScenarioOrigin.TEST, test.steps, test.span)


def _beside(side: ComparedConfig, path: str, name: str) -> bytes | None:
    """A file by its path relative to a test file."""
    return side.fetch(f"{path.rpartition('/')[0]}/{name}")
