"""Scripts of `simulate` and policy tests: what a step is, and what is said of anything else."""

from datetime import timedelta

import pytest
from tocsin.domain.people import Channel, StakeholderGroup
from tocsin.formats.policy_test.script import STEPS_LIMIT, ScriptStep, read_script, read_step

from tests.builders.policies import small_policy

GROUPS = {"customers": StakeholderGroup("customers", "Customers", emails=("status@lists.example.com",), external=True)}
POLICY = small_policy(stakeholders=GROUPS)
M = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("{after: 5m, ack: Ana Souza}", ScriptStep(5 * M, oks=("ana",))),
        ("{after: 5m, ack: [ana, bo], pass: chen}", ScriptStep(5 * M, oks=("ana", "bo"), passes=("chen",))),
        ("{after: 0s, set: {status: resolved}}", ScriptStep(0 * M, fields={"status": "resolved"})),
        ("{after: 1m, update: On it}", ScriptStep(M, entry={"text": "On it"})),
        ("{after: 1m, public: Soon}", ScriptStep(M, entry={"public": "Soon"})),
        ("{after: 1m, fail: {person: bo, via: SMS}}", ScriptStep(M, fails=(("bo", Channel.SMS),))),
        (
            "{after: 1m, fail: {person: status@lists.example.com, via: email}}",
            ScriptStep(M, fails=(("status@lists.example.com", Channel.EMAIL),)),
        ),
    ],
)
def test_each_thing_that_can_happen(line: str, step: ScriptStep) -> None:
    """People by any of their names, fields, an update, a channel that fails; also for a group's plain address."""
    assert read_script(f"- {line}\n".encode(), "s.yaml", POLICY) == ((step,), ())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{after: 5m}", "a step does nothing"),
        ("{ack: ana}", "a step needs `after`"),
        ("{after: soon, ack: ana}", '"soon" is no duration'),
        ("{after: 5m, akc: ana}", 'unknown key "akc" in a step; did you mean "ack"?'),
        ("{after: 5m, ack: zoe}", 'unknown person "zoe"'),
        ("{after: 5m, set: resolved}", "`set` takes fields"),
        ("{after: 5m, fail: bo}", "`fail` names a person and a channel"),
        ("{after: 5m, fail: {via: sms}}", "`fail` names a person and a channel"),
        ("{after: 5m, fail: {person: bo, via: sms, at: 1}}", "`fail` names a person and a channel"),
        ("{after: 5m, fail: {person: bo, via: fax}}", '"fax" is no channel'),
        ("{after: 5m, fail: {person: bo}}", '"" is no channel'),
    ],
)
def test_what_is_no_step_is_told_and_the_rest_is_played(line: str, words: str) -> None:
    """At its line, with what to write instead."""
    steps, (problem,) = read_script(f"- {{after: 1m, ack: ana}}\n- {line}\n".encode(), "s.yaml", POLICY)
    assert [step.after for step in steps] == [M]
    assert (problem.file, problem.line, problem.column, problem.code) == ("s.yaml", 2, 3, "script-step")
    assert words in problem.message


def test_steps_are_played_in_the_order_of_time() -> None:
    """Rule 1: those of one instant in the order written."""
    script = "- {after: 2m, ack: ana}\n- {after: 1m, ack: bo}\n- {after: 2m, ack: chen}\n- {after: 0s, pass: bo}\n"
    steps, _ = read_script(script.encode(), "s.yaml", POLICY)
    assert [step.oks or step.passes for step in steps] == [("bo",), ("bo",), ("ana",), ("chen",)]


@pytest.mark.parametrize(
    ("text", "codes"), [("", []), ("{after: 5m}", ["script-shape"]), ('"x', ["not-yaml", "script-shape"])]
)
def test_a_script_is_a_list(text: str, codes: list[str]) -> None:
    """An empty file is an empty script, anything else but a list is told."""
    steps, problems = read_script(text.encode(), "s.yaml", POLICY)
    assert steps == ()
    assert [problem.code for problem in problems] == codes


def test_a_script_is_read_up_to_its_limit() -> None:
    """What stands beyond is not played."""
    text = "- {after: 1m, ack: ana}\n" * (STEPS_LIMIT + 1)
    assert len(read_script(text.encode(), "s.yaml", POLICY)[0]) == STEPS_LIMIT


def test_a_step_may_have_its_span_as_a_value() -> None:
    """Whoever makes steps without a file need not write them as text."""
    assert read_step({"after": 5 * M, "ack": "ana"}, POLICY).after == 5 * M
