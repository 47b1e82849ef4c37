"""Rules 25 to 28: closing, verify, review, and drills."""

import pytest
from tocsin.wording.report.reason_text import suppression_text

from tests.timelines.stage import Watch, rows, shows

CLOSING = """
severities:
  s1:
    page: {roles: [tl], via: [sms, email], acknowledge_within: 5m}
    updates: [{to: [execs], every: 1h}]
roles: {tl: {chain: [ana, bo]}}
stakeholders: {execs: {people: [ana, eve, ceo], via: [email]}}
people: {bo: {email: bo@example.com, phone: "+14155550102", reach: [sms]}}
"""


def test_everybody_reached_hears_the_end_once_on_each_channel() -> None:
    """Rule 25: ana by both (paged and told), bo by SMS only (paged, stood down), readers by email."""
    shows(
        CLOSING,
        "severity: s1",
        """
        0    page        declared   ana          sms+email  tl  0/1
        0    update      declared   ana,eve,ceo  email      execs
        5m   page        escalated  bo           sms        tl  1/1
        6m   stand_down  accepted   bo           sms        tl
        10m  closing     resolved   ana          sms+email  -
        10m  closing     resolved   bo           sms        -
        10m  closing     resolved   eve,ceo      email      -
        """,
        script="[{after: 6m, ack: ana}, {after: 10m, set: {status: resolved}}]",
        span="5h",
        coming=None,
    )


def test_an_update_and_a_page_by_different_channels() -> None:
    """Rule 25: reached by SMS as a page and by email as a reader, so closed on both."""
    shows(
        CLOSING.replace("[ana, bo]", "[bo]").replace("[ana, eve, ceo]", "[bo]"),
        "severity: s1",
        """
        0    page     declared  bo  sms        tl  0/1
        0    update   declared  bo  email      execs
        10m  closing  resolved  bo  sms+email  -
        """,
        script="[{after: 1m, ack: bo}, {after: 10m, set: {status: resolved}}]",
        coming=None,
    )


def test_a_waiting_channel_counts_only_if_it_went() -> None:
    """Rule 25: the SMS of a reach entry that never left brings no closing by SMS."""
    config = CLOSING.replace("[ana, bo]", "[bo]").replace("[ana, eve, ceo]", "[ceo]")
    shows(
        config.replace("[sms]}", "[email, {via: sms, after: 3m}]}"),
        "severity: s1",
        """
        0   page     declared  bo   email  tl  0/1
        0   update   declared  ceo  email  execs
        9m  closing  resolved  bo   email  -
        9m  closing  resolved  ceo  email  -
        """,
        script="[{after: 1m, ack: bo}, {after: 9m, set: {status: resolved}}]",
        coming=None,
    )


def test_reminders_do_not_count_for_the_closing() -> None:
    """Rule 25: eve got a reminder only, so no closing; nor has who accepted at first sight, unasked."""
    shows(
        """
        severities:
          s1:
            page: {roles: [co, tl], via: [sms], acknowledge_within: 5m}
            updates: [{to: [execs], every: 30m}]
            remind_before: 5m
        roles: {co: {chain: [eve]}, tl: {chain: [ana]}}
        stakeholders: {execs: {people: [ceo]}}
        """,
        "{severity: s1, acknowledged: [eve, ana]}",
        """
        0    update    declared    ceo  email  execs
        25m  reminder  update_due  eve  sms    -
        26m  closing   resolved    ceo  email  -
        """,
        script="- {after: 26m, set: {status: resolved}}",
        coming=None,
    )


def test_a_stand_down_alone_counts_for_the_closing() -> None:
    """Rule 25: dai accepted at first sight, was stood down by SMS, and hears the end."""
    shows(
        """
        severities:
          s1: {page: {roles: [ic], via: [sms], acknowledge_within: 5m}}
          s4: {}
        roles: {ic: {chain: [dai]}}
        """,
        "{severity: s1, acknowledged: dai}",
        """
        3m  stand_down  severity_lowered  dai  sms  ic
        5m  closing     resolved          dai  sms  -
        """,
        script="[{after: 3m, set: {severity: s4}}, {after: 5m, set: {status: resolved}}]",
        coming=None,
    )


def test_closing_after_refusals() -> None:
    """Corner [25]: channels refused since are left out; if none is left, it goes by whatever the person still has."""
    shows(
        """
        severities: {s1: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 1h}}}
        roles: {tl: {chain: [ana]}, ic: {chain: [pat]}}
        """,
        "severity: s1",
        """
        0   page     declared  ana  sms    tl  0/1
        0   page     declared  pat  sms    ic  0/1
        9m  closing  resolved  ana  email  -
        """,
        script="""
        - {after: 1m, fail: {person: ana, via: sms}}
        - {after: 1m, fail: {person: pat, via: sms}}
        - {after: 9m, set: {status: resolved}}
        """,
        coming=None,
    )
    shows(
        CLOSING.replace("[ana, eve, ceo]", "[ceo]"),
        "severity: s1",
        """
        0   page     declared  ana  sms+email  tl  0/1
        0   update   declared  ceo  email      execs
        4m  closing  resolved  ana  email      -
        4m  closing  resolved  ceo  email      -
        """,
        script="[{after: 1m, fail: {person: ana, via: sms}}, {after: 4m, set: {status: resolved}}]",
        coming=None,
    )


def test_an_address_that_became_a_persons_hears_the_end_once() -> None:
    """Rules 21, 25: what is written differently in capitals is one reader, who hears the end as the person."""
    shows(
        """
        severities:
          s1: {updates: [{to: [list], every: 1h}]}
          s2: {updates: [{to: [list, execs], every: 1h}]}
        stakeholders: {list: {emails: [CEO@example.com], external: true}, execs: {people: [ceo]}}
        """,
        "severity: s1",
        """
        0    update   declared  CEO@example.com  email  list
        10m  update   declared  ceo              email  execs
        20m  closing  resolved  ceo              email  -
        """,
        script="[{after: 10m, set: {severity: s2}}, {after: 20m, set: {status: resolved}}]",
        coming=None,
    )


def test_an_address_of_somebody_who_hears_it_elsewhere_hears_the_end_too() -> None:
    """Rule 25, P5: ana was paged by SMS alone, and her mailbox read the updates as a plain address: one closing on each."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 1h}, updates: [{to: [list], every: 1h}]}}
        roles: {tl: {chain: [ana]}}
        stakeholders: {list: {emails: [Ana@example.com], external: false}}
        """,
        "severity: s1",
        """
        0    page     declared  ana              sms    tl  0/1
        0    update   declared  Ana@example.com  email  list
        10m  closing  resolved  ana              sms    -
        10m  closing  resolved  Ana@example.com  email  -
        """,
        script="[{after: 1m, ack: ana}, {after: 10m, set: {status: resolved}}]",
        coming=None,
    )


def test_an_address_that_two_people_share_hears_the_end_once() -> None:
    """Rule 25: both were paged at it; by SMS each has a phone of their own."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 1h}}}
    roles: {tl: {chain: [[ana, bo]]}}
    people: {ana: {email: desk@example.com, phone: "+14155550101"}, bo: {email: Desk@example.com, phone: "+14155550102"}}
    """
    shows(
        config,
        "severity: s1",
        """
        0    page     declared  ana,bo  sms+email  tl  0/1
        10m  closing  resolved  ana     sms+email  -
        10m  closing  resolved  bo      sms        -
        """,
        script="[{after: 10m, set: {status: resolved}}]",
        coming=None,
    )


def test_a_refused_address_hears_no_end() -> None:
    """Corner [25]: a plain address that was refused since the update has nothing else by which it could go."""
    watch = Watch(
        """
        severities: {s1: {updates: [{to: [list], every: 1h}]}}
        stakeholders: {list: {emails: [news@example.com, more@example.com], external: false}}
        """,
        "severity: s1",
    )
    watch.look("0")
    watch.refuse("1m", "news@example.com", "email")
    watch.see("2m", "status: resolved")
    assert watch.look("2m") == rows("closing resolved more@example.com email -")
    (held,) = watch.suppressed
    assert (held.to, held.why.value) == ("news@example.com", "no_channel")
    assert suppression_text(held) == "no channel leads to them (it was refused wherever they have an address)"


def test_an_address_that_left_the_config_hears_no_end() -> None:
    """Rule 25: no group names it any more; that, and no refusal, is why."""
    config = """
        severities: {s1: {updates: [{to: [list], every: 1h}]}}
        stakeholders: {list: {emails: [news@example.com, more@example.com], external: false}}
        """
    watch = Watch(config, "severity: s1")
    watch.look("0")
    watch.configure("1m", config.replace("news@example.com, ", ""))
    watch.see("2m", "status: resolved")
    watch.look("2m")
    (held,) = (held for held in watch.suppressed if held.kind.value == "closing")
    assert (held.to, held.why.value) == ("news@example.com", "left_config")
    assert suppression_text(held) == "they have left the config (no address in the config is left)"


def test_a_new_episode_closes_with_its_own_listeners() -> None:
    """Rule 25: bo was reached in the first episode only."""
    shows(
        CLOSING.replace("[ana, eve, ceo]", "[ceo]"),
        "severity: s1",
        """
        0    page     declared   ana  sms+email  tl  0/1
        0    update   declared   ceo  email      execs
        5m   page     escalated  bo   sms        tl  1/1
        6m   closing  resolved   ana  sms+email  -
        6m   closing  resolved   bo   sms        -
        6m   closing  resolved   ceo  email      -
        20m  page     reopened   ana  sms+email  tl  0/1
        20m  update   declared   ceo  email      execs
        21m  closing  resolved   ana  sms+email  -
        21m  closing  resolved   ceo  email      -
        """,
        script="""
        - {after: 6m, set: {status: resolved}}
        - {after: 20m, set: {status: investigating}}
        - {after: 21m, set: {status: resolved}}
        """,
        coming=None,
    )


VERIFY = """
severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 5m}, verify_after: 30m}}
roles: {tl: {chain: [ana, bo]}}
"""
RESOLVED = """
0    page     declared  ana  sms+email  tl  0/1
10m  closing  resolved  ana  sms+email  -
"""


def test_the_lead_is_asked_three_times() -> None:
    """Rule 27: at resolved + 1, 2, 3 x 30 m, on each channel of `via`, then no more."""
    shows(
        VERIFY,
        "severity: s1",
        RESOLVED
        + """
        40m    verify  verify_due  ana  sms+email  tl
        1h10m  verify  verify_due  ana  sms+email  tl
        1h40m  verify  verify_due  ana  sms+email  tl
        """,
        script="[{after: 1m, ack: ana}, {after: 10m, set: {status: resolved}}]",
        span="1d",
        coming=None,
    )


@pytest.mark.parametrize("answer", ["ack: ana", "set: {verified_by: ana}", "set: {acknowledged: [ana]}"])
def test_verify_ends_with_an_answer(answer: str) -> None:
    """Rules 15, 27: `verified_by`, or an ok however given, after the first one went."""
    shows(
        VERIFY,
        "severity: s1",
        RESOLVED + "40m verify verify_due ana sms+email tl",
        script=f"[{{after: 1m, ack: ana}}, {{after: 10m, set: {{status: resolved}}}}, {{after: 50m, {answer}}}]",
        span="1d",
        coming=None,
    )


def test_an_ok_at_the_instant_of_a_verify_comes_first() -> None:
    """Rules 1, 27: verified exactly when the second one is due, it does not go."""
    shows(
        VERIFY,
        "severity: s1",
        RESOLVED + "40m verify verify_due ana sms+email tl",
        script="[{after: 1m, ack: ana}, {after: 10m, set: {status: resolved}}, {after: 1h10m, ack: ana}]",
        span="1d",
        coming=None,
    )


def test_only_an_ok_of_who_was_asked_ends_verify() -> None:
    """Corner [27]: neither ana's ok before she was asked nor bo's at any time."""
    shows(
        VERIFY,
        "severity: s1",
        RESOLVED
        + """
        40m    verify  verify_due  ana  sms+email  tl
        1h10m  verify  verify_due  ana  sms+email  tl
        """,
        script="""
        - {after: 1m, ack: ana}
        - {after: 10m, set: {status: resolved}}
        - {after: 20m, ack: ana}
        - {after: 45m, ack: bo}
        - {after: 1h20m, ack: ana}
        """,
        span="1d",
        coming=None,
    )


def test_verify_without_a_lead_goes_to_the_last_resort() -> None:
    """Rules 26, 27, corner [30]: nobody holds the role, so the last resort, still with `roles: [technical_lead]`."""
    shows(
        VERIFY.replace("[tl]", "[ic]").replace("tl:", "ic:"),
        "severity: s1",
        """
        0    page     declared    ana       sms+email  ic  0/1
        10m  closing  resolved    ana       sms+email  -
        40m  verify   verify_due  olga,pia  sms+email  tl
        """,
        script="[{after: 1m, ack: ana}, {after: 10m, set: {status: resolved}}, {after: 41m, ack: pia}]",
        last_resort="olga, pia",
        span="1d",
        coming=None,
    )


def test_the_holder_of_a_role_nobody_accepted() -> None:
    """Rules 26, 27: who is assigned, else who was paged first."""
    shows(
        VERIFY,
        "severity: s1",
        """
        0    page     declared    ana     sms+email  tl  0/1
        5m   page     escalated   bo      sms+email  tl  1/1
        7m   closing  resolved    ana,bo  sms+email  -
        37m  verify   verify_due  ana     sms+email  tl
        """,
        script="- {after: 7m, set: {status: resolved}}",
        span="40m",
        coming="1h7m",
    )
    shows(
        VERIFY,
        "severity: s1",
        """
        0    page     declared    ana      sms+email  tl  0/1
        2m   page     assigned    eve      sms+email  tl  0/1
        6m   closing  resolved    ana,eve  sms+email  -
        36m  verify   verify_due  eve      sms+email  tl
        """,
        script="[{after: 2m, set: {roles: {tl: eve}}}, {after: 6m, set: {status: resolved}}]",
        span="40m",
    )


def test_a_lead_whose_role_left_the_config_is_no_holder() -> None:
    """Rules 8, 26, 27: ana accepted the lead, the config has no such role any more: the last resort verifies."""
    config = """
    severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m}, verify_after: 30m}}
    roles: {ic: {chain: [bo]}, tl: {chain: [ana]}}
    """
    watch = Watch(config, "severity: s1")
    watch.look("0")
    watch.ack("1m", "ana")
    watch.look("1m")
    watch.configure("2m", config.replace("[ic, tl]", "[ic]").replace(", tl: {chain: [ana]}", ""))
    watch.look("2m")
    watch.see("3m", "status: resolved")
    watch.look("3m")
    assert watch.look("33m") == rows("verify verify_due olga sms tl")


def test_verify_goes_by_via_and_ignores_reach() -> None:
    """Corner [27]: by those of `via` that the person has, else whatever they have; `reach` does not count."""
    reach = 'people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email]}}'
    shows(
        VERIFY + reach,
        "severity: s1",
        """
        0    page     declared    ana  email      tl  0/1
        10m  closing  resolved    ana  email      -
        40m  verify   verify_due  ana  sms+email  tl
        """,
        script="[{after: 1m, ack: ana}, {after: 10m, set: {status: resolved}}]",
        span="40m",
    )
    shows(
        VERIFY.replace("[sms, email]", "[email]").replace("[ana, bo]", "[pat]"),
        "severity: s1",
        """
        0    page     declared    pat  sms  tl  0/1
        10m  closing  resolved    pat  sms  -
        40m  verify   verify_due  pat  sms  tl
        """,
        script="[{after: 1m, ack: pat}, {after: 10m, set: {status: resolved}}]",
        span="40m",
    )


def test_who_has_no_channel_left_is_no_holder() -> None:
    """Corner [27]: pat's phone was refused, so the last resort is asked."""
    shows(
        VERIFY.replace("[ana, bo]", "[pat]"),
        "severity: s1",
        """
        0    page    declared    pat   sms        tl  0/1
        40m  verify  verify_due  olga  sms+email  tl
        """,
        script="""
        - {after: 1m, ack: pat}
        - {after: 2m, fail: {person: pat, via: sms}}
        - {after: 10m, set: {status: resolved}}
        """,
        span="40m",
    )


def test_without_the_key_nothing_is_asked() -> None:
    """Rule 27: without `verify_after` and `review` in the severity, none."""
    shows(
        VERIFY.replace(", verify_after: 30m", ""),
        "severity: s1",
        RESOLVED,
        script="[{after: 1m, ack: ana}, {after: 10m, set: {status: resolved}}]",
        span="30d",
        coming=None,
    )


REVIEW = """
severities:
  s1: {page: {roles: [tl, ic, sc], via: [sms], acknowledge_within: 1h}, review: {within: 2d, remind_every: 1d}}
roles: {tl: {chain: [ana]}, ic: {chain: [bo]}, sc: {chain: [fay]}}
"""
REVIEWED = """
0    page     declared  ana         sms  tl  0/1
0    page     declared  bo          sms  ic  0/1
0    page     declared  fay         sms  sc  0/1
10m  closing  resolved  ana,bo,fay  sms  -
"""
ALL_OK = "{after: 1m, ack: ana}, {after: 1m, ack: bo}, {after: 1m, ack: fay}"


def test_scribe_and_commander_are_asked_for_the_review() -> None:
    """Rule 27: by email, at resolution and each day, last at due + 3 x 1 d, which is resolution + 5 d."""
    asked = "".join(
        f"{at} review review_due bo email ic\n{at} review review_due fay email sc\n"
        for at in ("10m", "1d10m", "2d10m", "3d10m", "4d10m", "5d10m")
    )
    shows(
        REVIEW,
        "severity: s1",
        REVIEWED + asked,
        script=f"[{ALL_OK}, {{after: 10m, set: {{status: resolved}}}}]",
        span="30d",
        coming=None,
    )


def test_the_review_ends_when_it_is_set() -> None:
    """Rule 27: `review` set in the file ends the asking; at the instant of a reminder the file comes first."""
    shows(
        REVIEW,
        "severity: s1",
        REVIEWED
        + """
        10m    review  review_due  bo   email  ic
        10m    review  review_due  fay  email  sc
        1d10m  review  review_due  bo   email  ic
        1d10m  review  review_due  fay  email  sc
        """,
        script=f"[{ALL_OK}, {{after: 10m, set: {{status: resolved}}}}, {{after: 2d10m, set: {{review: done}}}}]",
        span="30d",
        coming=None,
    )


def test_one_mail_if_scribe_and_commander_are_one_person() -> None:
    """Rule 27, corner [30]: one review mail with both roles."""
    shows(
        REVIEW.replace("[fay]", "[bo]").replace("[tl, ic, sc]", "[ic, sc]"),
        "severity: s1",
        """
        0    page     declared    bo  sms    ic,sc  0/1
        10m  closing  resolved    bo  sms    -
        10m  review   review_due  bo  email  ic,sc
        """,
        script="[{after: 1m, ack: bo}, {after: 10m, set: {status: resolved}}]",
        span="1d",
        coming="1d10m",
    )


def test_only_one_of_them_has_a_holder() -> None:
    """Rule 27: whichever has one is asked, the last resort only if neither has; somebody without email by SMS."""
    shows(
        REVIEW.replace("[tl, ic, sc]", "[sc]").replace("[fay]", "[pat]"),
        "severity: s1",
        """
        0    page     declared    pat  sms  sc  0/1
        10m  closing  resolved    pat  sms  -
        10m  review   review_due  pat  sms  sc
        """,
        script="[{after: 1m, ack: pat}, {after: 10m, set: {status: resolved}}]",
        span="1d",
    )


def test_nobody_holds_either_role() -> None:
    """Rule 27, corner [30]: the last resort is asked by email, with no roles; the default reminder is daily."""
    shows(
        REVIEW.replace("[tl, ic, sc]", "[tl]").replace(", remind_every: 1d", ""),
        "severity: s1",
        """
        0      page     declared    ana       sms    tl  0/1
        10m    closing  resolved    ana       sms    -
        10m    review   review_due  olga,pia  email  -
        1d10m  review   review_due  olga,pia  email  -
        """,
        script="[{after: 1m, ack: ana}, {after: 10m, set: {status: resolved}}]",
        last_resort="olga, pia",
        span="2d",
        coming="2d10m",
    )


def test_reopening_cancels_verify_and_review() -> None:
    """Rule 27: both, and the next resolution starts them anew."""
    shows(
        REVIEW.replace("[tl, ic, sc]", "[tl]").replace("review:", "verify_after: 30m, review:"),
        "severity: s1",
        """
        0      page     declared    ana   sms    tl  0/1
        10m    closing  resolved    ana   sms    -
        10m    review   review_due  olga  email  -
        40m    verify   verify_due  ana   sms    tl
        50m    page     reopened    ana   sms    tl  0/1
        20h    closing  resolved    ana   sms    -
        20h    review   review_due  olga  email  -
        20h30m verify   verify_due  ana   sms    tl
        21h    verify   verify_due  ana   sms    tl
        21h30m verify   verify_due  ana   sms    tl
        """,
        script="""
        - {after: 1m, ack: ana}
        - {after: 10m, set: {status: resolved}}
        - {after: 50m, set: {status: identified}}
        - {after: 51m, ack: ana}
        - {after: 20h, set: {status: resolved}}
        """,
        span="1d2h",
        coming="1d20h",
    )


DRILL = """
severities:
  s1:
    page: {roles: [tl], via: [sms], acknowledge_within: 5m}
    updates: [{to: [customers, execs], every: 30m}]
    verify_after: 10m
roles: {tl: {chain: [ana, bo]}}
stakeholders: {execs: {people: [ceo]}, customers: {emails: [list@example.org], external: true}}
"""


def test_a_drill_leaves_external_groups_out() -> None:
    """Rule 28: everything else is kept: pages, updates, closing; with `drill: review` verify as well."""
    shows(
        DRILL,
        "{severity: s1, drill: review}",
        """
        0    page     declared    ana     sms    tl  0/1
        0    update   declared    ceo     email  execs
        5m   page     escalated   bo      sms    tl  1/1
        6m   stand_down accepted  bo      sms    tl
        30m  update   due         ceo     email  execs
        40m  closing  resolved    ana,bo  sms    -
        40m  closing  resolved    ceo     email  -
        50m  verify   verify_due  ana     sms    tl
        """,
        script="[{after: 6m, ack: ana}, {after: 40m, set: {status: resolved}}]",
        span="50m",
    )


def test_who_accepted_holds_a_role_before_who_is_assigned() -> None:
    """Rules 9, 26, 27: dai was named on the role that ana has accepted and never answered: ana verifies."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}, verify_after: 10m}}
        roles: {tl: {chain: [ana]}}
        """,
        "{severity: s1, acknowledged: [ana]}",
        """
        1m   page     assigned    dai  sms  tl  0/1
        2m   closing  resolved    dai  sms  -
        12m  verify   verify_due  ana  sms  tl
        """,
        script="[{after: 1m, set: {roles: {tl: dai}}}, {after: 2m, set: {status: resolved}}]",
        span="13m",
    )
