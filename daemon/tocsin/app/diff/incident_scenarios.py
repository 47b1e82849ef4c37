"""Scenarios of `tocsin diff` besides the fixed ones: open incidents, and the incidents of policy tests.

Decides which of them can be played; what cannot be read is left to `check` and `test`.
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
"""The most open incidents that are played, in the order of their names."""
TESTS_MOST = 1000
"""The most policy tests that are played."""


def open_incidents(listed: Iterable[Listed], config: ComparedConfig, at: datetime) -> Iterator[Scenario]:
    """The incidents of a folder that can be read and are not resolved, as first seen at that instant."""
    count = 0
    for file in listed:
        reading = read_incident(file.data, file.name, config.policy, None, file.name) if file.data else None
        incident = reading.incident if reading else None
        if incident is None or incident.resolved or file.data is None or count >= INCIDENTS_MOST:
            continue
        count += 1
        yield Scenario(
            f"incident {incident.id}",
            incident.severity,
            incident.services,
            ScenarioMoment("at once", at),
            file.name,
            file.data,
            ScenarioOrigin.OPEN,
        )


def tested_incidents(config: ComparedConfig, label: str, policies: Sequence[Policy]) -> Iterator[Scenario]:
    """The incidents of a config's policy tests, at their own moments and with what happens in them. A test counts if it
    can be read with one of the policies: what it expects may be what one of them lacks. `label` is the config folder.
    """
    tests: dict[str, PolicyTest] = {}
    for path, data in sorted(config.tests.items()):
        for policy in policies:
            in_file, _ = read_policy_tests(data, displayed_path(label, path), policy, partial(_beside, config, path))
            for test in in_file:
                tests.setdefault(test.place, test)
    names = [test.name for test in tests.values()]
    for test in [*tests.values()][:TESTS_MOST]:
        name = f"test {test.name}" + (f" ({test.place})" if names.count(test.name) > 1 else "")
        incident = read_incident(test.incident, test.file_name, policies[0], None, test.file_name).incident
        about = (incident.severity, incident.services) if incident else (policies[0].unreadable_severity, ())
        moment = ScenarioMoment("of the test", test.at)
        yield Scenario(name, *about, moment, test.file_name, test.incident, ScenarioOrigin.TEST, test.steps, test.span)


def _beside(config: ComparedConfig, path: str, name: str) -> bytes | None:
    """A file by its path relative to a test file."""
    return config.fetch(f"{path.rpartition('/')[0]}/{name}")
