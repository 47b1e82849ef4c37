"""Rules 17 to 19: stand-downs, changes of severity, and whether the holder is still there."""

from datetime import UTC, datetime

import pytest

from tests.timelines.stage import Watch, rows, shows

PAIR = """
severities: {s1: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 5m}}}
roles: {tl: {chain: [ana, bo]}, ic: {chain: [bo, chen]}}
"""


def test_nobody_is_stood_down_while_asked_for_another_role() -> None:
    """Rule 17: bo was paged for the lead in vain, but is still asked for the commander; later he is told of that."""
    shows(
        PAIR,
        "severity: s1",
        """
        0   page        declared   ana   sms  tl  0/1
        0   page        declared   bo    sms  ic  0/1
        5m  page        escalated  bo    sms  tl  1/1
        5m  page        escalated  chen  sms  ic  1/1
        7m  stand_down  accepted   bo    sms  ic
        """,
        script="[{after: 6m, ack: ana}, {after: 7m, ack: chen}]",
        coming=None,
    )


def test_nobody_is_stood_down_while_holding_another_role() -> None:
    """Rule 17: bo holds the commander's role when the lead is accepted by ana."""
    shows(
        PAIR,
        "severity: s1",
        """
        0   page  declared   ana  sms  tl  0/1
        0   page  declared   bo   sms  ic  0/1
        5m  page  escalated  bo   sms  tl  1/1
        """,
        script="[{after: 1m, ack: bo}, {after: 6m, ack: ana}]",
        coming=None,
    )


def test_pages_of_the_instant_count_as_asking() -> None:
    """Corner [17]: at 5 m ana accepts the lead while bo is paged for the commander: no stand-down."""
    shows(
        PAIR.replace(
            "tl: {chain: [ana, bo]}, ic: {chain: [bo, chen]}", "tl: {chain: [[ana, bo]]}, ic: {chain: [chen, bo]}"
        ),
        "severity: s1",
        """
        0   page        declared   ana,bo  sms  tl  0/1
        0   page        declared   chen    sms  ic  0/1
        5m  page        escalated  bo      sms  ic  1/1
        6m  stand_down  accepted   chen    sms  ic
        """,
        script="[{after: 5m, ack: ana}, {after: 6m, ack: bo}]",
        coming=None,
    )


def test_stand_downs_of_one_instant_are_one() -> None:
    """Corner [17]: `roles` are those accepted then, in one message; by the first channel."""
    shows(
        """
        severities: {s1: {page: {roles: [tl, ic], via: [email, sms], acknowledge_within: 5m}}}
        roles: {tl: {chain: [[ana, bo]]}, ic: {chain: [[ana, bo]]}}
        """,
        "severity: s1",
        """
        0   page        declared  ana,bo  sms+email  tl,ic  0/1
        1m  stand_down  accepted  bo      email      tl,ic
        """,
        script="- {after: 1m, ack: ana}",
        coming=None,
    )


def test_the_first_channel_follows_reach() -> None:
    """Rules 13, 17: a stand-down goes by the first of the person's own `reach`."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [email, sms], acknowledge_within: 5m}}}
        roles: {tl: {chain: [[ana, bo]]}}
        people: {bo: {email: bo@example.com, phone: "+14155550102", reach: [sms, {via: email, after: 1h}]}}
        """,
        "severity: s1",
        """
        0   page        declared  ana  sms+email  tl  0/1
        0   page        declared  bo   sms        tl  0/1
        1m  stand_down  accepted  bo   sms        tl
        """,
        script="- {after: 1m, ack: ana}",
        coming=None,
    )


RESPONDER = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 10m}}}
roles: {tl: {chain: [[ana, eve]]}}
services: {shop: {responders: [eve]}}
"""


def test_responder_counts_as_another_role() -> None:
    """Corner [17]: eve is asked as a responder, from the page until a pass."""
    begin = """
    0  page  declared  ana  sms  tl            0/1
    0  page  declared  eve  sms  tl,responder  0/1
    """
    shows(RESPONDER, "{severity: s1, services: shop}", begin, script="- {after: 1m, ack: ana}", coming=None)


def test_a_pass_ends_being_a_responder() -> None:
    """Corners [16], [17]: eve was paged for the lead, passes everything, and gets no stand-down."""
    shows(
        RESPONDER,
        "{severity: s1, services: shop}",
        """
        0  page  declared  ana  sms  tl            0/1
        0  page  declared  eve  sms  tl,responder  0/1
        """,
        script="[{after: 1m, pass: eve}, {after: 2m, ack: ana}]",
        coming=None,
    )


def test_nobody_is_stood_down_twice_without_a_page_between() -> None:
    """Corner [17]: bo was stood down at 6 m; when olga accepts after ana's pass, bo hears nothing more."""
    shows(
        PAIR.replace("[tl, ic]", "[tl]"),
        "severity: s1",
        """
        0    page        declared     ana   sms  tl  0/1
        5m   page        escalated    bo    sms  tl  1/1
        6m   stand_down  accepted     bo    sms  tl
        10m  page        last_resort  olga  sms  tl
        """,
        script="[{after: 6m, ack: ana}, {after: 10m, pass: ana}, {after: 11m, ack: olga}]",
        coming=None,
    )


def test_a_second_stand_down_after_a_new_page() -> None:
    """Rule 17, corner: with a page for the role in between, bo is stood down again."""
    shows(
        PAIR.replace("[tl, ic]", "[tl]").replace("5m", "5m, rounds: 2"),
        "severity: s1",
        """
        0    page        declared     ana   sms  tl  0/1
        5m   page        escalated    bo    sms  tl  1/1
        6m   stand_down  accepted     bo    sms  tl
        10m  page        declined     bo    sms  tl  1/2
        12m  stand_down  accepted     bo    sms  tl
        """,
        script="[{after: 6m, ack: ana}, {after: 10m, pass: ana}, {after: 12m, ack: ana}]",
        coming=None,
    )


SEVERITIES = """
severities:
  s1: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 5m}}
  s2: {page: {roles: [tl], via: [sms], acknowledge_within: 10m}}
roles: {tl: {chain: [ana, bo, chen]}, ic: {chain: [dai, eve]}}
"""


def test_severity_raised_before_the_next_step() -> None:
    """Rule 18: the next step is due at the last fired one plus the new window."""
    shows(
        SEVERITIES,
        "severity: s2",
        """
        0    page  declared         ana   sms  tl  0/1
        4m   page  severity_raised  dai   sms  ic  0/1
        5m   page  escalated        bo    sms  tl  1/1
        9m   page  escalated        eve   sms  ic  1/1
        10m  page  escalated        chen  sms  tl  2/1
        """,
        script="- {after: 4m, set: {severity: s1}}",
        span="13m",
    )


def test_severity_raised_after_the_new_window() -> None:
    """Rule 18: 7 minutes after the last step the new window of 5 is past: at once."""
    shows(
        SEVERITIES,
        "severity: s2",
        """
        0    page  declared         ana   sms  tl  0/1
        7m   page  severity_raised  dai   sms  ic  0/1
        7m   page  escalated        bo    sms  tl  1/1
        12m  page  escalated        eve   sms  ic  1/1
        12m  page  escalated        chen  sms  tl  2/1
        """,
        script="- {after: 7m, set: {severity: S1}}",
        span="16m",
    )


def test_severity_lowered() -> None:
    """Rules 17, 18: roles no longer needed are stood down, a running ladder takes the longer window."""
    shows(
        SEVERITIES,
        "severity: s1",
        """
        0    page        declared          ana  sms  tl  0/1
        0    page        declared          dai  sms  ic  0/1
        5m   page        escalated         bo   sms  tl  1/1
        5m   page        escalated         eve  sms  ic  1/1
        8m   stand_down  severity_lowered  dai,eve  sms  ic
        15m  page        escalated         chen  sms  tl  2/1
        """,
        script="- {after: 8m, set: {severity: s2}}",
        span="24m",
    )


def test_accepted_roles_stay_accepted() -> None:
    """Rule 18: only the new role is paged."""
    shows(
        SEVERITIES,
        "severity: s2",
        "0 page declared ana sms tl 0/1\n4m page severity_raised dai sms ic 0/1",
        script="[{after: 1m, ack: ana}, {after: 4m, set: {severity: s1}}, {after: 5m, ack: dai}]",
        coming=None,
    )


def test_a_dropped_role_loses_its_acceptance() -> None:
    """Rules 17, 18, corner: its holder is stood down; raised again, the role is paged again."""
    shows(
        SEVERITIES,
        "{severity: s1, acknowledged: ana}",
        """
        0    page        declared          dai  sms  ic  0/1
        3m   stand_down  severity_lowered  dai  sms  ic
        8m   page        severity_raised   dai  sms  ic  0/1
        13m  page        escalated         eve  sms  ic  1/1
        """,
        script="[{after: 1m, ack: dai}, {after: 3m, set: {severity: s2}}, {after: 8m, set: {severity: s1}}]",
        span="17m",
    )


def test_a_dropped_roles_holder_is_told_even_if_never_paged() -> None:
    """Corner [17]: dai accepted at first sight without a page, and is stood down all the same."""
    shows(
        SEVERITIES,
        "{severity: s1, acknowledged: [ana, dai]}",
        "3m stand_down severity_lowered dai sms ic",
        script="- {after: 3m, set: {severity: s2}}",
        coming=None,
    )


@pytest.mark.parametrize(
    ("refused", "via"), [("", "sms"), ("{after: 90s, fail: {person: bo, via: sms}}, ", "email")], ids=["sms", "refused"]
)
def test_a_stand_down_goes_where_the_page_lies(refused: str, via: str) -> None:
    """Rule 17: also under a severity that pages by email alone, and for another's acceptance; by what the person has
    left, where that channel was refused since (rule 14).
    """
    shows(
        """
        severities:
          s1: {page: {roles: [tl], via: [email, sms], acknowledge_within: 5m}}
          s3: {page: {roles: [tl], via: [email], acknowledge_within: 1h}}
        roles: {tl: {chain: [[ana, bo]]}}
        people: {bo: {email: bo@example.com, phone: "+14155550102", reach: [sms]}}
        """,
        "severity: s1",
        f"""
        0    page        declared  ana  sms+email  tl  0/1
        0    page        declared  bo   sms        tl  0/1
        3m   stand_down  accepted  bo   {via}      tl
        """,
        script=f"[{refused}{{after: 2m, set: {{severity: s3}}}}, {{after: 3m, ack: ana}}]",
        span="50m",
        coming=None,
    )


def test_a_lower_severity_may_need_another_role() -> None:
    """Rule 18: roles newly needed are `severity_raised` whichever the direction. Rule 17: whoever was woken by SMS
    hears by SMS that they may sleep on.
    """
    shows(
        """
        severities:
          s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}
          s3: {page: {roles: [sc], via: [email], acknowledge_within: 1h}}
        roles: {tl: {chain: [ana]}, sc: {chain: [fay]}}
        """,
        "severity: s1",
        """
        0    page        declared          ana  sms    tl  0/1
        2m   page        severity_raised   fay  email  sc  0/1
        2m   stand_down  severity_lowered  ana  sms    tl
        """,
        script="- {after: 2m, set: {severity: s3}}",
        span="50m",
        coming="1h2m",
    )


def test_a_ladder_in_the_last_resort_stays_there() -> None:
    """Rule 18: the new severity has more rounds, but the last resort goes on, by the new window."""
    shows(
        """
        severities:
          s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 3}}
          s2: {page: {roles: [tl], via: [sms], acknowledge_within: 10m}}
        roles: {tl: {chain: [ana]}}
        """,
        "severity: s2",
        """
        0    page  declared     ana   sms  tl  0/1
        10m  page  last_resort  olga  sms  tl
        15m  page  last_resort  olga  sms  tl
        20m  page  last_resort  olga  sms  tl
        """,
        script="- {after: 12m, set: {severity: s1}}",
        span="20m",
    )


RESPONDERS = """
severities:
  s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}
  s2: {page: {roles: [tl], via: [sms], acknowledge_within: 10m, rounds: 2}}
  s4: {}
roles: {tl: {chain: [ana]}}
services: {shop: {responders: [eve]}}
"""


def test_the_next_responder_page_follows_the_new_window() -> None:
    """Corner [18]: raised at 4 m, the second page is due at 5 m instead of 10 m."""
    shows(
        RESPONDERS,
        "{severity: s2, services: shop, acknowledged: ana}",
        "0 page declared eve sms responder 0/1\n5m page repeated eve sms responder 0/2",
        script="- {after: 4m, set: {severity: s1}}",
        coming=None,
    )


def test_a_responder_who_has_answered_is_asked_anew_after_the_rest() -> None:
    """Corner [18]: their answer was to the pages of before."""
    shows(
        RESPONDERS,
        "{severity: s1, services: shop, acknowledged: ana}",
        """
        0    page        declared          eve  sms  responder  0/1
        2m   stand_down  severity_lowered  ana  sms  tl
        20m  page        severity_raised   ana  sms  tl         0/1
        20m  page        severity_raised   eve  sms  responder  0/1
        """,
        script="""
        - {after: 1m, ack: eve}
        - {after: 2m, set: {severity: s4}}
        - {after: 20m, set: {severity: s1}}
        - {after: 21m, ack: ana}
        - {after: 21m, ack: eve}
        """,
        coming=None,
    )


def test_responders_rest_without_page_and_start_anew() -> None:
    """Corner [18]: under a severity without `page` they rest; under one with it they start anew (`severity_raised`)."""
    shows(
        RESPONDERS,
        "{severity: s1, services: shop, acknowledged: ana}",
        """
        0    page        declared          eve  sms  responder     0/1
        2m   stand_down  severity_lowered  ana  sms  tl
        20m  page        severity_raised   ana  sms  tl         0/1
        20m  page        severity_raised   eve  sms  responder  0/1
        25m  page        repeated          eve  sms  responder  0/2
        """,
        script="[{after: 2m, set: {severity: s4}}, {after: 20m, set: {severity: s1}}, {after: 21m, ack: ana}]",
        coming=None,
    )


def test_a_ladder_that_rested_goes_on() -> None:
    """Rules 9, 18: the scribe is needed all along, because the file names ana; back under a severity that pages, her
    ladder goes on where it was.
    """
    shows(
        """
        severities:
          s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}
          s4: {}
        roles: {tl: {chain: [chen]}, sc: {chain: [bo]}}
        """,
        "{severity: s1, roles: {sc: ana}}",
        """
        0   page        declared          chen  sms  tl  0/1
        0   page        declared          ana   sms  sc  0/1
        2m  stand_down  severity_lowered  chen  sms  tl
        3m  page        severity_raised   chen  sms  tl  0/1
        5m  page        escalated         bo    sms  sc  1/1
        """,
        script="[{after: 2m, set: {severity: s4}}, {after: 3m, set: {severity: s1}}]",
        span="6m",
    )


def test_a_stand_down_found_a_moment_late_counts_from_the_answer() -> None:
    """Rules 4, 17: the daemon looks 30 s after bo's ok; ana's stand-down is of the instant of the ok."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
    roles: {tl: {chain: [[ana, bo]]}}
    """
    watch = Watch(config, "severity: s1")
    watch.look("0")
    watch.ack("1m", "bo")
    watch.look("1m30s")
    watch.showed("""
        0   page        declared  ana,bo  sms  tl  0/1
        1m  stand_down  accepted  ana     sms  tl
        """)


def test_a_handover_found_a_moment_late_counts_from_the_name() -> None:
    """Rules 4, 9: the daemon looks 30 s after bo's name was written; his pages count from when it was."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
    roles: {tl: {chain: [ana]}}
    """
    watch = Watch(config, "{severity: s1, acknowledged: [ana]}")
    watch.look("0")
    watch.see("2m", "roles: {tl: bo}")
    watch.look("2m30s")
    watch.until("7m")
    watch.showed("""
        2m  page  assigned  bo  sms  tl  0/1
        7m  page  assigned  bo  sms  tl  0/2
        """)


def test_nobody_is_stood_down_while_asked_to_take_over_another_role() -> None:
    """Rules 9, 17: dai is asked to take the lead over from ana when bo accepts the commander."""
    shows(
        """
        severities: {s1: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 5m}}}
        roles: {tl: {chain: [ana]}, ic: {chain: [[bo, dai]]}}
        """,
        "severity: s1",
        """
        0   page  declared  ana     sms  tl  0/1
        0   page  declared  bo,dai  sms  ic  0/1
        2m  page  assigned  dai     sms  tl  0/1
        """,
        script="[{after: 1m, ack: ana}, {after: 2m, set: {roles: {tl: dai}}}, {after: 3m, ack: bo}]",
        span="4m",
    )


def test_who_will_be_asked_to_take_over_is_stood_down_until_then() -> None:
    """Rules 9, 11, 17: hours are closed, so dai is not being asked for the role yet when ana accepts it."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 1h, hours: business}}}
        roles: {tl: {chain: [[ana, dai]]}}
        hours: {business: {timezone: UTC, during: ["mon-fri 09:00-17:00"]}}
        """,
        "severity: s1",
        """
        0        page        declared  ana,dai  sms  tl  0/1
        2m       stand_down  accepted  dai      sms  tl
        2d16h1m  page        assigned  dai      sms  tl  0/1
        """,
        script="[{after: 2m, ack: ana}, {after: 2m, set: {roles: {tl: dai}}}]",
        at=datetime(2026, 11, 20, 16, 59, tzinfo=UTC),
        span="2d16h2m",
    )


STILL = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, still_there_after: 30m}}}
roles: {tl: {chain: [ana, bo]}}
"""


def test_a_silent_holder_loses_the_role() -> None:
    """Rule 19: one page after 30 minutes; unanswered for the window, the ladder starts anew without them."""
    shows(
        STILL,
        "severity: s1",
        """
        0    page        declared     ana   sms  tl  0/1
        31m  page        still_there  ana   sms  tl
        36m  page        escalated    bo    sms  tl  1/1
        41m  page        last_resort  olga  sms  tl
        43m  stand_down  accepted     bo,olga  sms  tl
        """,
        script="[{after: 1m, ack: ana}, {after: 43m, ack: ana}]",
        span="1h",
        coming="1h13m",
    )


def test_a_silent_holder_is_not_asked_for_the_role_that_was_lost() -> None:
    """Rules 17, 19: so ana is stood down from another role that dai accepts."""
    shows(
        """
        severities:
          s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, still_there_after: 30m}}
          s2: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 5m, still_there_after: 30m}}
        roles: {tl: {chain: [ana, bo]}, ic: {chain: [[ana, dai]]}}
        """,
        "severity: s1",
        """
        0       page        declared         ana      sms  tl  0/1
        31m     page        still_there      ana      sms  tl
        36m     page        escalated        bo       sms  tl  1/1
        38m     page        severity_raised  ana,dai  sms  ic  0/1
        39m     stand_down  accepted         ana      sms  ic
        """,
        script="[{after: 1m, ack: ana}, {after: 38m, set: {severity: s2}}, {after: 39m, ack: dai}]",
        span="40m",
        coming="41m",
    )


def test_a_silent_holder_who_is_assigned_is_asked_again() -> None:
    """Corner [9]: the new assignment ends the being left out."""
    shows(
        STILL,
        "severity: s1",
        """
        0    page  declared     ana  sms  tl  0/1
        31m  page  still_there  ana  sms  tl
        36m  page  escalated    bo   sms  tl  1/1
        38m  page  assigned     ana  sms  tl  0/1
        43m  page  escalated    bo   sms  tl  2/1
        """,
        script="[{after: 1m, ack: ana}, {after: 38m, set: {roles: {tl: ana}}}]",
        span="43m",
    )


def test_a_silent_holder_of_a_shared_level() -> None:
    """Rule 19: the ladder starts anew at level 0 (`escalated`) with whoever else is there."""
    shows(
        STILL.replace("[ana, bo]", "[[ana, bo], chen]"),
        "severity: s1",
        """
        0    page        declared     ana,bo  sms  tl  0/1
        1m   stand_down  accepted     bo      sms  tl
        31m  page        still_there  ana     sms  tl
        36m  page        escalated    bo      sms  tl  0/1
        37m  stand_down  accepted     ana     sms  tl
        """,
        script="[{after: 1m, ack: ana}, {after: 37m, ack: bo}]",
        span="1h6m",
        coming="1h7m",
    )


def test_an_answer_starts_the_count_anew() -> None:
    """Rule 19: from the holder's last answer, before or after the question."""
    shows(
        STILL,
        "severity: s1",
        """
        0      page  declared     ana  sms  tl  0/1
        40m    page  still_there  ana  sms  tl
        1h12m  page  still_there  ana  sms  tl
        """,
        script="[{after: 1m, ack: ana}, {after: 10m, ack: ana}, {after: 42m, ack: ana}]",
        span="1h16m",
        coming="1h17m",
    )


def test_a_change_of_the_file_starts_the_count_anew() -> None:
    """Rule 19, corner: any edit does, also while the question is unanswered; an acknowledgment of others is none."""
    shows(
        STILL,
        "severity: s1",
        """
        0      page  declared     ana  sms  tl  0/1
        40m    page  still_there  ana  sms  tl
        1h12m  page  still_there  ana  sms  tl
        """,
        script="""
        - {after: 1m, ack: ana}
        - {after: 10m, set: {summary: Looking}}
        - {after: 20m, ack: bo}
        - {after: 25m, set: {acknowledged: [bo]}}
        - {after: 26m, pass: bo}
        - {after: 42m, set: {title: Still looking}}
        """,
        span="1h16m",
    )


def test_one_question_for_all_roles_of_a_holder() -> None:
    """Rules 12, 19: one page names both roles; unanswered, both ladders start anew."""
    shows(
        """
        severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m, still_there_after: 30m}}}
        roles: {tl: {chain: [ana, bo]}, ic: {chain: [ana, chen]}}
        """,
        "severity: s1",
        """
        0    page  declared     ana   sms  ic,tl  0/1
        31m  page  still_there  ana   sms  ic,tl
        36m  page  escalated    chen  sms  ic     1/1
        36m  page  escalated    bo    sms  tl     1/1
        41m  page  last_resort  olga  sms  ic,tl
        """,
        script="- {after: 1m, ack: ana}",
        span="41m",
    )


def test_an_extra_role_that_leaves_the_config_is_dropped() -> None:
    """Rules 8, 9, 17: the file still names ana for the scribe, a role that the config no longer has."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
    roles: {tl: {chain: [bo]}, sc: {chain: [bo]}}
    """
    watch = Watch(config, "{severity: s1, roles: {sc: ana}}")
    watch.look("0")
    watch.ack("1m", "bo")
    watch.look("1m")
    watch.configure("2m", config.replace(", sc: {chain: [bo]}", ""))
    assert watch.look("2m") == rows("stand_down severity_lowered ana sms sc")
    watch.until("1h")
    assert len(watch.said) == 3
