"""Rule 56: when outsiders hear for the first time; and rules 22 and 23 for what they cannot see."""

from datetime import UTC, datetime

import pytest
from tocsin.planning.current_state import current_state
from tocsin.wording.message.wording import wording

from tests.timelines.stage import START, Watch, line_of, play, rows, shows, span_of, table

FIRST = """
severities:
  s1:
    page: {roles: [tl], via: [sms], acknowledge_within: 30m}
    updates: [{to: [execs, customers], every: 20m}]
  s2:
    page: {roles: [tl], via: [sms], acknowledge_within: 30m}
    updates: [{to: [execs, customers], every: 1h}]
  s3:
    page: {roles: [tl], via: [sms], acknowledge_within: 30m}
    updates: [{to: [execs], every: 1h}]
roles: {tl: {chain: [ana]}, co: {chain: [eve]}}
services: {shop: {responders: [bo]}, till: {stakeholders: [merchants]}}
stakeholders:
  execs: {people: [ceo]}
  customers: {emails: [list@example.org], external: true, first: accepted}
  merchants: {emails: [m@example.org], external: true, first: accepted}
"""
PUBLIC = FIRST.replace("first: accepted", "first: public").replace("roles: [tl],", "roles: [tl, co],")
AT_ONCE = FIRST.replace(", first: accepted", "")


def outside(*lines: str, to: str = "list@example.org", group: str = "customers") -> str:
    """Updates to the customers: `10m declared`."""
    return "\n".join(f"{line.split()[0]} update {line.split()[1]} {to} email {group}" for line in lines)


def hears(config: str, incident: str, expected: str, script: str = "", span: str = "1h", at: datetime = START) -> None:
    """What outsiders alone get, besides pages and what insiders read."""
    messages = play(config, incident, script, span, at)["messages"]
    said = [line_of(message) for message in messages if "example.org" in message["to"]]
    assert said == table(expected)


def test_an_acceptance_lets_the_first_word_go() -> None:
    """Rule 56: `first: accepted`; from then on the group's own clock runs."""
    shows(
        FIRST,
        "severity: s1",
        """
        0    page    declared  ana               sms    tl  0/1
        0    update  declared  ceo               email  execs
        7m   update  declared  list@example.org  email  customers
        20m  update  due       ceo               email  execs
        27m  update  due       list@example.org  email  customers
        """,
        script="- {after: 7m, ack: ana}",
        span="30m",
    )


def test_a_public_entry_lets_the_first_word_go() -> None:
    """Rule 56: at once, not after the 2 s of a change, and as `declared`; without `public` it lets nothing go."""
    script = """
    - {after: 3m, update: It is the database}
    - {after: 5m, update: Looking, public: We are looking into it.}
    """
    for config in (FIRST, PUBLIC):
        hears(config, "severity: s1", outside("5m declared", "25m due"), script, "30m")


def test_at_the_latest_one_span_later() -> None:
    """Rule 56: nobody accepts, nobody writes: one span of the cadence after the group became concerned."""
    hears(FIRST, "severity: s1", outside("20m declared", "40m due", "1h due"))


def test_the_span_is_that_in_force() -> None:
    """Rule 56, corner: of spans that slow down the first; they count from the concern, not from the first update."""
    config = FIRST.replace("every: 20m", "every: [{for: 30m, every: 10m}, {every: 40m}]")
    hears(config, "severity: s1", outside("10m declared", "20m due", "30m due", "1h10m due"), span="1h15m")


def test_of_a_cron_the_span_ends_at_the_next_firing() -> None:
    """Rule 56, corner: declared at 11:00 in Berlin, the first word leaves at 16:00, and the next firing is Tuesday's."""
    config = FIRST.replace("every: 20m", 'cron: "0 9,16 * * mon-fri", timezone: Europe/Berlin')
    hears(config, "severity: s1", outside("5h declared", "22h due"), span="23h")


def test_of_a_cron_an_acceptance_moves_no_firing() -> None:
    """Rules 23, 56: the first word leaves at the acceptance, the next one at the firing."""
    config = FIRST.replace("every: 20m", 'cron: "0 9,16 * * mon-fri", timezone: Europe/Berlin')
    hears(config, "severity: s1", outside("1h declared", "5h due"), "- {after: 1h, ack: ana}", "6h")


def test_without_a_cadence_the_span_is_half_an_hour() -> None:
    """Rule 56, corner: a service's group under a severity without streams; then changes only."""
    config = FIRST.replace("updates: [{to: [execs, customers], every: 20m}]", "updates: []")
    hears(
        config,
        "{severity: s1, services: till}",
        outside("30m declared", "40m changed", to="m@example.org", group="merchants"),
        "- {after: 40m, set: {status: identified}}",
        "3h",
    )


def test_a_responder_who_accepts_lets_nothing_go() -> None:
    """Rule 56, corner: bo answers as a responder at 2 m; a role is accepted at 9 m."""
    hears(
        FIRST,
        "{severity: s1, services: shop}",
        outside("9m declared"),
        "[{after: 2m, ack: bo}, {after: 9m, ack: ana}]",
        "20m",
    )


def test_the_first_acceptance_of_the_episode_counts() -> None:
    """Rule 56: a pass of the holder takes nothing back; a group that joins later hears at once."""
    hears(
        FIRST,
        "severity: s3",
        outside("10m declared"),
        "[{after: 2m, ack: ana}, {after: 3m, pass: ana}, {after: 10m, set: {severity: s2}}]",
        "20m",
    )


def test_accepted_at_first_sight() -> None:
    """Rules 15, 56: ana stands under `acknowledged` from the start: nobody waits."""
    hears(FIRST, "{severity: s1, acknowledged: ana}", outside("0 declared"), span="10m")


def test_what_happened_before_is_in_the_first_update() -> None:
    """Rule 56: changes before it send nothing to the group; they are no change after it either."""
    hears(
        FIRST,
        "severity: s1",
        outside("9m declared", "12m changed"),
        """
        - {after: 2m, set: {status: identified}}
        - {after: 4m, set: {impact: Cards fail}}
        - {after: 9m, ack: ana}
        - {after: 12m, set: {status: monitoring}}
        """,
        "20m",
    )


def test_a_change_within_the_hold_is_heard_after_the_first_update() -> None:
    """Rules 5, 56: a declaration is never held, so an edit a second later is a change of its own."""
    watch = Watch(FIRST, "severity: s1")
    watch.until("4m")
    watch.see("5m", "updates: [{public: We look into it.}]")
    watch.until("5m")
    watch.see("5m1s", "status: identified")
    watch.until("6m")
    said = [f"{m.at - START} {m.reason}" for m in watch.said if m.group == "customers"]
    assert said == ["0:05:00 declared", "0:05:01 changed"]


def test_a_severity_raised_while_waiting_shortens_the_wait() -> None:
    """Rules 18, 56: the span is the new severity's, counted from when the group became concerned."""
    hears(FIRST, "severity: s2", outside("20m declared", "40m due"), "- {after: 5m, set: {severity: s1}}", "45m")


def test_a_severity_raised_after_the_new_span_lets_it_go_then() -> None:
    """Rule 56: after 30 of 60 minutes the span becomes 20: at that instant, not before."""
    hears(FIRST, "severity: s2", outside("30m declared", "50m due"), "- {after: 30m, set: {severity: s1}}", "55m")


def test_a_severity_lowered_while_waiting_lengthens_the_wait() -> None:
    """Rule 56: the span is that of the severity now."""
    hears(FIRST, "severity: s1", outside("1h declared"), "- {after: 5m, set: {severity: s2}}", "1h10m")


def test_a_group_that_never_heard_gets_no_closing() -> None:
    """Rule 56: nor after being dropped while it waited: no last word."""
    closed = "- {after: 9m, set: {status: resolved}}"
    hears(FIRST, "severity: s1", "", closed)
    hears(FIRST, "severity: s1", "", "- {after: 5m, set: {severity: s3}}\n" + closed)


def test_a_group_that_heard_gets_its_closing() -> None:
    """Rules 25, 56: once told, it is a group like any other."""
    hears(
        FIRST,
        "severity: s1",
        outside("3m declared") + "\n9m closing resolved list@example.org email -",
        "[{after: 3m, ack: ana}, {after: 9m, set: {status: resolved}}]",
    )


def test_resolved_at_the_instant_of_the_first_word() -> None:
    """Rules 3, 56: at the resolving instant only closings leave, so the customers never hear."""
    hears(FIRST, "severity: s1", "", "- {after: 20m, set: {status: resolved}}")


def test_dropped_while_it_waits_and_concerned_again() -> None:
    """Rule 56, corner: it waits anew, from 15 m on."""
    hears(
        FIRST,
        "severity: s1",
        outside("35m declared"),
        "[{after: 10m, set: {severity: s3}}, {after: 15m, set: {severity: s1}}]",
        "40m",
    )


def test_a_reopening_waits_anew() -> None:
    """Rule 56: an acceptance of an earlier episode lets nothing go in the next."""
    hears(
        FIRST,
        "severity: s1",
        """
        3m   update   declared  list@example.org  email  customers
        5m   closing  resolved  list@example.org  email  -
        30m  update   declared  list@example.org  email  customers
        """,
        "[{after: 3m, ack: ana}, {after: 5m, set: {status: resolved}}, {after: 10m, set: {status: identified}}]",
        "35m",
    )


def test_a_public_entry_from_before_a_reopening_lets_it_go() -> None:
    """Rule 56, corner: it stands in the file, so they may hear at once that it is open again."""
    for config in (FIRST, PUBLIC):
        hears(
            config,
            "severity: s1",
            """
            3m   update   declared  list@example.org  email  customers
            5m   closing  resolved  list@example.org  email  -
            10m  update   declared  list@example.org  email  customers
            """,
            """
            - {after: 3m, update: x, public: We look into it.}
            - {after: 5m, set: {status: resolved}}
            - {after: 10m, set: {status: identified}}
            """,
            "29m",
        )


@pytest.mark.parametrize("by", ["Alertmanager", "alertmanager", "ALERTMANAGER"])
def test_what_alerts_declared_waits_for_somebody_to_accept(by: str) -> None:
    """Rule 56: `at_once` counts as `accepted` there; a person's declaration goes out at once."""
    hears(AT_ONCE, f"{{severity: s1, declared_by: {by}}}", outside("4m declared"), "- {after: 4m, ack: ana}", "20m")
    hears(AT_ONCE, f"{{severity: s1, declared_by: {by}}}", outside("20m declared"), span="30m")
    hears(AT_ONCE, "{severity: s1, declared_by: Ana}", outside("0 declared"), span="10m")
    hears(PUBLIC, f"{{severity: s1, declared_by: {by}}}", "", "- {after: 4m, ack: ana}")


def test_internal_groups_never_wait() -> None:
    """Rule 56 is about external groups: alert or not, the executives hear at once."""
    watch = Watch(AT_ONCE, "{severity: s1, declared_by: Alertmanager}")
    assert "update declared ceo email execs" in watch.look("0")


REMINDED = """
0    page      declared    ana  sms  tl  0/1
0    page      declared    eve  sms  co  0/1
0    update    declared    ceo  email  execs
20m  update    due         ceo  email  execs
20m  reminder  update_due  eve  sms  -
40m  update    due         ceo  email  execs
40m  reminder  update_due  eve  sms  -
"""


def test_communications_is_reminded_while_a_group_waits_for_a_public_text() -> None:
    """Rule 56, corner: at the end of each span, without `remind_before`; not after the text is there."""
    script = "[{after: 1m, ack: ana}, {after: 1m, ack: eve}, {after: 50m, update: x, public: We look into it.}]"
    shows(
        PUBLIC,
        "severity: s1",
        REMINDED
        + """
        50m  update  changed   ceo               email  execs
        50m  update  declared  list@example.org  email  customers
        1h10m  update  due   ceo               email  execs
        1h10m  update  due   list@example.org  email  customers
        """,
        script=script,
        span="1h20m",
    )


def test_communications_is_reminded_by_the_first_channel_of_the_holder_alone() -> None:
    """Rules 24, 56: nobody holds Communications: none."""
    config = PUBLIC.replace("roles: [tl, co],", "roles: [tl],")
    shows(
        config,
        "{severity: s1, acknowledged: ana}",
        "0 update declared ceo email execs\n20m update due ceo email execs",
        span="30m",
    )


def test_reminders_of_one_instant_are_one() -> None:
    """Rules 24, 56: at 20 m the execs' update of 25 m is reminded of, and the customers' span ends."""
    config = PUBLIC.replace(
        "updates: [{to: [execs, customers], every: 20m}]",
        "remind_before: 5m\n    updates: [{to: [execs], every: 25m}, {to: [customers], every: 20m}]",
    )
    shows(
        config,
        "{severity: s1, acknowledged: [ana, eve]}",
        """
        0    update    declared    ceo  email  execs
        20m  reminder  update_due  eve  sms    -
        25m  update    due         ceo  email  execs
        40m  reminder  update_due  eve  sms    -
        45m  reminder  update_due  eve  sms    -
        """,
        span="46m",
    )


def test_reminders_follow_the_spans_as_they_slow_down() -> None:
    """Rule 56, corner: each span that ends, counted from when the group became concerned."""
    config = PUBLIC.replace("every: 20m", "every: [{for: 30m, every: 10m}, {every: 40m}]")
    watch = Watch(config, "{severity: s1, acknowledged: [ana, eve]}")
    watch.until("2h")
    said = [m.at - START for m in watch.said if m.kind == "reminder"]
    assert said == [span_of(after) for after in ("10m", "20m", "30m", "1h10m", "1h50m")]


def test_reminders_without_a_cadence_and_by_a_cron() -> None:
    """Rule 56, corner: each half hour; at each firing."""
    bare = PUBLIC.replace("updates: [{to: [execs, customers], every: 20m}]", "updates: [{to: [customers]}]")
    cron = PUBLIC.replace("every: 20m", 'cron: "0 * * * *"')
    for config, instants in ((bare, ("30m", "1h", "1h30m")), (cron, ("1h", "2h", "3h"))):
        watch = Watch(config, "{severity: s1, acknowledged: [ana, eve]}")
        watch.until(instants[-1])
        said = [m.at - START for m in watch.said if m.kind == "reminder"]
        assert said == [span_of(after) for after in instants]


def test_a_late_reminder_of_a_waiting_group_is_dropped() -> None:
    """Rules 4, 56: the daemon was down for months; the next one comes at the next end of a span."""
    watch = Watch(PUBLIC, "{severity: s1, acknowledged: [ana, eve]}")
    watch.look("0")
    assert watch.look("90d5m") == rows("update due ceo email execs")
    assert watch.next_look == START + span_of("90d20m")
    assert watch.look("90d20m") == rows("reminder update_due eve sms -")


def test_no_reminder_of_a_group_that_waits_for_an_acceptance() -> None:
    """Rule 56, corner: only `first: public` is reminded of."""
    watch = Watch(FIRST.replace("roles: [tl],", "roles: [tl, co],").replace("1h", "3h"), "severity: s2")
    watch.until("2h")
    assert not [m for m in watch.said if m.kind == "reminder"]


def test_a_first_word_found_late_leaves_now() -> None:
    """Rules 4, 56: the daemon was down as the span ended; the next one counts from when it left."""
    watch = Watch(FIRST, "severity: s1")
    watch.look("0")
    assert "update declared list@example.org email customers" in watch.look("35m")
    promises = [m.next_update_at for m in watch.said if m.group == "customers"]
    assert promises == [START + span_of("55m")]


@pytest.mark.parametrize(
    "text",
    [
        "severity: s1\nservices: till",
        "severity: s1\nservices: till\ntitle: ''",
        "severity: s1\nservices: till\ntitle: [broken",
        "title: Trouble\nservices: till",
        "title: Trouble\nservices: till\nseverity: nonsense",
        "title: Trouble\nservices: till\nseverity: : s1",
    ],
)
def test_nothing_goes_outside_before_title_and_severity_were_read(text: str) -> None:
    """Rules 31, 56: whatever `first` says, whoever accepts, and however long."""
    for config in (AT_ONCE, FIRST):
        watch = Watch.of_text(config, text)
        watch.until("10m")
        for person in ("ana", "olga"):
            watch.ack("10m", person)
        watch.until("3h")
        assert watch.said
        assert not [m for m in watch.said if m.external]


def test_once_read_the_first_word_leaves() -> None:
    """Rules 31, 56: the title comes at 5 m; of `accepted` the span goes on counting from the start."""
    for config, at in ((AT_ONCE, "5m"), (FIRST, "20m")):
        watch = Watch.of_text(config, "severity: s1")
        watch.until("4m")
        watch.see("5m", "{title: Card payments fail, severity: s1}")
        watch.until("25m")
        said = [m.at - START for m in watch.said if m.group == "customers"]
        assert said[0] == span_of(at)


def test_a_title_that_is_lost_again_was_read() -> None:
    """Rules 31, 56: its last good value stands."""
    watch = Watch(FIRST, "severity: s1")
    watch.look("0")
    watch.see("1m", "title: null")
    watch.ack("2m", "ana")
    assert "update declared list@example.org email customers" in watch.look("2m")


def test_a_config_may_let_it_go() -> None:
    """Rules 8, 56: `first` becomes `at_once` at 7 m."""
    watch = Watch(PUBLIC, "severity: s1")
    watch.look("0")
    watch.configure("7m", PUBLIC.replace("first: public", "first: at_once"))
    watch.until("8m")
    assert [m.at - START for m in watch.said if m.group == "customers"] == [span_of("7m")]


def test_a_group_that_was_told_never_waits_again() -> None:
    """Rules 8, 56: a config that says `first: public` now takes nothing back."""
    watch = Watch(AT_ONCE, "severity: s1")
    watch.look("0")
    watch.configure("7m", PUBLIC)
    watch.until("20m")
    assert [m.reason for m in watch.said if m.group == "customers"] == ["declared", "due"]


def test_a_reader_of_a_group_that_leaves_hears_its_last_word_while_the_other_waits() -> None:
    """Rules 21, 22, 56: list@ was told as a customer; the merchants, who have it too, wait: so it hears the last word."""
    config = """
    severities:
      s1: {updates: [{to: [customers], every: 1h}]}
      s2: {updates: [{to: [merchants], every: 1h}]}
    stakeholders:
      customers: {emails: [list@example.org], external: true}
      merchants: {emails: [list@example.org], external: true, first: public}
    """
    hears(
        config,
        "severity: s1",
        """
        0    update   declared          list@example.org  email  customers
        10m  update   severity_lowered  list@example.org  email  customers
        20m  closing  resolved          list@example.org  email  -
        """,
        "[{after: 10m, set: {severity: s2}}, {after: 20m, set: {status: resolved}}]",
    )


def test_the_promise_stands_after_a_change_that_the_group_does_not_hear_of() -> None:
    """Rules 22, 23, corner: promised 1 h; raised at 10 m to every 20 m: still 1 h, then every 20 m."""
    hears(
        AT_ONCE,
        "severity: s2",
        outside("0 declared", "1h due", "1h20m due", "1h40m due"),
        "- {after: 10m, set: {severity: s1}}",
        "1h45m",
    )


def test_the_promise_stands_when_the_severity_falls() -> None:
    """Rules 22, 23, corner: promised 20 m; lowered at 10 m to every hour: still 20 m."""
    hears(
        AT_ONCE,
        "severity: s1",
        outside("0 declared", "20m due", "1h20m due"),
        "- {after: 10m, set: {severity: s2}}",
        "1h30m",
    )


def test_a_change_that_the_group_hears_of_promises_anew() -> None:
    """Rule 23: severity and status in one edit: the update says the new promise."""
    hears(
        AT_ONCE,
        "severity: s2",
        outside("0 declared", "10m changed", "30m due"),
        "- {after: 10m, set: {severity: s1, status: identified}}",
        "40m",
    )


def test_where_nothing_was_promised_the_cadence_counts_from_the_change() -> None:
    """Rules 22, 23, corner: nothing goes out at once because of a change that nobody outside sees."""
    config = AT_ONCE.replace("updates: [{to: [execs, customers], every: 1h}]", "updates: [{to: [customers]}]")
    hears(config, "severity: s2", outside("0 declared", "1h20m due"), "- {after: 1h, set: {severity: s1}}", "1h30m")


def test_a_promise_is_the_last_one_where_the_new_severity_has_no_cadence() -> None:
    """Rules 22, 23, corner: the promised update comes, and promises nothing."""
    config = AT_ONCE.replace("updates: [{to: [execs, customers], every: 1h}]", "updates: [{to: [customers]}]")
    hears(config, "severity: s1", outside("0 declared", "20m due"), "- {after: 10m, set: {severity: s2}}", "3h")


def test_status_promises_what_stands() -> None:
    """Rule 23, corner, P: what a group was promised is what `status` shows; a group that waits was promised nothing."""
    watch = Watch(AT_ONCE.replace("[execs, customers]", "[customers]"), "severity: s2")
    watch.look("0")
    watch.see("10m", "severity: s1")
    watch.until("11m")
    assert watch.history.incident is not None
    state = current_state(watch.history.incident, watch.policy, watch.history, START + span_of("11m"))
    assert state.next_update_at == START + span_of("1h")
    assert state.first_words == ()
    waits = Watch(FIRST.replace("[execs, customers]", "[customers]"), "severity: s2")
    waits.look("0")
    assert waits.history.incident is not None
    state = current_state(waits.history.incident, waits.policy, waits.history, START)
    assert state.next_update_at is None
    assert [(word.group, word.leaves_at) for word in state.first_words] == [("customers", START + span_of("1h"))]


def test_a_monday_in_another_zone() -> None:
    """Rule 56, corner: a cron's span is on its own clock, over the change of it (02:30 exists twice on 2026-10-25)."""
    config = FIRST.replace("every: 20m", 'cron: "30 2 * * *", timezone: Europe/Berlin')
    hears(
        config,
        "severity: s1",
        outside("2h30m declared", "27h30m due"),
        span="28h",
        at=datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
    )


def test_what_a_reminder_of_a_waiting_group_says() -> None:
    """Rule 56: who waits; where it meets a reminder of an update, that is said too."""
    config = PUBLIC.replace(
        "updates: [{to: [execs, customers], every: 20m}]",
        "remind_before: 5m\n    updates: [{to: [execs], every: 25m}, {to: [customers], every: 20m}]",
    ).replace("execs: {", "execs: {title: Executives, ")
    watch = Watch(config, "{severity: s1, acknowledged: [ana, eve]}")
    said = []
    for after in ("0", "20m", "25m", "40m", "45m"):
        before, number = watch.history, len(watch.said)
        watch.look(after)
        for reminder in (message for message in watch.said[number:] if message.kind == "reminder"):
            assert before.incident is not None
            words = wording(reminder, before.incident, before, watch.policy)
            said.append((after, words.unheard, words.groups, bool(words.otherwise)))
    assert said == [
        ("20m", "customers", "Executives", True),
        ("40m", "customers", "", False),
        ("45m", "customers", "Executives", True),
    ]


def test_no_reminder_of_an_end_from_before_the_severity() -> None:
    """Rule 56: raised at 10 m 30 s to spans of 5 minutes: 10 m is no end of a span that anybody could have known."""
    config = PUBLIC.replace("every: 1h}]\n  s3", "every: 5m}]\n  s3")
    watch = Watch(config, "{severity: s1, acknowledged: [ana, eve]}")
    watch.look("0")
    watch.see("10m30s", "severity: s2")
    watch.until("20m")
    assert [m.at - START for m in watch.said if m.kind == "reminder"] == [span_of("15m"), span_of("20m")]


def test_a_severity_that_lets_it_go_a_moment_late_is_its_instant() -> None:
    """Rules 4, 56: raised 30 s after the shorter span had ended: of that instant, not of one before."""
    hears(FIRST, "severity: s2", outside("20m30s declared"), "- {after: 20m30s, set: {severity: s1}}", "21m")


def test_a_title_that_is_read_a_moment_later_is_its_instant() -> None:
    """Rules 4, 56: the first word leaves when the title is read, not at the instant before it."""
    watch = Watch.of_text(AT_ONCE, "severity: s1")
    watch.look("0")
    watch.see("30s", "{title: Card payments fail, severity: s1}")
    watch.until("1m")
    assert [m.at - START for m in watch.said if m.group == "customers"] == [span_of("30s")]


def test_a_group_that_a_config_adds_beside_one_that_waits() -> None:
    """Rules 8, 56: the merchants hear as of the config, though nobody was told anything before."""
    config = PUBLIC.replace("[execs, customers], every: 20m", "[customers], every: 20m")
    watch = Watch(config, "severity: s1")
    watch.look("0")
    later = config.replace("m@example.org], external: true, first: public", "m@example.org], external: true")
    watch.configure("30s", later.replace("[customers], every: 20m", "[customers, merchants], every: 20m"))
    watch.until("1m")
    assert [m.at - START for m in watch.said if m.group == "merchants"] == [span_of("30s")]


def test_an_acceptance_after_the_first_one_changes_nothing() -> None:
    """Rules 4, 56: the daemon looks a moment late; the first word is of the first acceptance."""
    watch = Watch(PUBLIC.replace("first: public", "first: accepted"), "severity: s1")
    watch.look("0")
    watch.ack("5m", "ana")
    watch.ack("5m20s", "eve")
    watch.look("5m30s")
    assert [m.at - START for m in watch.said if m.group == "customers"] == [span_of("5m")]
