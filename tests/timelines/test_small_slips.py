"""What a small slip in a fact, a version or an update would change, each as the timeline that the rules demand."""

from tests.timelines.stage import START, Watch, rows, shows, span_of

ONE = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 3}}}
roles: {tl: {chain: [ana, bo]}}
"""
SILENT = ONE.replace("rounds: 3", "rounds: 3, still_there_after: 30m")
GROUP = """
severities: {s1: {updates: [{to: [g], every: 30m}]}}
stakeholders: {g: {people: [eve]}, x: {people: [ceo]}}
"""
HOURLY = GROUP.replace("every: 30m", 'cron: "0 * * * *", timezone: UTC')


def test_a_group_that_a_config_adds_is_told_as_of_the_config() -> None:
    """Rules 8, 22: its first update bears the instant of the new config, not that of the version before it."""
    watch = Watch(GROUP, "severity: s1")
    watch.until("20s")
    watch.configure("30s", GROUP.replace("[g]", "[g, x]"))
    watch.until("1m")
    watch.showed("0 update declared eve email g\n30s update declared ceo email x")


def test_a_change_and_a_firing_found_late_together_are_one_update() -> None:
    """Rules 4, 22, 23: both leave now, so they are one update, and `changed` is its reason."""
    watch = Watch(HOURLY, "severity: s1")
    watch.until("50m")
    watch.see("59m59s", "impact: a")
    assert watch.look("1h10m") == rows("update changed eve email g")


def test_an_update_that_a_config_puts_off_is_reminded_of_anew() -> None:
    """Rules 8, 24: there is one reminder for an instant; where the update moves to another, it has its own."""
    config = """
    severities: {s1: {page: {roles: [co], via: [sms], acknowledge_within: 5m}, updates: [{to: [g], every: 30m}], remind_before: 5m}}
    roles: {co: {chain: [ana]}}
    stakeholders: {g: {people: [eve]}}
    """
    watch = Watch(config, "{severity: s1, acknowledged: [ana]}")
    watch.until("25m")
    watch.configure("26m", config.replace("30m", "1h"))
    watch.until("1h")
    watch.showed(
        """
        0    update    declared    eve  email  g
        25m  reminder  update_due  ana  sms    -
        55m  reminder  update_due  ana  sms    -
        1h   update    due         eve  email  g
        """
    )


def test_an_update_promises_what_the_slowing_spans_say() -> None:
    """Rule 23: the spans count from the declaration, for the promise as for the update itself."""
    watch = Watch(GROUP.replace("30m", "[{for: 1h, every: 20m}, {every: 30m}]"), "severity: s1")
    watch.until("1h30m")
    promises = [sent.next_update_at - START for sent in watch.said if sent.next_update_at]
    assert promises == [span_of(after) for after in ("20m", "40m", "1h", "1h30m", "2h")]


def test_an_address_that_left_the_config_hears_no_end() -> None:
    """Rules 8, 25: a plain address that no group names any more gets nothing, no closing message either."""
    config = GROUP.replace("x: {people: [ceo]}", "x: {emails: [Board@example.com, more@example.com], external: false}")
    config = config.replace("[g]", "[x]")
    watch = Watch(config, "severity: s1")
    watch.look("0")
    watch.configure("1m", config.replace(", more@example.com", ""))
    watch.look("1m")
    watch.see("2m", "status: resolved")
    assert watch.look("2m") == rows("closing resolved Board@example.com email -")


def test_an_address_first_told_outside_and_then_inside_hears_the_end_as_one_inside() -> None:
    """Rule 25: who belongs to an internal group by now is no outsider at the end."""
    watch = Watch(
        """
        severities: {s1: {updates: [{to: [x]}]}, s2: {updates: [{to: [g]}]}}
        stakeholders: {g: {emails: [a@example.com], external: false}, x: {emails: [a@example.com], external: true}}
        """,
        "severity: s1",
    )
    watch.until("1m")
    watch.see("2m", "severity: s2")
    watch.until("3m")
    watch.see("4m", "status: resolved")
    watch.until("4m")
    assert [(sent.kind.value, sent.external) for sent in watch.said] == [
        ("update", True),
        ("update", False),
        ("closing", False),
    ]


def test_a_raise_after_a_new_config_bears_its_own_instant() -> None:
    """Rules 4, 18: of the config's and the severity's change the later one counts."""
    config = ONE.replace("}}}", "}}, s2: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 5m}}}", 1)
    config = config.replace("[ana, bo]}", "[ana, bo]}, ic: {chain: [dai]}")
    watch = Watch(config, "{severity: s1, acknowledged: [ana]}")
    watch.look("0")
    watch.configure("1m", config + "hours: {}")
    watch.look("1m")
    watch.see("10m", "severity: s2")
    watch.look("10m30s")
    watch.showed("10m page severity_raised dai sms ic 0/1")


def test_a_lost_page_of_an_earlier_step_moves_nothing() -> None:
    """Corner [14]: that the page of 0 reached nobody says nothing of the one of 5 m."""
    watch = Watch(ONE.replace("[ana, bo]", "[ana]"), "severity: s1")
    watch.until("5m")
    watch.lose("6m", "ana", "0")
    watch.until("10m")
    watch.showed(
        """
        0    page  declared  ana  sms  tl  0/1
        5m   page  repeated  ana  sms  tl  0/2
        10m  page  repeated  ana  sms  tl  0/3
        """
    )


def test_a_lost_page_of_the_last_resort_takes_its_window() -> None:
    """Corners [6, 14]: a step of the last resort takes a whole window even when it reached nobody."""
    watch = Watch(ONE.replace("rounds: 3", "rounds: 1"), "severity: s1")
    watch.until("10m")
    watch.lose("11m", "olga", "10m")
    watch.until("15m")
    watch.showed(
        """
        0    page  declared     ana   sms  tl  0/1
        5m   page  escalated    bo    sms  tl  1/1
        10m  page  last_resort  olga  sms  tl
        15m  page  last_resort  olga  sms  tl
        """
    )


def test_a_name_of_the_first_episode_does_not_accept_in_the_third() -> None:
    """Rule 15: names that stood there before any reopening count again only as a newer {by, at}."""
    shows(
        ONE,
        "{severity: s1, acknowledged: [ana]}",
        """
        10m  page     reopened  ana  sms  tl  0/1
        11m  closing  resolved  ana  sms  -
        20m  page     reopened  ana  sms  tl  0/1
        """,
        script="""
        - {after: 1m, set: {status: resolved, acknowledged: []}}
        - {after: 10m, set: {status: investigating}}
        - {after: 11m, set: {status: resolved}}
        - {after: 20m, set: {status: investigating, acknowledged: [ana]}}
        """,
        span="24m",
    )


def test_the_last_of_several_unknown_entries_is_the_new_one() -> None:
    """Rule 22: an old entry written anew from the ground and one added behind it: the one behind is new."""
    shows(
        """
        severities: {s1: {updates: [{to: [x]}]}}
        stakeholders: {x: {people: [ceo], external: true}}
        """,
        "{severity: s1, updates: [{text: First}]}",
        "0 update declared ceo email x\n5m update changed ceo email x",
        script="- {after: 5m, set: {updates: [{text: Rewritten}, {text: News, public: News}]}}",
        span="10m",
    )


def test_an_edit_after_the_ok_does_not_ask_to_verify_again() -> None:
    """Rule 27: an `ok` ended verify; a later version that says nothing of it does not begin it anew."""
    shows(
        ONE.replace("rounds: 3}", "rounds: 3}, verify_after: 30m"),
        "severity: s1",
        """
        0    page     declared    ana  sms  tl  0/1
        1m   closing  resolved    ana  sms  -
        31m  verify   verify_due  ana  sms  tl
        """,
        script="""
        - {after: 1m, set: {status: resolved}}
        - {after: 35m, ack: ana}
        - {after: 40m, set: {summary: It was the database}}
        """,
        span="4h",
        coming=None,
    )


def test_a_holders_answer_counts_from_its_instant() -> None:
    """Rules 15, 19: an entry of 10 m that is seen at 20 m is an answer of 10 m."""
    shows(
        SILENT,
        "{severity: s1, acknowledged: [ana]}",
        "40m page still_there ana sms tl",
        script="- {after: 20m, set: {acknowledged: [ana, {by: ana, at: 2026-11-23T10:10:00Z}]}}",
        span="44m",
    )


def test_who_was_assigned_at_the_start_is_not_asked_to_take_over() -> None:
    """Rule 9: only a name written later asks for a handover; the next in the chain has accepted for good."""
    shows(
        ONE,
        "{severity: s1, roles: {tl: dai}}",
        """
        0   page        declared   dai  sms  tl  0/1
        5m  page        escalated  ana  sms  tl  1/1
        6m  stand_down  accepted   dai  sms  tl
        """,
        script="- {after: 6m, ack: ana}",
        span="30m",
    )


def test_who_answered_after_losing_a_role_is_in_its_ladder_again() -> None:
    """Rules 15, 19: the `ok` of a silent holder ends that they are left out, also when another one falls silent."""
    shows(
        SILENT,
        "severity: s1",
        """
        0      page        declared     ana  sms  tl  0/1
        31m    page        still_there  ana  sms  tl
        36m    page        escalated    bo   sms  tl  1/1
        37m    stand_down  accepted     bo   sms  tl
        38m    page        assigned     bo   sms  tl  0/1
        39m    stand_down  handover     ana  sms  tl
        1h9m   page        still_there  bo   sms  tl
        1h14m  page        escalated    ana  sms  tl  1/1
        """,
        script="""
        - {after: 1m, ack: ana}
        - {after: 37m, ack: ana}
        - {after: 38m, set: {roles: {tl: bo}}}
        - {after: 39m, ack: bo}
        """,
        span="1h15m",
    )


def test_others_are_stood_down_when_the_answer_is_noticed() -> None:
    """Rules 2, 17: an entry of 5 m 30 s that is seen at 6 m stands bo down at 6 m."""
    shows(
        ONE,
        "severity: s1",
        """
        0   page        declared   ana  sms  tl  0/1
        5m  page        escalated  bo   sms  tl  1/1
        6m  stand_down  accepted   bo   sms  tl
        """,
        script="- {after: 6m, set: {acknowledged: [{by: ana, at: 2026-11-23T10:05:30Z}]}}",
        span="20m",
    )


def test_who_is_assigned_may_pass_before_the_page() -> None:
    """Rules 11, 16: dai passes while her page waits for the opening; the ladder leaves her out."""
    shows(
        ONE.replace("rounds: 3", "rounds: 3, hours: late") + 'hours: {late: {timezone: UTC, during: "11:00-20:00"}}',
        "{severity: s1, roles: {tl: dai}}",
        "1h page escalated ana sms tl 1/1",
        script="- {after: 10m, pass: dai}",
        span="1h4m",
    )


def test_the_review_names_roles_in_the_severitys_order() -> None:
    """Rules 12, 27: one mail to who holds both, with the roles as the severity lists them."""
    shows(
        """
        severities: {s1: {page: {roles: [sc, ic], via: [sms], acknowledge_within: 5m}, review: {within: 2d}}}
        roles: {ic: {chain: [bo]}, sc: {chain: [bo]}}
        """,
        "{severity: s1, acknowledged: [bo]}",
        "1m review review_due bo email sc,ic",
        script="- {after: 1m, set: {status: resolved}}",
    )


def test_an_incident_first_seen_resolved_is_asked_nothing() -> None:
    """Rules 20, 27: neither to verify nor to review."""
    shows(
        ONE.replace("rounds: 3}", "rounds: 3}, verify_after: 30m, review: {within: 1d}"),
        "{severity: s1, status: resolved}",
        "",
        span="3d",
        coming=None,
    )


def test_each_page_of_a_handover_keeps_its_later_channels() -> None:
    """Corner [13]: the entry of the first handover page goes though a second page has gone since."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 5m, rounds: 2}}}
        roles: {tl: {chain: [ana]}}
        people: {bo: {email: bo@example.com, phone: "+14155550150", reach: [sms, {via: email, after: 10m}]}}
        """,
        "{severity: s1, acknowledged: [ana]}",
        """
        8m   page  assigned  bo  sms    tl  0/1
        13m  page  assigned  bo  sms    tl  0/2
        18m  page  reach     bo  email  tl  0/1
        23m  page  reach     bo  email  tl  0/2
        """,
        script="- {after: 8m, set: {roles: {tl: bo}}}",
        span="30m",
    )


def test_a_late_page_that_closes_meanwhile_keeps_to_the_hours() -> None:
    """Rules 4, 11: the page of 10:30 is found at 11:10, when it has closed, and waits for the next opening."""
    watch = Watch(
        ONE.replace("rounds: 3", "rounds: 3, hours: day") + 'hours: {day: {timezone: UTC, during: "10:30-11:00"}}',
        "severity: s1",
    )
    watch.look("0")
    assert watch.look("1h10m") == []
    assert watch.look("1d30m") == rows("page declared ana sms tl 0/1")


def test_a_later_channel_of_one_page_is_no_page_for_another_role() -> None:
    """Corner [17]: bo's email of 13 m is about the commander; for the lead he was stood down, and is not once more."""
    shows(
        """
        severities: {s1: {page: {roles: [tl, ic], via: [sms, email], acknowledge_within: 1h}}}
        roles: {tl: {chain: [[ana, bo], chen]}, ic: {chain: [dai, bo]}}
        people:
          bo:
            email: bo@example.com
            phone: "+14155550150"
            reach: [sms, {via: email, after: 10m}, {via: sms, after: 20m}]
        """,
        "severity: s1",
        """
        0    page        declared  ana   sms+email  tl  0/1
        0    page        declared  bo    sms        tl  0/1
        0    page        declared  dai   sms+email  ic  0/1
        1m   stand_down  accepted  bo    sms        tl
        3m   page        declined  bo    sms        ic  1/1
        11m  page        declined  chen  sms+email  tl  1/1
        13m  page        reach     bo    email      ic  1/1
        14m  stand_down  accepted  bo    sms        ic
        """,
        script="""
        - {after: 1m, ack: ana}
        - {after: 3m, pass: dai}
        - {after: 11m, pass: ana}
        - {after: 14m, ack: chen}
        - {after: 14m, ack: dai}
        """,
        span="15m",
    )


def test_verify_missed_and_verify_due_are_one() -> None:
    """Rules 4, 27: the first was missed and the second is found 10 s late: only the second goes, with its instant."""
    watch = Watch(ONE.replace("rounds: 3}", "rounds: 3}, verify_after: 30m"), "{severity: s1, acknowledged: [ana]}")
    watch.look("0")
    watch.see("1m", "status: resolved")
    watch.look("1m")
    watch.look("1h1m10s")
    watch.showed("1h1m verify verify_due ana sms tl")


def test_who_was_asked_in_an_earlier_round_belongs_to_that_batch() -> None:
    """Rule 8, corner [10]: eve, asked at 0 for the first service, is not asked by the one added later, though the
    config names somebody else for the first since.
    """
    config = ONE + "services: {a: {responders: [eve]}, b: {responders: [eve, fay]}}"
    watch = Watch(config, "{severity: s1, services: [a], acknowledged: [ana]}")
    watch.until("1m")
    watch.see("2m", "services: [a, b]")
    watch.until("2m")
    watch.configure("3m", config.replace("a: {responders: [eve]}", "a: {responders: [gus]}"))
    watch.until("8m")
    watch.showed(
        """
        0   page  declared  eve  sms  responder  0/1
        2m  page  declared  fay  sms  responder  0/1
        3m  page  declared  gus  sms  responder  0/1
        7m  page  repeated  fay  sms  responder  0/2
        8m  page  repeated  gus  sms  responder  0/2
        """
    )
