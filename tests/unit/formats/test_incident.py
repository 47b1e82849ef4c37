"""Incident files: whatever can be read is used, the rest is a problem with its place (`docs/behaviour.md`)."""

from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.domain.incident import Acknowledgment, Incident, Status, TimelineNote, UpdateEntry
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.incident.fields import FIELDS, IncidentField
from tocsin.formats.incident.json_schema import incident_schema
from tocsin.formats.incident.read import IncidentReading, first_lines, read_incident, unreadable_incident
from tocsin.formats.incident.values import LINK_LIMIT, PROBLEM_LIMIT, TEXT_LIMIT, IncidentReader
from tocsin.text.yaml import Document

from tests.builders.examples import some
from tests.builders.policies import small_policy

POLICY = small_policy()
HEAD = "title: Card payments fail\nseverity: sev2\n"
OPEN = Incident("card", "Card payments fail", "sev2", Status.IDENTIFIED)
AT = datetime(2026, 11, 23, 10, 4, tzinfo=UTC)


def reading(text: str | bytes, previous: Incident | None = None, name: str = "card.yaml") -> IncidentReading:
    data = text.encode() if isinstance(text, str) else text
    return read_incident(data, name, POLICY, previous, f"incidents/{name}")


def incident(text: str | bytes, previous: Incident | None = None) -> Incident:
    found = reading(text, previous).incident
    assert found is not None
    return found


def test_two_lines_are_enough() -> None:
    """Title and severity make a whole incident without a problem."""
    found = reading(HEAD)
    assert found.incident == Incident("card", "Card payments fail", "sev2")
    assert (found.problems, found.complete, found.severity_read) == ((), True, True)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.key)
def test_a_field_that_is_not_there_is_as_one_with_nothing_in_it(field: IncidentField) -> None:
    """What stands for it without being read is what reading nothing gives, and no problem."""
    reader = IncidentReader(Document(""), POLICY)
    assert field.kind.read(reader, (field.key,), None) == field.kind.absent
    assert reader.problems == []


def test_every_field_is_read() -> None:
    """Each field of section 4 arrives as its value, names as ids and instants in UTC."""
    text = HEAD + (
        "status: Monitoring\nsummary: |\n  one\n  two\nimpact: Half of all payments\nservices: [checkout, search]\n"
        "roles: {technical_lead: bo berg}\nacknowledged: [ana, {by: BO@example.com, at: 2026-11-23T11:04+01:00}]\n"
        "eta: 2026-11-23T10:04:00Z\ndeclared_at: 2026-11-23T10:04Z\ndeclared_by: the night shift\n"
        "updates:\n  - plain\n  - {at: 2026-11-23T10:04Z, by: chen, text: DB, public: Soon}\n"
        "timeline: [{at: 2026-11-23T10:04Z, by: x, text: note}]\nresolution: restarted\nverified_by: Ana\n"
        "review: https://example.com/review\ndrill: true\npublic_title: Payments are slow\n"
        "started_at: 2026-11-23T11:04+01:00\nbridge: https://meet.example.com/card\n"
        "links: {Graphs: https://g.example.com/d/1, Call: 'tel:+14155550101'}\n"
    )
    found = reading(text)
    assert found.problems == ()
    assert found.incident == Incident(
        id="card",
        title="Card payments fail",
        severity="sev2",
        status=Status.MONITORING,
        summary="one\ntwo",
        impact="Half of all payments",
        services=("checkout", "search"),
        roles=(("technical_lead", "bo"),),
        acknowledged=(Acknowledgment("ana"), Acknowledgment("bo", AT)),
        eta=AT,
        declared_at=AT,
        declared_by="the night shift",
        updates=(UpdateEntry("plain"), UpdateEntry("DB", "Soon", AT, "chen")),
        timeline=(TimelineNote("note", AT, "x"),),
        resolution="restarted",
        verified_by="Ana",
        review="https://example.com/review",
        drill=True,
        public_title="Payments are slow",
        started_at=AT,
        bridge="https://meet.example.com/card",
        links=(("Graphs", "https://g.example.com/d/1"), ("Call", "tel:+14155550101")),
    )


@pytest.mark.parametrize(
    ("line", "resolution", "public"),
    [
        ("resolution: Failed over.", "Failed over.", ""),
        ("resolution: {text: Failed over., public: It works again.}", "Failed over.", "It works again."),
        ("resolution: {public: It works again.}", "", "It works again."),
        ("resolution: {}", "", ""),
        ("resolution:", "", ""),
    ],
)
def test_a_resolution_may_have_a_word_for_outsiders(line: str, resolution: str, public: str) -> None:
    """A plain text is for insiders alone; what outsiders hear is written beside it."""
    found = reading(HEAD + line + "\n")
    assert found.incident is not None
    assert (found.incident.resolution, found.incident.public_resolution, found.problems) == (resolution, public, ())


@pytest.mark.parametrize(
    ("word", "drill", "reviewed"),
    [("true", True, False), ("YES", True, False), ("review", True, True), ("Review", True, True), ("no", False, False)],
)
def test_a_drill_may_be_one_with_review(word: str, drill: bool, reviewed: bool) -> None:
    """`drill: review` is a drill that asks for health and review as well (rule 28)."""
    found = reading(f"{HEAD}drill: {word}\n")
    assert found.incident is not None
    assert (found.incident.drill, found.incident.reviewed_drill, found.problems) == (drill, reviewed, ())


def test_a_good_link_counts_beside_a_wrong_one() -> None:
    """A link that leads nowhere is dropped with its place; an empty one says nothing."""
    found = reading(HEAD + "links:\n  Graphs: https://g.example.com\n  Notes: wiki\n  Later:\n")
    assert found.incident is not None
    assert found.incident.links == (("Graphs", "https://g.example.com"),)
    assert [(problem.line, problem.column, problem.code) for problem in found.problems] == [(5, 10, "not-a-link")]


@pytest.mark.parametrize("name", ["Alertmanager", "alertmanager", "ALERTMANAGER"])
def test_what_alerts_declare_is_known_by_its_declarer_in_any_case(name: str) -> None:
    """`declared_by: alertmanager` is "declared by alerts" (P8)."""
    assert incident(f"{HEAD}declared_by: {name}\n").declared_by_alerts
    assert not incident(f"{HEAD}declared_by: {name} and Bo\n").declared_by_alerts


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("services: checkout", "services", ("checkout",)),
        ("services: [search, checkout, search]", "services", ("search", "checkout")),
        ("acknowledged: Ana Souza", "acknowledged", (Acknowledgment("ana"),)),
        ("acknowledged: {by: bo}", "acknowledged", (Acknowledgment("bo"),)),
        ("updates: On it", "updates", (UpdateEntry("On it"),)),
        ("updates: {public: We are on it}", "updates", (UpdateEntry(public="We are on it"),)),
        ("timeline: Seen", "timeline", (TimelineNote("Seen"),)),
        ("review: Done", "review", "done"),
        ("drill: yes", "drill", True),
        ("drill: FALSE", "drill", False),
        ("drill: On", "drill", True),
        ("drill: off", "drill", False),
        ("drill: NO", "drill", False),
        ("eta: 2026-11-23t11:04+01:00", "eta", AT),
        ("eta: 2026-11-23t10:04z", "eta", AT),
        ("declared_by: the night shift", "declared_by", "the night shift"),
        ('declared_by: "one\\ntwo"', "declared_by", "one two"),
        ("verified_by: a dashboard", "verified_by", "a dashboard"),
        ("timeline: [{text: same}, {text: same}]", "timeline", (TimelineNote("same"), TimelineNote("same"))),
        ("review: http://example.com", "review", "http://example.com"),
        (f"review: https://{'x' * (LINK_LIMIT - 8)}", "review", f"https://{'x' * (LINK_LIMIT - 8)}"),
        (f"impact: {'x' * TEXT_LIMIT}", "impact", "x" * TEXT_LIMIT),
        ("eta:", "eta", None),
        ("status: RESOLVED", "status", Status.RESOLVED),
        ("summary: 0012", "summary", "0012"),
    ],
)
def test_a_field_may_be_written_more_than_one_way(line: str, field: str, value: object) -> None:
    """One value where a list is meant, any case, plain texts as entries: all without a problem."""
    found = reading(HEAD + line + "\n")
    assert (getattr(found.incident, field), found.problems) == (value, ())


@pytest.mark.parametrize(
    ("line", "place", "code", "says"),
    [
        ("status: fixed", (3, 9), "unknown-status", "investigating"),
        ("status: [resolved]", (3, 9), "wrong-type", "is a list"),
        ("eta: 12:00", (3, 6), "not-an-instant", "2026-11-23T10:04:00Z"),
        ("eta: 2026-11-23T10:04", (3, 6), "not-an-instant", "offset"),
        ("eta: 0026-11-23T10:04Z", (3, 6), "not-an-instant", "year 26"),
        ("eta: {a: b}", (3, 6), "wrong-type", "is a mapping"),
        ("declared_at: yesterday", (3, 14), "not-an-instant", 'declared_at: "yesterday" is'),
        ("summary: [a]", (3, 10), "wrong-type", "write a text"),
        ("impact: {a: b}", (3, 9), "wrong-type", "write a text"),
        ("services: [checkuot]", (3, 12), "unknown-service", 'did you mean "checkout"'),
        ("roles: ana", (3, 8), "wrong-type", "technical_lead: ana"),
        ("roles: {tech_lead: ana}", (3, 9), "unknown-role", 'did you mean "technical_lead"'),
        ("roles: {technical_lead: anna}", (3, 25), "unknown-person", 'did you mean "ana"'),
        ("roles: {technical_lead: [ana]}", (3, 25), "wrong-type", "is a list"),
        ("acknowledged: [ana, zzz]", (3, 21), "unknown-person", "ana, bo, chen"),
        ("acknowledged: {at: 2026-11-23T10:04Z}", (3, 15), "nobody-named", "{by: ana}"),
        ("acknowledged: [{by: ''}]", (3, 16), "nobody-named", "{by: ana}"),
        ("acknowledged: [[ana]]", (3, 16), "wrong-type", "is a list"),
        ("updates: [{by: ana}]", (3, 11), "empty-entry", "text"),
        ("updates: [{text: a, at: noon}]", (3, 25), "not-an-instant", "updates[1].at"),
        ("timeline: [{at: 2026-11-23T10:04Z}]", (3, 12), "empty-entry", "text"),
        ("review: later", (3, 9), "not-a-link", "https://"),
        (f"review: https://{'x' * (LINK_LIMIT - 7)}", (3, 9), "not-a-link", "https://"),
        ("drill: perhaps", (3, 8), "not-a-truth", "true, false or review"),
        ("resolution: [a]", (3, 13), "wrong-type", "write a text"),
        ("resolution: {public: [a]}", (3, 22), "wrong-type", "write a text"),
        ("links: [https://example.com]", (3, 8), "wrong-type", "{Dashboard: https://"),
        ("links: {a: 'javascript:x()'}", (3, 12), "not-a-link", "https://wiki.example.com, or tel:"),
        ("links: {a: 'tel:help'}", (3, 12), "not-a-link", "tel:+14155550101"),
        ("bridge: {a: b}", (3, 9), "wrong-type", "write a text"),
        ("started_at: nine", (3, 13), "not-an-instant", "2026-11-23T10:04:00Z"),
        ("public_title: [a]", (3, 15), "wrong-type", "write a text"),
        ("summary: &a text", (3, 10), "anchor", "plain value"),
        ("title: again", (3, 1), "duplicate-key", "line 1"),
    ],
)
def test_a_wrong_optional_field_is_dropped(line: str, place: tuple[int, int], code: str, says: str) -> None:
    """A wrong field is left out, its place and what to write instead are told, and everything else counts."""
    found = reading(HEAD + line + "\nverified_by: Ana\n")
    (problem,) = found.problems
    assert (problem.line, problem.column, problem.code, problem.level) == (*place, code, ProblemLevel.ERROR)
    assert says in problem.message
    assert found.incident is not None
    assert (found.incident.title, found.incident.severity, found.incident.verified_by) == (
        "Card payments fail",
        "sev2",
        "Ana",
    )
    assert (found.complete, found.severity_read) == (False, True)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("sumary: x", "summary"),
        ("updates: [{tekst: a, text: b}]", "text"),
        ("timeline: [{text: a, att: b}]", "at"),
        ("acknowledged: [{by: ana, att: b}]", "at"),
        ("resolution: {txt: a}", "text"),
    ],
)
def test_an_unknown_key_is_a_warning(line: str, hint: str) -> None:
    """An unknown key drops nothing, and says what may be meant."""
    found = reading(HEAD + line)
    (problem,) = found.problems
    assert (problem.level, problem.code, found.complete) == (ProblemLevel.WARNING, "unknown-key", True)
    assert f'did you mean "{hint}"' in problem.message


@pytest.mark.parametrize(
    "severity", ["severity: sev9", "severity:", "severity: ''", "severity: ' '", "severity: [sev1]", "# none"]
)
def test_a_severity_that_cannot_be_read(severity: str) -> None:
    """It counts as `unreadable_severity` on a new incident, and keeps its last good value on an open one."""
    text = f"title: x\n{severity}\n"
    found = reading(text)
    assert found.incident is not None
    assert (found.incident.severity, found.complete, found.severity_read) == ("sev1", False, False)
    assert [problem.level for problem in found.problems] == [ProblemLevel.ERROR]
    assert incident(text, OPEN).severity == "sev2"
    assert incident(text, replace(OPEN, status=Status.RESOLVED)).severity == "sev1"


def test_severity_in_any_case() -> None:
    """A severity takes the config's spelling."""
    assert incident("title: x\nseverity: MINOR").severity == "Minor"


@pytest.mark.parametrize("status", ["status: fixed", "status:", "# none"])
def test_status_and_title_keep_their_last_good_value_while_open(status: str) -> None:
    """Without a readable status or title an open incident keeps both; a new one is investigating, named as its file."""
    text = f"severity: sev2\n{status}\n"
    kept = incident(text, OPEN)
    assert (kept.status, kept.title) == (Status.IDENTIFIED, "Card payments fail")
    new = incident(text)
    assert (new.status, new.title) == (Status.INVESTIGATING, "card")
    reopened = incident(text, replace(OPEN, status=Status.RESOLVED))
    assert reopened.status is Status.INVESTIGATING


def test_the_id_is_kept_under_another_name() -> None:
    """A renamed file is read as the incident it was, also when that was over."""
    assert incident(HEAD, replace(OPEN, id="other")).id == "other"
    assert incident(HEAD, replace(OPEN, id="other", status=Status.RESOLVED)).id == "other"


def test_nothing_goes_on_from_a_version_that_could_not_be_read() -> None:
    """Its severity and title were ours, not the file's: a file without them counts as a new one."""
    found = incident("summary: x", replace(OPEN, unreadable=True))
    assert (found.severity, found.title, found.status) == ("sev1", "card", Status.INVESTIGATING)


def test_a_missing_title_drops_nothing() -> None:
    """It is a warning: the severity alone makes an incident whole."""
    found = reading("severity: sev2\n")
    assert [(problem.code, problem.level) for problem in found.problems] == [("title-missing", ProblemLevel.WARNING)]
    assert found.complete


def test_what_is_missing_says_what_counts_instead() -> None:
    """The severity that goes on while the incident is open, else that of unreadable files; and how one is written."""
    missing = "severity is missing; sev2 goes on: write severity: sev1"
    assert reading("title: x", OPEN).problems[0].message == missing
    assert "it counts as sev1" in reading("title: x").problems[0].message
    assert [problem.code for problem in reading("summary: x").problems] == ["severity-missing", "title-missing"]


def test_problems_stand_in_the_order_of_the_file() -> None:
    """Also those of one line, whichever field is read first."""
    found = reading("{severity: sev2, drill: perhaps, eta: noon, title: x}")
    assert [problem.code for problem in found.problems] == ["not-a-truth", "not-an-instant"]


def test_problems_are_bounded() -> None:
    """A file of nonsense does not fill a log."""
    assert len(reading(HEAD + "".join(f"key{number}: x\n" for number in range(500))).problems) == PROBLEM_LIMIT


@pytest.mark.parametrize(
    ("data", "code", "line"),
    [
        (b"", "not-yaml", ""),
        (b"# nothing yet\n", "not-yaml", "# nothing yet"),
        (b"Payments are down, please help\n", "not-yaml", "Payments are down, please help"),
        (b"- payments\n- down\n", "not-yaml", "- payments"),
        (b"Payments: down: help", "not-yaml", "Payments: down: help"),
        (b"[" * 60_000, "too-deep", "[[["),
        (b"{{{{", "key-not-text", "{{{{"),
        (b"\x00\x01\x02", "control-character", ""),
        (b"\x89PNG\r\n\x1a\n", "not-utf8", "\ufffdPNG"),
    ],
)
def test_not_yaml_at_all(data: bytes, code: str, line: str) -> None:
    """What is no incident file in any sense gives its first lines, cleaned, and a problem."""
    found = reading(data)
    assert found.incident is None
    assert not found.complete
    assert found.first_lines.startswith(line)
    assert code in {problem.code for problem in found.problems}


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (HEAD.encode() + b"status: identified\nupdates:\n  - {text: half", Status.IDENTIFIED),
        (HEAD.encode() + b"status: identified\nsummary: \xff\xfe\n", Status.IDENTIFIED),
        (HEAD.encode("utf-16"), Status.INVESTIGATING),
        (b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode(), Status.INVESTIGATING),
        (HEAD.encode() + b"---\ntitle: another\n", Status.INVESTIGATING),
        (HEAD.encode() + b"services: " + b"[" * 50 + b"]" * 50, Status.INVESTIGATING),
        (HEAD.encode() + b"summary: " + b"x" * 400_000, Status.INVESTIGATING),
        (HEAD.encode() + b"a: &a [x]\nb: [*a, *a]\n", Status.INVESTIGATING),
    ],
)
def test_a_damaged_file_is_used_as_far_as_it_can_be_read(data: bytes, status: Status) -> None:
    """Rule 41: half-written, wrong bytes, BOM, several documents, nesting, size, aliases: title and severity count."""
    found = incident(data)
    assert (found.title, found.severity, found.status) == ("Card payments fail", "sev2", status)


def test_texts_are_cleaned() -> None:
    """Escapes, controls and characters that turn text around go; long texts keep their lines, titles have one."""
    found = incident('title: "a\\e[31mred\\e[0m \\u202Eb\\nc"\nseverity: sev1\nsummary: "one\\r\\ntwo\\x07\\u200b"\n')
    assert (found.title, found.summary) == ("ared b c", "one\ntwo")


def test_what_a_lost_escape_leaves_behind_is_cleaned_too() -> None:
    """Raw control characters are a problem of the file; their remains do not stand in its texts."""
    assert incident(HEAD.encode() + b"summary: a\x1b[31mred\x1b[0m\n").summary == "ared"
    assert incident(HEAD + "summary: see [31m\n").summary == "see [31m"


def test_texts_are_bounded() -> None:
    """A text over its limit is cut, with a warning."""
    found = reading(f"title: {'x' * 500}\nseverity: sev1\nsummary: {'y' * 20_000}\n")
    assert found.incident is not None
    assert (len(found.incident.title), len(found.incident.summary)) == (200, 10_000)
    assert [problem.code for problem in found.problems] == ["too-long", "too-long"]


def test_an_ambiguous_name_is_a_problem() -> None:
    """Two people of one name: neither is guessed."""
    people = {**POLICY.people, "ana2": replace(POLICY.people["ana"], id="ana2", email="")}
    found = read_incident(
        (HEAD + "acknowledged: ana souza").encode(), "a.yaml", small_policy(people=people), None, "a.yaml"
    )
    assert found.incident is not None
    assert found.incident.acknowledged == ()
    assert "ana or ana2" in found.problems[0].message


def test_an_unreadable_file_stands_for_an_incident() -> None:
    """It carries its first lines at the severity that the settings name."""
    found = unreadable_incident("pay ments.yaml", first_lines("\n\nhelp\x1b[31m me\n"), POLICY)
    assert (found.id, found.title, found.severity) == ("pay-ments", "pay ments", "sev1")
    assert (found.summary, found.unreadable) == ("help me", True)
    assert unreadable_incident("pay ments.yaml", "", POLICY, "known").id == "known"


def test_first_lines_are_those_that_say_something() -> None:
    """Five at most, each of bounded length; empty ones do not count."""
    lines = first_lines("one\n\n \x07\ntwo\n" + "x" * 300 + "\nfour\nfive\nsix\n").split("\n")
    assert lines == ["one", "two", "x" * 199 + "…", "four", "five"]


def test_one_table_gives_the_reader_and_the_schema() -> None:
    """Every key of the table is a property of the schema and an attribute of the incident, and there are no others."""
    keys = [field.key for field in FIELDS]
    assert list(incident_schema()["properties"]) == keys
    names = {*keys, *(field.beside for field in FIELDS if field.beside)}
    beside = {"id", "unreadable", "never_read", "alerts", "odd_name"}
    assert names == {field.name for field in dataclass_fields(Incident)} - beside


_LINES = st.sampled_from(
    [
        "title: x",
        "severity: sev1",
        "severity: &a 1",
        "status: done",
        "updates: [",
        "- a",
        "  - {text: y, at: 1}",
        "roles:",
        "  technical_lead: ana",
        "acknowledged: *a",
        "eta: 9999-12-31T23:59:59-14:00",
        "\tdrill: !!binary x",
        "? [a]",
        "---",
        "'",
        '"\\ud800"',
        "<<: {}",
    ]
)


@settings(max_examples=some(200), deadline=None)
@given(st.one_of(st.binary(max_size=200), st.lists(_LINES, max_size=8).map(lambda lines: "\n".join(lines).encode())))
def test_reading_never_fails(data: bytes) -> None:
    """Any bytes give an incident or first lines, with and without an earlier version."""
    for previous in (None, OPEN, replace(OPEN, status=Status.RESOLVED)):
        found = reading(data, previous)
        assert (found.incident is None) or (found.incident.id == "card" and found.incident.title)
        assert found.incident is not None or found.problems
        assert all(problem.line >= 1 and problem.column >= 1 for problem in found.problems)


def test_a_beginning_that_is_still_to_come_is_told() -> None:
    """The declaration counts then, which nobody would know; whoever reads without a clock cannot say so."""
    data = b"title: Down\nseverity: sev1\nstarted_at: 2026-11-23T15:00:00Z\n"
    before, after = (datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (14, 16))
    (problem,) = read_incident(data, "card.yaml", POLICY, None, "incidents/card.yaml", before).problems
    assert (problem.line, problem.code) == (3, "started-in-future")
    assert read_incident(data, "card.yaml", POLICY, None, "incidents/card.yaml", after).problems == ()
    assert reading(data).problems == ()
