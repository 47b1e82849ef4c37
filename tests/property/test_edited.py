"""What an edit will lead to is what its file reads as once it is written."""

from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tocsin.app.edits.edited import cleaned, edited
from tocsin.domain.incident import Acknowledgment, Edit, Incident, Status, TimelineNote, UpdateEntry
from tocsin.formats.incident.edit import edit_incident, write_incident
from tocsin.formats.incident.read import read_incident
from tocsin.text.cleaning import clean

from tests.builders.examples import some
from tests.builders.policies import small_policy

POLICY = small_policy()
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
PEOPLE = st.sampled_from(sorted(POLICY.people))
ROLES = st.sampled_from(sorted(POLICY.roles))
SEVERITIES = st.sampled_from(sorted(POLICY.severities))
LETTERS = st.text(st.sampled_from("aé 漢\n\t:#-'\"{}[]&*!|>%@`,\\\x1b\x07\u202e\ufeff\x85\u2028🙂~1"), max_size=12)
TEXTS = LETTERS | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
UPDATES = st.builds(UpdateEntry, TEXTS, TEXTS, INSTANTS, TEXTS)
NOTES = st.builds(TimelineNote, TEXTS, INSTANTS, TEXTS)
LINK = st.tuples(st.sampled_from(["Runbook", "a: b", "Café 2"]), st.sampled_from(["https://a.org/#x", "http://b.org"]))
LINKS = st.lists(LINK, unique_by=lambda pair: pair[0], max_size=3).map(tuple)
EDITS = st.builds(
    Edit,
    acknowledgment=st.none() | st.builds(Acknowledgment, PEOPLE, INSTANTS),
    entry=st.none() | UPDATES,
    role=st.none() | st.tuples(ROLES, PEOPLE),
    status=st.none() | st.sampled_from(Status),
    eta=st.none() | INSTANTS,
    resolution=st.none() | TEXTS,
    public_resolution=st.none() | TEXTS,
    severity=st.none() | SEVERITIES,
    services=st.none(),
    summary=st.none() | TEXTS,
    links=st.none() | LINKS,
    note=st.none() | NOTES,
    impact=st.none() | TEXTS,
    public_title=st.none() | TEXTS,
    review=st.none() | st.sampled_from(["done", "https://wiki.example.com/1"]),
    verified_by=st.none() | TEXTS,
    no_eta=st.booleans(),
)
WRITTEN = TEXTS.map(clean)
INCIDENTS = st.builds(
    Incident,
    id=st.just("pay"),
    title=st.just("Card payments fail"),
    severity=SEVERITIES,
    status=st.sampled_from(Status),
    summary=WRITTEN,
    impact=WRITTEN,
    roles=st.lists(st.tuples(ROLES, PEOPLE), unique_by=lambda pair: pair[0], max_size=2).map(tuple),
    acknowledged=st.lists(st.builds(Acknowledgment, PEOPLE, st.none() | INSTANTS), max_size=2).map(tuple),
    eta=st.none() | INSTANTS,
    updates=st.lists(UPDATES, max_size=2).map(tuple),
    timeline=st.lists(NOTES, max_size=2).map(tuple),
    resolution=WRITTEN,
    public_resolution=WRITTEN,
    verified_by=WRITTEN,
    review=st.sampled_from(["", "done"]),
    public_title=WRITTEN,
    links=LINKS,
)


def read(data: bytes) -> Incident:
    reading = read_incident(data, "pay.yaml", POLICY, None, "pay.yaml")
    assert reading.incident is not None
    return reading.incident


@settings(max_examples=some(40))
@given(INCIDENTS, EDITS)
@example(Incident("pay", "Pay", "Minor", public_resolution="1\n1"), Edit(resolution=""))
@example(Incident("pay", "Pay", "Minor", public_resolution="1"), Edit(resolution="", public_resolution=""))
def test_edited_is_what_the_file_reads_as(incident: Incident, edit: Edit) -> None:
    """Whether its file is edited, or written anew from a version; comments are kept."""
    edit = cleaned(edit)
    data = write_incident(incident)
    before = read(data)
    commented = b"# on top\n" + data + b"# at the end\n"
    after = edit_incident(commented, edit)
    assert after is not None
    assert read(after) == edited(before, edit)
    assert b"# on top" in after
    assert b"# at the end" in after
    assert read(write_incident(before, edit)) == edited(before, edit)
