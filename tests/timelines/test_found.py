"""What a hostile reading of the planner found once, each as the timeline that the contract demands."""

from tests.timelines.stage import Watch, shows

ONE = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 3}}}
roles: {tl: {chain: [ana, bo]}}
"""
SILENT = ONE.replace("rounds: 3", "rounds: 3, still_there_after: 30m")
GROUP = """
severities: {s1: {updates: [{to: [g], every: 30m}]}}
stakeholders: {g: {people: [eve]}}
"""


def test_a_holder_who_was_never_paged_can_still_answer() -> None:
    """Rules 15, 19: an `ok` of a holder who accepted at first sight is their last answer."""
    shows(
        SILENT,
        "{severity: s1, acknowledged: [ana]}",
        """
        50m  page  still_there  ana  sms  tl
        55m  page  escalated    bo   sms  tl  1/1
        """,
        script="[{after: 20m, ack: ana}]",
        span="55m",
    )
    shows(
        SILENT,
        "{severity: s1, acknowledged: [ana]}",
        "30m  page  still_there  ana  sms  tl",
        script="[{after: 31m, ack: ana}]",
        span="1h",
    )


def test_names_of_an_earlier_episode_do_not_accept_again() -> None:
    """Rule 15: names already there before a reopening count again only as a newer {by, at}, also rewritten later."""
    shows(
        ONE,
        "{severity: s1, acknowledged: [ana]}",
        """
        10m  page  reopened   ana  sms  tl  0/1
        15m  page  escalated  bo   sms  tl  1/1
        """,
        script="""
        - {after: 1m, set: {status: resolved, acknowledged: []}}
        - {after: 10m, set: {status: investigating, acknowledged: [ana]}}
        - {after: 12m, set: {acknowledged: []}}
        - {after: 13m, set: {acknowledged: [ana, {by: ana, at: 2026-11-23T10:00:30Z}]}}
        """,
        span="16m",
    )


def test_an_acknowledgment_of_the_instant_of_the_resolution_is_of_the_earlier_episode() -> None:
    """Rule 15: who stood there before counts again only as a newer {by, at}: after the resolution, not at it."""
    for at, expected in (
        ("10:01:00", "10m page reopened ana sms tl 0/1"),
        ("10:01:01", ""),
    ):
        shows(
            ONE,
            "{severity: s1, acknowledged: [ana]}",
            expected,
            script=f"""
            - {{after: 1m, set: {{status: resolved}}}}
            - after: 10m
              set: {{status: investigating, acknowledged: [{{by: ana, at: 2026-11-23T{at}Z}}]}}
            """,
            span="14m",
        )


def test_handing_over_and_another_role_accepted_at_once() -> None:
    """Corner [17]: stand-downs of one person, reason and instant are one; of two reasons they are two."""
    shows(
        """
        severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m, rounds: 3}}}
        roles: {ic: {chain: [ana, [bo, dai]]}, tl: {chain: [bo]}}
        """,
        "severity: s1",
        """
        0    page        declared   ana     sms  ic  0/1
        0    page        declared   bo      sms  tl  0/1
        5m   page        escalated  bo,dai  sms  ic  1/1
        6m   page        assigned   dai     sms  tl  0/1
        7m   stand_down  accepted   ana     sms  ic
        7m   stand_down  accepted   bo      sms  ic
        7m   stand_down  handover   bo      sms  tl
        """,
        script="[{after: 1m, ack: bo}, {after: 6m, set: {roles: {tl: dai}}}, {after: 7m, ack: dai}]",
        span="8m",
    )


def test_a_reader_of_a_leaving_and_a_coming_group_hears_once() -> None:
    """Rule 21: a reader belongs to one group, and one that is concerned goes before one that is not any more."""
    shows(
        """
        severities: {s1: {updates: [{to: [g], every: 30m}]}, s2: {updates: [{to: [x], every: 30m}]}}
        stakeholders: {g: {people: [eve]}, x: {people: [eve], external: true}}
        """,
        "severity: s1",
        """
        0    update  declared  eve  email  g
        10m  update  declared  eve  email  x
        """,
        script="[{after: 10m, set: {severity: s2}}]",
        span="11m",
    )


def test_an_assignment_counts_under_a_severity_without_page() -> None:
    """Rules 9, 15: it pages nobody, but the person assigned accepts, and is not paged when the severity rises."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}, s4: {}}
    roles: {tl: {chain: [ana]}}
    """
    raised = "{after: 5m, set: {severity: s1}}"
    shows(config, "{severity: s4, roles: {tl: bo}}", "", script=f"[{{after: 1m, ack: bo}}, {raised}]", span="1h")
    shows(
        config,
        "{severity: s4, roles: {tl: bo}}",
        """
        5m   page  severity_raised  bo   sms  tl  0/1
        10m  page  escalated        ana  sms  tl  1/1
        """,
        script=f"[{raised}]",
        span="10m",
    )


def test_nothing_is_dated_before_the_rules_that_ask_for_it() -> None:
    """Rules 11, 18: a page that waited for opening hours goes at the instant of the severity that is always open."""
    shows(
        """
        severities:
          s3: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, hours: night}}
          s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}
        roles: {tl: {chain: [ana, bo]}}
        hours: {night: {timezone: UTC, during: "20:00-21:00"}}
        """,
        "severity: s3",
        """
        30s    page  declared   ana  sms  tl  0/1
        5m30s  page  escalated  bo   sms  tl  1/1
        """,
        script="[{after: 30s, set: {severity: s1}}]",
        span="6m",
    )


def test_later_batches_of_responders_keep_to_themselves() -> None:
    """Corner [10]: a service added later pages only responders not yet asked, in each of its rounds."""
    shows(
        ONE + "services: {a: {responders: [eve]}, b: {responders: [eve, fay]}}",
        "{severity: s1, services: [a]}",
        """
        0    page  declared  ana  sms  tl         0/1
        0    page  declared  eve  sms  responder  0/1
        2m   page  declared  fay  sms  responder  0/1
        5m   page  repeated  eve  sms  responder  0/2
        7m   page  repeated  fay  sms  responder  0/2
        10m  page  repeated  eve  sms  responder  0/3
        12m  page  repeated  fay  sms  responder  0/3
        """,
        script="[{after: 1m, ack: ana}, {after: 2m, set: {services: [a, b]}}]",
        span="20m",
    )


def test_a_third_batch_of_responders_spares_those_of_the_first_in_each_round() -> None:
    """Rule 10, corner [10]: eve belongs to the first batch, however many have come between."""
    shows(
        ONE + "services: {a: {responders: [eve]}, b: {responders: [fay]}, c: {responders: [eve, gus]}}",
        "{severity: s1, services: [a], roles: {tl: dai}, acknowledged: [dai]}",
        """
        0    page  declared  eve  sms  responder  0/1
        2m   page  declared  fay  sms  responder  0/1
        3m   page  declared  gus  sms  responder  0/1
        5m   page  repeated  eve  sms  responder  0/2
        7m   page  repeated  fay  sms  responder  0/2
        8m   page  repeated  gus  sms  responder  0/2
        10m  page  repeated  eve  sms  responder  0/3
        12m  page  repeated  fay  sms  responder  0/3
        13m  page  repeated  gus  sms  responder  0/3
        """,
        script="[{after: 2m, set: {services: [a, b]}}, {after: 3m, set: {services: [a, b, c]}}]",
        span="20m",
    )


def test_an_edit_two_seconds_after_the_first() -> None:
    """Corner [5]: an edit exactly 2 s after the first starts a new update."""
    shows(
        GROUP,
        "severity: s1",
        """
        0      update  declared  eve  email  g
        10m    update  changed   eve  email  g
        10m2s  update  changed   eve  email  g
        40m2s  update  due       eve  email  g
        """,
        script="[{after: 10m, set: {impact: a}}, {after: 10m2s, set: {impact: b}}]",
        span="41m",
    )


def test_edits_after_the_first_two_seconds_are_one_update() -> None:
    """Rule 5, corner [5]: also where the daemon looks only after all of them; its instant is the earlier edit's."""
    watch = Watch(GROUP, "severity: s1")
    watch.until("9m")
    watch.see("10m", "impact: a")
    watch.see("10m2s", "impact: b")
    watch.see("10m3s", "impact: c")
    watch.until("10m30s")
    watch.showed(
        """
        0      update  declared  eve  email  g
        10m    update  changed   eve  email  g
        10m2s  update  changed   eve  email  g
        """
    )


def test_a_firing_stands_while_a_change_is_held() -> None:
    """Rule 23: a cron firing is not moved by an edit a second before it, nor lost with one that resolving drops."""
    shows(
        GROUP.replace("every: 30m", 'cron: "0 * * * *", timezone: UTC'),
        "severity: s1",
        """
        0     update   declared  eve  email  g
        1h    update   due       eve  email  g
        1h1s  closing  resolved  eve  email  -
        """,
        script="[{after: 59m59s, set: {impact: a}}, {after: 1h1s, set: {status: resolved}}]",
        span="2h",
    )


def test_an_old_page_is_not_revived_by_a_handover() -> None:
    """Corner [13]: after a handover page its own waiting entries go; those of an older page are over."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 20m}}}
        roles: {tl: {chain: [[ana, bo]]}}
        people:
          ana: {phone: "+14155550101"}
          bo: {email: bo@example.com, phone: "+14155550150", reach: [sms, {via: email, after: 10m}]}
        """,
        "severity: s1",
        """
        0    page        declared  ana,bo  sms    tl  0/1
        6m   stand_down  accepted  bo      sms    tl
        8m   page        assigned  bo      sms    tl  0/1
        18m  page        reach     bo      email  tl  0/1
        """,
        script="[{after: 6m, ack: ana}, {after: 8m, set: {roles: {tl: bo}}}]",
        span="20m",
    )


def test_an_old_acknowledgment_ends_no_verification() -> None:
    """Rule 27: only an `ok` after the verify went ends it; an instant before it does not."""
    config = ONE.replace("rounds: 3}", "rounds: 3}, verify_after: 30m")
    shows(
        config,
        "severity: s1",
        """
        0      page     declared    ana  sms  tl  0/1
        1m     closing  resolved    ana  sms  -
        31m    verify   verify_due  ana  sms  tl
        1h1m   verify   verify_due  ana  sms  tl
        """,
        script="""
        - {after: 1m, set: {status: resolved}}
        - {after: 35m, set: {acknowledged: [{by: ana, at: 2026-11-23T10:00:30Z}]}}
        - {after: 1h2m, ack: ana}
        """,
        span="4h",
    )


def test_one_mailbox_one_closing() -> None:
    """P5, rule 21: equal addresses are one reader, also when a page and a plain address reached them."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [email], acknowledge_within: 5m}, updates: [{to: [g], every: 30m}]}}
        roles: {tl: {chain: [ana]}}
        stakeholders: {g: {emails: [ana@example.com], external: false}}
        """,
        "severity: s1",
        """
        0   page     declared  ana              email  tl  0/1
        0   update   declared  ana@example.com  email  g
        1m  closing  resolved  ana              email  -
        """,
        script="[{after: 1m, set: {status: resolved}}]",
        span="1h",
    )
