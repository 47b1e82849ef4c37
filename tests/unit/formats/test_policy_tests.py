"""Policy tests: what their files say as values, and what is wrong with them, each with its place."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel, StakeholderGroup
from tocsin.domain.problem import Problem, ProblemLevel
from tocsin.formats.policy_test.expectations import Exactly, ExpectedMessage, MessagePattern, Never, NoneAfter, When
from tocsin.formats.policy_test.read import TESTS_LIMIT, PolicyTest, read_policy_tests

from tests.builders.examples import some
from tests.builders.policies import small_policy

GROUPS = {
    "executives": StakeholderGroup("executives", "Executives", people=("chen",)),
    "customers": StakeholderGroup("customers", "Customers", emails=("status@lists.example.com",), external=True),
}
POLICY = small_policy(stakeholders=GROUPS)
FILES = {"incidents/card.yaml": b"title: Cards fail\nseverity: sev2\n", "bad.yaml": b"severity: sev7\n"}
HEAD = "at: 2026-11-23T10:00:00Z\nincident: {title: Cards fail, severity: sev1}\n"
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
M = timedelta(minutes=1)
H = timedelta(hours=1)


def reading(text: str) -> tuple[tuple[PolicyTest, ...], tuple[Problem, ...]]:
    return read_policy_tests(text.encode(), "config/tests/sev1.yaml", POLICY, FILES.get)


def only(text: str) -> PolicyTest:
    tests, problems = reading(text)
    assert problems == ()
    return tests[0]


def expected(entry: str, head: str = HEAD) -> object:
    found = only(f"{head}expect:\n  - {entry}\n").expect
    return found[0] if len(found) == 1 else found


def wanted(**parts: object) -> MessagePattern:
    return MessagePattern(**{"kind": Kind.PAGE, "place": "config/tests/sev1.yaml:4", **parts})  # type: ignore[arg-type]


def test_a_whole_test() -> None:
    """Everything a test says arrives as values; without a name it is called by its file."""
    test = only(HEAD + "for: 2h\nsteps: [{after: 7m, ack: ana}, {after: 1m, pass: bo}]\nexpect: [{page: bo}]\n")
    assert (test.name, test.place) == ("sev1", "config/tests/sev1.yaml:1")
    assert (test.incident, test.file_name) == (b'{"title": "Cards fail", "severity": "sev1"}', "sev1.yaml")
    assert (test.at, test.span) == (datetime(2026, 11, 23, 10, tzinfo=UTC), 2 * H)
    assert [(step.after, step.oks, step.passes) for step in test.steps] == [(M, (), ("bo",)), (7 * M, ("ana",), ())]
    assert test.expect == (ExpectedMessage(wanted(to="bo", place="config/tests/sev1.yaml:5")),)


def test_a_list_of_tests() -> None:
    """A file may hold several; those without a name are numbered, and each has its own place."""
    one = "- at: 2026-11-23T10:00:00Z\n  incident: incidents/card.yaml\n  expect: {page: bo}\n"
    tests, problems = reading(one + one.replace("- at", "- name: The second\n  at"))
    assert problems == ()
    assert [(test.name, test.place) for test in tests] == [
        ("sev1-1", "config/tests/sev1.yaml:1"),
        ("The second", "config/tests/sev1.yaml:4"),
    ]
    assert (tests[0].incident, tests[0].file_name) == (FILES["incidents/card.yaml"], "card.yaml")


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("{after: 5m, page: bo}", ExpectedMessage(wanted(to="bo", when=When(5 * M, 5 * M)))),
        ("{after: 0, page: Bo Berg}", ExpectedMessage(wanted(to="bo", when=When(0 * M, 0 * M)))),
        ("{after: 5m..6m, page: bo}", ExpectedMessage(wanted(to="bo", when=When(5 * M, 6 * M)))),
        ("{after: 5m.., page: bo}", ExpectedMessage(wanted(to="bo", when=When(5 * M)))),
        (
            "{page: bo, as: scribe, via: sms, reason: escalated, level: 0, round: 2}",
            ExpectedMessage(
                wanted(
                    to="bo",
                    roles=("scribe",),
                    via=(Channel.SMS,),
                    reason=Reason.ESCALATED,
                    level=0,
                    round=2,
                )
            ),
        ),
        (
            "{page: bo, as: [scribe, responder], via: [sms, email]}",
            ExpectedMessage(wanted(to="bo", roles=("scribe", "responder"), via=(Channel.SMS, Channel.EMAIL))),
        ),
        ("{page: [ana, bo]}", (ExpectedMessage(wanted(to="ana")), ExpectedMessage(wanted(to="bo")))),
        ("{update: executives}", ExpectedMessage(wanted(kind=Kind.UPDATE, group="executives"))),
        ("{update: executives, to: chen}", ExpectedMessage(wanted(kind=Kind.UPDATE, group="executives", to="chen"))),
        ("{update: chen, group: executives}", ExpectedMessage(wanted(kind=Kind.UPDATE, group="executives", to="chen"))),
        (
            "{update: status@lists.example.com}",
            ExpectedMessage(wanted(kind=Kind.UPDATE, to="status@lists.example.com")),
        ),
        (
            "{closing: Status@lists.example.com}",
            ExpectedMessage(wanted(kind=Kind.CLOSING, to="status@lists.example.com")),
        ),
        *(
            (f"{{{kind}: bo}}", ExpectedMessage(wanted(kind=kind, to="bo")))
            for kind in (Kind.STAND_DOWN, Kind.REMINDER, Kind.VERIFY, Kind.REVIEW)
        ),
        ("{never: page, to: chen}", Never(wanted(to="chen"))),
        ("{never: page, to: [ana, bo]}", (Never(wanted(to="ana")), Never(wanted(to="bo")))),
        ("{never: page}", Never(wanted())),
        ("{never: update, to: customers}", Never(wanted(kind=Kind.UPDATE, group="customers"))),
        ("{never: update, group: customers}", Never(wanted(kind=Kind.UPDATE, group="customers"))),
        ("{never: page, as: scribe, after: 5m..}", Never(wanted(roles=("scribe",), when=When(5 * M)))),
        ("{none_after: 2h}", NoneAfter(2 * H, "config/tests/sev1.yaml:4")),
        ("{exactly: []}", Exactly((), "config/tests/sev1.yaml:4")),
        (
            "{exactly: [{page: [ana, bo]}]}",
            Exactly((wanted(to="ana"), wanted(to="bo")), "config/tests/sev1.yaml:4"),
        ),
    ],
)
def test_expectations(entry: str, value: object) -> None:
    """Each form of an expectation means what it says; a list of readers is one expectation each."""
    assert expected(entry) == value


def test_one_expectation_needs_no_list() -> None:
    """`expect: {exactly: [...]}` is a list of one, also for the places of what is wrong in it."""
    assert only(HEAD + "expect:\n  exactly:\n    - {page: bo}\n").expect == (
        Exactly((wanted(to="bo", place="config/tests/sev1.yaml:5"),), "config/tests/sev1.yaml:4"),
    )
    _, problems = reading(HEAD + "expect:\n  exactly:\n    - {page: bu}\n    - {page: bo, via: pigeon}\n")
    assert [(problem.line, problem.column) for problem in problems] == [(6, 23)]
    _, problems = reading(HEAD + "expect:\n  exactly:\n    - {page: bu}\n")
    assert [(problem.line, problem.column) for problem in problems] == [(5, 14)]


@pytest.mark.parametrize(
    ("expect", "span"),
    [
        ("[{after: 5m, page: bo}, {after: 3m..9m, page: bo}]", 9 * M),
        ("[{after: 5m, page: bo}, {never: page, to: ana, after: 0s..30m}]", 30 * M),
        ("[{page: bo}]", 4 * H),
        ("[{never: page}]", 4 * H),
        ("[{none_after: 2h}]", 4 * H),
        ("[{none_after: 4h}]", 8 * H + timedelta(seconds=1)),
        ("{exactly: [{after: 4h, page: bo}]}", 4 * H),
        ("[{after: 1d, page: bo}]", 24 * H),
        ("[{after: 1d, page: bo}, {never: page, to: ana}]", 28 * H),
        ("[{after: 2h.., page: bo}]", 4 * H),
    ],
)
def test_how_long_a_test_is_played(expect: str, span: timedelta) -> None:
    """Without `for` to the last moment that is named; with an expectation that has no end, 4h or as long beyond it."""
    assert only(f"{HEAD}expect: {expect}\n").span == span


def test_late_steps_are_played() -> None:
    """A step beyond 4h is followed for 4h where an expectation has no end."""
    assert only(f"{HEAD}steps: [{{after: 6h, ack: bo}}]\nexpect: [{{never: page}}]\n").span == 10 * H


WRONG = [
    ("{after: 0s, page: chan}", 21, 'unknown person "chan"; did you mean "chen"?'),
    ("{page: bo, as: scrbe}", 18, 'unknown role "scrbe"; did you mean "scribe"?'),
    ("{page: bo, as: [scribe, leader]}", 27, 'unknown role "leader"; write one of technical_lead, scribe'),
    ("{update: exectives}", 12, 'unknown group, person or address "exectives"; did you mean "executives"?'),
    ("{update: chen, group: custmers}", 25, 'unknown stakeholder group "custmers"; did you mean "customers"?'),
    ("{page: executives}", 10, '"executives" is a group, and a page goes to single readers: chen'),
    ("{closing: customers}", 13, '"customers" is a group, and a closing goes to single readers: status@lists.'),
    ("{never: pages}", 11, '"pages" is no kind of message; write page, stand_down, update, closing, reminder, verify'),
    ("{never: page, to: anna}", 21, 'unknown person "anna"; did you mean "ana"?'),
    ("{page: bo, reason: escalate}", 22, '"escalate" is none of declared, escalated'),
    ("{page: bo, reason: changed}", 22, 'no page is sent for the reason "changed"; write one of declared'),
    ("{update: executives, as: scribe}", 24, "no update names roles; leave `as` out"),
    ("{closing: bo, level: 1}", 17, "no closing has a level; leave `level` out"),
    ("{page: bo, group: executives}", 14, "no page goes to a group; leave `group` out"),
    ("{page: bo, to: ana}", 18, "`to` stands beside never or update; page says who already"),
    ("{page: bo, via: pigeon}", 19, '"pigeon" is none of sms, email'),
    ("{page: bo, after: 6m..5m}", 21, '"6m..5m" ends before it begins; write the earlier moment first'),
    ("{page: bo, after: soon}", 21, '"soon" is no duration'),
    ("{pge: bo}", 4, 'unknown key "pge"; did you mean "page"?'),
    ("{page: bo, update: executives}", 3, "an expectation names page and update; write one entry for each"),
    ("{as: scribe}", 3, "an expectation expects nothing; write such as {after: 5m, page: ana}"),
    ("{none_after: 2h, via: sms}", 20, "`via` cannot stand beside `none_after`"),
    ("{none_after: 3h}", 16, "none_after: nothing is played after 3h (`for`); write a longer `for`"),
    ("{after: 3h1m, page: bo}", 11, "3h1m lies beyond the 3h that are played (`for`); write a longer `for`"),
    ("{exactly: [{after: 4h, page: bo}]}", 13, "4h lies beyond the 3h that are played (`for`)"),
    ("{exactly: [{as: scribe}]}", 14, "an entry of `exactly` names one message; write {after: 5m, page: ana}"),
]


@pytest.mark.parametrize(("entry", "column", "message"), WRONG, ids=[entry for entry, _, _ in WRONG])
def test_what_could_never_match_is_refused(entry: str, column: int, message: str) -> None:
    """One line with file, line and column, and what was perhaps meant; the test is not tried."""
    tests, problems = reading(f"{HEAD}for: 3h\nexpect:\n- {entry}\n")
    assert tests == ()
    assert [(each.file, each.line, each.column) for each in problems] == [("config/tests/sev1.yaml", 5, column)]
    assert message in problems[0].message


FAULTS = [
    ("incident: {title: x, severity: sev9}\nexpect: {page: bo}\n", (2, 32), 'unknown severity "sev9"'),
    ("incident: {title: x, severity: sev1, servces: a}\nexpect: {page: bo}\n", (2, 38), 'unknown key "servces"'),
    ("incident: {severity: sev1, roles: {scribe: bi}}\nexpect: {page: bo}\n", (2, 44), 'unknown person "bi"'),
    ("incident: nowhere.yaml\nexpect: {page: bo}\n", (2, 11), 'there is no file "nowhere.yaml" beside this one'),
    ("incident: [a]\nexpect: {page: bo}\n", (2, 11), "incident is no mapping"),
    ("incident: incidents/card.yaml\nsteps: [{after: 1m, ack: bi}]\nexpect: {page: bo}\n", (3, 26), "unknown person"),
    ("incident: incidents/card.yaml\nsteps: [{ack: bo}]\nexpect: {page: bo}\n", (3, 9), "a step needs `after`"),
    ("incident: incidents/card.yaml\nsteps: [5]\nexpect: {page: bo}\n", (3, 9), "a step needs `after`"),
    (
        "incident: incidents/card.yaml\nsteps: [{after: 1m, set: {severity: sve2}}]\nexpect: {page: bo}\n",
        (3, 37),
        'unknown severity "sve2"; did you mean "sev2"?',
    ),
    ("incident: incidents/card.yaml\nsteps: [{after: 1m, update: [x]}]\nexpect: {page: bo}\n", (3, 9), "text"),
    ("expect: {page: bo}\n", (1, 1), "incident is missing"),
    ("incident: incidents/card.yaml\nexpect: []\n", (3, 9), "expect must name at least one"),
]


@pytest.mark.parametrize(("text", "place", "message"), FAULTS, ids=[message for *_, message in FAULTS])
def test_faults_of_the_rest_have_their_places(text: str, place: tuple[int, int], message: str) -> None:
    """The incident's own faults and those of the steps are told at their places in the test file."""
    tests, problems = reading("at: 2026-11-23T10:00:00Z\n" + text)
    assert (tests, {(each.line, each.column) for each in problems}) == ((), {place})
    assert message in problems[0].message


@pytest.mark.parametrize("entry", ["{none_after: 179m59s}", "{after: 3h, page: bo}", "{after: 5m..5m, page: bo}"])
def test_what_can_just_be_seen_is_tried(entry: str) -> None:
    """The last moment that is played belongs to it, and a window may be a moment."""
    assert len(only(f"{HEAD}for: 3h\nexpect:\n- {entry}\n").expect) == 1


def test_a_test_s_incident_needs_no_title_but_nothing_may_be_dropped_from_it() -> None:
    """What is only a warning for the daemon makes another incident than is written: the test is not tried."""
    head = "at: 2026-11-23T10:00:00Z\n"
    assert only(head + "incident: {severity: sev1}\nexpect: {page: bo}\n").incident == b'{"severity": "sev1"}'
    tests, (problem,) = reading(head + "incident: {severity: sev1, foo: x}\nexpect: {page: bo}\n")
    assert (tests, problem.level) == ((), ProblemLevel.ERROR)


def test_what_is_wrong_for_each_of_several_readers_is_told_once() -> None:
    """One entry, one line."""
    _, problems = reading(f"{HEAD}expect:\n- {{page: [ana, bo], as: scrbe}}\n")
    assert len(problems) == 1


@pytest.mark.parametrize(("count", "codes"), [(TESTS_LIMIT, []), (TESTS_LIMIT + 1, ["too-many-tests"])])
def test_a_file_holds_a_bounded_number_of_tests(count: int, codes: list[str]) -> None:
    """Those within the bound are tried; the first beyond it is told at its line."""
    one = "- {at: 2026-11-23T10:00:00Z, incident: incidents/card.yaml, expect: {page: bo}}\n"
    tests, problems = reading(one * count)
    assert len(tests) == TESTS_LIMIT
    assert [problem.code for problem in problems] == codes
    assert all(problem.line == TESTS_LIMIT + 1 for problem in problems)


@pytest.mark.parametrize(
    ("when", "inside", "outside", "words"),
    [
        (When(5 * M, 5 * M), [5 * M], [(4 * M, M), (7 * M, 2 * M)], "5m"),
        (When(5 * M, 6 * M), [5 * M, 6 * M], [(4 * M, M), (9 * M, 3 * M)], "5m..6m"),
        (When(5 * M), [5 * M, 9 * H], [(3 * M, 2 * M)], "5m.."),
        (When(), [0 * M, 9 * H], [], "any time"),
    ],
)
def test_a_moment_or_a_window(
    when: When, inside: list[timedelta], outside: list[tuple[timedelta, timedelta]], words: str
) -> None:
    """Both ends belong to it; outside, the distance to the nearer end is known."""
    assert all(when.holds(after) and when.away(after) == timedelta(0) for after in inside)
    assert [(when.holds(after), when.away(after)) for after, _ in outside] == [(False, away) for _, away in outside]
    assert str(when) == words


PAGE = Notification(
    "key", "card", 1, Kind.PAGE, Reason.ESCALATED, AT, "bo", Channel.SMS, ("scribe", "technical_lead"), level=1, round=1
)


@pytest.mark.parametrize(
    ("parts", "suits"),
    [
        ({}, True),
        ({"to": "bo", "roles": ("scribe",), "reason": Reason.ESCALATED, "level": 1, "round": 1}, True),
        ({"kind": Kind.UPDATE}, False),
        ({"to": "ana"}, False),
        ({"roles": ("scribe", "responder")}, False),
        ({"reason": Reason.DECLARED}, False),
        ({"level": 0}, False),
        ({"round": 2}, False),
        ({"group": "customers"}, False),
    ],
)
def test_a_message_suits_an_expectation_that_names_nothing_else(parts: dict[str, object], suits: bool) -> None:
    """What is left out may be anything; of the roles each that is named must be there, and more may be."""
    assert wanted(**parts).suits(PAGE) is suits


def test_an_expectation_in_words() -> None:
    """As failures show it: the group before its reader, and only what is named."""
    assert str(
        wanted(to="bo", roles=("scribe",), via=(Channel.SMS, Channel.EMAIL), reason=Reason.ESCALATED, level=0)
    ) == ("page bo as scribe by sms, email (escalated, level 0)")
    assert str(wanted(kind=Kind.UPDATE, group="customers", to="ana", round=2)) == "update customers (ana) (round 2)"
    assert str(wanted()) == "page anybody"


def test_faults_of_an_incident_file_are_told_there() -> None:
    """What is wrong in the file that a test names has that file's place."""
    _, problems = reading("at: 2026-11-23T10:00:00Z\nincident: bad.yaml\nexpect: {page: bo}\n")
    assert [(each.file, each.line, each.column) for each in problems] == [("config/tests/bad.yaml", 1, 11)]


def test_a_wrong_test_leaves_the_others() -> None:
    """Whatever is wrong with one test of a file, the rest are tried."""
    good = "- {at: 2026-11-23T10:00:00Z, incident: incidents/card.yaml, expect: {page: bo}}\n"
    tests, problems = reading(good + "- {at: yesterday, incident: 5, expect: {}}\n- 5\n" + good)
    assert [test.place.rpartition(":")[2] for test in tests] == ["1", "4"]
    assert [each.line for each in problems] == [2, 3]


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]"])
def test_an_empty_file_is_told(text: str) -> None:
    """A file without a test is a problem, not a success."""
    tests, problems = reading(text)
    assert tests == ()
    assert "the file holds no test" in problems[0].message


WORDS = st.sampled_from(
    ["", "0", "5m", "5m..", "..", "ana", "sev1", "page", "sms", "executives", "2026-11-23T10:00Z", "\ud800"]
)
KEYS = st.sampled_from(
    [
        "name",
        "at",
        "incident",
        "for",
        "steps",
        "expect",
        "after",
        "page",
        "never",
        "to",
        "exactly",
        "as",
        "set",
        "update",
        "none_after",
        "ack",
        "via",
        "level",
        "title",
    ]
)
ANYTHING = st.recursive(WORDS | st.none(), lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=12)


@settings(max_examples=some(150), deadline=None)
@given(ANYTHING, ANYTHING, ANYTHING, st.booleans())
def test_nothing_makes_the_reader_stumble(incident: object, steps: object, expect: object, listed: bool) -> None:
    """Whatever stands where, there are tests or problems, never an exception."""
    test = {
        "at": "2026-11-23T10:00:00Z",
        "incident": incident,
        "steps": steps,
        "expect": [expect] if listed else expect,
    }
    tests, problems = reading(json.dumps(test))
    assert tests or problems
