"""What brings incidents in: the incident file, and Alertmanager's notification."""

import json

from tocsin.app.alerts.payload import AlertGroup, read_notification
from tocsin.app.alerts.words import TITLE_MOST, incident_summary, incident_title
from tocsin.domain.incident import Acknowledgment, Edit, Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.incident.edit import edit_incident
from tocsin.formats.incident.fields import FIELDS
from tocsin.formats.incident.file_name import incident_id
from tocsin.formats.incident.read import read_incident
from tocsin.text.cleaning import clean, one_line

from tests.builders.instants import T0
from tests.builders.policies import shipped_policy
from tests.fuzz.fuzzer import Fuzzer

NAME = "checkout.yaml"
INCIDENTS = (
    b"title: Card payments fail at checkout\nseverity: sev1\n",
    b"""\
title: Card payments fail at checkout
severity: sev1
status: identified                # investigating (default) | identified | monitoring | resolved
summary: Error rate of 40 % since 10:02.
impact: Customers cannot pay by card.
services: [checkout]
roles: {incident_commander: bo}   # an explicit assignment beats the rotation
acknowledged: [ana, {by: ana, at: 2026-11-23T10:04Z}]
passed: [{by: chen, at: 2026-11-23T10:05Z}]
eta: 2026-11-23T12:00:00Z
updates:                          # newest last
  - {at: 2026-11-23T10:20:00Z, by: chen, text: DB failover under way., public: We found the cause and are fixing it.}
  - at: 2026-11-23T10:40:00+01:00
    text: |
      Two lines,
      and one more.
timeline: [{at: 2026-11-23T10:05:00Z, by: dee, text: Error rate falls.}]
resolution: Failover done.
verified_by: chen
review: done                      # or a link
drill: false                      # true: every message says DRILL
""",
    b'title: "\\u202eevil & <b>\\n x"\nseverity: SEV2\nstatus: Resolved\nresolution: >-\n  folded\n  words\n',
    b'{"title": "as JSON", "severity": "sev3", "updates": [{"text": "one"}, "two", {"public": "three"}]}\n',
    b"severity: &s sev1\ntitle: *s\nsummary: *s\nroles: &r {technical_lead: ana}\n<<: *r\n",
)
KEYS = tuple(field.key.encode() for field in FIELDS)
WORDS = (b"sev1", b"sev2", b"SEV1", b"resolved", b"monitoring", b"investigating", b"ana", b"bo", b"incident_commander")

ALERTS = tuple(
    json.dumps(
        {
            "version": "4",
            "groupKey": '{}:{alertname="HighErrorRate"}',
            "truncatedAlerts": 0,
            "status": status,
            "receiver": "tocsin",
            "groupLabels": {"alertname": "HighErrorRate"},
            "commonLabels": {"alertname": "HighErrorRate", "severity": "critical"},
            "commonAnnotations": None,
            "externalURL": "http://alertmanager.example.com:9093",
            "alerts": [
                {
                    "status": status,
                    "labels": {"alertname": "HighErrorRate", "instance": name, "severity": "critical"},
                    "annotations": {"summary": "Errors on " + name},
                    "startsAt": "2026-11-23T10:00:00.123456789Z",
                    "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2026-11-23T11:00:00+01:00",
                    "generatorURL": "http://prometheus.example.com/graph?g0.expr=up",
                    "fingerprint": "0123456789abcdef",
                }
                for name in names
            ],
        },
        indent=indent,
    ).encode()
    for status, names, indent in (("firing", ("a",), None), ("resolved", ("a", "b"), 1), ("firing", ("a", "b", "c"), 1))
)


EDITS = (
    Edit(acknowledgment=Acknowledgment("bo", T0)),
    Edit(entry=UpdateEntry("Two lines:\n- and # no comment", "Said 'so'", T0, "chen"), status=Status.MONITORING),
    Edit(role=("scribe", "dee"), severity="sev2", services=("search",)),
    Edit(status=Status.RESOLVED, resolution="Done: all of it.", summary='"quoted"'),
    Edit(note=TimelineNote("- a note: {x}", T0, "chen"), no_eta=True),
)


def edit(data: bytes) -> None:
    """A file is left alone, or what an edit says is in it, and all that it does not touch reads as it did."""
    policy = shipped_policy()
    for change in EDITS:
        after = edit_incident(data, change)
        if after is None:
            continue
        before, read = (read_incident(text, NAME, policy, None, NAME).incident for text in (data, after))
        assert before is not None
        assert read is not None
        if change.acknowledgment:
            assert change.acknowledgment in read.acknowledged
        if change.entry:
            assert read.updates[-1:] == (change.entry,)
            assert len(read.updates) == len(before.updates) + 1
        if change.role:
            assert change.role in read.roles
        assert read.status is (change.status or before.status)
        assert change.resolution in (None, read.resolution)
        if change.note:
            assert read.timeline[-1:] == (change.note,)
            assert len(read.timeline) == len(before.timeline) + 1
        assert read.eta == (None if change.no_eta else before.eta)
        untouched = {"title", "impact", "timeline", "drill", "review", "verified_by"} - change.keys
        for name in sorted(untouched):
            assert getattr(before, name) == getattr(read, name), name


def fuzzers() -> list[Fuzzer]:
    """All of them."""
    policy = shipped_policy()
    opened = Incident("known-id", "Known", "sev2")

    def incident(data: bytes) -> None:
        for previous in (None, opened):
            read = read_incident(data, NAME, policy, previous, f"incidents/{NAME}")
            known = read.incident
            assert known is not None or read.problems
            assert not (read.complete and any(problem.level is ProblemLevel.ERROR for problem in read.problems))
            for problem in read.problems:
                assert problem.line >= 1
                assert problem.column >= 1
                assert "\n" not in problem.message
            if known:
                assert known.id == (previous.id if previous else incident_id(NAME))
                assert known.severity in policy.severities
                assert known.title.strip()

    def alerts(data: bytes) -> None:
        group = read_notification(data)
        if isinstance(group, AlertGroup):
            assert len(group.key) == 8
            assert all(alert in group.alerts for alert in group.firing)
            assert group.ended_at is None or group.ended_at.tzinfo is not None
            assert 0 < len(incident_title(group)) <= TITLE_MOST
            assert one_line(clean(incident_title(group))) == incident_title(group)
            assert "\x1b" not in incident_summary(group)
        else:
            assert group.isprintable()
            assert len(group) < 300

    return [
        Fuzzer("incident", INCIDENTS, incident, (*KEYS, *WORDS), sample=150),
        Fuzzer("edit", INCIDENTS, edit, (*KEYS, *WORDS, b"# a comment"), sample=15),
        Fuzzer("alertmanager", ALERTS, alerts, sample=300),
    ]
