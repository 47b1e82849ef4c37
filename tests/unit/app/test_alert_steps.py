"""What notifications of Alertmanager do to an incident, step by step, and what labels mean."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tocsin.app.alerts.labels import Meaning
from tocsin.app.alerts.memory import AlertMemory
from tocsin.app.alerts.steps import Action, AlertStep, declaration, next_step
from tocsin.app.alerts.words import ended_by_alerts_at, resolution_text
from tocsin.domain.arrival import AlertEntry
from tocsin.domain.incident import Edit, Incident, Status
from tocsin.formats.settings.settings import AlertmanagerSettings

from tests.builders.policies import shipped_policy, small_policy
from tests.unit.alerts import T0, alert, entry

SETTINGS = AlertmanagerSettings(severities={"critical": "SEV1", "page": "sev2"}, default_severity="sev3")
MEANING = Meaning(SETTINGS, shipped_policy())
MINUTE = timedelta(minutes=1)
LINKS = (
    (
        "Alertmanager",
        "http://alertmanager.example.com:9093/#/alerts?filter=%7Balertname%3D%22HighErrorRate%22%7D",
    ),
    ("Source of HighErrorRate", "http://prometheus.example.com/graph?g0.expr=up"),
)


class Story:
    """An incident file without a file: each notification is judged, and what follows is done."""

    def __init__(self) -> None:
        self.incident: Incident | None = None
        self.memory = AlertMemory()
        self.declared = 0

    def tell(self, made: AlertEntry, at: float) -> AlertStep:
        """A notification, minutes after T0."""
        now = T0 + at * MINUTE
        step = next_step(made, self.incident, self.memory, MEANING, now, over=False)
        if step.action is Action.DECLARED:
            self.incident, self.memory = declaration(made, MEANING, now, over=False), step.memory
            self.declared += 1
        elif step.action not in (Action.NOTHING, Action.TOO_SOON):
            assert self.incident is not None
            self.incident, self.memory = _edited(self.incident, step.edit), step.memory
        return step

    def set(self, **changes: object) -> None:
        """A person edits the file."""
        assert self.incident is not None
        self.incident = replace(self.incident, **changes)  # type: ignore[arg-type]  # any field


def _edited(incident: Incident, edit: Edit) -> Incident:
    return replace(
        incident,
        status=edit.status or incident.status,
        resolution=incident.resolution if edit.resolution is None else edit.resolution,
        severity=edit.severity or incident.severity,
        services=(*incident.services, *(edit.services or ())),
        links=(*incident.links, *(edit.links or ())),
        summary=incident.summary if edit.summary is None else edit.summary,
    )


@pytest.fixture
def story() -> Story:
    """Declared at T0 by one alert."""
    made = Story()
    assert made.tell(entry(alert()), 0).action is Action.DECLARED
    return made


def test_what_is_declared(story: Story) -> None:
    """Title, summary, severity by default, and by whom; nothing for outsiders but the title."""
    assert story.incident is not None
    assert (story.incident.title, story.incident.severity) == ("Errors on a", "sev3")
    assert story.incident.declared_by == "Alertmanager"
    assert (story.incident.impact, story.incident.updates, story.incident.status) == ("", (), Status.INVESTIGATING)


def test_repetitions_change_nothing(story: Story) -> None:
    """Neither the same again, nor a peer's, nor after hours."""
    assert [story.tell(entry(alert()), at).action for at in (0, 1, 240, 9000)] == [Action.NOTHING] * 4


def test_new_alerts_add(story: Story) -> None:
    """A worse one raises the severity, one of another service brings it, and the summary tells of both."""
    step = story.tell(entry(alert(), alert("b", 5, severity="critical", service="Checkout")), 6)
    assert step.action is Action.CHANGED
    assert (step.edit.severity, step.edit.services) == ("sev1", ("checkout",))
    assert "2 alerts firing" in (step.edit.summary or "")
    assert step.edit.status is None
    assert (
        story.tell(entry(alert(), alert("b", 5, severity="critical", service="Checkout")), 9).action is Action.NOTHING
    )


def test_severity_is_never_lowered(story: Story) -> None:
    """Neither by lesser alerts that join, nor when the worst has ended."""
    story.tell(entry(alert(), alert("b", 5, severity="critical")), 6)
    assert story.tell(entry(alert(), alert("b", 5, 7, severity="critical"), alert("c", 7)), 8).edit.severity is None


def test_what_people_wrote_stays(story: Story) -> None:
    """A lowered severity, a service taken out, a summary and a status of their own; a new worse alert still counts."""
    both = entry(alert(), alert("b", 5, severity="critical", service="checkout"))
    story.tell(both, 6)
    story.set(severity="sev4", services=(), summary="It is the cache.", status=Status.MONITORING)
    assert story.tell(both, 10).action is Action.NOTHING
    step = story.tell(entry(alert(), alert("c", 11, severity="page")), 12)
    assert step.edit == Edit(severity="sev2")


def test_the_end_ends_it_once(story: Story) -> None:
    """With a sentence that says so; said again it changes nothing."""
    step = story.tell(entry(alert(ended=9)), 10)
    assert (step.action, step.edit.status) == (Action.RESOLVED, Status.RESOLVED)
    assert step.edit.resolution == resolution_text(T0 + 10 * MINUTE)
    assert [story.tell(entry(alert(ended=9)), at).action for at in (10, 11, 300)] == [Action.NOTHING] * 3


def test_a_resolution_that_people_began_stays(story: Story) -> None:
    """Alertmanager then says only that it is over, and when in its own summary."""
    story.set(resolution="The cache was emptied.", summary="It is the cache.")
    assert story.tell(entry(alert(ended=9)), 10).edit == Edit(status=Status.RESOLVED)


@pytest.mark.parametrize(
    ("told", "changes"),
    [
        (entry(alert(ended=9)), {"declared_by": "Ana"}),
        (entry(alert(ended=9), truncatedAlerts=1), {}),
        (entry(alert("x", -30, -20)), {}),
    ],
)
def test_what_does_not_end_it(story: Story, told: AlertEntry, changes: dict[str, str]) -> None:
    """An incident that is a person's; an end that leaves alerts out; an old end that comes late."""
    story.set(**changes)
    assert story.tell(told, 10).action is Action.NOTHING


def test_an_end_of_nothing_is_nothing() -> None:
    """A group that fired before it was told of here."""
    assert Story().tell(entry(alert(ended=3)), 4).action is Action.NOTHING


def test_a_late_word_opens_nothing(story: Story) -> None:
    """What fired before the end, told after it: not taken; only if it is said again minutes later, it counts."""
    story.tell(entry(alert(ended=9)), 10)
    assert [story.tell(entry(alert()), at).action for at in (10, 10.1, 11.9)] == [Action.TOO_SOON] * 3
    assert story.tell(entry(alert()), 12).action is Action.REOPENED


def test_flapping_is_one_incident(story: Story) -> None:
    """It fires anew soon after it ended: opened again at once, once; much later it is another incident."""
    story.tell(entry(alert(ended=9)), 10)
    step = story.tell(entry(alert(began=11)), 11)
    assert (step.action, step.edit.status, step.edit.resolution) == (Action.REOPENED, Status.INVESTIGATING, "")
    assert story.tell(entry(alert(began=11)), 11.1).action is Action.NOTHING
    assert story.tell(entry(alert(ended=9)), 11.2).action is Action.NOTHING
    assert story.tell(entry(alert(began=11, ended=14)), 14).action is Action.RESOLVED
    assert story.tell(entry(alert(began=44)), 44).action is Action.DECLARED
    assert story.declared == 2


def test_a_persons_resolve_stays(story: Story) -> None:
    """Alerts that were known go on firing for days: nothing. One that was not known, even if it began before: a new
    incident.
    """
    story.set(status=Status.RESOLVED, resolution="Known, harmless.")
    assert [story.tell(entry(alert()), at).action for at in (1, 100, 10_000)] == [Action.NOTHING] * 3
    ended = story.tell(entry(alert(ended=9)), 10_001)
    assert (ended.action, ended.edit.keys) == (Action.CHANGED, {"summary"})
    assert story.incident is not None
    assert "firing:" not in story.incident.summary
    assert story.tell(entry(alert(ended=9)), 10_001).action is Action.NOTHING
    assert story.tell(entry(alert(), alert("b", -5)), 10_002).action is Action.DECLARED


def test_a_resolved_file_says_when_its_alerts_ended(story: Story) -> None:
    """No alert is said to fire in it; a second end that knows less takes nothing out; open again, it says who fires."""
    story.tell(entry(alert(), alert("b", 5)), 6)
    edit = story.tell(entry(alert(ended=8), alert("b", 5, 9)), 10).edit
    assert (edit.summary or "").splitlines()[1:] == [
        "No alert is firing any more; the last ended 2026-11-23 10:09:00 UTC:",
        "- instance=a, from 2026-11-23 10:00:00 UTC until 2026-11-23 10:08:00 UTC: Errors on a",
        "- instance=b, from 2026-11-23 10:05:00 UTC until 2026-11-23 10:09:00 UTC: Errors on b",
    ]
    assert story.tell(entry(alert("b", 5, 9)), 10.5).action is Action.NOTHING
    again = story.tell(entry(alert("c", 11)), 11)
    assert again.action is Action.REOPENED
    assert "1 alert firing:" in (again.edit.summary or "")


def test_links_come_with_alerts_and_stay(story: Story) -> None:
    """Each address once, under a title that is free; one that a person took out comes only with a new alert; nothing
    that a person wrote is touched.
    """
    assert story.incident is not None
    assert story.incident.links == LINKS
    story.set(links=(("Runbook", "https://wiki.example.com/mine"),))
    assert story.tell(entry(alert()), 1).action is Action.NOTHING
    second = alert("b", 5)
    second["annotations"]["runbook_url"] = "https://wiki.example.com/errors"
    edit = story.tell(entry(alert(), second), 6).edit
    assert edit.links == (("Runbook 2", "https://wiki.example.com/errors"), *LINKS)
    assert story.tell(entry(alert(ended=9)), 10).edit.links is None


def test_an_incident_holds_so_many_links(story: Story) -> None:
    """However many ways an alert that flaps comes from: what a file may hold is not exceeded."""
    story.set(links=tuple((f"Link {number}", f"https://example.com/{number}") for number in range(19)))
    edit = story.tell(entry(alert(), alert("b", 5)), 6).edit
    assert edit.links == LINKS[:1]


@pytest.mark.parametrize(
    ("labels", "severity"),
    [
        ({"severity": "critical"}, "sev1"),
        ({"severity": "Critical "}, "sev1"),
        ({"severity": "SEV2"}, "sev2"),
        ({"severity": "page"}, "sev2"),
        ({"severity": "warning"}, "sev3"),
        ({"severity": ""}, "sev3"),
        ({}, "sev3"),
    ],
)
def test_severities_are_mapped(labels: dict[str, str], severity: str) -> None:
    """By the config's mapping, else by name, in any case; else the default."""
    assert MEANING.severity(entry(alert(**labels)).firing) == severity


def test_the_worst_counts() -> None:
    """Of several; without a default what cannot be read counts as an unreadable file."""
    three = entry(alert(severity="page"), alert("b", severity="critical"), alert("c"))
    assert MEANING.severity(three.firing) == "sev1"
    assert Meaning(AlertmanagerSettings(), shipped_policy()).severity(entry(alert()).firing) == "sev1"
    assert MEANING.worse("sev4", "a severity that left the config")


def test_services_are_known_ones() -> None:
    """By id or title in any case, each once; others are told."""
    told = entry(*(alert(name, service=name) for name in ("checkout", "Checkout", "nothing\nsuch", "")))
    assert MEANING.services(told.firing) == ("checkout",)
    assert MEANING.unknown(told.firing) == ("nothing such",)


def test_any_order_ends_open_while_something_fires() -> None:
    """Two alerts of one group, the end of the first told late: it stays open until the end of the last."""
    story = Story()
    story.tell(entry(alert()), 0)
    story.tell(entry(alert(), alert("b", 5)), 5)
    assert story.tell(entry(alert(ended=4)), 6).action is Action.NOTHING
    assert story.tell(entry(alert(ended=4), alert("b", 5, 8)), 8).action is Action.RESOLVED


def test_times_are_ours() -> None:
    """An alert from a clock that is ahead does not keep its group open for ever."""
    story = Story()
    story.tell(entry(alert(began=600)), 0)
    assert story.tell(entry(alert(began=600, ended=9)), 9).action is Action.RESOLVED
    assert isinstance(ended_by_alerts_at(story.incident.resolution if story.incident else ""), datetime)


def test_what_is_as_bad_changes_nothing(story: Story) -> None:
    """A new alert of the same severity, or of a service that the incident names, adds neither."""
    story.tell(entry(alert(), alert("b", 5, service="checkout")), 5)
    edit = story.tell(entry(alert(), alert("b", 5), alert("c", 6, service="checkout")), 6).edit
    assert (edit.severity, edit.services) == (None, None)
    assert not MEANING.worse("sev1", "sev1")


def test_an_alert_may_end_as_it_begins() -> None:
    """The end of the newest alert at the instant of its own beginning is no old one: it ends the incident."""
    story = Story()
    story.tell(entry(alert(began=5)), 5)
    assert story.tell(entry(alert(began=5, ended=5)), 6).action is Action.RESOLVED


def test_our_summary_is_kept_up_to_date(story: Story) -> None:
    """Whichever alerts come and go, for as long as nobody has rewritten it; from then on it is theirs."""
    story.tell(entry(alert(), alert("b", 5)), 5)
    assert "1 alert firing" in (story.tell(entry(alert("b", 5)), 6).edit.summary or "")
    assert "2 alerts firing" in (story.tell(entry(alert("b", 5), alert("c", 7)), 7).edit.summary or "")
    story.set(summary="It is the cache.")
    assert story.tell(entry(alert("c", 7), alert("d", 8)), 8).edit.summary is None
    assert story.tell(entry(alert("d", 8)), 9).edit.summary is None


def test_the_worst_is_the_configs_first() -> None:
    """Severities are in the order of the config, not in that of their letters."""
    meaning = Meaning(AlertmanagerSettings(), small_policy())
    assert meaning.severity(entry(alert(severity="Minor"), alert("b", severity="sev2")).firing) == "sev2"


def test_the_mapping_counts_before_a_severity_of_that_name() -> None:
    """Who maps a label's value means it, also when it is called like a severity."""
    meaning = Meaning(AlertmanagerSettings(severities={"sev3": "sev1"}), shipped_policy())
    assert meaning.severity(entry(alert(severity="sev3")).firing) == "sev1"
