"""Rule 57: an ETA that passes while the incident is open."""

from datetime import timedelta

import pytest
from tocsin.planning.delivery.still_wanted import why_unwanted

from tests.timelines.stage import START, Watch, rows, shows, span_of

ETA = """
severities:
  s1:
    page: {roles: [co], via: [sms, email], acknowledge_within: 2h}
    updates: [{to: [execs], every: 1h}]
roles: {co: {chain: [eve]}}
stakeholders: {execs: {people: [ceo]}}
"""
BEGIN = "0 update declared ceo email execs\n"
OPEN = "{severity: s1, acknowledged: eve, eta: 2026-11-23T10:30:00Z}"


def eta_at(after: str) -> str:
    """That long after the start, as the file writes it."""
    return f"{START + span_of(after):%Y-%m-%dT%H:%M:%SZ}"


def test_communications_is_reminded_when_an_eta_passes() -> None:
    """Rule 57: at that instant, once, by the first channel, without `remind_before`."""
    shows(ETA, OPEN, BEGIN + "30m reminder eta_passed eve sms -\n1h update due ceo email execs", span="1h30m")


def test_a_new_eta_in_time_brings_its_own() -> None:
    """Rule 57: 10:30 becomes 10:50 at 10:20; facts come first, so a new one at the very instant is in time."""
    for moved in ("20m", "30m"):
        shows(
            ETA,
            OPEN,
            BEGIN + f"{moved} update changed ceo email execs\n50m reminder eta_passed eve sms -",
            script=f"- {{after: {moved}, set: {{eta: '{eta_at('50m')}'}}}}",
        )


def test_one_reminder_for_an_eta() -> None:
    """Rule 57: other edits, and a look again, bring no second one; another ETA does."""
    shows(
        ETA,
        OPEN,
        BEGIN
        + """
        30m  reminder  eta_passed  eve  sms    -
        31m  update    changed     ceo  email  execs
        40m  update    changed     ceo  email  execs
        55m  reminder  eta_passed  eve  sms    -
        """,
        script=f"""
        - {{after: 31m, set: {{status: identified}}}}
        - {{after: 40m, set: {{eta: '{eta_at("55m")}'}}}}
        """,
    )


def test_an_eta_that_had_passed_when_it_was_seen() -> None:
    """Rule 57, corner: not later than its first sight, so nobody is reminded; at the instant itself neither."""
    for eta in ("0", "20m"):
        shows(
            ETA,
            "{severity: s1, acknowledged: eve}",
            BEGIN + "20m update changed ceo email execs",
            script=f"- {{after: 20m, set: {{eta: '{eta_at(eta)}'}}}}",
        )


def test_no_reminder_once_resolved_or_without_a_holder() -> None:
    """Rules 3, 57: at the resolving instant only closings leave; nobody holds Communications: none."""
    shows(ETA, OPEN, BEGIN + "30m closing resolved ceo email -", script="- {after: 30m, set: {status: resolved}}")
    shows(ETA.replace("roles: [co],", "roles: [tl],").replace("co: {", "tl: {"), OPEN, BEGIN, span="40m")


def test_an_eta_that_was_taken_away() -> None:
    """Rule 57: there is none that could pass."""
    shows(ETA, OPEN, BEGIN + "20m update changed ceo email execs", script="- {after: 20m, set: {eta: null}}", span="1h")


def test_it_meets_a_reminder_of_an_update() -> None:
    """Rule 57, corner: at one instant both go."""
    shows(
        ETA.replace("every: 1h}]", "every: 1h}]\n    remind_before: 30m"),
        OPEN,
        BEGIN + "30m reminder update_due eve sms -\n30m reminder eta_passed eve sms -",
        span="40m",
    )


def test_in_a_drill_as_well() -> None:
    """Rules 28, 57: a drill keeps it."""
    shows(
        ETA,
        OPEN.replace("{severity", "{drill: true, severity"),
        BEGIN + "30m reminder eta_passed eve sms -",
        span="40m",
    )


def test_found_late_it_is_dropped() -> None:
    """Rules 4, 57: the daemon was down; and it does not come later."""
    watch = Watch(ETA, OPEN)
    watch.look("0")
    assert watch.look("40m") == []
    assert [held.why.value for held in watch.suppressed] == ["late"]
    assert watch.look("50m") == []
    moment = Watch(ETA, OPEN)
    moment.look("0")
    assert moment.look("31m") == rows("reminder eta_passed eve sms -")


def test_an_eta_that_comes_back_after_it_was_reminded_of() -> None:
    """Rule 57, corner: it is in the past by then."""
    watch = Watch(ETA, OPEN)
    watch.until("31m")
    watch.see("35m", f"eta: '{eta_at('50m')}'")
    watch.until("36m")
    watch.see("40m", f"eta: '{eta_at('30m')}'")
    watch.until("59m")
    assert [said.at - START for said in watch.said if said.kind == "reminder"] == [timedelta(minutes=30)]


def test_a_reopening_with_an_eta_ahead() -> None:
    """Rule 57: it is reminded of in the episode in which it passes; one from before the reopening is not."""
    closed = "10m closing resolved ceo email -\n20m update declared ceo email execs\n"
    script = "[{after: 10m, set: {status: resolved}}, {after: 20m, set: {status: identified}}]"
    shows(
        ETA,
        OPEN,
        BEGIN + closed + "20m page reopened eve sms+email co 0/1\n30m reminder eta_passed eve sms -",
        script=script,
        span="40m",
    )
    late = script.replace("20m", "35m")
    shows(
        ETA,
        OPEN,
        BEGIN + closed.replace("20m", "35m") + "35m page reopened eve sms+email co 0/1",
        script=late,
        span="59m",
    )


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_a_new_eta_makes_the_reminder_on_its_way_pointless(seconds: int) -> None:
    """Rule 57: the reminder still waits for its provider when the ETA is moved: nobody wants it any more."""
    watch = Watch(ETA, OPEN)
    watch.until("30m")
    reminder = watch.said[-1]
    assert why_unwanted(reminder, watch.history) is None
    watch.see("31m", f"eta: '{START + timedelta(minutes=30, seconds=seconds):%Y-%m-%dT%H:%M:%SZ}'")
    assert (why_unwanted(reminder, watch.history) is None) == (seconds == 0)
