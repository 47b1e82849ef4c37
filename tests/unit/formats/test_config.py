"""The config folder read as a policy: every field arrives with its place, and half a file is not judged."""

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain.people import Channel, FirstUpdate, ReachEntry
from tocsin.domain.policy import Span, Who
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.config.read import ConfigReading, Sources, read_config
from tocsin.text.decoding import FILE_LIMIT

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
BASE = """\
severities:
  sev1:
    title: Critical
    meaning: all is down
    page:
      roles: [lead]
      via: [sms, email]
      acknowledge_within: 5m
      rounds: 3
      hours: office
      still_there_after: 1h
    updates:
      - {to: staff, cron: 0 9 * * mon, timezone: Europe/Berlin}
      - to: customers
        every: [{every: 15m, for: 1h}, {every: 1h}]
    remind_before: 5m
    verify_after: 30m
    review: {within: 5d}
    closing: email
  calm: {review: {within: 5d, remind_every: 2d}}
roles:
  lead: {title: Leader, duties: leads, chain: [duty.on_call, [ana, duty.next]]}
people:
  ana: {name: Ana Souza, email: ana@example.com, phone: +14155550101, timezone: Europe/Berlin, language: de,
        reach: [sms, {via: email, after: 3m}], closing: email}
  bo: {email: bo@example.com}
rotations:
  duty:
    shifts: [{members: [ana, bo], handoff: 0 9 * * mon, timezone: Europe/Berlin, starts: 2026-01-05T09:00,
              during: mon-fri 09:00-17:00}]
    overrides:
      - {person: bo, from: 2026-12-24T00:00Z, to: 2026-12-25T00:00Z, instead_of: ana}
services:
  shop: {title: Shop, roles: {lead: [ana, bo]}, responders: [bo], stakeholders: [staff],
         runbook: https://wiki.example.com/shop, links: {Graphs: http://g/x, Call: "tel:+14155550101"}, bridge: room 1}
stakeholders:
  staff: {people: ana, via: sms}
  customers: {title: Customers, emails: c@example.com, external: true, language: fr, timezone: Europe/Paris,
              first: accepted}
hours:
  office: {timezone: Europe/Berlin, during: mon-fri 09:00-17:00}
"""


def reading(files: dict[str, str], base: str = BASE) -> ConfigReading:
    """The config of these files beside the base."""
    sources = {"a.yaml": base, **files}
    return read_config(Sources({name: text.encode() for name, text in sources.items()}, "config"), AT, lambda _: None)


def codes(files: dict[str, str]) -> list[tuple[str, str]]:
    return [(problem.file, problem.code) for problem in reading(files).problems if str(problem.level) == "error"]


def test_every_field_arrives() -> None:
    """Each setting of each section as its value, with the place it is written at."""
    policy = reading({}).policy
    assert policy is not None
    sev1 = policy.severities["sev1"]
    assert (sev1.title, sev1.meaning, sev1.place) == ("Critical", "all is down", "config/a.yaml:2")
    page = sev1.page
    assert page is not None
    assert (page.roles, page.via) == (("lead",), (Channel.SMS, Channel.EMAIL))
    assert (page.acknowledge_within, page.rounds, page.hours) == (timedelta(minutes=5), 3, "office")
    assert (page.still_there_after, page.place) == (timedelta(hours=1), "config/a.yaml:5")
    first, second = sev1.updates
    assert (first.to, first.cadence.cron, first.cadence.timezone) == (("staff",), "0 9 * * mon", "Europe/Berlin")
    assert second.cadence.spans == (Span(timedelta(minutes=15), timedelta(hours=1)), Span(timedelta(hours=1)))
    assert (first.place, second.place) == ("config/a.yaml:13", "config/a.yaml:14")
    assert (sev1.remind_before, sev1.verify_after) == (timedelta(minutes=5), timedelta(minutes=30))
    review, calm = sev1.review, policy.severities["calm"].review
    assert review is not None
    assert calm is not None
    assert (review.within, review.remind_every, review.place) == (timedelta(5), timedelta(1), "config/a.yaml:18")
    assert calm.remind_every == timedelta(2)
    lead = policy.roles["lead"]
    assert (lead.title, lead.duties, lead.place) == ("Leader", "leads", "config/a.yaml:22")
    assert [[(who.name, who.part) for who in level.whos] for level in lead.chain] == [
        [("duty", "on_call")],
        [("ana", "person"), ("duty", "next")],
    ]
    ana = policy.people["ana"]
    assert (ana.name, ana.email, ana.phone) == ("Ana Souza", "ana@example.com", "+14155550101")
    assert (ana.timezone, ana.language) == ("Europe/Berlin", "de")
    assert ana.reach == (ReachEntry(Channel.SMS, timedelta(0)), ReachEntry(Channel.EMAIL, timedelta(minutes=3)))
    duty = policy.rotations["duty"]
    (shift,), (override,) = duty.shifts, duty.overrides
    assert (shift.members, shift.handoff, shift.timezone) == (("ana", "bo"), "0 9 * * mon", "Europe/Berlin")
    assert (shift.starts, len(shift.during)) == (datetime(2026, 1, 5, 9), 1)
    assert (override.person, override.instead_of) == ("bo", "ana")
    assert override.end - override.start == timedelta(1)
    assert override.place == "config/a.yaml:32"
    shop = policy.services["shop"]
    assert (shop.title, shop.stakeholders) == ("Shop", ("staff",))
    assert [(who.name, who.place) for who in shop.responders] == [("bo", "config/a.yaml:34")]
    assert [(role, len(chain)) for role, chain in shop.roles] == [("lead", 2)]
    staff, customers = policy.stakeholders["staff"], policy.stakeholders["customers"]
    assert (staff.title, staff.people, staff.via, staff.external) == ("staff", ("ana",), (Channel.SMS,), False)
    assert (customers.title, customers.emails) == ("Customers", ("c@example.com",))
    assert (customers.via, customers.external) == ((Channel.EMAIL,), True)
    assert (customers.language, customers.timezone) == ("fr", "Europe/Paris")
    assert (shop.runbook, shop.bridge) == ("https://wiki.example.com/shop", "room 1")
    assert shop.links == (("Graphs", "http://g/x"), ("Call", "tel:+14155550101"))
    assert (customers.first, staff.first) == (FirstUpdate.ACCEPTED, FirstUpdate.AT_ONCE)
    assert (sev1.closing_by_email, policy.severities["calm"].closing_by_email) == (True, False)
    assert (ana.closing_by_email, policy.people["bo"].closing_by_email) == (True, False)
    assert policy.hours["office"].timezone == "Europe/Berlin"


def test_what_is_left_out_has_its_default() -> None:
    """Names stand for titles, email for a group's channel, once for rounds, always for hours."""
    files = {
        "b.yaml": "severities: {s: {page: {roles: lead, via: sms, acknowledge_within: 5m}}}\n"
        "roles: {r: {chain: bo}}\nservices: {x: }\nstakeholders: {g: {people: bo}}\n"
    }
    policy = reading(files).policy
    assert policy is not None
    severity = policy.severities["s"]
    assert severity.page is not None
    assert (severity.title, severity.page.rounds, severity.page.hours) == ("s", 1, "always")
    assert (severity.page.still_there_after, severity.review, severity.updates) == (None, None, ())
    assert (policy.people["bo"].name, policy.people["bo"].timezone, policy.people["bo"].language) == ("bo", "UTC", "en")
    assert policy.roles["r"].chain[0].whos == (Who("bo", place="config/b.yaml:2"),)
    assert (policy.services["x"].title, policy.services["x"].responders) == ("x", ())
    assert (policy.stakeholders["g"].title, policy.stakeholders["g"].via) == ("g", (Channel.EMAIL,))


@pytest.mark.parametrize(
    "text",
    [
        "people:\n  x: {email: x@example.com}\n  y: {emai",
        "people: {y: {phone: '+1",
        "people: {y: {chain",
        "- a\n- [",
        "people: [ana\nroles",
    ],
)
def test_half_a_file_is_one_problem(text: str) -> None:
    """A file that is no YAML from some place on is told there; what stands before may be half a thing."""
    assert codes({"x.yaml": text}) == [("config/x.yaml", "not-yaml")]
    assert reading({"x.yaml": text}).policy is None


def test_references_wait_until_every_file_can_be_read() -> None:
    """What a broken file would have declared is not missing."""
    broken = 'people: {x: {email: x@example.com}, y: "\n'
    assert codes({"b.yaml": broken, "c.yaml": "roles: {r: {chain: y}}\n"}) == [("config/b.yaml", "not-yaml")]
    assert not reading({"b.yaml": broken}).whole
    assert reading({}).whole


def test_a_file_that_is_too_large_is_refused_whole() -> None:
    """Half a config is none, unlike half an incident."""
    found = reading({"b.yaml": "people: {x: {email: x@example.com}}\n" + "# more\n" * (FILE_LIMIT // 7)})
    assert [problem.code for problem in found.problems if problem.file == "config/b.yaml"] == ["file-too-large"]
    assert "x" not in found.people


def test_only_fragments_are_read_as_fragments() -> None:
    """Settings, policy tests and other files are not; folders beside tests are."""
    files = dict.fromkeys(("tocsin.yaml", "tocsin.yml", "tests/a.yaml", "notes.txt", "x.ics"), "nonsense: [")
    assert reading(files).problems == reading({}).problems
    assert codes({"sub/x.yml": "nonsense: {}"}) == [("config/sub/x.yml", "unknown-key")]
    assert codes({"testsuite/x.yaml": "nonsense: {}"}) == [("config/testsuite/x.yaml", "unknown-key")]


def test_severities_are_known_with_whether_they_page_even_when_something_is_wrong() -> None:
    """The settings are checked against them; one whose entry is wrong may page, for all that is known."""
    found = reading({"b.yaml": "severities: {wrong: {page: 5}}\n"})
    assert found.policy is None
    assert found.severities == {"sev1": True, "calm": False, "wrong": True}
    assert found.people == {"ana", "bo"}


def calendar(*events: tuple[str, str, str]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x"]
    for number, (start, end, summary) in enumerate(events):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{number}",
            f"DTSTART:{start}",
            f"DTEND:{end}",
            f"SUMMARY:{summary}",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def test_a_calendar_lies_beside_the_file_that_names_it() -> None:
    """Its events of the last sixty days and the next four hundred are read; who has it now may have begun long ago."""
    running = ("20261001T000000Z", "20261201T000000Z", "ana")
    over, far = ("20260801T000000Z", "20260802T000000Z", "bo"), ("20280101T000000Z", "20280102T000000Z", "bo")
    ended = ("20261010T000000Z", "20261011T000000Z", "bo")
    fragment = "rotations: {cal: {calendar: cal.ics}}\nroles: {r: {chain: [cal.on_call, bo]}}\n"
    found = reading({"sub/b.yaml": fragment, "sub/cal.ics": calendar(over, ended, running, far)})
    assert found.policy is not None
    assert [event.person for event in found.policy.rotations["cal"].events] == ["ana", "bo"]
    assert "calendar-over" not in [problem.code for problem in found.problems]
    past = reading({"sub/b.yaml": fragment, "sub/cal.ics": calendar(ended)})
    assert [(problem.code, problem.line) for problem in past.problems if problem.code == "calendar-over"] == [
        ("calendar-over", 1)
    ]
    (missing,) = reading({"sub/b.yaml": fragment, "cal.ics": calendar(running)}).problems
    assert (missing.file, missing.code) == ("config/sub/b.yaml", "no-such-file")
    assert missing.message.endswith('did you mean "../cal.ics"?')  # as it must be written there


@pytest.mark.parametrize(
    ("override", "refused"),
    [
        ("from: 2026-12-24T00:00Z, to: 2026-12-24T00:00Z", True),
        ("from: 2026-12-24T00:00Z, to: 2026-12-24T00:01Z", False),
    ],
)
def test_an_override_lasts_some_time(override: str, refused: bool) -> None:
    """One that ends when it begins is a slip."""
    text = f"rotations: {{r: {{calendar: x.ics, overrides: [{{person: ana, {override}}}]}}}}\n"
    found = codes({"b.yaml": text, "x.ics": calendar(("20261001T000000Z", "20261201T000000Z", "ana"))})
    assert bool(found) is refused


def test_problems_stand_in_the_order_of_files_and_lines() -> None:
    """Whatever was checked first."""
    files = {"c.yaml": "roles: {r: {chain: zoe}}\nbad: {}\n", "b.yaml": "people: {x: {}}\nroles: {s: {chain: zoe}}\n"}
    assert codes(files) == [
        ("config/b.yaml", "wrong-value"),
        ("config/b.yaml", "unknown-person"),
        ("config/c.yaml", "unknown-person"),
        ("config/c.yaml", "unknown-key"),
    ]


def test_a_wrong_name_inside_an_entry_is_told_at_the_name() -> None:
    """Where it stands, not at what stands behind it."""
    found = reading({"b.yaml": "services: {s: {roles: {a b: [ana]}}}\n"})
    (problem,) = [problem for problem in found.problems if problem.file == "config/b.yaml"]
    assert (problem.code, problem.line, problem.column) == ("wrong-value", 1, 24)
    assert "[key]" not in problem.message


@pytest.mark.parametrize(("rounds", "words"), [("1000", None), ("1001", "at most 1000"), ("0", "at least 1")])
def test_a_number_has_bounds(rounds: str, words: str | None) -> None:
    """Both are good themselves, and the one that was passed is named."""
    page = f"severities: {{s: {{page: {{roles: lead, via: sms, acknowledge_within: 5m, rounds: {rounds}}}}}}}\n"
    messages = [problem.message for problem in reading({"b.yaml": page}).problems if problem.code == "wrong-value"]
    assert len(messages) == (words is not None)
    assert all(str(words) in message for message in messages)


@pytest.mark.parametrize(
    ("key", "entry", "words"),
    [
        ("people", "zed: {email: z@example.com, phne: }", 'unknown key "phne"; did you mean "phone"?'),
        ("people", "zed: {email: z@example.com, reach: [{via: email, affter: }]}", 'unknown key "affter"'),
        ("people", "zed: {email: z@example.com, reach: [{via: email, x:3m}]}", "is a blank missing behind"),
        ("severities", "s: {page: {roles: lead, via: sms, acknowledge_within: 5m, rouds: }}", '"rounds"?'),
        ("rotations", "s: {shifts: [{members: ana, handoff: 0 9 * * *, timezone: UTC, starts: 2026-01-01, x: ~}]}", 'key "x"'),
    ],
)  # fmt: skip
def test_an_unknown_key_without_a_value_is_an_error_too(key: str, entry: str, words: str) -> None:
    """A key without a value counts as absent where it is known; elsewhere it is a slip of the pen. It sets nothing, so
    a daemon goes on with what versions before took.
    """
    found = reading({"b.yaml": f"{key}:\n  {entry}\n"})
    (problem,) = [each for each in found.problems if each.level is ProblemLevel.ERROR]
    assert (problem.file, problem.line, problem.code) == ("config/b.yaml", 2, "unknown-empty-key")
    assert words in problem.message
    assert found.policy is not None


@pytest.mark.parametrize(
    ("via", "column", "words"),
    [
        ("sms, email", 12, '"sms, email" is one text; write [sms, email]'),
        ("fax", 12, "none of sms, email"),
        ("\n        fax", 9, "none of sms, email"),
    ],
)
def test_one_value_in_a_list_s_stead_is_told_where_it_stands(via: str, column: int, words: str) -> None:
    """Not at its key; and a list without brackets is told as one."""
    text = f"severities:\n  s:\n    page:\n      roles: lead\n      acknowledge_within: 5m\n      via: {via}\n"
    (problem,) = [each for each in reading({"b.yaml": text}).problems if each.code == "wrong-value"]
    assert (problem.line, problem.column) == (6 + via.count("\n"), column)
    assert words in problem.message
