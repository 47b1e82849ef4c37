"""What stands under `acknowledged`, by whose clock, from which episode, taken out and put back (rules 15, 60, 68)."""

import pytest
from tocsin.domain.history import History

from tests.timelines.stage import Watch, shows

ONE = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 1}, verify_after: 5m}}
roles: {tl: {chain: [ana, bo]}}
"""


def test_whoever_confirmed_health_does_not_hold_the_role_of_the_next_episode() -> None:
    """Rule 15: what was written after the end stood there before the reopening as well, and answers no page of it."""
    shows(
        ONE,
        "severity: s1",
        """
        0    page       declared     ana   sms  tl  0/1
        2m   closing    resolved     ana   sms  -
        7m   verify     verify_due   ana   sms  tl
        30m  page       reopened     ana   sms  tl  0/1
        35m  page       escalated    bo    sms  tl  1/1
        """,
        script="""
        - {after: 1m, ack: ana}
        - {after: 2m, set: {status: resolved}}
        - {after: 8m, set: {acknowledged: [{by: ana, at: 2026-11-23T10:08:00Z}]}}
        - {after: 30m, set: {status: investigating}}
        """,
        span="36m",
    )


def test_an_entry_put_back_after_a_pass_accepts_nothing_anew() -> None:
    """Rules 15, 16: a save that lacked it, and the daemon that puts it back, are no second answer."""
    shows(
        ONE,
        "severity: s1",
        """
        0   page  declared     ana   sms  tl  0/1
        2m  page  declined     bo    sms  tl  1/1
        7m  page  last_resort  olga  sms  tl
        """,
        script="""
        - {after: 1m, set: {acknowledged: [{by: ana, at: 2026-11-23T10:01:00Z}]}}
        - {after: 2m, pass: ana}
        - {after: 3m, set: {acknowledged: []}}
        - {after: 3m4s, set: {acknowledged: [{by: ana, at: 2026-11-23T10:01:00Z}]}}
        """,
        span="8m",
    )


def test_a_bare_name_written_anew_is_a_new_answer() -> None:
    """Rule 15: it counts from when it is first seen, and nobody else dates it."""
    shows(
        ONE,
        "severity: s1",
        """
        0   page        declared  ana  sms  tl  0/1
        2m  page        declined  bo   sms  tl  1/1
        4m  stand_down  accepted  bo   sms  tl
        """,
        script="""
        - {after: 1m, set: {acknowledged: [ana]}}
        - {after: 2m, pass: ana}
        - {after: 3m, set: {acknowledged: []}}
        - {after: 4m, set: {acknowledged: [ana]}}
        """,
        span="10m",
    )


@pytest.mark.parametrize(
    ("before", "written", "accepts"),
    [
        ("ana", "2026-11-23T10:00:30Z", True),
        ("{by: ana, at: 2026-11-23T09:58:00Z}", "2026-11-23T10:00:30Z", True),
        ("{by: ana, at: 2026-11-23T09:58:00Z}", "2026-11-23T09:58:00Z", False),
        ("{by: ana, at: 2026-11-23T09:58:00Z}", "2026-11-23T09:57:00Z", False),
        ("{by: ana, at: 2099-01-01T00:00:00Z}", "2026-11-23T10:11:30Z", True),
        ("ana", "2026-11-23T09:59:00Z", False),
    ],
)
def test_a_slow_clock_answers_in_a_reopened_incident(before: str, written: str, accepts: bool) -> None:
    """Rules 15, 68: names of before count again as a `{by, at}` newer than theirs; it may be dated before the page that
    it answers, even before the end that was taken back, and counts from its first sight then.
    """
    shows(
        ONE,
        f"{{severity: s1, acknowledged: [{before}]}}",
        f"""
        6m   verify  verify_due  ana  sms  tl
        10m  page    reopened    ana  sms  tl  0/1
        {"" if accepts else "15m  page    escalated   bo   sms  tl  1/1"}
        """,
        script=f"""
        - {{after: 1m, set: {{status: resolved}}}}
        - {{after: 10m, set: {{status: investigating}}}}
        - {{after: 12m, set: {{acknowledged: [{before}, {{by: ana, at: {written}}}]}}}}
        """,
        span="16m",
    )


@pytest.mark.parametrize("by", ["2m", "6m", "2h"])
def test_a_clock_that_is_put_forward_takes_no_role_from_anybody(by: str) -> None:
    """Rule 60: what people dated in the file is as old beside pages, ends and questions as it was when it was seen."""
    watch = Watch(
        """
        severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m, rounds: 2}, verify_after: 5m}}
        roles: {tl: {chain: [ana, bo]}, ic: {chain: [chen, ana]}}
        """,
        "severity: s1",
    )
    watch.until("5m")
    watch.see("7m", "acknowledged: [{by: ana, at: 2026-11-23T10:07:00Z}]")
    watch.until("7m")
    watch.move_clock(by)
    assert {role.holder for role in watch.history.roles.values()} == {"ana"}


@pytest.mark.parametrize("by", ["1s", "7s", "90s", "2h", "2h7s"])
def test_a_minute_that_was_written_stays_that_minute(by: str) -> None:
    """Rules 15, 60: ana was asked at 10:00:20 and 10:05:20 and writes 10:05, which answers both; by whatever the clock is
    put right she keeps both roles, and nobody is paged on.
    """
    watch = Watch(
        """
        severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
        roles: {tl: {chain: [bo, ana]}, ic: {chain: [ana, chen]}}
        """,
        "severity: s1",
    )
    watch.history, watch.facts = History(), []
    watch.see("20s")
    watch.until("5m20s")
    watch.see("5m50s", "acknowledged: [{by: ana, at: 2026-11-23T10:05:00Z}]")
    watch.until("5m50s")
    watch.move_clock(by)
    assert [role.holder for role in watch.history.roles.values()] == ["ana", "ana"]


def test_a_clock_that_is_put_forward_takes_no_answer_of_a_reopened_incident_back() -> None:
    """Rules 15, 60: nor that all is healthy (rule 27)."""
    watch = Watch(ONE, "severity: s1")
    first, second, third = (f"{{by: ana, at: 2026-11-23T10:{minute}:00Z}}" for minute in ("01", "12", "26"))
    watch.until("0")
    watch.see("1m", f"acknowledged: [{first}]")
    watch.until("1m")
    watch.see("10m", "status: resolved")
    watch.until("10m")
    watch.see("11m", "status: investigating")
    watch.until("11m")
    watch.see("12m", f"acknowledged: [{first}, {second}]")
    watch.until("12m")
    watch.move_clock("2h")
    assert (watch.history.roles["technical_lead"].holder, watch.history.ineffective_acks) == ("ana", ())
    watch.see("2h20m", "status: resolved")
    watch.until("2h25m")
    watch.see("2h26m", f"acknowledged: [{first}, {second}, {third.replace('T10', 'T12')}]")
    watch.move_clock("3h")
    watch.until("6h")
    assert watch.history.verified
    assert [each.kind.value for each in watch.said] == ["page", "closing", "page", "closing", "verify"]
