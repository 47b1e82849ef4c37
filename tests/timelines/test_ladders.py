"""Rules 6 to 10: ladders, on-call, assignments, services and responders."""

from tests.timelines.stage import Watch, in_order, shows, table

ROUNDS = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
roles: {tl: {chain: [ana, bo]}}
"""

GAP = """
rotations:
  later: {shifts: [{members: [hal], handoff: "0 9 * * *", timezone: UTC, starts: "2027-01-01T09:00"}]}
"""


def test_a_ladder_climbs_goes_round_and_ends_in_the_last_resort() -> None:
    """Rules 6, 7: level 0 at t0, each level after the window, again for `rounds`, then the last resort for ever."""
    shows(
        ROUNDS,
        "severity: s1",
        """
        0    page  declared     ana       sms  tl  0/1
        5m   page  escalated    bo        sms  tl  1/1
        10m  page  repeated     ana       sms  tl  0/2
        15m  page  repeated     bo        sms  tl  1/2
        20m  page  last_resort  olga,pia  sms  tl
        25m  page  last_resort  olga,pia  sms  tl
        30m  page  last_resort  olga,pia  sms  tl
        """,
        span="30m",
        last_resort="olga, pia",
        coming="35m",
    )


def test_a_ladder_ends_with_the_resolution() -> None:
    """Rule 6: the last resort is paged until the incident is resolved."""
    shows(
        ROUNDS.replace("rounds: 2", "rounds: 1"),
        "severity: s1",
        """
        0    page     declared     ana          sms  tl  0/1
        5m   page     escalated    bo           sms  tl  1/1
        10m  page     last_resort  olga         sms  tl
        14m  closing  resolved     ana,bo,olga  sms  -
        """,
        script="- {after: 14m, set: {status: resolved}}",
        coming=None,
    )


def test_a_level_of_several_is_paged_together() -> None:
    """Rule 6: a list inside a chain is one level, paged at one instant."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 10m}}}
        roles: {tl: {chain: [[ana, bo], chen]}}
        """,
        "severity: s1",
        """
        0    page        declared     ana,bo     sms+email  tl  0/1
        10m  page        escalated    chen       sms+email  tl  1/1
        12m  stand_down  accepted     ana,chen   sms        tl
        """,
        script="- {after: 12m, ack: bo}",
        coming=None,
    )


def test_a_level_that_reaches_nobody_takes_no_time() -> None:
    """Rules 6, 7: level 0 is a gap, so level 1 fires at t0 (`escalated` by its position); so does round 2."""
    shows(
        GAP
        + """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
roles: {tl: {chain: [later.on_call, ana, later.next, bo]}}
""",
        "severity: s1",
        """
        0    page  escalated    ana   sms  tl  1/1
        5m   page  escalated    bo    sms  tl  3/1
        10m  page  repeated     ana   sms  tl  1/2
        15m  page  repeated     bo    sms  tl  3/2
        20m  page  last_resort  olga  sms  tl
        """,
        span="20m",
        coming="25m",
    )


def test_a_chain_that_reaches_nobody_goes_to_the_last_resort_at_once() -> None:
    """Rule 6: nobody in the whole chain, the last resort at t0 and every window."""
    shows(
        GAP
        + """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 3}}}
roles: {tl: {chain: [later.on_call, later.next]}}
""",
        "severity: s1",
        """
        0    page  last_resort  olga  sms  tl
        5m   page  last_resort  olga  sms  tl
        10m  page  last_resort  olga  sms  tl
        """,
        span="10m",
    )


def test_the_last_resort_takes_its_window_even_if_it_reaches_nobody() -> None:
    """Rule 6 (corner): a last resort without a channel is asked again after the window, and is no endless loop."""
    config = ROUNDS.replace("5m", "2d").replace("rounds: 2", "rounds: 1")
    shows(
        config,
        "severity: s1",
        """
        0   page  declared     ana   sms  tl  0/1
        2d  page  escalated    bo    sms  tl  1/1
        4d  page  last_resort  olga  sms  tl
        """,
        script="[{after: 5d, fail: {person: olga, via: sms}}, {after: 5d, fail: {person: olga, via: email}}]",
        span="20d",
        coming=None,
    )
    watch = Watch(config, "severity: s1")
    watch.until("1m")
    watch.refuse("1h", "olga", "sms")
    watch.refuse("1h", "olga", "email")
    watch.until("30d")
    watch.showed("""
        0   page  declared   ana  sms  tl  0/1
        2d  page  escalated  bo   sms  tl  1/1
        """)
    assert watch.next_look is not None


def test_reasons_go_by_position() -> None:
    """Rule 7: a person is paged at every step that names them; round 1 escalates, later rounds repeat."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
        roles: {tl: {chain: [ana, ana, [ana, bo]]}}
        """,
        "severity: s1",
        """
        0    page  declared     ana     sms  tl  0/1
        5m   page  escalated    ana     sms  tl  1/1
        10m  page  escalated    ana,bo  sms  tl  2/1
        15m  page  repeated     ana     sms  tl  0/2
        20m  page  repeated     ana     sms  tl  1/2
        25m  page  repeated     ana,bo  sms  tl  2/2
        """,
        span="29m",
        coming="30m",
    )


def test_reasons_of_a_reopened_incident() -> None:
    """Rule 7: only round 1 level 0 is `reopened`; the next level is `escalated`, the next round `repeated`."""
    shows(
        ROUNDS,
        "severity: s1",
        """
        0    page        declared   ana   sms  tl  0/1
        1m   closing     resolved   ana   sms  -
        20m  page        reopened   ana   sms  tl  0/1
        25m  page        escalated  bo    sms  tl  1/1
        30m  page        repeated   ana   sms  tl  0/2
        31m  stand_down  accepted   ana   sms  tl
        """,
        script="""
        - {after: 1m, set: {status: resolved}}
        - {after: 20m, set: {status: investigating}}
        - {after: 31m, ack: bo}
        """,
        coming=None,
    )


def test_on_call_is_who_holds_it_when_the_step_fires() -> None:
    """Rule 8: a handoff at 10:03 in the middle of a ladder; the later steps page the new turn and its next."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
        roles: {tl: {chain: [rota.on_call, rota.next]}}
        rotations:
          rota:
            shifts: [{members: [ana, bo, chen], handoff: "3 10 * * *", timezone: UTC, starts: "2026-11-22T10:03"}]
        """,
        "severity: s1",
        """
        0    page  declared     ana   sms  tl  0/1
        5m   page  escalated    chen  sms  tl  1/1
        10m  page  repeated     bo    sms  tl  0/2
        15m  page  repeated     chen  sms  tl  1/2
        20m  page  last_resort  olga  sms  tl
        """,
        span="20m",
    )


def test_everyone_of_a_rotation_and_an_override() -> None:
    """Rule 8, section 3: an override counts when the step fires; `.next` skips whoever is on call."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
        roles: {tl: {chain: [rota.on_call, rota.next, rota.everyone]}}
        rotations:
          rota:
            shifts: [{members: [ana, bo, chen], handoff: "0 9 * * mon", timezone: UTC, starts: "2026-11-23T09:00"}]
            overrides: [{person: bo, from: "2026-11-23T10:00Z", to: "2026-11-23T10:02Z"}]
        """,
        "severity: s1",
        """
        0    page  declared     bo           sms  tl  0/1
        5m   page  escalated    bo           sms  tl  1/1
        10m  page  escalated    ana,bo,chen  sms  tl  2/1
        15m  page  last_resort  olga         sms  tl
        """,
        span="15m",
    )


def test_a_holder_who_leaves_the_config_opens_the_role_again() -> None:
    """Rule 8: the ladder restarts (`escalated`) with the new config; who left gets nothing more, no closing either."""
    watch = Watch(ROUNDS, "severity: s1")
    watch.until("0")
    watch.ack("1m", "ana")
    watch.until("9m")
    watch.configure("10m", "without: [ana]\n" + ROUNDS.replace("[ana, bo]", "[bo, chen]"))
    watch.until("15m")
    watch.see("16m", "status: resolved")
    watch.until("1d")
    watch.showed("""
        0    page     declared   ana      sms  tl  0/1
        10m  page     escalated  bo       sms  tl  0/1
        15m  page     escalated  chen     sms  tl  1/1
        16m  closing  resolved   bo,chen  sms  -
        """)


def test_a_holder_who_left_the_config_a_moment_ago() -> None:
    """Rules 4, 8: looked at 30 s after the new config held, the ladder counts from when it held; 2 minutes after, from
    now.
    """
    for looked, begins, climbs in (("10m30s", "10m", "15m"), ("12m", "12m", "17m")):
        watch = Watch(ROUNDS, "severity: s1")
        watch.until("0")
        watch.ack("1m", "ana")
        watch.until("9m")
        watch.configure("10m", "without: [ana]\n" + ROUNDS.replace("[ana, bo]", "[bo, chen]"))
        watch.look(looked)
        watch.until(climbs)
        watch.showed(f"""
            0         page  declared   ana   sms  tl  0/1
            {begins}  page  escalated  bo    sms  tl  0/1
            {climbs}  page  escalated  chen  sms  tl  1/1
            """)


def test_a_responder_of_two_additions_is_asked_with_the_first() -> None:
    """Rule 10, corner: bo is asked with the shop's responders, so the web's later pages leave him out, though the mail's
    came between.
    """
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 10m, rounds: 2}}}
        roles: {tl: {chain: [ana]}}
        services: {shop: {responders: [bo]}, mail: {responders: [chen]}, web: {responders: [bo, dai]}}
        """,
        "{severity: s1, services: [shop], acknowledged: [ana]}",
        """
        0    page  declared  bo    sms  responder  0/1
        1m   page  declared  chen  sms  responder  0/1
        2m   page  declared  dai   sms  responder  0/1
        10m  page  repeated  bo    sms  responder  0/2
        11m  page  repeated  chen  sms  responder  0/2
        12m  page  repeated  dai   sms  responder  0/2
        """,
        script="[{after: 1m, set: {services: [shop, mail]}}, {after: 2m, set: {services: [shop, mail, web]}}]",
        coming=None,
    )


def test_a_service_added_just_after_a_new_config() -> None:
    """Rules 2, 10: its responders are paged when the file names it, not when the config changed."""
    config = ROUNDS + "services: {shop: {responders: [eve]}}"
    watch = Watch(config, "{severity: s1, acknowledged: [ana]}")
    watch.look("0")
    watch.configure("5m", config)
    watch.look("5m")
    watch.see("5m30s", "services: shop")
    watch.look("5m30s")
    watch.showed("5m30s page declared eve sms responder 0/1")


def test_fired_levels_stay_fired_under_a_new_config() -> None:
    """Rule 8: the current config applies, levels fired stay fired; the next is due by the new window (rule 18)."""
    watch = Watch(ROUNDS, "severity: s1")
    watch.until("0")
    watch.configure("2m", ROUNDS.replace("[ana, bo]", "[[chen, ana], dai, eve]").replace("5m", "3m"))
    watch.until("10m")
    watch.showed("""
        0   page  declared   ana       sms  tl  0/1
        3m  page  escalated  dai       sms  tl  1/1
        6m  page  escalated  eve       sms  tl  2/1
        9m  page  repeated   ana,chen  sms  tl  0/2
        """)


def test_a_new_config_is_a_change_of_severity_for_open_incidents() -> None:
    """Rule 8: roles newly needed are `severity_raised`, groups newly concerned are told, roles dropped stood down."""
    before = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 1h}}}
roles: {tl: {chain: [ana]}, ic: {chain: [bo]}}
stakeholders: {execs: {people: [ceo]}}
"""
    after = before.replace("[tl]", "[ic]").replace("1h}}", "1h}, updates: [{to: [execs], every: 30m}]}")
    watch = Watch(before, "severity: s1")
    watch.until("0")
    watch.configure("10m", after)
    watch.until("19m")
    watch.configure("20m", before)
    watch.until("1h")
    watch.showed("""
        0    page        declared          ana  sms    tl     0/1
        10m  page        severity_raised   bo   sms    ic     0/1
        10m  stand_down  severity_lowered  ana  sms    tl
        10m  update      declared          ceo  email  execs
        20m  page        severity_raised   ana  sms    tl     0/1
        20m  stand_down  severity_lowered  bo   sms    ic
        20m  update      severity_lowered  ceo  email  execs
        """)


def test_a_severity_that_left_the_config_counts_as_unreadable() -> None:
    """Rule 8: its incidents follow `unreadable_severity`: the keeper is paged, the old role's people stood down."""
    watch = Watch(ROUNDS, "severity: s1")
    watch.until("0")
    watch.configure("2m", ROUNDS.replace("s1", "s2"))
    watch.until("6m")
    watch.showed("""
        0   page        declared          ana   sms  tl      0/1
        2m  page        severity_raised   olga  sms  keeper  0/1
        2m  stand_down  severity_lowered  ana   sms  tl
        """)


def test_a_service_that_left_the_config_is_as_if_dropped_from_the_file() -> None:
    """Rule 8, corner [10]: its stakeholders get the last word, its responders no more pages."""
    rest = """
severities:
  s1: {page: {roles: [tl], via: [sms], acknowledge_within: 10m, rounds: 3}, updates: [{to: [execs], every: 1h}]}
roles: {tl: {chain: [ana]}}
stakeholders: {execs: {people: [ceo]}, merchants: {people: [cto]}}
"""
    shop = "services: {shop: {responders: [bo], stakeholders: [merchants]}}"
    watch = Watch(rest + shop, "{severity: s1, services: shop}")
    watch.until("0")
    watch.ack("1m", "ana")
    watch.until("4m")
    watch.configure("5m", rest)
    watch.until("1h")
    watch.showed("""
        0   page    declared          ana  sms    tl         0/1
        0   page    declared          bo   sms    responder  0/1
        0   update  declared          ceo  email  execs
        0   update  declared          cto  email  merchants
        5m  update  severity_lowered  cto  email  merchants
        1h  update  due               ceo  email  execs
        """)


def test_changed_addresses_count_at_once() -> None:
    """Rule 8: once her phone is gone from the config, the next page goes by what she has."""
    watch = Watch(ROUNDS, "severity: s1")
    watch.until("0")
    watch.configure("2m", ROUNDS + "people: {ana: {email: ana@example.com}}")
    watch.until("10m")
    watch.showed("""
        0    page  declared   ana  sms    tl  0/1
        5m   page  escalated  bo   sms    tl  1/1
        10m  page  repeated   ana  email  tl  0/2
        """)


def test_who_is_assigned_is_level_0() -> None:
    """Rule 9: the chain's levels then count from 1; the person is level 0 of every round."""
    shows(
        ROUNDS,
        "{severity: s1, roles: {tl: dai}}",
        """
        0    page  declared     dai   sms  tl  0/1
        5m   page  escalated    ana   sms  tl  1/1
        10m  page  escalated    bo    sms  tl  2/1
        15m  page  repeated     dai   sms  tl  0/2
        20m  page  repeated     ana   sms  tl  1/2
        25m  page  repeated     bo    sms  tl  2/2
        30m  page  last_resort  olga  sms  tl
        """,
        span="30m",
    )


def test_the_chain_leaves_out_who_is_assigned() -> None:
    """Rule 9: ana's own level in the chain is empty and takes no time; bo keeps level 2."""
    shows(
        ROUNDS,
        "{severity: s1, roles: {tl: ana}}",
        """
        0    page  declared     ana   sms  tl  0/1
        5m   page  escalated    bo    sms  tl  2/1
        10m  page  repeated     ana   sms  tl  0/2
        15m  page  repeated     bo    sms  tl  2/2
        20m  page  last_resort  olga  sms  tl
        """,
        span="20m",
    )


def test_a_name_written_later_restarts_the_ladder() -> None:
    """Rule 9: on an unaccepted role the ladder restarts at that instant (`assigned`), chain levels from 1."""
    shows(
        ROUNDS,
        "severity: s1",
        """
        0    page        declared   ana  sms  tl  0/1
        5m   page        escalated  bo   sms  tl  1/1
        7m   page        assigned   dai  sms  tl  0/1
        12m  page        escalated  ana  sms  tl  1/1
        17m  page        escalated  bo   sms  tl  2/1
        22m  page        repeated   dai  sms  tl  0/2
        23m  stand_down  accepted   ana,bo  sms  tl
        """,
        script="[{after: 7m, set: {roles: {tl: dai}}}, {after: 23m, ack: dai}]",
        coming=None,
    )


def test_a_new_name_on_an_accepted_role() -> None:
    """Rule 9: dai is paged at once and each window, `rounds` times; ana stays until dai accepts, then one handover."""
    shows(
        ROUNDS,
        "severity: s1",
        """
        0    page        declared  ana  sms  tl  0/1
        7m   page        assigned  dai  sms  tl  0/1
        12m  page        assigned  dai  sms  tl  0/2
        30m  stand_down  handover  ana  sms  tl
        """,
        script="[{after: 1m, ack: ana}, {after: 7m, set: {roles: {tl: dai}}}, {after: 30m, ack: dai}]",
        coming=None,
    )


def test_a_handover_answered_after_the_first_page() -> None:
    """Rule 9: an answer ends the handover's pages."""
    shows(
        ROUNDS,
        "severity: s1",
        """
        0    page        declared  ana  sms  tl  0/1
        7m   page        assigned  dai  sms  tl  0/1
        12m  stand_down  handover  ana  sms  tl
        """,
        script="[{after: 1m, ack: ana}, {after: 7m, set: {roles: {tl: dai}}}, {after: 12m, ack: dai}]",
        coming=None,
    )


def test_removing_a_name_changes_nothing() -> None:
    """Rule 9: the ladder begun with dai goes on as it was."""
    shows(
        ROUNDS,
        "{severity: s1, roles: {tl: dai}}",
        """
        0    page  declared   dai  sms  tl  0/1
        5m   page  escalated  ana  sms  tl  1/1
        10m  page  escalated  bo   sms  tl  2/1
        15m  page  repeated   dai  sms  tl  0/2
        """,
        script="- {after: 2m, set: {roles: {}}}",
        span="15m",
    )


def test_an_assigned_extra_role_is_needed() -> None:
    """Rule 9: a role outside `page.roles` is needed while somebody is assigned to it, with chain and last resort."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
        roles: {tl: {chain: [ana]}, sc: {chain: [fay]}}
        """,
        "{severity: s1, roles: {sc: eve}}",
        """
        0    page        declared     ana   sms  tl  0/1
        0    page        declared     eve   sms  sc  0/1
        5m   page        escalated    fay   sms  sc  1/1
        10m  page        last_resort  olga  sms  sc
        11m  stand_down  accepted     eve,olga  sms  sc
        """,
        script="[{after: 1m, ack: ana}, {after: 11m, ack: fay}]",
        coming=None,
    )


def test_a_severity_without_page_pages_nobody() -> None:
    """Rule 9: not even those assigned."""
    shows(
        """
        severities: {s1: {updates: [{to: [execs]}]}}
        roles: {tl: {chain: [ana]}}
        stakeholders: {execs: {people: [ceo]}}
        """,
        "{severity: s1, roles: {tl: bo}}",
        "0 update declared ceo email execs",
        script="- {after: 5m, set: {roles: {tl: chen}}}",
        span="5h",
        coming=None,
    )


SERVICES = """
severities: {s1: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 5m, rounds: 2}}}
roles: {tl: {chain: [ana]}, ic: {chain: [gus]}}
services:
  shop: {responders: [eve]}
  search: {roles: {tl: [dai, bo]}, responders: [fay]}
  mail: {roles: {tl: [hal], ic: [hal]}}
"""


def test_the_first_service_that_names_a_role_decides_its_chain() -> None:
    """Rule 10: shop names none, search decides the lead's chain, mail the commander's; responders are paged beside."""
    shows(
        SERVICES,
        "{severity: s1, services: [shop, search, mail]}",
        """
        0    page        declared   dai  sms  tl         0/1
        0    page        declared   hal  sms  ic         0/1
        0    page        declared   eve  sms  responder  0/1
        0    page        declared   fay  sms  responder  0/1
        5m   page        escalated  bo   sms  tl         1/1
        5m   page        repeated   fay  sms  responder  0/2
        10m  page        repeated   dai  sms  tl         0/2
        11m  stand_down  accepted   bo   sms  tl
        """,
        script="[{after: 1m, ack: hal}, {after: 2m, ack: eve}, {after: 11m, ack: dai}]",
        coming=None,
    )


def test_responders_have_no_last_resort() -> None:
    """Rule 10: paged `rounds` times in all, each until they answer themselves; nobody's acceptance ends it."""
    shows(
        SERVICES.replace("[tl, ic]", "[tl]"),
        "{severity: s1, services: [shop]}",
        """
        0   page  declared  ana  sms  tl         0/1
        0   page  declared  eve  sms  responder  0/1
        5m  page  repeated  eve  sms  responder  0/2
        """,
        script="- {after: 1m, ack: ana}",
        coming=None,
    )


def test_a_service_added_later() -> None:
    """Rule 10, corner: its responders are paged then (`declared`) and counted from then; chains begun stand."""
    shows(
        SERVICES.replace("[tl, ic]", "[tl]"),
        "{severity: s1, services: [shop]}",
        """
        0    page        declared     ana   sms  tl         0/1
        0    page        declared     eve   sms  responder  0/1
        3m   page        declared     fay   sms  responder  0/1
        5m   page        repeated     ana   sms  tl         0/2
        5m   page        repeated     eve   sms  responder  0/2
        8m   page        repeated     fay   sms  responder  0/2
        10m  page        last_resort  olga  sms  tl
        """,
        script="- {after: 3m, set: {services: [search, shop]}}",
        span="10m",
        coming="15m",
    )


def test_a_service_added_later_asks_only_new_responders() -> None:
    """Corner [10]: who was asked as a responder already is not asked again for another service."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
        roles: {tl: {chain: [ana]}}
        services: {shop: {responders: [eve]}, search: {responders: [eve, fay]}}
        """,
        "{severity: s1, services: [shop]}",
        """
        0   page  declared  ana  sms  tl         0/1
        0   page  declared  eve  sms  responder  0/1
        3m  page  declared  fay  sms  responder  0/1
        """,
        script="[{after: 1m, ack: ana}, {after: 3m, set: {services: [shop, search]}}]",
        coming=None,
    )


def test_a_removed_service() -> None:
    """Corner [10]: its groups get the last word (`severity_lowered`), its responders no more pages."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 3}, updates: [{to: [execs]}]}}
        roles: {tl: {chain: [ana]}}
        services: {shop: {responders: [eve], stakeholders: [merchants]}, search: {responders: [fay]}}
        stakeholders: {execs: {people: [ceo]}, merchants: {emails: [m@example.org], external: false}}
        """,
        "{severity: s1, services: [shop, search]}",
        """
        0    page    declared          ana            sms    tl         0/1
        0    page    declared          eve,fay        sms    responder  0/1
        0    update  declared          ceo            email  execs
        0    update  declared          m@example.org  email  merchants
        3m   update  severity_lowered  m@example.org  email  merchants
        5m   page    repeated          fay            sms    responder  0/2
        10m  page    repeated          fay            sms    responder  0/3
        """,
        script="[{after: 1m, ack: ana}, {after: 3m, set: {services: [search]}}]",
        coming=None,
    )


def test_responders_under_an_incident_reopened() -> None:
    """Rule 10: a responder's first page has the reason of t0."""
    shows(
        SERVICES.replace("[tl, ic]", "[tl]").replace("rounds: 2", "rounds: 1"),
        "{severity: s1, services: [shop], acknowledged: [ana]}",
        """
        0    page     declared  eve  sms  responder  0/1
        2m   closing  resolved  eve  sms  -
        20m  page     reopened  ana  sms  tl         0/1
        20m  page     reopened  eve  sms  responder  0/1
        """,
        script="""
        - {after: 2m, set: {status: resolved}}
        - {after: 20m, set: {status: identified}}
        - {after: 21m, ack: ana}
        """,
        coming=None,
    )


CREWS = """
severities:
  s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}
  s2: {}
roles: {tl: {chain: [ana]}}
services: {shop: {responders: [eve, hal]}, search: {responders: [dai]}}
"""


def test_each_responder_is_asked_until_they_answer() -> None:
    """Rule 10: hal, who stands second, has answered, so only eve is asked again."""
    shows(
        CREWS,
        "{severity: s1, services: shop, acknowledged: [ana]}",
        """
        0   page  declared  eve,hal  sms  responder  0/1
        5m  page  repeated  eve      sms  responder  0/2
        """,
        script="[{after: 1m, ack: hal}]",
        span="20m",
    )


def test_responders_of_a_service_that_comes_back() -> None:
    """Rules 10, 18: removed at 1 m and back at 5 m 30 s, shop's responders are asked again from then, not as of 5 m."""
    shows(
        CREWS,
        "{severity: s1, services: shop, acknowledged: [ana]}",
        """
        0      page  declared  eve,hal  sms  responder  0/1
        5m30s  page  repeated  eve,hal  sms  responder  0/2
        """,
        script="[{after: 1m, set: {services: []}}, {after: 5m30s, set: {services: [shop]}}]",
        span="20m",
    )


def test_responders_that_the_config_adds_are_declared() -> None:
    """Rules 8, 10: search has responders only since 10 m: they are asked then, as of a service that is added later,
    whatever began the paging of the others.
    """
    before = CREWS.replace("search: {responders: [dai]}", "search: {}")
    watch = Watch(before, "{severity: s2, services: [shop, search]}")
    watch.look("0")
    watch.see("1m", "{severity: s1}")
    watch.ack("1m", "ana")
    watch.until("7m")
    watch.configure("10m", CREWS)
    watch.until("11m")
    responders = [line for line in in_order(watch.said) if "responder" in line]
    assert responders == table(
        """
        1m   page  severity_raised  eve,hal  sms  responder  0/1
        6m   page  repeated         eve,hal  sms  responder  0/2
        10m  page  declared         dai      sms  responder  0/1
        """
    )


def test_who_did_not_answer_whether_they_are_there_is_left_out_of_the_last_resort() -> None:
    """Rules 16, 19: olga held the role and fell silent; the last resort is paged without her, unless nobody remains."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 1, still_there_after: 10m}}}
    roles: {tl: {chain: [olga]}}
    """
    for last_resort, paged in (("olga, pia", "pia"), ("olga", "olga")):
        shows(
            config,
            "{severity: s1, acknowledged: [olga]}",
            f"""
            10m  page  still_there  olga     sms  tl
            15m  page  last_resort  {paged}  sms  tl
            """,
            last_resort=last_resort,
            span="19m",
        )


def test_responders_added_after_a_raise_are_declared() -> None:
    """Rules 10, 18: search is affected since 3 m, so the reason of its responders is not what began the others' pages."""
    shows(
        CREWS,
        "{severity: s2, services: shop}",
        """
        1m  page  severity_raised  ana      sms  tl         0/1
        1m  page  severity_raised  eve,hal  sms  responder  0/1
        3m  page  declared         dai      sms  responder  0/1
        """,
        script="[{after: 1m, set: {severity: s1}}, {after: 3m, set: {services: [shop, search]}}]",
        span="5m",
    )
