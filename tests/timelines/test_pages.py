"""Rules 11 to 14: when a page may go, and by which channels."""

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.domain.notification import Reason, Why

from tests.timelines.stage import START, Watch, shows

FRIDAY = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
"""A Friday, 15:00 in Berlin."""

BUSINESS = """
severities:
  s1:
    page: {roles: [tl], via: [sms], acknowledge_within: 4h, hours: business}
    updates: [{to: [execs], every: 24h}]
roles: {tl: {chain: [ana, bo]}}
stakeholders: {execs: {people: [ceo]}}
hours: {business: {timezone: Europe/Berlin, during: ["mon-fri 09:00-17:00"]}}
"""


def test_the_window_counts_open_time_only() -> None:
    """Rule 11: 4 h from Friday 15:00 in 09:00-17:00 is Monday 11:00; updates are never held."""
    shows(
        BUSINESS,
        "severity: s1",
        """
        0      page    declared   ana  sms    tl  0/1
        0      update  declared   ceo  email  execs
        1d     update  due        ceo  email  execs
        2d     update  due        ceo  email  execs
        2d20h  page    escalated  bo   sms    tl  1/1    # Monday 11:00 in Berlin
        3d     page    last_resort  olga sms  tl         # Monday 15:00
        3d     update  due        ceo  email  execs
        """,
        at=FRIDAY,
        span="3d",
    )


def test_a_step_on_the_closing_waits_for_the_opening() -> None:
    """Rule 11: 2 h from Friday 15:00 is exactly the closing, so the step fires Monday 09:00."""
    shows(
        BUSINESS.replace(" 4h", " 2h").replace("updates: [{to: [execs], every: 24h}]", "updates: []"),
        "severity: s1",
        """
        0      page  declared     ana   sms  tl  0/1
        2d18h  page  escalated    bo    sms  tl  1/1
        2d20h  page  last_resort  olga  sms  tl
        2d22h  page  last_resort  olga  sms  tl
        3d     page  last_resort  olga  sms  tl
        """,
        at=FRIDAY,
        span="3d",
        coming="3d18h",
    )


def test_a_declaration_in_closed_hours_waits() -> None:
    """Rule 11: declared on a Saturday, level 0 fires Monday 09:00 and the window counts from there."""
    shows(
        BUSINESS,
        "severity: s1",
        """
        0   update  declared   ceo  email  execs
        1d  update  due        ceo  email  execs
        44h page    declared   ana  sms    tl  0/1
        2d  update  due        ceo  email  execs
        2d  page    escalated  bo   sms    tl  1/1
        """,
        at=datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
        span="50h",
    )


def test_all_pages_wait_for_the_opening() -> None:
    """Rule 11, corner [19]: responders' and still-there pages wait too; `still_there_after` itself is plain time."""
    shows(
        """
        severities:
          s1:
            page:
              {roles: [tl], via: [sms], acknowledge_within: 1h, rounds: 2, hours: business, still_there_after: 3h}
        roles: {tl: {chain: [ana, bo]}}
        services: {shop: {responders: [eve]}}
        hours: {business: {timezone: Europe/Berlin, during: ["mon-fri 09:00-17:00"]}}
        """,
        "{severity: s1, services: shop}",
        """
        0         page  declared     ana  sms  tl         0/1
        0         page  declared     eve  sms  responder  0/1
        2d17h     page  repeated     eve  sms  responder  0/2   # due on Friday's closing, so Monday 09:00
        2d17h     page  still_there  ana  sms  tl               # due Friday 19:30, waits for Monday 09:00
        2d18h     page  escalated    bo   sms  tl         1/1
        2d18h30m  stand_down accepted ana sms  tl
        """,
        script="[{after: 30m, ack: ana}, {after: 2d18h30m, ack: bo}]",
        at=datetime(2026, 11, 20, 15, 0, tzinfo=UTC),
        span="2d19h",
    )


def test_a_window_that_runs_past_midnight() -> None:
    """Rule 11, section 3: 22:00-06:00 belongs to its first day; 2 h from 05:00 is 23:00."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 2h, hours: night}}}
        roles: {tl: {chain: [ana, bo]}}
        hours: {night: {timezone: UTC, during: "22:00-06:00"}}
        """,
        "severity: s1",
        """
        0    page  declared     ana   sms  tl  0/1      # 05:00
        18h  page  escalated    bo    sms  tl  1/1      # 1 h until 06:00, 1 h from 22:00
        20h  page  last_resort  olga  sms  tl
        """,
        at=datetime(2026, 11, 23, 5, 0, tzinfo=UTC),
        span="20h",
    )


def test_one_page_per_person_and_instant() -> None:
    """Rule 12: roles in the severity's order; level, round and reason of the first of them."""
    shows(
        """
        severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
        roles: {ic: {chain: [ana]}, tl: {chain: [bo, ana]}}
        """,
        "severity: s1",
        """
        0    page  declared     ana   sms  ic     0/1
        0    page  declared     bo    sms  tl     0/1
        5m   page  repeated     ana   sms  ic,tl  0/2
        10m  page  last_resort  olga  sms  ic
        10m  page  repeated     bo    sms  tl     0/2
        15m  page  last_resort  olga  sms  ic
        15m  page  repeated     ana   sms  tl     1/2
        20m  page  last_resort  olga  sms  ic,tl
        """,
        span="20m",
    )


def test_four_roles_with_shared_people() -> None:
    """Rules 12, 15: ana is wanted for three roles at once; one ok accepts them, the fourth climbs on."""
    shows(
        """
        severities: {s1: {page: {roles: [sc, tl, ic, co], via: [sms, email], acknowledge_within: 5m}}}
        roles:
          ic: {chain: [ana, bo]}
          tl: {chain: [ana, chen]}
          co: {chain: [dai, ana]}
          sc: {chain: [ana]}
        """,
        "severity: s1",
        """
        0   page        declared   ana  sms+email  sc,tl,ic  0/1
        0   page        declared   dai  sms+email  co        0/1
        5m  page        escalated  ana  sms+email  co        1/1
        6m  stand_down  accepted   dai  sms        co
        """,
        script="[{after: 1m, ack: ana}, {after: 6m, ack: ana}]",
        coming=None,
    )


def test_assigned_extras_and_responder_come_last() -> None:
    """Rule 12, corner: severity's roles, then extras in the order of the incident's `roles`, `responder` last."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
        roles: {ic: {chain: [bo]}, tl: {chain: [ana]}, co: {chain: [bo]}, sc: {chain: [bo]}}
        services: {shop: {responders: [ana]}}
        """,
        "{severity: s1, services: shop, roles: {sc: ana, co: ana, ic: ana}}",
        "0 page declared ana sms tl,sc,co,ic,responder 0/1",
        script="- {after: 1m, ack: ana}",
        coming=None,
    )


def test_channels_are_those_of_via_that_the_person_has() -> None:
    """Rule 13: of `via` what they have; if none, whatever they have."""
    shows(
        """
        severities: {s1: {page: {roles: [tl, ic, co], via: [sms, email], acknowledge_within: 5m}},
                     s2: {page: {roles: [tl, ic, co], via: [email], acknowledge_within: 5m}}}
        roles: {tl: {chain: [pat]}, ic: {chain: [max]}, co: {chain: [bo]}}
        """,
        "severity: s1",
        """
        0   page  declared     pat   sms        tl  0/1
        0   page  declared     max   email      ic  0/1
        0   page  declared     bo    sms+email  co  0/1
        5m  page  last_resort  olga  sms+email  tl,ic,co
        """,
        span="6m",
    )
    shows(
        """
        severities: {s1: {page: {roles: [tl, ic, co], via: [email], acknowledge_within: 5m}}}
        roles: {tl: {chain: [pat]}, ic: {chain: [max]}, co: {chain: [bo]}}
        """,
        "severity: s1",
        """
        0  page  declared  pat  sms    tl  0/1
        0  page  declared  max  email  ic  0/1
        0  page  declared  bo   email  co  0/1
        """,
        span="4m",
    )


def reach(
    entries: str, *, via: str = "[sms, email]", within: str = "5m", rounds: int = 1, chain: str = "[ana, bo]"
) -> str:
    """One role, and ana with these `reach` entries."""
    return f"""
severities: {{s1: {{page: {{roles: [tl], via: {via}, acknowledge_within: {within}, rounds: {rounds}}}}}}}
roles: {{tl: {{chain: {chain}}}}}
people: {{ana: {{email: ana@example.com, phone: "+14155550101", reach: {entries}}}}}
"""


def test_reach_waits_and_goes_if_still_wanted() -> None:
    """Rule 13: email at once, SMS 2 minutes after (`reach`, with the page's level and round)."""
    shows(
        reach("[email, {via: sms, after: 2m}]"),
        "severity: s1",
        """
        0   page  declared   ana  email      tl  0/1
        2m  page  reach      ana  sms        tl  0/1
        5m  page  escalated  bo   sms+email  tl  1/1
        """,
        span="9m",
    )


def test_reach_is_not_sent_once_answered() -> None:
    """Rule 13: an ok or a pass before, or at, its instant ends it."""
    config = reach("[email, {via: sms, after: 2m}]")
    shows(config, "severity: s1", "0 page declared ana email tl 0/1", script="- {after: 2m, ack: ana}", coming=None)
    shows(
        config,
        "severity: s1",
        "0 page declared ana email tl 0/1\n1m page declined bo sms+email tl 1/1",
        script="- {after: 1m, pass: ana}",
        span="5m",
        coming="6m",
    )


def test_a_later_page_that_is_dropped_is_noted_where_it_was_judged() -> None:
    """Rules 4, 13: due at 2 m and found unwanted at 10 m, ana's SMS is noted as dropped at 10 m."""
    watch = Watch(reach("[email, {via: sms, after: 2m}]"), "severity: s1")
    watch.look("0")
    watch.ack("1m", "ana")
    watch.look("10m")
    watch.showed("0 page declared ana email tl 0/1")
    dropped = [(each.to, each.at - START) for each in watch.suppressed if each.why is Why.NO_LONGER_WANTED]
    assert dropped == [("ana", timedelta(minutes=10))]


def test_later_levels_do_not_end_reach() -> None:
    """Rule 13: the SMS goes after 7 minutes though the next level fired at 5; somebody else's ok ends it."""
    config = reach("[email, {via: sms, after: 7m}]")
    shows(
        config,
        "severity: s1",
        """
        0    page  declared     ana   email      tl  0/1
        5m   page  escalated    bo    sms+email  tl  1/1
        7m   page  reach        ana   sms        tl  0/1
        10m  page  last_resort  olga  sms+email  tl
        """,
        span="10m",
    )
    shows(
        config,
        "severity: s1",
        """
        0   page        declared   ana  email      tl  0/1
        5m  page        escalated  bo   sms+email  tl  1/1
        6m  stand_down  accepted   ana  email      tl
        """,
        script="- {after: 6m, ack: bo}",
        coming=None,
    )


def test_reach_carries_the_roles_still_wanted() -> None:
    """Rule 13: of two roles paged, the one accepted meanwhile is left out."""
    shows(
        """
        severities: {s1: {page: {roles: [tl, ic], via: [sms, email], acknowledge_within: 1h}}}
        roles: {tl: {chain: [[ana, bo]]}, ic: {chain: [ana]}}
        people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 3m}]}}
        """,
        "severity: s1",
        """
        0   page  declared  ana  email      tl,ic  0/1
        0   page  declared  bo   sms+email  tl     0/1
        3m  page  reach     ana  sms        ic     0/1
        """,
        script="- {after: 1m, ack: bo}",
        span="50m",
    )


def test_a_page_for_two_roles_is_one_page_with_one_wait() -> None:
    """Rules 12, 13: one page, whose other channel waits once; what goes at once never waits."""
    config = """
    severities: {s1: {page: {roles: [ic, tl], via: [sms, email], acknowledge_within: 10m}}}
    roles: {ic: {chain: [ana]}, tl: {chain: [ana]}}
    people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 3m}]}}
    """
    watch = Watch(config, "severity: s1")
    watch.look("0")
    assert [(page.person, page.roles) for page in watch.history.waiting] == [
        ("ana", ("incident_commander", "technical_lead"))
    ]
    assert watch.next_look == START + timedelta(minutes=3)
    watch.look("3m")
    assert watch.history.waiting == ()
    assert watch.suppressed == []
    at_once = Watch(config.replace("after: 3m", "after: 0s"), "severity: s1")
    at_once.look("0")
    assert at_once.history.waiting == ()
    assert at_once.suppressed == []


def test_reach_names_all_the_channels_used() -> None:
    """Rule 13: a channel that `reach` does not name is not used; with no entry left, `reach` is ignored."""
    shows(
        reach("[email]"),
        "severity: s1",
        "0 page declared ana email tl 0/1",
        span="4m",
    )
    shows(
        reach("[email]", via="[sms]"),
        "severity: s1",
        "0 page declared ana sms tl 0/1",
        span="4m",
    )


def test_reach_is_dropped_where_another_page_arrives() -> None:
    """Rule 13: the second SMS of page one is due with page two's SMS, which stands for it; page two's own is sent."""
    shows(
        reach("[sms, {via: sms, after: 5m}]", rounds=2, chain="[ana]"),
        "severity: s1",
        """
        0    page  declared     ana   sms        tl  0/1
        5m   page  repeated     ana   sms        tl  0/2
        10m  page  reach        ana   sms        tl  0/2
        10m  page  last_resort  olga  sms+email  tl
        """,
        span="11m",
        coming="15m",
    )


def test_a_dropped_reach_adds_nothing_to_the_page_that_stands_for_it() -> None:
    """Rule 13: at 5 m ana's second SMS about the commander is dropped for the lead's page, which is about the lead only."""
    shows(
        """
        severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m}}}
        roles: {ic: {chain: [ana, chen]}, tl: {chain: [bo, ana]}}
        people: {ana: {phone: "+14155550101", reach: [sms, {via: sms, after: 5m}]}}
        """,
        "severity: s1",
        """
        0   page  declared   ana   sms  ic  0/1
        0   page  declared   bo    sms  tl  0/1
        5m  page  escalated  ana   sms  tl  1/1
        5m  page  escalated  chen  sms  ic  1/1
        """,
        span="6m",
    )


@pytest.mark.parametrize("answer", ["ack", "pass"])
def test_reach_of_a_responder_ends_with_their_answer(answer: str) -> None:
    """Rules 10, 13: eve's SMS goes only while she has neither accepted nor passed; hal's ok does not end it."""
    config = """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 10m}}}
        roles: {tl: {chain: [ana]}}
        services: {shop: {responders: [eve, hal]}}
        people: {eve: {email: eve@example.com, phone: "+14155550105", reach: [email, {via: sms, after: 3m}]}}
        """
    paged = """
        0   page  declared  ana  sms+email  tl         0/1
        0   page  declared  eve  email      responder  0/1
        0   page  declared  hal  sms+email  responder  0/1
        """
    incident = "{severity: s1, services: shop}"
    shows(config, incident, paged, script=f"[{{after: 1m, {answer}: eve}}]", span="9m")
    sent = paged + "3m page reach eve sms responder 0/1"
    shows(config, incident, sent, script=f"[{{after: 1m, {answer}: hal}}]", span="9m")


def test_reach_rests_under_a_severity_without_page() -> None:
    """Rules 9, 13: the scribe is still needed, because the file names her, but nobody is paged under s2."""
    shows(
        """
        severities:
          s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 10m}}
          s2: {}
        roles: {tl: {chain: [bo]}, sc: {chain: [bo]}}
        people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 3m}]}}
        """,
        "{severity: s1, roles: {sc: ana}}",
        """
        0   page        declared          bo   sms+email  tl  0/1
        0   page        declared          ana  email      sc  0/1
        1m  stand_down  severity_lowered  bo   sms        tl
        """,
        script="[{after: 1m, set: {severity: s2}}]",
        span="1h",
    )


def test_reach_outside_via_is_ignored() -> None:
    """Rule 13: of pat's entries none is in `via`, so the page goes once, by whatever pat has."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [email], acknowledge_within: 10m}}}
        roles: {tl: {chain: [pat]}}
        people: {pat: {phone: "+14155550201", reach: [sms, {via: sms, after: 2m}]}}
        """,
        "severity: s1",
        "0 page declared pat sms tl 0/1",
        span="9m",
    )


def test_reach_of_a_ladders_page_outlasts_an_edit() -> None:
    """Rule 13: a change of the file ends what waits of a still-there page, not of any other."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 10m}}}
        roles: {tl: {chain: [ana]}}
        people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 3m}]}}
        """,
        "severity: s1",
        """
        0   page  declared  ana  email  tl  0/1
        3m  page  reach     ana  sms    tl  0/1
        """,
        script="[{after: 1m, set: {summary: It is the disk.}}]",
        span="9m",
    )


def test_reach_of_each_page_of_a_handover() -> None:
    """Corner [13]: the entry of the first page goes also after the second one, while dai has not answered."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 5m, rounds: 2}}}
        roles: {tl: {chain: [ana]}}
        people: {dai: {email: dai@example.com, phone: "+14155550104", reach: [email, {via: sms, after: 7m}]}}
        """,
        "{severity: s1, acknowledged: [ana]}",
        """
        1m   page  assigned  dai  email  tl  0/1
        6m   page  assigned  dai  email  tl  0/2
        8m   page  reach     dai  sms    tl  0/1
        13m  page  reach     dai  sms    tl  0/2
        """,
        script="[{after: 1m, set: {roles: {tl: dai}}}]",
        span="30m",
    )


def test_what_waits_of_an_earlier_page_is_not_revived_by_a_handover() -> None:
    """Corner [13]: dai was stood down, then asked to take over: only the handover page's own SMS goes."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 30m}}}
        roles: {tl: {chain: [[ana, dai]]}}
        people: {dai: {email: dai@example.com, phone: "+14155550104", reach: [email, {via: sms, after: 7m}]}}
        """,
        "severity: s1",
        """
        0   page        declared  ana  sms+email  tl  0/1
        0   page        declared  dai  email      tl  0/1
        1m  stand_down  accepted  dai  email      tl
        2m  page        assigned  dai  email      tl  0/1
        9m  page        reach     dai  sms        tl  0/1
        """,
        script="[{after: 1m, ack: ana}, {after: 2m, set: {roles: {tl: dai}}}]",
        span="20m",
    )


def test_a_reach_page_asks_again_so_it_is_stood_down_again() -> None:
    """Rules 13, 17: ana was stood down, the role is open again and her SMS goes: on the next ok she hears it again."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 5m, rounds: 1}}}
        roles: {tl: {chain: [ana, bo, chen]}}
        people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 12m}]}}
        """,
        "severity: s1",
        """
        0    page        declared   ana   email      tl  0/1
        5m   page        escalated  bo    sms+email  tl  1/1
        6m   stand_down  accepted   ana   email      tl
        10m  page        declined   chen  sms+email  tl  2/1
        12m  page        reach      ana   sms        tl  0/1
        13m  stand_down  accepted   ana   email      tl
        """,
        script="[{after: 6m, ack: bo}, {after: 10m, pass: bo}, {after: 13m, ack: chen}]",
        span="14m",
    )


def test_the_first_reach_entry_goes_at_once() -> None:
    """Corner [13]: whatever its `after`, the first that remains goes with the page."""
    shows(
        reach("[{via: sms, after: 2m}, {via: email, after: 4m}]"),
        "severity: s1",
        "0 page declared ana sms tl 0/1\n4m page reach ana email tl 0/1",
        span="4m",
    )
    shows(
        reach("[{via: sms, after: 2m}, {via: email, after: 4m}]", via="[email]"),
        "severity: s1",
        "0 page declared ana email tl 0/1",
        span="4m",
    )


def test_reach_in_closed_hours_waits_and_is_judged_there() -> None:
    """Corner [13]: 5 minutes of plain time after Friday 16:58 is closed, so the SMS waits for Monday 09:00."""
    config = BUSINESS.replace("updates: [{to: [execs], every: 24h}]", "updates: []").replace("[sms]", "[sms, email]")
    config += 'people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 5m}]}}'
    at = datetime(2026, 11, 20, 15, 58, tzinfo=UTC)
    shows(
        config,
        "severity: s1",
        """
        0         page  declared   ana  email      tl  0/1
        2d16h2m   page  reach      ana  sms        tl  0/1
        2d20h     page  escalated  bo   sms+email  tl  1/1
        """,
        at=at,
        span="2d20h",
    )
    shows(
        config,
        "severity: s1",
        "0 page declared ana email tl 0/1",
        script="- {after: 1d, ack: ana}",
        at=at,
        span="3d",
        coming=None,
    )


def test_reach_of_a_handover_page() -> None:
    """Corner [13]: waiting entries of a handover page go while the assignment is unanswered."""
    config = reach("[email, {via: sms, after: 2m}]", chain="[bo]", within="30m")
    shows(
        config,
        "severity: s1",
        """
        0    page        declared  bo   sms+email  tl  0/1
        7m   page        assigned  ana  email      tl  0/1
        9m   page        reach     ana  sms        tl  0/1
        20m  stand_down  handover  bo   sms        tl
        """,
        script="[{after: 1m, ack: bo}, {after: 7m, set: {roles: {tl: ana}}}, {after: 20m, ack: ana}]",
        coming=None,
    )
    shows(
        config,
        "severity: s1",
        """
        0   page        declared  bo   sms+email  tl  0/1
        7m  page        assigned  ana  email      tl  0/1
        8m  stand_down  handover  bo   sms        tl
        """,
        script="[{after: 1m, ack: bo}, {after: 7m, set: {roles: {tl: ana}}}, {after: 8m, ack: ana}]",
        coming=None,
    )


def test_reach_of_a_still_there_page() -> None:
    """Corner [13]: waiting entries of a still-there page go until the holder answers or the file changes."""
    config = reach("[email, {via: sms, after: 2m}]", within="5m").replace(
        "rounds: 1", "rounds: 1, still_there_after: 30m"
    )
    shows(
        config,
        "severity: s1",
        """
        0    page  declared     ana  email  tl  0/1
        31m  page  still_there  ana  email  tl
        33m  page  reach        ana  sms    tl
        """,
        script="[{after: 1m, ack: ana}, {after: 34m, ack: ana}]",
    )
    for answer in ("ack: ana", "set: {summary: All quiet}"):
        shows(
            config,
            "severity: s1",
            "0 page declared ana email tl 0/1\n31m page still_there ana email tl",
            script=f"[{{after: 1m, ack: ana}}, {{after: 32m, {answer}}}]",
            coming="1h2m",
        )


def test_two_waiting_entries_of_one_channel_and_instant_are_one() -> None:
    """Corner [13]: the same entry twice is one message."""
    shows(
        reach("[email, {via: sms, after: 2m}, {via: sms, after: 2m}, {via: sms, after: 3m}]"),
        "severity: s1",
        """
        0   page  declared  ana  email  tl  0/1
        2m  page  reach     ana  sms    tl  0/1
        3m  page  reach     ana  sms    tl  0/1
        """,
        span="4m",
    )


NO_PAGE = """
severities:
  s1: {page: {roles: [co], via: [sms], acknowledge_within: 1h}, updates: [{to: [execs], every: 30m}]}
  s4: {updates: [{to: [execs], every: 30m}], remind_before: 5m}
roles: {co: {chain: [eve]}}
stakeholders: {execs: {people: [ceo]}}
"""


def test_first_channel_under_a_severity_without_page() -> None:
    """Corners [13], [17]: the `via` of the episode's last `page` counts, for the stand-down and for a reminder."""
    shows(
        NO_PAGE,
        "severity: s1",
        """
        0    page        declared          eve  sms    co     0/1
        0    update      declared          ceo  email  execs
        3m   stand_down  severity_lowered  eve  sms    co
        3m   update      changed           ceo  email  execs
        28m  reminder    update_due        eve  sms    -
        33m  update      due               ceo  email  execs
        """,
        script="- {after: 3m, set: {severity: s4}}",
        span="40m",
    )


def test_first_channel_without_any_page() -> None:
    """Corners [13], [24, 26]: with no `page` in the episode email comes first; who is assigned holds the role."""
    shows(
        NO_PAGE,
        "{severity: s4, roles: {co: eve}}",
        """
        0    update    declared    ceo  email  execs
        25m  reminder  update_due  eve  email  -
        30m  update    due         ceo  email  execs
        """,
        span="30m",
    )


def test_a_refused_channel_is_gone_for_the_episode() -> None:
    """Rule 14: without her phone ana is reached by what she has left; nothing refused is printed."""
    shows(
        reach("[sms]", via="[sms]", rounds=2),
        "severity: s1",
        """
        0    page  declared     ana   sms    tl  0/1
        5m   page  escalated    bo    sms    tl  1/1
        10m  page  repeated     ana   email  tl  0/2
        15m  page  repeated     bo    sms    tl  1/2
        """,
        script="- {after: 1m, fail: {person: ana, via: sms}}",
        span="15m",
    )


def test_a_refusal_at_the_declaration() -> None:
    """Rules 1, 14: a `fail` step at t0 counts first, so the page already goes by the other channel."""
    shows(
        reach("[sms]", via="[sms]"),
        "severity: s1",
        "0 page declared ana email tl 0/1",
        script="- {after: 0s, fail: {person: ana, via: sms}}",
        span="4m",
    )


def test_a_step_of_unreachable_people_is_passed_at_once() -> None:
    """Rule 14: pat's only channel is refused, so round 2 begins with bo; a page sent passes nothing (corner)."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
        roles: {tl: {chain: [pat, bo]}}
        """,
        "severity: s1",
        """
        0    page  declared     pat   sms  tl  0/1
        5m   page  escalated    bo    sms  tl  1/1
        10m  page  repeated     bo    sms  tl  1/2
        15m  page  last_resort  olga  sms  tl
        """,
        script="- {after: 1m, fail: {person: pat, via: sms}}",
        span="15m",
    )


def test_a_refusal_ends_with_the_episode() -> None:
    """Corner [14]: after reopening, the channel is tried again."""
    shows(
        reach("[sms]", via="[sms]"),
        "severity: s1",
        """
        0   page     declared  ana  sms    tl  0/1
        2m  closing  resolved  ana  email  -
        9m  page     reopened  ana  sms    tl  0/1
        """,
        script="""
        - {after: 1m, fail: {person: ana, via: sms}}
        - {after: 2m, set: {status: resolved}}
        - {after: 9m, set: {status: investigating}}
        """,
        span="10m",
    )


def test_a_waiting_channel_that_is_refused_is_not_printed() -> None:
    """Rule 14: the refused SMS of a waiting entry is left out."""
    shows(
        reach("[email, {via: sms, after: 2m}]"),
        "severity: s1",
        "0 page declared ana email tl 0/1",
        script="- {after: 1m, fail: {person: ana, via: sms}}",
        span="4m",
    )


def test_in_the_daemon_a_page_that_every_channel_refused_reached_nobody() -> None:
    """Corner [14]: its step is passed at the last refusal, and it brings no closing; later rounds pass it over."""
    watch = Watch(reach("[sms, email]", rounds=2), "severity: s1")
    watch.until("0")
    watch.refuse("2s", "ana", "sms")
    watch.refuse("3s", "ana", "email")
    watch.lose("3s", "ana", "0")
    watch.until("12m")
    watch.see("13m", "status: resolved")
    watch.until("1d")
    watch.showed("""
        0       page     declared     ana   sms+email  tl  0/1
        3s      page     escalated    bo    sms+email  tl  1/1
        5m3s    page     repeated     bo    sms+email  tl  1/2
        10m3s   page     last_resort  olga  sms+email  tl
        13m     closing  resolved     bo,olga  sms+email  -
        """)


def test_reach_of_a_still_there_page_of_a_role_already_lost_ends_with_an_edit() -> None:
    """Corner [13]: it goes after the role was lost (they may still `ok`), until the file changes."""
    config = """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 5m, still_there_after: 30m}}}
        roles: {tl: {chain: [ana, bo]}}
        people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 8m}]},
                 bo: {email: bo@example.com}}
        """
    lost = """
        0    page  declared     ana   email  tl  0/1
        31m  page  still_there  ana   email  tl
        36m  page  escalated    bo    email  tl  1/1
        """
    late = "39m  page  reach        ana   sms    tl"
    shows(config, "severity: s1", lost + late, script="[{after: 1m, ack: ana}]", span="40m")
    edited = "[{after: 1m, ack: ana}, {after: 38m, set: {summary: Queues grow}}]"
    shows(config, "severity: s1", lost, script=edited, span="40m")


def test_reach_of_a_still_there_page_is_about_that_page() -> None:
    """Corner [13]: ana answered the first question; the SMS that still waited of it does not go for the second one."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 30m, still_there_after: 10m}}}
        roles: {tl: {chain: [ana]}}
        people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 15m}]}}
        """,
        "{severity: s1, acknowledged: [ana]}",
        """
        10m  page  still_there  ana  email  tl
        21m  page  still_there  ana  email  tl
        36m  page  reach        ana  sms    tl
        """,
        script="[{after: 11m, ack: ana}]",
        span="40m",
    )


def test_reach_of_responders_rests_under_a_severity_without_page() -> None:
    """Rules 13, 18: responders rest, and so does what waits of their pages."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 10m}}, s2: {}}
        roles: {tl: {chain: [ana]}}
        services: {shop: {responders: [eve]}}
        people: {eve: {email: eve@example.com, phone: "+14155550105", reach: [email, {via: sms, after: 3m}]}}
        """,
        "{severity: s1, services: shop, acknowledged: [ana]}",
        """
        0   page        declared          eve  email  responder  0/1
        1m  stand_down  severity_lowered  ana  sms    tl
        """,
        script="[{after: 1m, set: {severity: s2}}]",
        span="9m",
    )


def test_reach_for_a_role_that_was_dropped() -> None:
    """Rule 13: the role is not needed any more, so its waiting SMS does not go."""
    shows(
        """
        severities:
          s1: {page: {roles: [ic, tl], via: [sms, email], acknowledge_within: 10m}}
          s2: {page: {roles: [ic], via: [sms, email], acknowledge_within: 10m}}
        roles: {ic: {chain: [bo]}, tl: {chain: [ana]}}
        people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 3m}]}}
        """,
        "severity: s1",
        """
        0   page        declared          bo   sms+email  ic  0/1
        0   page        declared          ana  email      tl  0/1
        1m  stand_down  severity_lowered  ana  email      tl
        """,
        script="[{after: 1m, set: {severity: s2}}]",
        span="9m",
    )


def test_no_later_channel_rings_under_a_severity_without_page() -> None:
    """Rules 9, 13: dai was asked to take over; then nobody is paged any more."""
    config = """
    severities:
      s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 10m}}
      s2: {}
    roles: {tl: {chain: [bo]}, sc: {chain: [bo]}}
    people: {dai: {email: dai@example.com, phone: "+14155550191", reach: [email, {via: sms, after: 3m}]}}
    """
    watch = Watch(config, "{severity: s1, roles: {sc: bo}, acknowledged: [bo]}")
    watch.until("29m")
    watch.see("29m", "roles: {sc: dai}")
    watch.until("30m")
    assert (watch.said[-1].to, watch.said[-1].reason) == ("dai", Reason.ASSIGNED)
    watch.see("31m", "severity: s2")
    watch.until("1h")
    assert [page for page in watch.said if page.reason is Reason.REACH] == []


def test_a_ladders_later_channel_rings_though_the_same_page_asked_whether_somebody_is_still_there() -> None:
    """Rules 12, 13, 19: ana lost ic by her silence, and the file changed, which ends that question alone; tl is open."""
    config = """
    severities: {s1: {page: {roles: [ic, tl], via: [email, sms], acknowledge_within: 10m, still_there_after: 10m}}}
    roles: {ic: {chain: [ana, bo]}, tl: {chain: [bo, ana]}}
    people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 4m}]}}
    """
    watch = Watch(config, "{severity: s1, acknowledged: []}")
    watch.until("0")
    watch.ack("0", "ana")
    watch.until("10m")
    assert watch.said[-1].to == "ana"
    assert set(watch.said[-1].roles) == {"incident_commander", "technical_lead"}
    watch.see("11m", "summary: we look at the cache")
    watch.until("14m")
    assert [(page.to, page.roles) for page in watch.said if page.reason is Reason.REACH] == [
        ("ana", ("technical_lead",))
    ]
