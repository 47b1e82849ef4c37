"""Trials of policy tests: an expectation holds when the plan does it, fails when it does not, and says what comes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.app.policy_tests import run as trials
from tocsin.app.policy_tests.judge import DiffMark, Failure
from tocsin.app.policy_tests.matching import assign
from tocsin.domain.notification import Kind, Notification, Reason
from tocsin.domain.people import Channel, FirstUpdate
from tocsin.domain.policy import Cadence, Policy, Span
from tocsin.domain.rotation import Rotation
from tocsin.formats.policy_test.expectations import MessagePattern, When
from tocsin.formats.policy_test.read import read_policy_tests

from tests.builders.examples import some
from tests.builders.instants import T0
from tests.builders.policies import SHIPPED_CONFIG, shipped_policy, small_policy

SHIPPED = shipped_policy()
CUSTOMERS = SHIPPED.stakeholders["customers"]
PLAIN = replace(
    SHIPPED,
    stakeholders={**SHIPPED.stakeholders, "customers": replace(CUSTOMERS, first=FirstUpdate.AT_ONCE)},
    severities={
        **SHIPPED.severities,
        "sev1": replace(
            SHIPPED.severities["sev1"],
            updates=tuple(
                replace(stream, cadence=Cadence((Span(timedelta(minutes=30)),)))
                for stream in SHIPPED.severities["sev1"].updates
            ),
        ),
    },
)
"""The shipped config, but everybody is told at once and each half hour: tests of tests need no more."""

HEAD = """
at: 2026-11-23T10:00:00Z
incident: {title: Card payments fail, severity: sev1}
steps:
  - {after: 2m, ack: [bo, dee, eli]}
  - {after: 7m, ack: chen}
  - {after: 40m, update: Database failover under way.}
  - {after: 1h, set: {status: resolved}}
"""


def tried(expect: str, head: str = HEAD, policy: Policy | None = None) -> tuple[Failure, ...]:
    policy = policy or PLAIN
    tests, problems = read_policy_tests(f"{head}expect:\n  {expect}\n".encode(), "t.yaml", policy, lambda _: None)
    assert problems == ()
    return trials.run_policy_test(tests[0], policy).failures


HOLDS_AND_FAILS = [
    ("{after: 0s, page: fay}", "{after: 1s, page: fay}"),
    ("{after: 0s, page: fay}", "{after: 0s, page: chen}"),
    ("{after: 4m..6m, page: chen}", "{after: 4m..4m59s, page: chen}"),
    ("{after: 5m..6m, page: chen}", "{after: 5m1s..6m, page: chen}"),
    ("{after: 4m.., page: chen}", "{after: 6m.., page: chen}"),
    ("{page: chen}", "{page: ana}"),
    ("{page: fay, as: technical_lead}", "{page: fay, as: scribe}"),
    ("{page: fay, as: [technical_lead]}", "{page: fay, as: [technical_lead, scribe]}"),
    ("{page: fay, via: sms}", "{after: 0s, page: bo, via: email}"),
    ("{after: 0s, page: fay, via: [sms, email]}", "{after: 0s, page: bo, via: [sms, email]}"),
    ("{after: 5m, page: chen, reason: escalated}", "{after: 5m, page: chen, reason: declared}"),
    ("{page: chen, level: 1}", "{page: chen, level: 0}"),
    ("{page: fay, level: 0}", "{page: fay, level: 1}"),
    ("{page: chen, round: 1}", "{page: chen, round: 2}"),
    ("{after: 7m, stand_down: fay}", "{after: 7m, stand_down: chen}"),
    ("{stand_down: fay, reason: accepted}", "{stand_down: fay, reason: handover}"),
    ("{after: 30m, update: customers}", "{after: 30m, update: chen}"),
    ("{update: executives, to: gus}", "{update: executives, to: ana}"),
    ("{update: gus, group: executives}", "{update: gus, group: support}"),
    ("{update: executives, reason: changed}", "{update: customers, reason: changed}"),
    ("{update: support@example.com, via: email}", "{update: support@example.com, via: sms}"),
    ("{after: 1h, closing: fay, via: [sms, email]}", "{after: 59m, closing: fay}"),
    ("{closing: status@lists.example.com}", "{closing: ana}"),
    ("{after: 25m, reminder: dee}", "{after: 25m, reminder: eli}"),
    ("{after: 90m, verify: chen}", "{after: 90m, verify: fay}"),
    ("{after: 1h, review: [eli, bo]}", "{after: 1h, review: [eli, fay]}"),
    ("{never: page, to: ana}", "{never: page, to: chen}"),
    ("{never: page, to: ana}", "{never: page}"),
    ("{never: verify, after: 0s..89m}", "{never: verify, after: 0s..90m}"),
    ("{never: page, to: fay, after: 1s..}", "{never: page, to: fay, after: 0s..}"),
    ("{never: page, to: chen, as: scribe}", "{never: page, to: chen, as: technical_lead}"),
    ("{never: page, to: bo, via: email, after: 0s..2m}", "{never: page, to: bo, via: [email, sms], after: 0s..2m}"),
    ("{never: update, via: sms}", "{never: update, via: email}"),
    ("{never: page, reason: repeated}", "{never: page, reason: escalated}"),
    ("{never: update, to: customers, reason: changed}", "{never: update, to: executives, reason: changed}"),
    ("{none_after: 2h30m}", "{none_after: 2h29m}"),
]


@pytest.mark.parametrize(("holds", "fails"), HOLDS_AND_FAILS, ids=[fails for _, fails in HOLDS_AND_FAILS])
def test_every_part_of_an_expectation_counts(holds: str, fails: str) -> None:
    """An expectation that is true holds; its twin, wrong in one part, fails at its own line."""
    assert tried(f"- {holds}") == ()
    found = tried(f"- {fails}")
    assert found
    assert {failure.place for failure in found} == {"t.yaml:10"}


WHOLE = """
at: 2026-11-23T10:00:00Z
incident: {title: Search is slow, severity: sev2}
for: 9m
"""
LIST = [
    "{after: 0s, page: bo, via: sms}",
    "{after: 0s, page: fay, via: [sms, email]}",
    "{after: 0s, page: dee}",
    "{after: 0s, update: [executives, support, customers]}",
    "{after: 1m..4m, page: bo, via: email, reason: reach}",
]


def exactly(entries: list[str]) -> tuple[Failure, ...]:
    return tried(f"exactly: [{', '.join(entries)}]", WHOLE)


def test_the_whole_list_holds_in_any_order() -> None:
    """`exactly` holds when each entry has its messages and no message is left; with no entries, when nothing is sent."""
    assert exactly(LIST) == ()
    assert exactly(LIST[::-1]) == ()
    assert tried("exactly: []", WHOLE.replace("title:", "status: resolved, title:")) == ()


def test_each_readers_closing_message_needs_its_own_entry() -> None:
    """The end goes to everybody at one instant, but an entry stands for one reader's message only."""
    head = WHOLE.replace("for: 9m", "for: 2m\nsteps:\n  - {after: 1m, set: {status: resolved}}")
    (found,) = tried(f"exactly: [{', '.join([*LIST[:4], '{closing: bo}'])}]", head)
    assert found.hint.startswith("8 messages not expected; dee gets the closing message at 1m")
    assert {"closing dee by sms, email", "closing fay by sms, email"} <= {line.what for line in found.lines}


@pytest.mark.parametrize("left_out", range(len(LIST)))
def test_a_message_too_many_fails(left_out: int) -> None:
    """Without one of its entries the list fails, and what has no entry is shown with a plus."""
    (found,) = exactly(LIST[:left_out] + LIST[left_out + 1 :])
    assert "not expected" in found.hint
    assert "without a message" not in found.hint
    assert {line.mark for line in found.lines} >= {DiffMark.PLANNED}
    assert DiffMark.EXPECTED not in {line.mark for line in found.lines}


@pytest.mark.parametrize(
    "entry",
    [
        "{after: 0s, page: ana}",
        "{after: 3m, page: bo, via: [sms]}",
        "{after: 0s, page: fay, via: sms}",
        "{after: 0s, page: dee}",
        "{after: 1m, update: support}",
    ],
)
def test_an_entry_without_a_message_fails(entry: str) -> None:
    """An entry too many fails, also one whose message another entry has already; it is shown with a minus."""
    (found,) = exactly([*LIST, entry])
    assert "1 entry without a message" in found.hint
    assert "not expected" not in found.hint
    assert [line.mark for line in found.lines].count(DiffMark.EXPECTED) == 1


def test_one_channel_stands_for_one_message() -> None:
    """With `via` an entry stands for a message by each of its channels, and leaves the other channels' over."""
    (found,) = exactly([entry.replace("[sms, email]", "sms") for entry in LIST])
    assert found.hint.startswith("1 message not expected; fay is paged at 0s")


def test_hints_say_what_comes_instead() -> None:
    """The sentence of a failure names the nearest thing that the plan does, and the rule behind it."""
    ladder = "acknowledge_within 5m at config/severities.yaml:"
    hints = {
        "{after: 4m, page: chen, as: technical_lead}": f"chen is paged at 5m, not at 4m: level 1 of technical_lead, {ladder}",
        "{after: 5m, page: fay, as: technical_lead}": "fay is paged at 0s, not at 5m; then it is chen: level 0 of",
        "{after: 5m, page: chen, as: scribe}": "chen is paged at 5m; as technical_lead, not as scribe: level 1 of",
        "{after: 0s, page: bo, via: [sms, email]}": "bo is paged at 0s; by sms, not by email: level 0 of",
        "{page: chen, level: 0}": "chen is paged at 5m; with level 1, not 0: level 1 of technical_lead",
        "{page: ana}": "ana is not paged in the 4h played; at 0s it is bo: level 0 of incident_commander (config/roles",
        "{after: 31m, update: support}": "support hear an update at 30m, not at 31m: due, every 30m (config/severities.yaml:",
        "{after: 1h..80m, verify: chen}": "chen is asked to verify at 1h30m, not in 1h..1h20m: verify due, verify_after 30m (",
        "{after: 0s, update: executives, reason: due}": "executives hear an update at 30m, not at 0s; at 0s with reason "
        "declared, not due: due, every 30m",
        "{never: page, to: chen}": "chen is paged at 5m: level 1 of technical_lead",
        "{none_after: 2h}": "chen is asked to verify at 2h30m: verify due, verify_after 30m (config/severities.yaml:",
        "{never: update, to: customers}": "customers hear an update at 0s, and 1 more time until 30m: declared (config/sev",
    }
    for entry, hint in hints.items():
        (found,) = tried(f"- {entry}")
        assert found.hint.startswith(hint), found.hint


def test_what_nobody_gets_is_said_in_the_words_of_its_kind() -> None:
    """Where nobody gets a message of the kind, the sentence says so."""
    (found,) = tried("- {closing: bo}", "at: 2026-11-23T10:00:00Z\nincident: {title: x, severity: sev1}\n")
    assert found.hint == "bo gets no closing message in the 4h played, nor does anybody else"


def test_a_failure_shows_the_plan_around_it() -> None:
    """What was expected stands in time order among what comes, the nearest marked, each with its reason and rule."""
    (found,) = tried("- {after: 4m, page: chen, as: technical_lead}")
    marked = {line.mark: line for line in found.lines}
    assert [line.when for line in found.lines] == ["0s", "0s", "0s", "0s", "4m", "5m", "7m"]
    assert (marked[DiffMark.EXPECTED].when, marked[DiffMark.EXPECTED].what) == ("4m", "page chen as technical_lead")
    assert marked[DiffMark.EXPECTED].place == "t.yaml:10"
    planned = marked[DiffMark.PLANNED]
    assert (planned.when, planned.what) == ("5m", "page chen as technical_lead by sms, email")
    assert planned.why == "escalated, level 1, round 1"
    assert planned.place.startswith("config/roles.yaml:")


def test_a_changed_severity_is_not_given_as_a_reason() -> None:
    """Where the severity changes on the way, no setting is named that may have been another's."""
    head = HEAD + "  - {after: 70m, set: {severity: sev2}}\n"
    (found,) = tried("- {after: 4m, page: chen}", head)
    assert found.hint.startswith("chen is paged at 5m, not at 4m: level 1 of technical_lead (config/roles.yaml:")


def message(at: int, to: str, via: str, group: str | None = None) -> tuple[timedelta, Notification]:
    key = f"{at}-{to}-{via}"
    kind = Kind.UPDATE if group else Kind.PAGE
    after = timedelta(minutes=at)
    return after, Notification(key, "i", 1, kind, Reason.DECLARED, T0 + after, to, Channel(via), group=group)


minutes = st.integers(0, 3)
messages = st.lists(
    st.tuples(minutes, st.sampled_from(["ana", "bo"]), st.sampled_from(["sms", "email"])), unique=True, max_size=8
)


@settings(max_examples=some(150), deadline=None)
@given(messages, st.data())
def test_a_list_written_from_the_plan_holds(sent: list[tuple[int, str, str]], data: st.DataObject) -> None:
    """However messages are written down, exact or in a window around them, none is missing and none is left."""
    wanted = []
    for at, to, via in sent:
        early, late = data.draw(st.integers(0, at)), data.draw(st.integers(at, 5))
        window = When(timedelta(minutes=early), timedelta(minutes=late))
        wanted.append(MessagePattern(Kind.PAGE, to, via=(Channel(via),), when=window))
    assert assign(wanted, [message(*each) for each in sorted(sent)]) == ([], [])


@settings(max_examples=some(50), deadline=None)
@given(messages.filter(bool))
def test_entries_without_channels_take_a_whole_instant(sent: list[tuple[int, str, str]]) -> None:
    """One entry for each reader and instant covers all their messages; one fewer leaves some."""
    instants = sorted({(at, to) for at, to, _ in sent})
    wanted = [MessagePattern(Kind.PAGE, to, when=When(timedelta(0), timedelta(minutes=at))) for at, to in instants]
    assert assign(wanted, [message(*each) for each in sorted(sent)]) == ([], [])
    missing, extra = assign(wanted[1:], [message(*each) for each in sorted(sent)])
    assert (missing, bool(extra)) == ([], True)


def test_entries_with_channels_choose_first() -> None:
    """What an entry with a channel stands for is not taken by one without, whichever is written first."""
    sent = [message(0, "bo", "sms"), message(0, "bo", "email")]
    wanted = [MessagePattern(Kind.PAGE, "bo"), MessagePattern(Kind.PAGE, "bo", via=(Channel.SMS,))]
    assert assign(wanted, sent) == ([], [])


def test_a_group_is_one() -> None:
    """An entry for a group takes the messages of all its readers at that instant."""
    told = [message(0, "ana", "email", "all"), message(0, "bo", "email", "all"), message(1, "bo", "sms", "all")]
    missing, extra = assign([MessagePattern(Kind.UPDATE, group="all", via=(Channel.EMAIL,))], told)
    assert (missing, [each.key for each in extra]) == ([], ["1-bo-sms"])


def test_files_right_in_a_folder_are_tests(tmp_path: Path) -> None:
    """Hidden files, other files and those deeper (incident files that tests name) are left alone."""
    for name in ("b.yml", "a.yaml", ".c.yaml", "notes.md", "incidents/card.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("severity: sev1\n")
    assert [path.name for path in trials.policy_test_files([tmp_path, tmp_path / "a.yaml"])] == ["a.yaml", "b.yml"]


def test_an_incident_file_beside_the_test(tmp_path: Path) -> None:
    """A test may name its incident's file by the path from its own; an unreadable test file is a problem."""
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents" / "card.yaml").write_text("title: x\nseverity: sev1\n")
    test = "at: 2026-11-23T10:00:00Z\nincident: incidents/card.yaml\nexpect: {after: 0s, page: fay}\n"
    (tmp_path / "a.yaml").write_text(test)
    tests, problems = trials.read_test_files([tmp_path / "a.yaml", tmp_path / "incidents"], shipped_policy())
    assert [trials.run_policy_test(each, shipped_policy()).failures for each in tests] == [()]
    assert [problem.code for problem in problems] == ["unreadable-file"]


def test_the_shipped_tests_hold() -> None:
    """The config that comes with the daemon does what its own policy tests say."""
    tests, problems = trials.read_test_files(trials.policy_test_files([SHIPPED_CONFIG / "tests"]), shipped_policy())
    assert problems == []
    assert len(tests) > 20
    assert [failure for test in tests for failure in trials.run_policy_test(test, shipped_policy()).failures] == []


def test_a_message_at_the_very_end_is_shown_once() -> None:
    """A test is played on to say what comes later; what lies on the border is no news then."""
    (found,) = tried(
        "- {after: 4m, page: chen}", "at: 2026-11-23T10:00:00Z\nincident: {title: x, severity: sev1}\nfor: 5m\n"
    )
    shown = [(line.when, line.what) for line in found.lines if line.mark is not DiffMark.EXPECTED]
    assert ("5m", "page chen as technical_lead by sms, email") in shown
    assert len(shown) == len(set(shown))


def test_a_run_has_a_most_of_files() -> None:
    """The first that is left out is named, and no file after it is opened."""
    paths = [Path(f"nowhere/{number}.yaml") for number in range(trials.FILES_LIMIT + 5)]
    tests, problems = trials.read_test_files(paths, shipped_policy())
    assert tests == []
    assert [problem.code for problem in problems] == ["unreadable-file"] * trials.FILES_LIMIT + ["too-many-files"]
    assert problems[-1].file.endswith(f"{trials.FILES_LIMIT}.yaml")


def test_calendars_are_read_once_for_each_month_of_the_tests() -> None:
    """With a calendar the policy of a test is that of its month and year; without one a single policy serves all."""
    plain = small_policy()
    by_calendar = small_policy(rotations={"feed": Rotation("feed", calendar="feed.ics")})
    moments: list[datetime] = []

    def load(moment: datetime) -> Policy:
        moments.append(moment)
        return by_calendar

    at = [datetime(year, month, day, tzinfo=UTC) for year in (2026, 2027) for month in (3, 4) for day in (1, 20)]
    of_plain, of_calendar = trials.policies(plain, load), trials.policies(by_calendar, load)
    assert {id(of_plain(moment)) for moment in at} == {id(plain)}
    assert moments == []
    for moment in at:
        of_calendar(moment)
    assert moments == at[::2]


def test_a_hint_says_what_outsiders_wait_for() -> None:
    """Rule 56: who expects an update that has not left is told what lets it go."""
    head = "at: 2026-11-23T10:00:00Z\nincident: {title: Card payments fail, severity: sev1}\nfor: 9m\n"
    (failure,) = tried("{update: customers}", head, SHIPPED)
    assert failure.hint.startswith(
        "customers hear an update at 20m, after the 9m played; "
        "until then they wait for somebody to accept, or a public text: declared"
    )
    held = replace(SHIPPED.stakeholders["customers"], first=FirstUpdate.PUBLIC)
    policy = replace(SHIPPED, stakeholders={**SHIPPED.stakeholders, "customers": held})
    (failure,) = tried("{update: customers}", head, policy)
    assert failure.hint.startswith(
        "customers hear no update in the 9m played, they wait for a public text; at 0s it is "
    )
