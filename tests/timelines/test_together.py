"""Rules that meet: an assignment on an assignment, a pass before a change of severity, groups named twice."""

from tests.timelines.stage import Watch, shows

LONG = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
roles: {tl: {chain: [ana, bo]}}
"""


def test_a_second_name_on_an_accepted_role() -> None:
    """Rules 9, 17: eve takes over from dai, who was only asked; on her ok ana hands over and dai is stood down."""
    shows(
        LONG,
        "severity: s1",
        """
        0    page        declared  ana  sms  tl  0/1
        7m   page        assigned  dai  sms  tl  0/1
        8m   page        assigned  eve  sms  tl  0/1
        13m  page        assigned  eve  sms  tl  0/2
        14m  stand_down  handover  ana  sms  tl
        14m  stand_down  accepted  dai  sms  tl
        """,
        script="""
        - {after: 1m, ack: ana}
        - {after: 7m, set: {roles: {tl: dai}}}
        - {after: 8m, set: {roles: {tl: eve}}}
        - {after: 14m, ack: eve}
        """,
        coming=None,
    )


def test_who_is_asked_to_take_over_at_the_instant_of_the_acceptance_is_not_stood_down() -> None:
    """Rules 9, 17: ana accepts at the very instant at which bo is named, who was paged before: bo is asked for the role,
    so he is not told that he is not needed for it. Only chen is.
    """
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
    roles: {tl: {chain: [ana, [bo, chen]]}}
    """
    timeline = """
        0   page        declared   ana      sms  tl  0/1
        5m  page        escalated  bo,chen  sms  tl  1/1
        6m  page        assigned   bo       sms  tl  0/1
        6m  stand_down  accepted   chen     sms  tl
        7m  stand_down  handover   ana      sms  tl
        """
    for change in (
        "{after: 6m, ack: ana}, {after: 6m, set: {roles: {tl: bo}}}",
        "{after: 6m, set: {roles: {tl: bo}, acknowledged: [ana]}}",
    ):
        shows(config, "severity: s1", timeline, script=f"[{change}, {{after: 7m, ack: bo}}]", span="8m")


def test_naming_the_holder_changes_nothing() -> None:
    """Rule 9: ana holds the role already; nobody new is paged."""
    shows(
        LONG,
        "severity: s1",
        "0 page declared ana sms tl 0/1",
        script="[{after: 1m, ack: ana}, {after: 7m, set: {roles: {tl: ana}}}]",
        coming=None,
    )


def test_an_assignment_answered_at_its_own_instant() -> None:
    """Rules 1, 9, 15: dai is named and says ok at once, so he is never paged; the old holder hands over."""
    shows(
        LONG,
        "severity: s1",
        """
        0   page        declared  ana  sms  tl  0/1
        7m  stand_down  handover  ana  sms  tl
        """,
        script="[{after: 1m, ack: ana}, {after: 7m, set: {roles: {tl: dai}}}, {after: 7m, ack: dai}]",
        coming=None,
    )
    shows(
        LONG,
        "severity: s1",
        """
        0   page        declared  ana  sms  tl  0/1
        3m  stand_down  accepted  ana  sms  tl
        """,
        script="[{after: 3m, set: {roles: {tl: dai}}}, {after: 3m, ack: dai}]",
        coming=None,
    )


def test_the_old_holders_ok_does_not_stop_a_handover() -> None:
    """Rules 9, 15: ana says ok again while dai is asked; only his own answer ends his pages."""
    shows(
        LONG,
        "severity: s1",
        """
        0    page  declared  ana  sms  tl  0/1
        7m   page  assigned  dai  sms  tl  0/1
        12m  page  assigned  dai  sms  tl  0/2
        """,
        script="[{after: 1m, ack: ana}, {after: 7m, set: {roles: {tl: dai}}}, {after: 8m, ack: ana}]",
        coming=None,
    )


def test_a_pass_of_who_was_assigned_at_t0() -> None:
    """Rules 9, 16: the chain's first level is next, `declined`; dai is left out of round 2."""
    shows(
        LONG,
        "{severity: s1, roles: {tl: dai}}",
        """
        0    page  declared     dai   sms  tl  0/1
        1m   page  declined     ana   sms  tl  1/1
        6m   page  escalated    bo    sms  tl  2/1
        11m  page  repeated     ana   sms  tl  1/2
        16m  page  repeated     bo    sms  tl  2/2
        21m  page  last_resort  olga  sms  tl
        """,
        script="- {after: 1m, pass: dai}",
        span="21m",
    )


def test_a_pass_of_who_was_asked_to_take_over_lasts() -> None:
    """Rules 9, 16: dai passes on a role that ana holds; when she passes too, the ladder leaves him out."""
    shows(
        """
        severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
        roles: {tl: {chain: [ana, dai, chen]}}
        """,
        "severity: s1",
        """
        0   page  declared  ana   sms  tl  0/1
        2m  page  assigned  dai   sms  tl  0/1
        4m  page  declined  chen  sms  tl  2/1
        """,
        script="[{after: 1m, ack: ana}, {after: 2m, set: {roles: {tl: dai}}}, {after: 3m, pass: dai}, {after: 4m, pass: ana}]",
        span="5m",
    )


def test_a_pass_lasts_for_the_episode() -> None:
    """Rules 16, 18: dai passed; the role is dropped and needed again, and begins with level 1, `escalated`."""
    config = """
    severities:
      s1: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 10m}}
      s2: {page: {roles: [tl], via: [sms], acknowledge_within: 10m}}
    roles: {tl: {chain: [ana]}, ic: {chain: [dai, eve]}}
    """
    shows(
        config,
        "{severity: s1, acknowledged: ana}",
        """
        0    page        declared          dai  sms  ic  0/1
        1m   page        declined          eve  sms  ic  1/1
        3m   stand_down  severity_lowered  eve  sms  ic
        5m   page        escalated         eve  sms  ic  1/1
        """,
        script="[{after: 1m, pass: dai}, {after: 3m, set: {severity: s2}}, {after: 5m, set: {severity: s1}}]",
        span="14m",
    )


def test_a_group_named_by_a_stream_and_a_service() -> None:
    """Rules 21, 22: it hears on its own stream, once; dropping the service says nothing, adding it neither."""
    shows(
        """
        severities: {s1: {updates: [{to: [execs], every: 10m}, {to: [merchants], every: 20m}]}}
        services: {shop: {stakeholders: [merchants]}, mail: {stakeholders: [merchants]}}
        stakeholders: {execs: {people: [ceo]}, merchants: {people: [max]}}
        """,
        "{severity: s1, services: [shop]}",
        """
        0    update  declared  ceo  email  execs
        0    update  declared  max  email  merchants
        10m  update  due       ceo  email  execs
        20m  update  due       ceo  email  execs
        20m  update  due       max  email  merchants
        30m  update  due       ceo  email  execs
        """,
        script="[{after: 5m, set: {services: []}}, {after: 6m, set: {services: [mail]}}]",
        span="30m",
    )


def test_two_services_share_a_group() -> None:
    """Corner [22]: the last word only when no service concerns the group any more."""
    shows(
        """
        severities: {s1: {}}
        services: {shop: {stakeholders: [merchants]}, mail: {stakeholders: [merchants]}}
        stakeholders: {merchants: {people: [max]}}
        """,
        "{severity: s1, services: [shop, mail]}",
        """
        0   update  declared          max  email  merchants
        9m  update  severity_lowered  max  email  merchants
        """,
        script="[{after: 5m, set: {services: [mail]}}, {after: 9m, set: {services: []}}]",
        coming=None,
    )


def test_reach_and_a_pass_of_one_of_two_roles() -> None:
    """Rules 12, 13, 16: ana's waiting SMS carries no role she passed; a later page by SMS stands for it."""
    shows(
        """
        severities: {s1: {page: {roles: [tl, ic], via: [sms, email], acknowledge_within: 5m, rounds: 2}}}
        roles: {tl: {chain: [ana]}, ic: {chain: [bo, ana]}}
        people: {ana: {email: ana@example.com, phone: "+14155550101", reach: [email, {via: sms, after: 7m}]}}
        """,
        "severity: s1",
        """
        0    page  declared     ana   email      tl  0/1
        0    page  declared     bo    sms+email  ic  0/1
        1m   page  last_resort  olga  sms+email  tl
        5m   page  escalated    ana   email      ic  1/1
        6m   page  last_resort  olga  sms+email  tl
        10m  page  repeated     bo    sms+email  ic  0/2
        11m  page  last_resort  olga  sms+email  tl
        12m  page  reach        ana   sms        ic  1/1
        """,
        script="- {after: 1m, pass: ana}",
        span="14m",
    )


def test_a_config_without_the_person_assigned() -> None:
    """Rules 8, 9: dai, asked to take over, leaves the config: his pages end and ana stays."""
    watch = Watch(LONG, "severity: s1")
    watch.until("0")
    watch.ack("1m", "ana")
    watch.until("6m")
    watch.see("7m", "roles: {tl: dai}")
    watch.until("8m")
    watch.configure("9m", "without: [dai]\n" + LONG)
    watch.until("40m")
    watch.see("41m", "status: resolved")
    watch.until("2d")
    watch.showed("""
        0    page     declared  ana  sms  tl  0/1
        7m   page     assigned  dai  sms  tl  0/1
        41m  closing  resolved  ana  sms  -
        """)


def test_edits_while_nobody_is_awake() -> None:
    """Rules 11, 22: in closed hours groups hear of a raise at once, its new role waits for the opening."""
    shows(
        """
        severities:
          s1: {page: {roles: [tl, ic], via: [sms], acknowledge_within: 1h, hours: day}, updates: [{to: [execs]}]}
          s2: {page: {roles: [tl], via: [sms], acknowledge_within: 1h, hours: day}, updates: [{to: [execs]}]}
        roles: {tl: {chain: [ana]}, ic: {chain: [bo]}}
        stakeholders: {execs: {people: [ceo]}}
        hours: {day: {timezone: UTC, during: "12:00-18:00"}}
        """,
        "severity: s2",
        """
        0   update  declared         ceo  email  execs
        1h  update  changed          ceo  email  execs
        2h  page    declared         ana  sms    tl  0/1
        2h  page    severity_raised  bo   sms    ic  0/1
        """,
        script="- {after: 1h, set: {severity: s1}}",
        span="2h59m",
    )


def test_a_handover_that_waits_for_the_opening_is_not_asking_yet() -> None:
    """Rules 9, 11, 17: dai was named for the lead in closed hours and not paged yet, so when the commander is accepted
    he is stood down for that.
    """
    shows(
        """
        severities: {s1: {page: {roles: [ic, tl], via: [sms], acknowledge_within: 5m, rounds: 9, hours: office}}}
        roles: {ic: {chain: [[dai, bo]]}, tl: {chain: [ana]}}
        hours: {office: {timezone: UTC, during: "09:00-10:02"}}
        """,
        "severity: s1",
        """
        0       page        declared  ana     sms  tl  0/1
        0       page        declared  bo,dai  sms  ic  0/1
        4m      stand_down  accepted  dai     sms  ic
        23h     page        assigned  dai     sms  tl  0/1
        """,
        script="[{after: 1m, ack: ana}, {after: 3m, set: {roles: {tl: dai}}}, {after: 4m, ack: bo}]",
        span="23h",
    )
