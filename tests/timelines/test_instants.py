"""Rules 1 to 5: which instant counts."""

from dataclasses import replace
from datetime import timedelta

from tests.timelines.stage import START, Watch, play, rows, shows, span_of

PAIR = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
roles: {tl: {chain: [ana, bo]}}
"""

TRIO = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
roles: {tl: {chain: [ana, bo, chen]}}
"""

RAISED = """
severities:
  s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}
  s2: {}
roles: {tl: {chain: [ana, bo]}}
"""

OFFICE = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5h55m, hours: office}}}
roles: {tl: {chain: [ana, bo]}}
hours: {office: {timezone: Europe/Berlin, during: "09:00-17:00"}}
"""

STREAM = """
severities:
  s1:
    updates: [{to: [execs], every: 30m}]
stakeholders: {execs: {people: [ceo]}}
"""


def test_an_answer_at_the_instant_of_a_step_stops_it() -> None:
    """Rule 1: an acknowledgment at exactly 5 m stops the page due at 5 m."""
    shows(PAIR, "severity: s1", "0 page declared ana sms tl 0/1", script="- {after: 5m, ack: ana}", coming=None)


def test_an_answer_a_second_later_does_not() -> None:
    """Rule 1: one second after the step, the page has gone and its reader is stood down."""
    shows(
        PAIR,
        "severity: s1",
        """
        0     page        declared   ana  sms  tl  0/1
        5m    page        escalated  bo   sms  tl  1/1
        5m1s  stand_down  accepted   bo   sms  tl
        """,
        script="- {after: 5m1s, ack: ana}",
        coming=None,
    )


def test_steps_of_one_instant_keep_their_order() -> None:
    """Rule 1: at one instant the script's steps count in their order, then the plan is made (here: ok, then a pass)."""
    shows(
        PAIR,
        "severity: s1",
        """
        0   page  declared  ana  sms  tl  0/1
        2m  page  declined  bo   sms  tl  1/1
        7m  page  last_resort olga sms tl
        """,
        script="[{after: 2m, ack: ana}, {after: 2m, pass: ana}]",
        span="10m",
    )
    shows(
        PAIR,
        "severity: s1",
        "0 page declared ana sms tl 0/1",
        script="[{after: 2m, pass: ana}, {after: 2m, ack: ana}]",
        coming=None,
    )


def test_the_clock_starts_when_first_seen() -> None:
    """Rule 2: t0 is --at, not an instant written in the file; steps count from --at."""
    shows(
        PAIR + "stakeholders: {execs: {people: [ceo]}}",
        "{severity: s1, declared_at: '2026-11-23T08:00:00Z', declared_by: somebody}",
        """
        0   page  declared     ana   sms  tl  0/1
        5m  page  escalated    bo    sms  tl  1/1
        10m page  last_resort  olga  sms  tl
        12m stand_down accepted ana,olga sms tl
        """,
        script="- {after: 12m, ack: bo}",
        coming=None,
    )


RESOLVING = """
severities:
  s1:
    page: {roles: [tl], via: [sms], acknowledge_within: 5m}
    updates: [{to: [execs], every: 5m}]
    review: {within: 5d}
roles: {tl: {chain: [ana, bo, chen]}}
stakeholders: {execs: {people: [ceo]}}
"""


def test_at_the_resolving_instant_only_closing_and_review_leave() -> None:
    """Rule 3: no step, no update, no stand-down at the resolving instant."""
    shows(
        RESOLVING,
        "severity: s1",
        """
        0   page     declared    ana      sms    tl     0/1
        0   update   declared    ceo      email  execs
        5m  page     escalated   bo       sms    tl     1/1
        5m  update   due         ceo      email  execs
        10m closing  resolved    ana,bo   sms    -
        10m closing  resolved    ceo      email  -
        10m review   review_due  olga     email  -
        """,
        script="[{after: 10m, ack: ana}, {after: 10m, set: {status: resolved}}]",
        coming="1d10m",
    )


def test_a_step_found_less_than_a_minute_late_keeps_the_clock() -> None:
    """Rule 4: a step found 30 s late fires, and the next counts from when it was due."""
    watch = Watch(TRIO, "severity: s1")
    assert watch.look("0") == rows("page declared ana sms tl 0/1")
    assert watch.look("5m30s") == rows("page escalated bo sms tl 1/1")
    assert watch.look("9m59s") == []
    assert watch.look("10m") == rows("page escalated chen sms tl 2/1")


def test_a_step_found_exactly_a_minute_late_keeps_the_clock() -> None:
    """Rule 4: exactly 1 minute is not over 1 minute."""
    watch = Watch(TRIO, "severity: s1")
    watch.look("0")
    assert watch.look("6m") == rows("page escalated bo sms tl 1/1")
    assert watch.look("9m59s") == []
    assert watch.look("10m") == rows("page escalated chen sms tl 2/1")


def test_a_step_found_later_starts_the_clock_anew() -> None:
    """Rule 4: found over 1 minute late, it fires once however many were missed, and the next counts from then."""
    watch = Watch(TRIO, "severity: s1")
    watch.look("0")
    assert watch.look("32m") == rows("page escalated bo sms tl 1/1")
    assert watch.look("36m59s") == []
    assert watch.look("37m") == rows("page escalated chen sms tl 2/1")


def test_a_step_found_a_second_over_a_minute_late_starts_the_clock_anew() -> None:
    """Rule 4: 1 minute and 1 second is over 1 minute."""
    watch = Watch(TRIO, "severity: s1")
    watch.look("0")
    assert watch.look("6m1s") == rows("page escalated bo sms tl 1/1")
    assert watch.look("11m") == []
    assert watch.look("11m1s") == rows("page escalated chen sms tl 2/1")


def test_many_steps_within_a_minute_are_all_fired() -> None:
    """Rules 4, 6: with windows of a second a daemon that is 50 s late fires every step at its own instant, in as many
    plans as it takes.
    """
    watch = Watch(TRIO, "severity: s1")
    page = watch.policy.severities["s1"].page
    assert page is not None
    quick = replace(watch.policy.severities["s1"], page=replace(page, acknowledge_within=timedelta(seconds=1)))
    watch.policy = replace(watch.policy, severities={**watch.policy.severities, "s1": quick})
    watch.look("50s")
    watch.until("51s")
    pages = [(sent.at - START).total_seconds() for sent in watch.said]
    assert pages == [float(second) for second in range(52)]


def test_a_raise_found_within_a_minute_keeps_its_own_instant() -> None:
    """Rules 4, 18: a change of severity found 20 s late pages as of the change, however old the config is."""
    watch = Watch(RAISED, "severity: s2")
    watch.policy = replace(watch.policy, since=START - timedelta(days=1))
    watch.look("0")
    watch.see("10m", "severity: s1")
    watch.look("10m20s")
    watch.until("15m")
    watch.showed(
        """
        10m  page  severity_raised  ana  sms  tl  0/1
        15m  page  escalated        bo   sms  tl  1/1
        """
    )


def test_a_late_page_in_closed_hours_waits_for_the_opening() -> None:
    """Rules 4, 11, corner [4]: due at 16:55, found at 17:31, it goes at 09:00, and the window counts from then."""
    watch = Watch(OFFICE, "severity: s1")
    watch.look("0")
    assert watch.look("6h31m") == []
    assert watch.look("21h59m") == []
    assert watch.look("22h") == rows("page escalated bo sms tl 1/1")
    assert watch.look("27h54m") == []
    assert watch.look("27h55m") == rows("page last_resort olga sms tl")


def test_stand_downs_found_late_are_one() -> None:
    """Rules 4, 17, corner [17]: two roles accepted at two instants while the daemon was down: one stand-down for both,
    in the order of the severity.
    """
    config = """
    severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m}}}
    roles: {ic: {chain: [[ana, bo]]}, tl: {chain: [[ana, chen]]}}
    """
    watch = Watch(config, "severity: s1")
    watch.look("0")
    watch.ack("1m", "chen")
    watch.ack("2m", "bo")
    assert watch.look("4m") == rows("stand_down accepted ana sms ic,tl")


def test_an_incident_in_which_nothing_is_due_is_looked_at_each_day() -> None:
    """P1: everybody has answered and nobody waits for an update; it is not forgotten all the same."""
    watch = Watch(PAIR, "severity: s1")
    watch.look("0")
    watch.ack("1m", "ana")
    watch.look("1m")
    assert watch.next_look == START + timedelta(days=1, minutes=1)


def test_updates_found_late() -> None:
    """Rule 4: an update found 40 s late keeps the cadence, one found 5 m late goes once and starts it anew."""
    watch = Watch(STREAM, "severity: s1")
    due = rows("update due ceo email execs")
    assert watch.look("0") == rows("update declared ceo email execs")
    assert watch.look("30m40s") == due
    assert watch.look("59m59s") == []
    assert watch.look("1h") == due
    assert watch.look("2h35m") == due
    assert watch.look("3h4m59s") == []
    assert watch.look("3h5m") == due


def test_a_change_found_late() -> None:
    """Rules 4, 5: an update for a change that leaves exactly 1 minute late keeps the change's instant, one that leaves
    later counts from then; a last word found 20 s late too keeps that of the change.
    """
    for look, at in (("11m2s", "10m"), ("11m3s", "11m3s")):
        watch = Watch(STREAM, "severity: s1")
        watch.look("0")
        watch.see("10m", "status: identified")
        watch.look(look)
        watch.showed(f"0 update declared ceo email execs\n{at} update changed ceo email execs")
    for config, incident, change in (
        (STREAM.replace("s1:", "s2: {}\n  s1:"), "severity: s1", "severity: s2"),
        (
            "severities: {s1: {}}\nservices: {shop: {stakeholders: [execs]}}\nstakeholders: {execs: {people: [ceo]}}",
            "{severity: s1, services: [shop]}",
            "services: []",
        ),
    ):
        watch = Watch(config, incident)
        watch.look("0")
        watch.see("10m", change)
        watch.until("10m1s")
        watch.look("10m20s")
        watch.showed("0 update declared ceo email execs\n10m update severity_lowered ceo email execs")


def test_a_waiting_channel_found_late_goes_once_if_still_wanted() -> None:
    """Rule 4: a reach message found 10 minutes late goes once if still wanted, else not at all."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 1h}}}
    roles: {tl: {chain: [ana, bo]}}
    people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 3m}]}}
    """
    watch = Watch(config, "severity: s1")
    assert watch.look("0") == rows("page declared ana email tl 0/1")
    assert watch.look("13m") == rows("page reach ana sms tl 0/1")
    assert watch.look("14m") == []
    watch = Watch(config, "severity: s1")
    watch.look("0")
    watch.ack("13m", "ana")
    assert watch.look("13m") == []


def test_a_late_reminder_is_dropped() -> None:
    """Rule 4: a reminder found 3 minutes late is dropped; the update itself goes when due."""
    config = """
    severities:
      s1:
        page: {roles: [co], via: [sms], acknowledge_within: 1d}
        updates: [{to: [execs], every: 30m}]
        remind_before: 5m
    roles: {co: {chain: [ana]}}
    stakeholders: {execs: {people: [ceo]}}
    """
    watch = Watch(config, "severity: s1")
    assert watch.look("0") == rows("page declared ana sms co 0/1\nupdate declared ceo email execs")
    assert watch.look("28m") == []
    assert watch.look("30m") == rows("update due ceo email execs")
    assert watch.look("55m") == rows("reminder update_due ana sms -")


def test_a_reminder_exactly_a_minute_late_still_goes() -> None:
    """Rule 4: exactly 1 minute is not late; a second more is, and that it was dropped is noted (P6)."""
    config = """
    severities:
      s1:
        page: {roles: [co], via: [sms], acknowledge_within: 1d}
        updates: [{to: [execs], every: 30m}]
        remind_before: 5m
    roles: {co: {chain: [ana]}}
    stakeholders: {execs: {people: [ceo]}}
    """
    for look, sent, held in (("26m", 1, []), ("26m1s", 0, [("reminder", "late", "ana")])):
        watch = Watch(config, "severity: s1")
        watch.look("0")
        assert watch.look(look) == rows("reminder update_due ana sms -") * sent
        assert [(one.kind.value, one.why.value, one.to) for one in watch.suppressed] == held


def test_late_responder_still_there_and_handover_pages_go_once() -> None:
    """Rule 4: found minutes late, each goes once if still wanted."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 10m, rounds: 2, still_there_after: 1h}}}
    roles: {tl: {chain: [ana]}}
    services: {shop: {responders: [eve]}}
    """
    watch = Watch(config, "{severity: s1, services: shop}")
    watch.look("0")
    watch.ack("1m", "ana")
    watch.look("1m")
    assert watch.look("13m") == rows("page repeated eve sms responder 0/2")
    assert watch.look("14m") == []
    assert watch.look("1h5m") == rows("page still_there ana sms tl")
    assert watch.look("1h6m") == []
    watch.ack("1h7m", "ana")
    assert watch.look("1h7m") == []
    watch.see("1h8m", "roles: {tl: dai}")
    assert watch.look("1h8m") == rows("page assigned dai sms tl 0/1")
    assert watch.look("1h23m") == rows("page assigned dai sms tl 0/2")
    assert watch.look("1h24m") == []


def test_late_verify_and_review_go_once() -> None:
    """Rule 4: verify and review messages found late go once."""
    config = """
    severities:
      s1:
        page: {roles: [tl], via: [sms], acknowledge_within: 5m}
        verify_after: 30m
        review: {within: 2d}
    roles: {tl: {chain: [ana]}}
    """
    watch = Watch(config, "severity: s1")
    watch.look("0")
    watch.see("5m", "status: resolved")
    assert watch.look("5m") == rows("closing resolved ana sms -\nreview review_due olga email -")
    assert watch.look("45m") == rows("verify verify_due ana sms tl")
    assert watch.look("46m") == []


def test_edits_within_two_seconds_are_one_update() -> None:
    """Rule 5: an update for changes bears the first edit's instant; the cadence counts from there."""
    shows(
        STREAM,
        "severity: s1",
        """
        0    update  declared  ceo  email  execs
        10m  update  changed   ceo  email  execs
        40m  update  due       ceo  email  execs
        """,
        script="[{after: 10m, set: {status: identified}}, {after: 10m1s, set: {impact: Checkout is down}}]",
        coming="1h10m",
    )


def test_a_held_update_leaves_two_seconds_later() -> None:
    """Rule 5: nothing leaves before 2 s after the first edit; then it leaves, bearing the first edit's instant."""
    watch = Watch(STREAM, "severity: s1")
    watch.look("0")
    watch.see("10m", "status: identified")
    assert watch.look("10m") == []
    watch.see("10m1s", "impact: Checkout is down")
    assert watch.look("10m1s") == []
    assert watch.look("10m2s") == rows("update changed ceo email execs")
    assert watch.said[-1].at == START + span_of("10m")
    assert watch.look("39m59s") == []
    assert watch.look("40m") == rows("update due ceo email execs")


def test_an_edit_at_the_very_end_is_printed() -> None:
    """Rules 5, 29: an edit at `to` makes an update whose instant in `simulate` is the edit's, so it is printed."""
    shows(
        STREAM,
        "severity: s1",
        """
        0    update  declared  ceo  email  execs
        10m  update  changed   ceo  email  execs
        """,
        script="- {after: 10m, set: {status: identified}}",
        span="10m",
        coming="40m",
    )


def test_resolving_drops_a_held_update() -> None:
    """Rule 5: an edit held when the incident is resolved is not sent; the closing is not held."""
    shows(
        STREAM,
        "severity: s1",
        """
        0      update   declared  ceo  email  execs
        10m1s  closing  resolved  ceo  email  -
        """,
        script="[{after: 10m, set: {impact: None left}}, {after: 10m1s, set: {status: resolved}}]",
        coming=None,
    )


def test_a_held_update_stands_for_the_one_falling_due_meanwhile() -> None:
    """Rules 5, 22: an edit at 29 m 59 s is one update, the next due 30 minutes after it; at 30 m `changed` wins."""
    shows(
        STREAM,
        "severity: s1",
        """
        0       update  declared  ceo  email  execs
        29m59s  update  changed   ceo  email  execs
        59m59s  update  due       ceo  email  execs
        """,
        script="- {after: 29m59s, set: {status: identified}}",
    )
    shows(
        STREAM,
        "severity: s1",
        """
        0    update  declared  ceo  email  execs
        30m  update  changed   ceo  email  execs
        1h   update  due       ceo  email  execs
        """,
        script="- {after: 30m, set: {status: identified}}",
    )


def test_pages_of_an_edit_are_not_held() -> None:
    """Rule 5: an assignment pages at the edit's own instant, while the change of the same edit waits for its update."""
    config = STREAM.replace("s1:", "s1:\n    page: {roles: [tl], via: [sms], acknowledge_within: 1h}") + (
        "roles: {tl: {chain: [ana]}}"
    )
    watch = Watch(config, "severity: s1")
    watch.look("0")
    watch.see("10m", "{status: identified, roles: {tl: bo}}")
    assert watch.look("10m") == rows("page assigned bo sms tl 0/1")
    assert watch.look("10m2s") == rows("update changed ceo email execs")


def test_messages_carry_the_at_of_their_instant() -> None:
    """Rules 2, 29: `from` is --at, `to` is --at plus --for, `at` is --at plus `after`."""
    document = play(PAIR, "severity: s1", span="5m")
    assert (document["from"], document["to"]) == ("2026-11-23T10:00:00Z", "2026-11-23T10:05:00Z")
    assert [message["at"] for message in document["messages"]] == ["2026-11-23T10:00:00Z", "2026-11-23T10:05:00Z"]
