"""Edits keep what people wrote: comments, layout, and every value that is not theirs to change."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.domain.incident import Acknowledgment, Edit, Incident, Status, TimelineNote, UpdateEntry
from tocsin.formats.incident.edit import edit_incident, rewrite_incident, write_incident
from tocsin.formats.incident.read import read_incident
from tocsin.text.yaml import read_yaml

from tests.builders.examples import some
from tests.builders.policies import small_policy

AT = datetime(2026, 11, 23, 10, 4, tzinfo=UTC)
POLICY = small_policy()
ACK = Edit(acknowledgment=Acknowledgment("bo", AT))
WHOLE = Edit(
    Acknowledgment("bo", AT),
    UpdateEntry('say "hi": {x}\n# two', "we're on it", AT, "Ana"),
    ("scribe", "chen"),
    Status.RESOLVED,
    AT,
    "Done: yes\nmore",
)


def after(text: str, edit: Edit = ACK) -> str:
    found = edit_incident(text.encode(), edit)
    assert found is not None
    return found.decode()


@pytest.mark.parametrize("indent", [None, 2])
def test_json_of_a_program_can_be_edited(indent: int | None) -> None:
    """Its pairs of surrogates mean what they mean, also in what is edited."""
    text = json.dumps({"title": "Down \U0001f600", "severity": "sev1", "acknowledged": ["ana"]}, indent=indent)
    value = read_yaml(after(text), "").value
    entry = {"by": "bo", "at": "2026-11-23T10:04:00Z"}
    assert value == {"title": "Down \U0001f600", "severity": "sev1", "acknowledged": ["ana", entry]}
    assert "\U0001f601" in after(text, Edit(entry=UpdateEntry("We see it \U0001f601", "", AT, "Ana")))


def test_nothing_but_the_edit_changes() -> None:
    """Comments, quotes, blank lines, odd scalars and indentation stay as they were."""
    text = """\
# who: the night shift

title: 'Card payments fail'  # from the dashboard
severity: sev1
version: 1.10
number: 0012
when: 2026-11-23 10:04:00 +01:00
empty:
services:
- checkout   # the shop
acknowledged:
- ana   # by phone

# ---- below: notes ----
summary: |
  one

  two
"""
    assert after(text) == text.replace(
        "- ana   # by phone\n", "- ana   # by phone\n- {by: bo, at: 2026-11-23T10:04:00Z}\n"
    )


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("acknowledged: [ana]  # x\n", "acknowledged: [ana, {by: bo, at: 2026-11-23T10:04:00Z}]  # x\n"),
        ("acknowledged: ana\n", "acknowledged:\n  - ana\n  - {by: bo, at: 2026-11-23T10:04:00Z}\n"),
        ("acknowledged:\n", "acknowledged:\n  - {by: bo, at: 2026-11-23T10:04:00Z}\n"),
        ("title: x  # end\n", "title: x # end\nacknowledged:\n  - {by: bo, at: 2026-11-23T10:04:00Z}\n"),
        ("drill: true\r\n", "drill: true\r\nacknowledged:\r\n  - {by: bo, at: 2026-11-23T10:04:00Z}\r\n"),
    ],
)
def test_an_acknowledgment_joins_whatever_is_there(before: str, expected: str) -> None:
    """A list in either style, one value, nothing, or no key at all; line ends stay."""
    assert words(after(before)) == words(expected)


def words(text: str) -> list[list[str]]:
    """The words of each line: the blanks before a comment may change."""
    return [line.split(" ") if "\r" in line else line.split() for line in text.split("\n")]


def test_roles_status_and_texts_are_set_in_place() -> None:
    """Keys that are there keep their place and their comment; the others come at the end."""
    text = "title: x\nstatus: identified  # since ten\nroles:\n    technical_lead: ana  # on call\nimpact: none\n"
    found = after(text, Edit(role=("technical_lead", "bo"), status=Status.RESOLVED, resolution="Restarted: twice"))
    expected = text.replace("identified", "resolved").replace("ana", "bo") + 'resolution: "Restarted: twice"\n'
    assert words(found) == words(expected)


RESOLVED = Edit(status=Status.RESOLVED, resolution="Failed over.", public_resolution="It works: again.")


@pytest.mark.parametrize(
    ("before", "edit", "expected"),
    [
        ("title: x\n", RESOLVED, 'resolution:\n  text: "Failed over."\n  public: "It works: again."\n'),
        ("title: x\n", Edit(public_resolution="Works."), 'resolution:\n  public: "Works."\n'),
        (
            "title: x\nresolution: done\n",
            Edit(public_resolution="Works."),
            'resolution:\n  text: done\n  public: "Works."\n',
        ),
        ("title: x\nresolution: done\n", Edit(resolution="New."), 'resolution: "New."\n'),
        (
            "title: x\nresolution: {text: done, public: Works.}  # by Dee\n",
            Edit(resolution="New."),
            'resolution: {text: "New.", public: Works.} # by Dee\n',
        ),
        (
            "title: x\nresolution:\n  text: done  # by Bo\n",
            Edit(public_resolution="Works."),
            'resolution:\n  text: done # by Bo\n  public: "Works."\n',
        ),
        ("title: x\nresolution: {text: done, public: Works.}\n", Edit(resolution=""), "resolution: ''\n"),
    ],
)
def test_the_end_may_have_a_word_for_outsiders(before: str, edit: Edit, expected: str) -> None:
    """A bare text stays a text; the word for outsiders comes beside it, and neither takes the other away. An empty
    text ends both, as when it is reopened.
    """
    found = after(before, edit)
    assert words(found.split("\n", 1)[1]) == words(expected if edit.status is None else "status: resolved\n" + expected)
    read = read_incident(found.encode(), "x.yaml", POLICY, None, "x.yaml").incident
    assert read is not None
    assert (edit.resolution is None) or read.resolution == edit.resolution
    assert (edit.public_resolution is None) or read.public_resolution == edit.public_resolution


def test_the_file_s_own_indentation_is_kept() -> None:
    """What is added stands as deep as what is there; mappings and lists each their own way."""
    text = "title: x\nroles:\n    technical_lead: ana\nacknowledged:\n    - ana\n"
    edit = Edit(role=("scribe", "chen"), acknowledgment=Acknowledgment("bo"))
    assert after(text, edit) == (
        "title: x\nroles:\n    technical_lead: ana\n    scribe: chen\nacknowledged:\n    - ana\n    - {by: bo}\n"
    )


def test_a_byte_order_mark_goes() -> None:
    """UTF-8 needs none, and in the middle of a file it would spoil the first key."""
    assert after("\ufefftitle: x\n", Edit(severity="sev2")) == "title: x\nseverity: sev2\n"


def test_an_instant_is_written_in_utc_as_people_write_it() -> None:
    """With Z, and no more digits than it has."""
    assert after("title: x\n", Edit(eta=AT)) == "title: x\neta: 2026-11-23T10:04:00Z\n"


def test_services_are_added_to_those_that_are_there() -> None:
    """Every one, in its order; a single value becomes the first of the list."""
    assert after("services: a\n", Edit(services=("b", "c"))) == "services:\n  - a\n  - b\n  - c\n"
    assert after("services: [a]\n", Edit(services=("b", "c"))) == "services: [a, b, c]\n"


def test_a_summary_is_replaced_by_words_that_mean_nothing_to_yaml() -> None:
    """Several lines become a block, one line is quoted."""
    assert after("summary: old\n", Edit(summary="a: b\n# c")) == "summary: |\n  a: b\n  # c\n"
    assert after("summary: old\n", Edit(summary="a: [b")) == 'summary: "a: [b"\n'


def test_a_comment_on_the_last_entry_stays_with_it() -> None:
    """And what follows below stays below the new entry."""
    text = "acknowledged:\n- ana  # by phone\n# notes\nsummary: x\n"
    assert words(after(text)) == words(text.replace("# notes", "- {by: bo, at: 2026-11-23T10:04:00Z}\n# notes"))


def test_a_file_written_anew_says_only_what_there_is() -> None:
    """A bare acknowledgment is a name, and a real incident is no drill."""
    incident = Incident("x", "T", "sev1", acknowledged=(Acknowledgment("ana"), Acknowledgment("bo", AT)))
    assert write_incident(incident).decode() == (
        'title: "T"\nseverity: sev1\nstatus: investigating\n'
        "acknowledged:\n  - ana\n  - {by: bo, at: 2026-11-23T10:04:00Z}\n"
    )


def test_every_edit_reads_back() -> None:
    """What was written is what the daemon reads."""
    found = read_incident(
        after("title: x\nseverity: sev1\nupdates: [a]\n", WHOLE).encode(), "x.yaml", POLICY, None, "x.yaml"
    )
    assert found.problems == ()
    incident = found.incident
    assert incident is not None
    assert incident.acknowledged == (Acknowledgment("bo", AT),)
    assert incident.updates == (UpdateEntry("a"), WHOLE.entry)
    assert (incident.roles, incident.status, incident.eta) == ((("scribe", "chen"),), Status.RESOLVED, AT)
    assert incident.resolution == "Done: yes\nmore"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"- a\n",
        b"plain words",
        b"title: 'half",
        b"title: x\ntitle: y\n",
        b"title: \xff\n",
        "title: x".encode("utf-16"),
        b"a: " + b"[" * 5000 + b"]" * 5000,
        b"a: *nowhere\n",
        b"---\na: b\n---\nc: d\n",
    ],
)
def test_what_cannot_be_edited_safely_is_left(data: bytes) -> None:
    """Whatever the round trip would spoil or cannot read gives None, never an exception."""
    assert edit_incident(data, ACK) is None


_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), max_size=40).map(
    lambda text: " ".join(text.split())
)
_INCIDENTS = st.builds(
    Incident,
    id=st.just("x"),
    title=_TEXT.filter(bool),
    severity=st.sampled_from(["sev1", "Minor"]),
    status=st.sampled_from(Status),
    summary=st.lists(_TEXT.filter(bool), max_size=3).map("\n".join),
    impact=_TEXT,
    services=st.sampled_from([(), ("checkout",), ("search", "checkout")]),
    roles=st.sampled_from([(), (("scribe", "ana"),)]),
    acknowledged=st.sampled_from([(), (Acknowledgment("ana"), Acknowledgment("bo", AT))]),
    eta=st.sampled_from([None, AT]),
    declared_by=_TEXT,
    updates=st.lists(st.builds(UpdateEntry, _TEXT.filter(bool), _TEXT, st.just(AT), _TEXT), max_size=2).map(tuple),
    timeline=st.lists(st.builds(TimelineNote, _TEXT.filter(bool), st.none(), _TEXT), max_size=2).map(tuple),
    resolution=_TEXT,
    review=st.sampled_from(["", "done", "https://example.com/r"]),
    drill=st.booleans(),
)


@settings(max_examples=some(60), deadline=None)
@given(_INCIDENTS)
def test_a_version_written_anew_reads_the_same(incident: Incident) -> None:
    """Whatever the texts hold, the file that is written says just that version; and it can be edited again."""
    data = write_incident(incident)
    found = read_incident(data, "x.yaml", POLICY, None, "x.yaml")
    assert (found.incident, found.problems) == (incident, ())
    assert edit_incident(data, WHOLE) is not None


def test_an_edit_that_would_not_be_read_is_not_made() -> None:
    """A key that only looks like another (two files joined leave a byte-order mark between them) is read as that other:
    what is added below it would say nothing, so the file is left alone.
    """
    text = "title: x\n\ufeffroles: {technical_lead: ana}\n\ufeffacknowledged: [ana]\n"
    assert edit_incident(text.encode(), Edit(role=("scribe", "dee"))) is None
    assert edit_incident(text.encode(), ACK) is None
    assert edit_incident(text.encode(), Edit(status=Status.MONITORING)) is not None


def test_an_edit_brings_nothing_else() -> None:
    """What was not read before is not read afterwards either: else an edit of the severity could change the title."""
    text = "severity: &s sev1\ntitle: *s\nsummary: *s\nroles: &r {technical_lead: ana}\n<<: *r\n"
    assert edit_incident(text.encode(), Edit(severity="sev2")) is None


@pytest.mark.filterwarnings("error")
def test_an_anchor_may_be_given_twice() -> None:
    """Nobody is told of the writer's own opinion of that."""
    assert after("title: &a x\nimpact: &a y\nsummary: *a\n").startswith("title: &a x\nimpact: &a y\nsummary: *a\n")


def test_a_file_that_is_rewritten_as_another_version_keeps_its_comments() -> None:
    """P9: what another machine changed is done to the newest text, whose comments and layout stay."""
    text = """# the night shift
title: Card payments fail  # as customers say it
# why it is so bad
severity: sev1
updates:
  # the first word
  - {at: 2026-11-23T10:20:00Z, by: chen, text: "one"}
  - {at: 2026-11-23T10:21:00Z, by: chen, text: "two"}

# who does what
roles: {technical_lead: bo}
# the end
"""
    before = read_incident(text.encode(), "pay.yaml", small_policy(), None, "pay.yaml").incident
    assert before is not None
    entry = UpdateEntry("three", at=datetime(2026, 11, 23, 11, tzinfo=UTC), by="ana")
    after = replace(before, status=Status.RESOLVED, updates=(before.updates[0], entry), impact="Nobody can pay.")
    written = rewrite_incident(text.encode(), before, after)
    assert (
        written
        == b"""# the night shift
title: Card payments fail  # as customers say it
# why it is so bad
severity: sev1
updates:
  # the first word
  - {at: 2026-11-23T10:20:00Z, by: chen, text: "one"}
  - {at: 2026-11-23T11:00:00Z, by: "ana", text: "three"}

# who does what
roles: {technical_lead: bo}
status: resolved
impact: "Nobody can pay."
# the end
"""
    )


def test_what_an_edit_does_not_touch_stays_letter_by_letter() -> None:
    """Section 7, "comments kept": odd layout, quotes, blanks, and comments inside brackets, which the writer would lose."""
    text = """title:   'Card payments fail'
severity: sev1\t# agreed with Bo
services: [   # only EU so far
  checkout,   api ]
roles: {incident_commander: bo,   # Ana is on a plane until 18:00
    scribe: eli}
summary: >
   folded,
   text\there
"""
    added = after(text, Edit(status=Status.IDENTIFIED))
    assert added == text + "status: identified\n"
    assert after(text, Edit(severity="sev2")) == text.replace("sev1\t#", "sev2 #")


@pytest.mark.parametrize(
    "text",
    ["? title\n: x\n", "{title: x, severity: sev1}\n", " title: x\n severity: sev1\n", "title: x\rseverity: sev1\n"],
)
def test_a_file_that_cannot_be_cut_by_its_keys_is_edited_as_a_whole(text: str) -> None:
    """Keys that share a line, are indented, or are written out."""
    edited = edit_incident(text.encode(), Edit(status=Status.MONITORING))
    assert edited is not None
    before, now = read_yaml(text.encode(), "").value, read_yaml(edited, "").value
    assert isinstance(before, dict)
    assert now == {**before, "status": "monitoring"}


def test_what_is_no_file_of_ours_is_not_rewritten() -> None:
    """P9: then it is written anew from the version."""
    known = Incident("pay", "Card payments fail", "sev1")
    assert rewrite_incident(b"- a list\n", known, replace(known, impact="x")) is None
