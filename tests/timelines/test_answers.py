"""Rules 15 and 16: what an ok and a pass do."""

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain.facts import Answer, Answered
from tocsin.domain.notification import Reason, Why
from tocsin.planning.delivery.still_wanted import why_unwanted
from tocsin.planning.history.asked_for import asked_for

from tests.timelines.stage import START, Watch, shows

TWO = """
severities: {s1: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 5m}}}
roles: {tl: {chain: [ana, chen]}, ic: {chain: [bo, ana]}}
"""

ONE = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, still_there_after: 30m}}}
roles: {tl: {chain: [ana, bo]}}
"""

PLAIN = ONE.replace(", still_there_after: 30m", "")

LONG = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
roles: {tl: {chain: [ana, bo, chen]}}
"""


def test_roles_paged_later_need_a_new_answer() -> None:
    """Rule 15: ana's first ok accepts what she was paged for by then, not what she is paged for afterwards."""
    shows(
        TWO,
        "severity: s1",
        """
        0    page        declared     ana      sms  tl  0/1
        0    page        declared     bo       sms  ic  0/1
        5m   page        escalated    ana      sms  ic  1/1
        10m  page        last_resort  olga     sms  ic
        11m  stand_down  accepted     bo,olga  sms  ic
        """,
        script="[{after: 1m, ack: ana}, {after: 11m, ack: ana}]",
        coming=None,
    )


def test_a_role_held_stays_with_its_holder() -> None:
    """Rule 15: bo's later ok changes nothing; still_there goes to ana."""
    shows(
        ONE,
        "severity: s1",
        """
        0    page        declared     ana  sms  tl  0/1
        5m   page        escalated    bo   sms  tl  1/1
        6m   stand_down  accepted     bo   sms  tl
        36m  page        still_there  ana  sms  tl
        """,
        script="[{after: 6m, ack: ana}, {after: 7m, ack: bo}]",
        span="40m",
    )


def test_who_was_never_asked_accepts_nothing() -> None:
    """Rule 15: an ok of somebody neither paged nor assigned changes nothing, not even one who is asked next."""
    shows(
        PLAIN,
        "severity: s1",
        """
        0    page  declared     ana   sms  tl  0/1
        5m   page  escalated    bo    sms  tl  1/1
        10m  page  last_resort  olga  sms  tl
        """,
        script="[{after: 1m, ack: gus}, {after: 2m, ack: bo}, {after: 3m, ack: olga}]",
        span="10m",
    )


def test_a_person_assigned_accepts_before_being_paged() -> None:
    """Rule 15: in closed hours nobody was paged, yet dai is assigned and may accept; ana may not."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 1h, hours: day}}}
    roles: {tl: {chain: [ana, bo]}}
    hours: {day: {timezone: UTC, during: "12:00-18:00"}}
    """
    shows(config, "{severity: s1, roles: {tl: dai}}", "", script="- {after: 1h, ack: dai}", span="5h", coming=None)
    shows(
        config,
        "severity: s1",
        "2h page declared ana sms tl 0/1",
        script="[{after: 1h, ack: ana}, {after: 2h30m, ack: ana}]",
        span="5h",
        coming=None,
    )


def test_a_bare_name_counts_from_when_first_seen() -> None:
    """Rule 15: a name written under `acknowledged` accepts at that instant; removing it un-accepts nothing."""
    shows(
        ONE,
        "severity: s1",
        """
        0    page        declared     ana  sms  tl  0/1
        5m   page        escalated    bo   sms  tl  1/1
        7m   stand_down  accepted     bo   sms  tl
        37m  page        still_there  ana  sms  tl
        """,
        script="[{after: 7m, set: {acknowledged: [ana]}}, {after: 8m, set: {acknowledged: []}}]",
        span="41m",
    )


def test_an_acknowledgment_with_an_instant_counts_from_it() -> None:
    """Rules 15, 19: `{by, at}` counts from `at`, so still_there is due 30 minutes after that; a future one from now."""
    shows(
        ONE,
        "severity: s1",
        "0 page declared ana sms tl 0/1\n33m page still_there ana sms tl",
        script="- {after: 4m, set: {acknowledged: [{by: ana, at: '2026-11-23T10:03:00Z'}]}}",
        span="37m",
    )
    shows(
        ONE,
        "severity: s1",
        "0 page declared ana sms tl 0/1\n34m page still_there ana sms tl",
        script="- {after: 4m, set: {acknowledged: [{by: ana, at: '2026-11-23T10:20:00Z'}]}}",
        span="38m",
    )


@pytest.mark.parametrize(
    ("names", "stood_down"),
    [
        ("[{by: ana, at: '2026-11-23T10:16:00Z'}]", "bo"),
        ("[ana, {by: ana, at: '2026-11-23T10:16:00Z'}]", "bo"),
        ("[ana, bo]", "ana"),
    ],
)
def test_names_from_before_a_reopening(names: str, stood_down: str) -> None:
    """Rule 15: names there before a reopening count again only as a newer `{by, at}`; a new name counts."""
    shows(
        PLAIN,
        "severity: s1",
        f"""
        0    page        declared   ana  sms  tl  0/1
        2m   closing     resolved   ana  sms  -
        10m  page        reopened   ana  sms  tl  0/1
        15m  page        escalated  bo   sms  tl  1/1
        16m  stand_down  accepted   {stood_down}  sms  tl
        """,
        script=f"""
        - {{after: 1m, set: {{acknowledged: [ana]}}}}
        - {{after: 2m, set: {{status: resolved}}}}
        - {{after: 10m, set: {{status: investigating}}}}
        - {{after: 16m, set: {{acknowledged: {names}}}}}
        """,
        coming=None,
    )


def test_an_old_answer_with_an_instant_does_not_count_after_reopening() -> None:
    """Rule 15: the same `{by, at}` that stood there before the reopening is not newer."""
    shows(
        PLAIN,
        "{severity: s1, acknowledged: [{by: ana, at: '2026-11-23T10:00:00Z'}]}",
        """
        10m  page        reopened     ana   sms  tl  0/1
        15m  page        escalated    bo    sms  tl  1/1
        20m  page        last_resort  olga  sms  tl
        """,
        script="[{after: 2m, set: {status: resolved}}, {after: 10m, set: {status: investigating}}]",
        span="20m",
    )


def test_acknowledged_at_first_sight() -> None:
    """Rule 15: it accepts the roles whose level 0 names the person, without a page; others are paged."""
    shows(
        TWO,
        "{severity: s1, acknowledged: [ana]}",
        """
        0    page  declared   bo   sms  ic  0/1
        5m   page  escalated  ana  sms  ic  1/1
        """,
        script="- {after: 6m, ack: bo}",
        coming=None,
    )
    shows(ONE, "{severity: s1, roles: {tl: dai}, acknowledged: dai}", "30m page still_there dai sms tl", span="34m")


def test_acknowledged_at_first_sight_by_a_later_level() -> None:
    """Rule 15: bo is level 1, so his name at first sight accepts nothing."""
    shows(
        PLAIN,
        "{severity: s1, acknowledged: [bo]}",
        """
        0    page  declared     ana   sms  tl  0/1
        5m   page  escalated    bo    sms  tl  1/1
        10m  page  last_resort  olga  sms  tl
        """,
        span="10m",
    )


def test_acknowledged_at_first_sight_answers_for_responders() -> None:
    """Corner [15]: the name at first sight answers for `responder` too."""
    shows(
        PLAIN + "services: {shop: {responders: [eve, fay]}}",
        "{severity: s1, services: shop, acknowledged: [eve, ana]}",
        "0 page declared fay sms responder 0/1",
        coming=None,
    )


def test_acknowledged_at_first_sight_answers_for_responders_of_every_service() -> None:
    """Corner [15]: eve is a responder of the second service and of none before, and her name answers all the same."""
    shows(
        PLAIN + "services: {shop: {responders: [fay]}, mail: {responders: [eve]}}",
        "{severity: s1, services: [shop, mail], acknowledged: [eve, ana]}",
        "0 page declared fay sms responder 0/1",
        coming=None,
    )


def test_a_pass_fires_the_next_step_at_once() -> None:
    """Rule 16: the whole newest step passed; ana is left out of later rounds, where her level takes no time."""
    shows(
        LONG,
        "severity: s1",
        """
        0    page  declared     ana   sms  tl  0/1
        1m   page  declined     bo    sms  tl  1/1
        6m   page  escalated    chen  sms  tl  2/1
        11m  page  repeated     bo    sms  tl  1/2
        16m  page  repeated     chen  sms  tl  2/2
        21m  page  last_resort  olga  sms  tl
        """,
        script="- {after: 1m, pass: ana}",
        span="21m",
    )


def test_a_pass_of_one_of_two_is_only_noted() -> None:
    """Rule 16: only when everybody reached by the newest step has passed is the next step due at once."""
    config = LONG.replace("[ana, bo, chen]", "[[ana, bo], chen]").replace("rounds: 2", "rounds: 1")
    shows(
        config,
        "severity: s1",
        """
        0   page  declared     ana,bo  sms  tl  0/1
        2m  page  declined     chen    sms  tl  1/1
        7m  page  last_resort  olga    sms  tl
        """,
        script="[{after: 1m, pass: ana}, {after: 2m, pass: bo}]",
        span="7m",
    )
    shows(
        config,
        "severity: s1",
        """
        0   page  declared   ana,bo  sms  tl  0/1
        5m  page  escalated  chen    sms  tl  1/1
        6m  stand_down accepted chen sms tl
        """,
        script="[{after: 1m, pass: ana}, {after: 6m, ack: bo}]",
        coming=None,
    )


def test_a_pass_of_an_earlier_step_is_only_noted() -> None:
    """Rule 16: ana passes after bo was paged, so chen waits for his turn; round 2 leaves ana out."""
    shows(
        LONG,
        "severity: s1",
        """
        0    page  declared   ana   sms  tl  0/1
        5m   page  escalated  bo    sms  tl  1/1
        10m  page  escalated  chen  sms  tl  2/1
        15m  page  repeated   bo    sms  tl  1/2
        """,
        script="- {after: 6m, pass: ana}",
        span="15m",
    )


def test_a_pass_of_the_holder() -> None:
    """Rule 16: the next step is due at once, `declined`; the ladder goes on from where it was."""
    shows(
        LONG,
        "severity: s1",
        """
        0    page  declared   ana   sms  tl  0/1
        10m  page  declined   bo    sms  tl  1/1
        15m  page  escalated  chen  sms  tl  2/1
        20m  page  repeated   bo    sms  tl  1/2
        """,
        script="[{after: 1m, ack: ana}, {after: 10m, pass: ana}]",
        span="20m",
    )


def test_an_ok_after_a_pass_still_accepts() -> None:
    """Rule 16: a later ok accepts; everybody else who was paged in vain is stood down."""
    shows(
        LONG,
        "severity: s1",
        """
        0   page        declared  ana  sms  tl  0/1
        1m  page        declined  bo   sms  tl  1/1
        3m  stand_down  accepted  bo   sms  tl
        """,
        script="[{after: 1m, pass: ana}, {after: 3m, ack: ana}]",
        coming=None,
    )


def test_who_passed_gets_no_stand_down() -> None:
    """Rule 16: bo accepts, ana had passed."""
    shows(
        LONG,
        "severity: s1",
        "0 page declared ana sms tl 0/1\n1m page declined bo sms tl 1/1",
        script="[{after: 1m, pass: ana}, {after: 2m, ack: bo}]",
        coming=None,
    )


def test_a_pass_of_somebody_not_asked() -> None:
    """Rule 16: nothing held, nothing asked: nothing happens, and they are paged in their turn."""
    shows(
        PLAIN,
        "severity: s1",
        """
        0   page  declared   ana  sms  tl  0/1
        5m  page  escalated  bo   sms  tl  1/1
        """,
        script="[{after: 1m, pass: bo}, {after: 2m, pass: gus}]",
        span="9m",
    )


def test_one_pass_declines_all_roles_asked() -> None:
    """Rules 12, 16: both ladders step at once, and bo, who is next in both, gets one page."""
    shows(
        TWO.replace("[ana, chen]", "[ana, bo]").replace("[bo, ana]", "[ana, bo]"),
        "severity: s1",
        """
        0   page  declared     ana   sms  tl,ic  0/1
        2m  page  declined     bo    sms  tl,ic  1/1
        7m  page  last_resort  olga  sms  tl,ic
        """,
        script="- {after: 2m, pass: ana}",
        span="7m",
    )


def test_a_responder_who_passes_is_not_asked_again() -> None:
    """Rules 10, 16: each is paged until they answer themselves, and a pass is an answer."""
    shows(
        PLAIN.replace("5m", "5m, rounds: 3") + "services: {shop: {responders: [eve, fay]}}",
        "{severity: s1, services: shop, acknowledged: ana}",
        """
        0    page  declared  eve,fay  sms  responder  0/1
        5m   page  repeated  fay      sms  responder  0/2
        10m  page  repeated  fay      sms  responder  0/3
        """,
        script="- {after: 1m, pass: eve}",
        coming=None,
    )


def test_a_pass_over_a_gap() -> None:
    """Corner [16]: the first step fired by a pass that reaches somebody has `declined`."""
    shows(
        LONG.replace("[ana, bo, chen]", "[ana, later.on_call, chen, dai]")
        + """
rotations:
  later: {shifts: [{members: [hal], handoff: "0 9 * * *", timezone: UTC, starts: "2027-01-01T09:00"}]}
""",
        "severity: s1",
        """
        0   page  declared   ana   sms  tl  0/1
        1m  page  declined   chen  sms  tl  2/1
        6m  page  escalated  dai   sms  tl  3/1
        """,
        script="- {after: 1m, pass: ana}",
        span="6m",
    )


def test_a_pass_into_the_next_round() -> None:
    """Rule 16: a pass at the last level fires round 2 at once, `declined`."""
    shows(
        LONG.replace("[ana, bo, chen]", "[ana, bo]"),
        "severity: s1",
        """
        0    page  declared   ana  sms  tl  0/1
        5m   page  escalated  bo   sms  tl  1/1
        6m   page  declined   ana  sms  tl  0/2
        11m  page  last_resort olga sms tl
        """,
        script="- {after: 6m, pass: bo}",
        span="11m",
    )


def test_a_pass_into_the_last_resort() -> None:
    """Rule 16: the last resort keeps `last_resort`."""
    shows(
        PLAIN,
        "severity: s1",
        """
        0    page  declared     ana   sms  tl  0/1
        1m   page  declined     bo    sms  tl  1/1
        2m   page  last_resort  olga  sms  tl
        7m   page  last_resort  olga  sms  tl
        """,
        script="[{after: 1m, pass: ana}, {after: 2m, pass: bo}]",
        span="7m",
    )


def test_passes_in_the_last_resort() -> None:
    """Rule 16, corner: they bring nothing forward; who passed is left out unless nobody would remain."""
    shows(
        PLAIN.replace("[ana, bo]", "[ana]"),
        "severity: s1",
        """
        0    page  declared     ana       sms  tl  0/1
        5m   page  last_resort  olga,pia  sms  tl
        10m  page  last_resort  pia       sms  tl
        15m  page  last_resort  olga,pia  sms  tl
        20m  page  last_resort  olga,pia  sms  tl
        """,
        script="[{after: 6m, pass: olga}, {after: 11m, pass: pia}]",
        last_resort="olga, pia",
        span="20m",
    )


def test_a_pass_in_the_ladder_leaves_out_of_the_last_resort() -> None:
    """Corner [16]: ana is in the last resort too, but has passed."""
    shows(
        PLAIN.replace("[ana, bo]", "[ana]"),
        "severity: s1",
        """
        0   page  declared     ana   sms  tl  0/1
        1m  page  last_resort  olga  sms  tl
        6m  page  last_resort  olga  sms  tl
        """,
        script="- {after: 1m, pass: ana}",
        last_resort="ana, olga",
        span="6m",
    )


def test_a_holders_pass_in_the_last_resort() -> None:
    """Corner [16]: it fires the next step at once there too."""
    shows(
        PLAIN.replace("[ana, bo]", "[ana]"),
        "severity: s1",
        """
        0    page        declared     ana       sms  tl  0/1
        5m   page        last_resort  olga,pia  sms  tl
        6m   stand_down  accepted     ana,pia   sms  tl
        8m   page        last_resort  pia       sms  tl
        13m  page        last_resort  pia       sms  tl
        """,
        script="[{after: 6m, ack: olga}, {after: 8m, pass: olga}]",
        last_resort="olga, pia",
        span="13m",
    )


def test_a_pass_by_who_is_assigned_to_an_accepted_role() -> None:
    """Corner [9]: it ends their pages; the holder stays, nothing is sent."""
    shows(
        LONG,
        "severity: s1",
        """
        0   page  declared  ana  sms  tl  0/1
        7m  page  assigned  dai  sms  tl  0/1
        """,
        script="[{after: 1m, ack: ana}, {after: 7m, set: {roles: {tl: dai}}}, {after: 8m, pass: dai}]",
        coming=None,
    )


def test_a_new_assignment_ends_an_earlier_pass() -> None:
    """Corner [9]: ana had passed, is assigned, and is level 0 of both rounds again."""
    shows(
        LONG.replace("[ana, bo, chen]", "[ana, bo]"),
        "severity: s1",
        """
        0    page  declared     ana   sms  tl  0/1
        1m   page  declined     bo    sms  tl  1/1
        2m   page  assigned     ana   sms  tl  0/1
        7m   page  escalated    bo    sms  tl  2/1
        12m  page  repeated     ana   sms  tl  0/2
        17m  page  repeated     bo    sms  tl  2/2
        22m  page  last_resort  olga  sms  tl
        """,
        script="[{after: 1m, pass: ana}, {after: 2m, set: {roles: {tl: ana}}}]",
        span="22m",
    )


def test_removing_a_name_leaves_an_extra_role_needed() -> None:
    """Corner [9]: until the severity changes, when it is dropped."""
    shows(
        """
        severities:
          s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}
          s2: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}
        roles: {tl: {chain: [ana]}, sc: {chain: [fay]}}
        """,
        "{severity: s1, roles: {sc: eve}, acknowledged: ana}",
        """
        0    page        declared          eve   sms  sc  0/1
        5m   page        escalated         fay   sms  sc  1/1
        10m  page        last_resort       olga  sms  sc
        12m  stand_down  severity_lowered  eve,fay,olga  sms  sc
        """,
        script="[{after: 2m, set: {roles: {}}}, {after: 12m, set: {severity: s2}}]",
        coming=None,
    )


def test_first_seen_resolved() -> None:
    """Rule 20: nothing is sent; leaving `resolved` later is a reopening (section 5)."""
    config = """
    severities:
      s1:
        page: {roles: [tl], via: [sms], acknowledge_within: 5m}
        updates: [{to: [execs], every: 30m}]
        verify_after: 10m
        review: {within: 1d}
    roles: {tl: {chain: [ana]}}
    stakeholders: {execs: {people: [ceo]}}
    """
    shows(config, "{severity: s1, status: resolved}", "", span="3d", coming=None)
    shows(
        config,
        "{severity: s1, status: Resolved}",
        """
        20m  page    reopened  ana  sms    tl     0/1
        20m  update  declared  ceo  email  execs
        50m  update  due       ceo  email  execs
        """,
        script="[{after: 20m, set: {status: monitoring}}, {after: 21m, ack: ana}]",
        at=datetime(2026, 11, 23, 10, 0, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("answer", "told"), [("ack", ""), ("pass", "6m stand_down accepted eve sms tl"), ("status", "")]
)
def test_responder_counts_as_another_role_until_a_pass(answer: str, told: str) -> None:
    """Corner [17]: eve is a responder and then paged for the lead, which ana accepts: she is stood down only if she had
    passed as a responder; her ok, or no answer, leaves her needed.
    """
    first = f"{{after: 1m, {answer}: eve}}" if answer != "status" else "{after: 1m, set: {status: identified}}"
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 1}}}
        roles: {tl: {chain: [ana, eve]}}
        services: {shop: {responders: [eve]}}
        """,
        "{severity: s1, services: shop}",
        f"""
        0   page  declared   ana  sms  tl         0/1
        0   page  declared   eve  sms  responder  0/1
        5m  page  escalated  eve  sms  tl         1/1
        {told}
        """,
        script=f"[{first}, {{after: 6m, ack: ana}}]",
        span="9m",
    )


def test_who_was_stood_down_is_not_being_asked() -> None:
    """Rule 17: bo was stood down as commander, and though nobody holds that role any more he is not asked for it: when
    the lead is accepted too, he hears that.
    """
    shows(
        """
        severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m, rounds: 1}}}
        roles: {ic: {chain: [[bo, chen], dai]}, tl: {chain: [eve, bo]}}
        """,
        "severity: s1",
        """
        0   page        declared   bo,chen  sms  ic  0/1
        0   page        declared   eve      sms  tl  0/1
        1m  stand_down  accepted   bo       sms  ic
        2m  page        declined   dai      sms  ic  1/1
        5m  page        escalated  bo       sms  tl  1/1
        6m  stand_down  accepted   bo       sms  tl
        """,
        script="[{after: 1m, ack: chen}, {after: 2m, pass: chen}, {after: 6m, ack: eve}]",
        span="6m30s",
    )


def test_a_role_is_dropped_once() -> None:
    """Rules 17, 18: bo was still asked for the lead when the commander was dropped; later changes of severity do not
    drop that role again.
    """
    shows(
        """
        severities:
          s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 10m}}
          s2: {page: {roles: [tl], via: [sms], acknowledge_within: 10m}}
          s3: {page: {roles: [tl], via: [sms], acknowledge_within: 10m}}
        roles: {ic: {chain: [bo]}, tl: {chain: [[bo, ana]]}}
        """,
        "severity: s1",
        """
        0   page        declared  bo   sms  ic,tl  0/1
        0   page        declared  ana  sms  tl     0/1
        2m  stand_down  accepted  bo   sms  tl
        """,
        script="[{after: 1m, set: {severity: s2}}, {after: 2m, ack: ana}, {after: 3m, set: {severity: s3}}]",
        span="9m",
    )


def test_an_acknowledgment_by_a_slow_clock_counts_from_when_it_is_seen() -> None:
    """Rule 68: dated before the page it answers and first seen after it, it accepts then: nobody is paged on, and the
    30 minutes of still_there run from then.
    """
    shows(
        ONE,
        "severity: s1",
        "0 page declared ana sms tl 0/1\n31m page still_there ana sms tl",
        script="- {after: 1m, set: {acknowledged: [{by: ana, at: '2026-11-23T09:59:25Z'}]}}",
        span="35m",
    )
    shows(
        PLAIN,
        "severity: s1",
        """
        0    page        declared   ana  sms  tl  0/1
        5m   page        escalated  bo   sms  tl  1/1
        6m   stand_down  accepted   ana  sms  tl
        """,
        script="- {after: 6m, set: {acknowledged: [{by: bo, at: '2026-11-23T10:04:25Z'}]}}",
        coming=None,
    )


def test_an_acknowledgment_answers_the_page_that_it_can() -> None:
    """Rule 68: one that accepts a role at its date accepts none that was paged later; one that would accept nothing then
    answers the later page.
    """
    later = """
        0    page        declared     ana       sms  tl  0/1
        0    page        declared     bo        sms  ic  0/1
        5m   page        escalated    ana       sms  ic  1/1
        """
    shows(
        TWO,
        "severity: s1",
        f"""{later}
        5m   page        escalated    chen      sms  tl  1/1
        6m   stand_down  accepted     chen      sms  tl
        10m  page        last_resort  olga      sms  ic
        """,
        script="- {after: 6m, set: {acknowledged: [{by: ana, at: '2026-11-23T10:01:05Z'}]}}",
        span="14m",
    )
    shows(
        TWO,
        "severity: s1",
        f"""{later}
        6m   stand_down  accepted     bo        sms  ic
        """,
        script="""
        - {after: 1m, ack: ana}
        - {after: 6m, set: {acknowledged: [{by: ana, at: '2026-11-23T10:04:30Z'}]}}
        """,
        coming=None,
    )


def test_health_is_confirmed_only_by_an_answer_after_the_question() -> None:
    """Rules 27, 68: an acknowledgment from the incident's time, written down late, does not say that all is healthy."""
    shows(
        PLAIN.replace("page: {", "verify_after: 10m, page: {"),
        "severity: s1",
        """
        0    page     declared    ana  sms  tl  0/1
        2m   closing  resolved    ana  sms  -
        12m  verify   verify_due  ana  sms  tl
        22m  verify   verify_due  ana  sms  tl
        """,
        script="""
        - {after: 1m, ack: ana}
        - {after: 2m, set: {status: resolved}}
        - {after: 13m, set: {acknowledged: [{by: ana, at: '2026-11-23T10:01:30Z'}]}}
        """,
        span="25m",
    )


def test_an_answer_recorded_after_a_page_answers_it() -> None:
    """Rule 68: by link or SMS too, when the process that recorded it had a clock that was behind."""
    watch = Watch(PLAIN, "severity: s1")
    watch.until("5m")
    watch.note(Answered(START + timedelta(minutes=4, seconds=55), "bo", Answer.OK))
    watch.until("20m")
    watch.showed(
        """
        0    page        declared   ana  sms  tl  0/1
        5m   page        escalated  bo   sms  tl  1/1
        5m   stand_down  accepted   ana  sms  tl
        """
    )


def test_a_responder_by_a_slow_clock_has_answered() -> None:
    """Rules 10, 68: dated before the page and seen after it, it ends the responder's pages."""
    shows(
        LONG.replace("chain: [ana, bo, chen]", "chain: [ana, bo]") + "services: {shop: {responders: [chen]}}",
        "{severity: s1, services: [shop]}",
        """
        0    page        declared     ana   sms  tl         0/1
        0    page        declared     chen  sms  responder  0/1
        5m   page        escalated    bo    sms  tl         1/1
        """,
        script="- {after: 1m, set: {acknowledged: [{by: chen, at: '2026-11-23T09:59:25Z'}]}}",
        span="9m",
    )


LAST = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 1}}}
roles: {tl: {chain: [ana]}}
"""


def test_the_last_resort_is_asked_on_once_all_of_it_have_passed() -> None:
    """Corner of 16: nobody would remain, so all are paged each window, and these pages are wanted; an answer counts, who
    passes again is not asked by further channels of that page, and whoever is stood down hears so.
    """
    watch = Watch(LAST, "severity: s1", last_resort="bo, olga")
    watch.until("5m")
    watch.pass_("6m", "bo")
    watch.pass_("7m", "olga")
    watch.until("9m")
    assert not asked_for(watch.history, "bo")
    watch.until("10m")
    newest = watch.said[-2:]
    assert [(page.to, page.reason, why_unwanted(page, watch.history)) for page in newest] == [
        ("bo", Reason.LAST_RESORT, None),
        ("olga", Reason.LAST_RESORT, None),
    ]
    assert asked_for(watch.history, "bo").roles == ("technical_lead",)
    watch.pass_("11m", "bo")
    assert why_unwanted(newest[0], watch.history) is Why.NO_LONGER_WANTED
    assert not asked_for(watch.history, "bo")
    watch.until("15m")
    assert why_unwanted(watch.said[-2], watch.history) is None
    watch.ack("16m", "olga")
    watch.until("20m")
    watch.showed("""
        0    page        declared     ana      sms  tl  0/1
        5m   page        last_resort  bo,olga  sms  tl
        10m  page        last_resort  bo,olga  sms  tl
        15m  page        last_resort  bo,olga  sms  tl
        16m  stand_down  accepted     ana,bo   sms  tl
        """)


def test_whoever_was_asked_anew_and_gives_it_up_again_has_passed() -> None:
    """Rule 16: bo accepts once he is asked anew, then passes: he is asked nothing more, and the next one is at once."""
    watch = Watch(LAST, "severity: s1", last_resort="bo, olga")
    watch.until("5m")
    watch.pass_("6m", "bo")
    watch.pass_("7m", "olga")
    watch.until("10m")
    watch.ack("11m", "bo")
    watch.until("11m")
    assert watch.history.holder("technical_lead") == "bo"
    watch.pass_("12m", "bo")
    assert "bo" in watch.history.roles["technical_lead"].declining
    assert not asked_for(watch.history, "bo")


def test_a_last_resort_asked_anew_that_left_gives_way_at_once() -> None:
    """Rules 16, 67: bo had passed and was asked anew; then the settings name olga, and bo is not in the config."""
    watch = Watch(LAST, "severity: s1", last_resort="bo")
    watch.until("5m")
    watch.pass_("6m", "bo")
    watch.until("10m")
    watch.last_resort = "olga"
    watch.configure("11m", LAST + "without: [bo]")
    assert watch.look("11m") == ["page last_resort olga sms tl"]


def test_whoever_was_asked_anew_stays_asked_when_others_join_the_last_resort() -> None:
    """Rules 16, 17: bo's page of the window before is wanted, and he is stood down when olga accepts."""
    watch = Watch(LAST, "severity: s1", last_resort="bo")
    watch.until("5m")
    watch.pass_("6m", "bo")
    watch.until("10m")
    watch.last_resort = "bo, olga"
    watch.configure("11m", LAST)
    watch.until("15m")
    assert asked_for(watch.history, "bo")
    watch.ack("16m", "olga")
    assert "page" not in "".join(watch.look("16m"))
    assert [
        (message.kind.value, message.to) for message in watch.said if message.at == START + timedelta(minutes=16)
    ] == [
        ("stand_down", "ana"),
        ("stand_down", "bo"),
    ]
