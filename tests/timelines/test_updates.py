"""Rules 21 to 24: who hears updates, why, when, and who is reminded."""

from datetime import UTC, datetime

import pytest
from tocsin.wording.message.wording import Wording, wording

from tests.timelines.stage import START, Watch, rows, shows, span_of

GROUPS = """
severities: {s1: {updates: [{to: [customers, execs], every: 30m}, {to: [support], every: 1h}]}}
services: {shop: {stakeholders: [merchants]}}
stakeholders:
  customers: {people: [ceo], emails: [list@example.org], external: true}
  execs: {people: [ceo, cto]}
  support: {people: [cto, max]}
  merchants: {emails: [list@example.org, m@example.org], external: true}
"""


def test_every_reader_belongs_to_one_group() -> None:
    """Rule 21: the first internal group that names them, else the first external; services' groups too."""
    shows(
        GROUPS,
        "{severity: s1, services: shop}",
        """
        0    update  declared  list@example.org  email  customers
        0    update  declared  ceo,cto           email  execs
        0    update  declared  max               email  support
        0    update  declared  m@example.org     email  merchants
        30m  update  due       list@example.org  email  customers
        30m  update  due       ceo,cto           email  execs
        30m  update  due       m@example.org     email  merchants
        1h   update  due       list@example.org  email  customers
        1h   update  due       ceo,cto           email  execs
        1h   update  due       max               email  support
        1h   update  due       m@example.org     email  merchants
        """,
    )


def test_services_groups_without_a_stream() -> None:
    """Rule 21: with no stream they hear on declaration and changes only."""
    shows(
        GROUPS.replace("{updates: [{to: [customers, execs], every: 30m}, {to: [support], every: 1h}]}", "{}"),
        "{severity: s1, services: shop}",
        """
        0    update   declared  list@example.org,m@example.org  email  merchants
        10m  update   changed   list@example.org,m@example.org  email  merchants
        3h   closing  resolved  list@example.org,m@example.org  email  -
        """,
        script="[{after: 10m, set: {status: identified}}, {after: 3h, set: {status: resolved}}]",
        span="4h",
        coming=None,
    )


def test_channels_of_a_group() -> None:
    """Rule 21: people by those of the group's `via` that they have, else whatever they have; addresses by email."""
    shows(
        """
        severities: {s1: {updates: [{to: [a, b, c]}]}}
        stakeholders:
          a: {people: [ana, ceo], emails: [a@example.org], external: false, via: [sms]}
          b: {people: [bo, pat], via: [email, sms]}
          c: {people: [pet]}
        """,
        "severity: s1",
        """
        0  update  declared  ana            sms        a
        0  update  declared  ceo            email      a
        0  update  declared  a@example.org  email      a
        0  update  declared  bo             sms+email  b
        0  update  declared  pat            sms        b
        0  update  declared  pet            sms        c
        """,
        coming=None,
    )


def test_a_refused_address_hears_no_further_update() -> None:
    """Rule 14: nothing goes there for the rest of the episode; the group's other readers hear on."""
    watch = Watch(
        """
        severities: {s1: {updates: [{to: [list], every: 1h}]}}
        stakeholders: {list: {emails: [news@example.com, more@example.com], external: true}}
        """,
        "severity: s1",
    )
    watch.look("0")
    watch.refuse("1m", "news@example.com", "email")
    assert watch.look("1h") == rows("update due more@example.com email list")


def test_equal_addresses_are_one_reader() -> None:
    """Rule 21: an address in two groups is one reader, also where one of them is a person's."""
    shows(
        """
        severities: {s1: {updates: [{to: [a, b, execs]}]}}
        stakeholders:
          a: {emails: [x@example.org, ceo@example.com], external: true}
          b: {emails: [x@example.org, y@example.org], external: true}
          execs: {people: [ceo]}
        """,
        "severity: s1",
        """
        0  update  declared  x@example.org  email  a
        0  update  declared  y@example.org  email  b
        0  update  declared  ceo            email  execs
        """,
        coming=None,
    )


SILENT = """
severities:
  s1: {updates: [{to: [execs]}, {to: [customers]}]}
  s2: {updates: [{to: [execs]}, {to: [customers]}]}
  s3: {updates: [{to: [execs]}]}
services: {shop: {stakeholders: [merchants]}, search: {}}
stakeholders:
  execs: {people: [ceo]}
  customers: {emails: [list@example.org], external: true}
  merchants: {people: [max]}
"""
BEGIN = """
0  update  declared  ceo               email  execs
0  update  declared  list@example.org  email  customers
"""


@pytest.mark.parametrize(
    "change",
    [
        "set: {status: identified}",
        "set: {eta: '2026-11-23T12:00:00Z'}",
        "set: {impact: Cards are declined}",
        "{update: Looking into it, public: We are looking into it}",
        "set: {updates: [{text: Older, public: Older}, {text: First, public: First}]}",
    ],
)
def test_every_meaningful_change_is_heard_by_every_group(change: str) -> None:
    """Rule 22: a new entry, status, eta and impact, by external groups too; a grown list has one."""
    body = change.strip("{}") if change.startswith("{update") else change
    shows(
        SILENT,
        "{severity: s1, updates: [{text: First, public: First}]}",
        BEGIN
        + """
        10m  update  changed  ceo               email  execs
        10m  update  changed  list@example.org  email  customers
        """,
        script=f"- {{after: 10m, {body}}}",
        coming=None,
    )


@pytest.mark.parametrize(
    "change",
    [
        "title: Another title",
        "summary: Another summary",
        "services: [search]",
        "timeline: [{text: a note}]",
        "updates: [{text: Edited, public: Edited}]",
        "updates: []",
        "roles: {tl: ana}",
        "acknowledged: [ana]",
        "declared_by: somebody",
        "status: Investigating",
        "severity: S1",
    ],
)
def test_other_edits_send_nothing(change: str) -> None:
    """Rule 22: title, summary, services, timeline, old entries; nor what says the same in another way."""
    shows(
        SILENT,
        "{severity: s1, updates: [{text: First, public: First}]}",
        BEGIN,
        script=f"- {{after: 10m, set: {{{change}}}}}",
        coming=None,
    )


def test_a_change_of_severity_is_no_change_outside() -> None:
    """Rule 22: external groups cannot see it; internal ones hear of it."""
    shows(
        SILENT,
        "severity: s1",
        BEGIN + "10m  update  changed  ceo  email  execs",
        script="- {after: 10m, set: {severity: s2}}",
        coming=None,
    )


def test_an_entry_without_public_is_no_change_outside() -> None:
    """Rule 22: external groups don't hear of it, internal ones do."""
    shows(
        SILENT,
        "severity: s1",
        BEGIN
        + """
        10m  update  changed  ceo               email  execs
        20m  update  changed  ceo               email  execs
        20m  update  changed  list@example.org  email  customers
        """,
        script="[{after: 10m, update: It is the database}, {after: 20m, update: Fixed, public: It works again}]",
        coming=None,
    )


def test_a_group_no_longer_concerned_hears_the_last_word() -> None:
    """Rule 22: `severity_lowered` before `changed`, once, then nothing but the closing."""
    shows(
        SILENT,
        "severity: s1",
        BEGIN
        + """
        10m  update   changed           ceo                   email  execs
        10m  update   severity_lowered  list@example.org      email  customers
        20m  update   changed           ceo                   email  execs
        30m  closing  resolved          ceo,list@example.org  email  -
        """,
        script="""
        - {after: 10m, set: {severity: s3, status: identified}}
        - {after: 20m, update: Going on, public: Going on}
        - {after: 30m, set: {status: resolved}}
        """,
        coming=None,
    )


def test_a_group_newly_concerned_is_told_at_once() -> None:
    """Rule 22: `declared` for it, `changed` for the rest."""
    shows(
        SILENT,
        "severity: s3",
        """
        0    update  declared  ceo               email  execs
        10m  update  changed   ceo               email  execs
        10m  update  declared  list@example.org  email  customers
        """,
        script="- {after: 10m, set: {severity: s2}}",
        coming=None,
    )


def test_a_service_added_tells_only_its_groups() -> None:
    """Rule 22: `declared` to the merchants, nothing to groups already told."""
    shows(
        SILENT,
        "severity: s3",
        "0 update declared ceo email execs\n10m update declared max email merchants",
        script="- {after: 10m, set: {services: [shop]}}",
        coming=None,
    )


def test_every_group_is_declared_anew_when_reopened() -> None:
    """Rule 22: reopened, a group's first update in the episode is `declared`."""
    shows(
        SILENT,
        "severity: s3",
        """
        0    update   declared  ceo  email  execs
        10m  closing  resolved  ceo  email  -
        20m  update   declared  ceo  email  execs
        30m  closing  resolved  ceo  email  -
        """,
        script="""
        - {after: 10m, set: {status: resolved}}
        - {after: 20m, set: {status: monitoring}}
        - {after: 30m, set: {status: resolved}}
        """,
        coming=None,
    )


SLOWING = """
severities:
  s1: {updates: [{to: [execs], every: [{for: 1h, every: 20m}, {every: 30m}]}]}
  s2: {updates: [{to: [execs], every: [{for: 1h, every: 20m}, {every: 30m}]}]}
services: {shop: {stakeholders: [merchants]}}
stakeholders: {execs: {people: [ceo]}, merchants: {people: [max]}}
"""


def updates(*instants: str, to: str = "ceo", group: str = "execs") -> str:
    """`due` updates at these instants; a first `declared`, and `changed` where an instant says so by `!`."""
    reasons = {"!": "changed", "*": "declared"}
    return "\n".join(f"{at.rstrip('!*')} update {reasons.get(at[-1], 'due')} {to} email {group}" for at in instants)


def test_a_slowing_cadence() -> None:
    """Rule 23: the span in force at the last send decides; an instant on the border belongs to the next span."""
    shows(SLOWING, "severity: s1", updates("0*", "20m", "40m", "1h", "1h30m", "2h", "2h30m"), span="2h30m")


def test_a_change_moves_an_every_cadence() -> None:
    """Rule 23: 20 minutes after the change at 50 m, which is within the first hour, then every 30."""
    shows(
        SLOWING,
        "severity: s1",
        updates("0*", "20m", "40m", "50m!", "1h10m", "1h40m", "2h10m"),
        script="- {after: 50m, set: {impact: More}}",
        span="2h20m",
    )


def test_several_spans_add_up() -> None:
    """Rule 23: 30 m of 10 m, then 1 h of 20 m (until 1 h 30 m), then each hour."""
    config = SLOWING.replace(
        "[{for: 1h, every: 20m}, {every: 30m}]", "[{for: 30m, every: 10m}, {for: 1h, every: 20m}, {every: 1h}]"
    )
    shows(
        config,
        "severity: s1",
        updates("0*", "10m", "20m", "30m", "50m", "1h10m", "1h30m", "2h30m", "3h30m"),
        span="4h",
    )


def test_spans_count_from_the_last_severity_change() -> None:
    """Corner [23]: the severity changed at 50 m, so its first hour lasts until 1 h 50 m."""
    shows(
        SLOWING,
        "severity: s1",
        updates("0*", "20m", "40m", "50m!", "1h10m", "1h30m", "1h50m", "2h20m"),
        script="- {after: 50m, set: {severity: s2}}",
        span="2h30m",
    )


def test_spans_count_from_the_group_becoming_concerned() -> None:
    """Corner [23]: the merchants join at 50 m; their first hour lasts until 1 h 50 m."""
    shows(
        SLOWING,
        "severity: s1",
        updates("0*", "20m", "40m", "1h", "1h30m", "2h", "2h30m")
        + "\n"
        + updates("50m*", "1h10m", "1h30m", "1h50m", "2h20m", to="max", group="merchants"),
        script="- {after: 50m, set: {services: shop}}",
        span="2h30m",
    )


def test_spans_count_from_the_reopening() -> None:
    """Corner [23]: a new episode starts the spans anew."""
    shows(
        SLOWING,
        "severity: s1",
        updates("0*", "20m", "40m", "1h", "1h10m*", "1h30m", "1h50m", "2h10m", "2h40m")
        + "\n1h5m closing resolved ceo email -",
        script="[{after: 1h5m, set: {status: resolved}}, {after: 1h10m, set: {status: identified}}]",
        span="2h40m",
    )


def test_every_group_has_its_own_clock() -> None:
    """Corner [23]: an entry without `public` moves the execs' clock, not the customers', though they share a stream."""
    shows(
        """
        severities: {s1: {updates: [{to: [execs, customers], every: 30m}]}}
        stakeholders: {execs: {people: [ceo]}, customers: {emails: [list@example.org], external: true}}
        """,
        "severity: s1",
        updates("0*", "10m!", "40m", "1h10m")
        + "\n"
        + updates("0*", "30m", "1h", to="list@example.org", group="customers"),
        script="- {after: 10m, update: It is the database}",
        span="1h10m",
    )


CRON = """
severities: {s1: {updates: [{to: [execs], cron: "0 9,16 * * mon-fri", timezone: Europe/Berlin}]}}
stakeholders: {execs: {people: [ceo]}}
"""


def test_a_cron_stream() -> None:
    """Rule 23: a first update at declaration, one at each firing, and changes that move no firing."""
    shows(
        CRON,
        "severity: s1",
        updates("0*", "1h!", "5h", "22h", "29h"),  # Monday 11:00; 16:00; Tuesday 09:00; 16:00
        script="- {after: 1h, set: {status: identified}}",
        span="30h",
    )


def test_a_declaration_on_a_firing_is_one_update() -> None:
    """Rules 22, 23: declared exactly when the cron fires, the one update is `declared`."""
    shows(
        CRON,
        "severity: s1",
        updates("0*", "17h"),
        at=datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
        span="17h",
        coming="1d",
    )


def test_a_change_on_a_firing_is_one_update() -> None:
    """Rules 22, 23: changed exactly when the cron fires, the one update is `changed`."""
    shows(
        CRON,
        "severity: s1",
        updates("0*", "5h!", "22h"),
        script="- {after: 5h, set: {status: identified}}",
        span="22h",
        coming="29h",
    )


NIGHTLY = CRON.replace("0 9,16 * * mon-fri", "30 2 * * *")


def test_cron_when_the_clocks_go_back() -> None:
    """Rule 23: 02:30 exists twice on 2026-10-25 in Berlin and fires once, at the first (00:30 UTC)."""
    shows(
        NIGHTLY,
        "severity: s1",
        updates("0*", "2h30m", "27h30m"),
        at=datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
        span="30h",
    )


def test_cron_when_the_clocks_go_forward() -> None:
    """Rule 23: 02:30 does not exist on 2027-03-28 in Berlin and fires at 03:00 (01:00 UTC)."""
    shows(
        NIGHTLY,
        "severity: s1",
        updates("0*", "3h", "26h30m"),
        at=datetime(2027, 3, 27, 22, 0, tzinfo=UTC),
        span="30h",
    )


REMIND = """
severities:
  s1:
    page: {roles: [co], via: [sms, email], acknowledge_within: 10m, rounds: 1}
    updates: [{to: [execs], every: 30m}]
    remind_before: 5m
roles: {co: {chain: [eve, fay]}}
stakeholders: {execs: {people: [ceo]}, customers: {emails: [list@example.org], external: true}}
"""
PAGED = """
0  page    declared  eve  sms+email  co     0/1
0  update  declared  ceo  email      execs
"""


def test_communications_is_reminded() -> None:
    """Rule 24: 5 minutes before each update due, by the holder's first channel."""
    shows(
        REMIND,
        "severity: s1",
        PAGED
        + """
        25m  reminder  update_due  eve  sms    -
        30m  update    due         ceo  email  execs
        55m  reminder  update_due  eve  sms    -
        1h   update    due         ceo  email  execs
        """,
        script="- {after: 1m, ack: eve}",
        coming="1h25m",
    )


@pytest.mark.parametrize("change", ["set: {status: identified}", "update: News"])
def test_a_change_moves_the_reminder(change: str) -> None:
    """Rule 24: after the send at 10 m nothing new was seen before 35 m, so the reminder goes then."""
    shows(
        REMIND,
        "severity: s1",
        PAGED
        + """
        10m  update    changed     ceo  email  execs
        35m  reminder  update_due  eve  sms    -
        40m  update    due         ceo  email  execs
        """,
        script=f"[{{after: 1m, ack: eve}}, {{after: 10m, {change}}}]",
        span="40m",
    )


def test_no_reminder_while_something_new_waits() -> None:
    """Rules 5, 24: an entry seen at 24 m 59 s is held at 25 m: seen since the last send, so no reminder."""
    shows(
        REMIND,
        "severity: s1",
        PAGED
        + """
        24m59s  update    changed     ceo  email  execs
        49m59s  reminder  update_due  eve  sms    -
        """,
        script="[{after: 1m, ack: eve}, {after: 24m59s, update: News}]",
        span="50m",
    )


def test_an_entry_that_its_readers_cannot_see_prevents_no_reminder() -> None:
    """Rule 24: the entry at 10 m has no `public`, so the customers' update is still reminded of."""
    shows(
        REMIND.replace("[execs]", "[customers]"),
        "severity: s1",
        """
        0    page      declared    eve               sms+email  co     0/1
        0    update    declared    list@example.org  email  customers
        25m  reminder  update_due  eve               sms    -
        30m  update    due         list@example.org  email  customers
        """,
        script="[{after: 1m, ack: eve}, {after: 10m, update: Internal news}]",
        span="30m",
    )


def test_one_reminder_per_instant() -> None:
    """Rule 24: two streams due at one instant make one reminder; two due at different ones make two."""
    config = REMIND.replace("[{to: [execs], every: 30m}]", "[{to: [execs], every: 30m}, {to: [customers], every: 20m}]")
    customers = {"to": "list@example.org", "group": "customers"}
    shows(
        config,
        "severity: s1",
        updates("0*", "30m", "1h")
        + "\n"
        + updates("0*", "20m", "40m", "1h", **customers)
        + """
        0    page      declared    eve  sms+email  co  0/1
        15m  reminder  update_due  eve  sms        -
        25m  reminder  update_due  eve  sms        -
        35m  reminder  update_due  eve  sms        -
        55m  reminder  update_due  eve  sms        -
        """,
        script="- {after: 1m, ack: eve}",
    )


def test_short_spans_have_no_reminder() -> None:
    """Rule 24: not if the span is shorter than twice `remind_before`; exactly twice is not shorter."""
    shows(
        REMIND.replace("30m", "9m"),
        "{severity: s1, acknowledged: eve}",
        updates("0*", "9m", "18m"),
        span="20m",
    )
    shows(
        REMIND.replace("30m", "10m"),
        "{severity: s1, acknowledged: eve}",
        updates("0*", "10m") + "\n5m reminder update_due eve sms -\n15m reminder update_due eve sms -",
        span="15m",
    )


def test_cron_streams_have_no_reminder() -> None:
    """Rule 24: only `every` streams are reminded of."""
    shows(
        REMIND.replace("every: 30m", 'cron: "30 * * * *"'),
        "{severity: s1, acknowledged: eve}",
        updates("0*", "30m"),
    )


def test_nobody_holds_communications() -> None:
    """Rule 24: no reminder; the lead's holder is not asked instead."""
    shows(
        REMIND.replace("[co]", "[tl]").replace("co:", "tl:"),
        "{severity: s1, acknowledged: eve}",
        updates("0*", "30m"),
        span="50m",
    )


def test_the_reminder_goes_to_who_was_paged_first_and_has_not_passed() -> None:
    """Corner [24, 26]: nobody accepted; eve passed, so fay, paged next, is reminded, not the last resort."""
    shows(
        REMIND.replace("30m", "15m"),
        "severity: s1",
        PAGED
        + """
        1m   page      declined     fay   sms+email  co  1/1
        10m  reminder  update_due   fay   sms        -
        11m  page      last_resort  olga  sms+email  co
        15m  update    due          ceo   email      execs
        """,
        script="- {after: 1m, pass: eve}",
        span="20m",
    )


def test_of_several_paged_together_the_chain_decides() -> None:
    """Corner [24, 26]: fay stands first in the level."""
    shows(
        REMIND.replace("[eve, fay]", "[[fay, eve]]").replace("10m", "1h"),
        "severity: s1",
        """
        0    page      declared    eve,fay  sms+email  co  0/1
        0    update    declared    ceo      email      execs
        25m  reminder  update_due  fay      sms        -
        """,
        span="29m",
    )


def test_who_is_assigned_is_reminded_before_who_was_paged() -> None:
    """Rules 24, 26: gus was named after eve was paged; nobody accepted."""
    shows(
        REMIND.replace("10m", "1h"),
        "severity: s1",
        PAGED
        + """
        5m   page      assigned    gus  sms+email  co     0/1
        25m  reminder  update_due  gus  sms        -
        """,
        script="- {after: 5m, set: {roles: {co: gus}}}",
        span="29m",
    )


def test_the_promise_of_an_update_that_leaves_with_a_firing_is_the_next_one() -> None:
    """Rules 5, 23: the change of 10:59:59 leaves at 11:00:01 and bears its own instant; the firing of 11:00 is over by
    then, so it promises the one of 12:00.
    """
    watch = Watch(
        "{severities: {s1: {updates: [{to: [g], cron: '0 * * * *'}]}}, stakeholders: {g: {people: [eve]}}}",
        "severity: s1",
    )
    watch.until("0")
    watch.see("59m59s", "status: identified")
    watch.until("1h1s")
    promises = {(sent.at - START, sent.next_update_at - START) for sent in watch.said if sent.next_update_at}
    assert (span_of("59m59s"), span_of("2h")) in promises
    assert all(promise > after for after, promise in promises)


def words_at(watch: Watch, after: str) -> dict[str, Wording]:
    """What is said at that instant, by reader."""
    before, number = watch.history, len(watch.said)
    watch.look(after)
    assert before.incident is not None
    return {said.to: wording(said, before.incident, before, watch.policy) for said in watch.said[number:]}


def test_outsiders_hear_at_once_that_it_was_an_exercise_and_then_no_more() -> None:
    """Rule 28: `drill: true` written later; no closing either, and it says why (P6)."""
    watch = Watch(
        """
        severities: {s1: {updates: [{to: [g, x], every: 30m}]}}
        stakeholders: {g: {people: [eve]}, x: {people: [ceo], external: true}}
        """,
        "{severity: s1, impact: Slow, eta: '2026-11-23T12:00:00Z'}",
    )
    watch.until("1m")
    watch.see("2m", "drill: true")
    watch.look("2m")
    words = words_at(watch, "2m2s")
    watch.until("40m")
    watch.showed(
        """
        0    update  declared  eve  email  g
        0    update  declared          ceo  email  x
        2m   update  changed           eve  email  g
        2m   update  severity_lowered  ceo  email  x
        32m  update  due               eve  email  g
        """
    )
    assert (words["eve"].drill, words["eve"].lead) == (True, "From now on this is an exercise.")
    outside = words["ceo"]
    assert (outside.drill, outside.lead) == (False, "This was an exercise of ours: there is no disruption.")
    assert (outside.impact, outside.expected, outside.since, outside.next) == ("", "", "", "")
    watch.see("41m", "status: resolved")
    assert watch.look("41m") == rows("closing resolved eve email -")
    assert ("closing", "drill", "ceo") in [(held.kind.value, held.why.value, held.to) for held in watch.suppressed]


def test_what_is_real_again_concerns_outsiders_again() -> None:
    """Rule 28: then they hear the end as well, and no DRILL; in one edit with the end they hear the end alone."""
    config = """
    severities: {s1: {updates: [{to: [x], every: 30m}]}}
    stakeholders: {x: {people: [ceo], external: true}}
    """
    watch = Watch(config, "severity: s1")
    watch.until("30s")
    for at, line in (("1m", "drill: true"), ("5m", "drill: false"), ("9m", "status: resolved")):
        watch.see(at, line)
        watch.until(f"{at}30s")
    assert [(sent.kind.value, sent.reason.value) for sent in watch.said] == [
        ("update", "declared"),
        ("update", "severity_lowered"),
        ("update", "declared"),
        ("closing", "resolved"),
    ]
    watch = Watch(config, "severity: s1")
    watch.until("1m")
    watch.see("2m", "drill: true\nstatus: resolved")
    words = words_at(watch, "2m")["ceo"]
    assert (words.kind, words.drill) == ("closing", False)


REHEARSED = """
severities:
  s1:
    page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 1}
    updates: [{to: [g], every: 30m}, {to: [x], every: 30m}]
roles: {tl: {chain: [ana, bo]}}
services: {shop: {responders: [fay]}}
stakeholders: {g: {people: [eve]}, x: {emails: [x@example.org], external: true, first: accepted}}
"""


def test_a_drill_that_becomes_real() -> None:
    """Rule 28: who heard of the drill hears that it is real; roles and responders are asked anew, whoever has them, and
    outsiders wait for an acceptance of now.
    """
    watch = Watch(REHEARSED, "{severity: s1, services: shop, drill: true, acknowledged: [ana]}")
    watch.until("1m")
    watch.ack("1m", "fay")
    watch.until("2m")
    watch.see("2m", "drill: false")
    pages = words_at(watch, "2m")
    assert {words.why for words in pages.values()} == {"No exercise any more: it is real."}
    words = words_at(watch, "2m2s")["eve"]
    assert (words.drill, words.lead) == (False, "This is no exercise any more: it is real.")
    watch.until("8m")
    watch.ack("9m", "bo")
    watch.until("10m")
    watch.showed(
        """
        0   page        declared   fay            sms    responder  0/1
        0   update      declared   eve            email  g
        2m  page        declared   ana            sms    tl         0/1
        2m  page        declared   fay            sms    responder  0/1
        2m  update      changed    eve            email  g
        7m  page        escalated  bo             sms    tl         1/1
        9m  stand_down  accepted   ana            sms    tl
        9m  update      declared   x@example.org  email  x
        """
    )


def test_addresses_are_equal_however_they_are_written() -> None:
    """Rule 21: Team@Example.com and team@example.com are one reader, and eve is who she is in any group."""
    shows(
        """
        severities: {s1: {updates: [{to: [g, x], every: 1h}]}}
        stakeholders:
          g: {people: [eve], emails: [Team@Example.com], external: false}
          x: {emails: [team@example.com, EVE@example.com], external: true}
        """,
        "severity: s1",
        """
        0  update  declared  eve               email  g
        0  update  declared  Team@example.com  email  g
        """,
        span="1m",
    )


def test_slowing_spans_of_a_group_told_late_count_from_its_update() -> None:
    """Corner [23]: the first update of a declaration found 30 s late bears the declaration's instant, and promises one
    span from it.
    """
    watch = Watch(
        "{severities: {s1: {updates: [{to: [g], every: [{for: 10m, every: 5m}, {every: 20m}]}]}}, stakeholders: {g: {people: [eve]}}}",
        "severity: s1",
    )
    watch.look("30s")
    assert [(sent.at, sent.next_update_at) for sent in watch.said] == [(START, START + span_of("5m"))]


def test_a_refused_address_is_not_written_to_again() -> None:
    """Rules 14, 21: a plain address that was refused gets no more updates in the episode; the rest of its group does."""
    watch = Watch(
        """
        severities: {s1: {updates: [{to: [g], every: 30m}]}}
        stakeholders: {g: {emails: [one@example.com, two@example.com], external: false}}
        """,
        "severity: s1",
    )
    watch.until("1m")
    watch.refuse("2m", "one@example.com", "email")
    watch.until("30m")
    watch.showed(
        """
        0    update  declared  one@example.com,two@example.com  email  g
        30m  update  due       two@example.com                  email  g
        """
    )


def test_a_page_that_waited_for_opening_hours_says_so() -> None:
    """Rule 11: declared at 11:00 in Berlin; who is paged hours later must not think that they slept through it."""
    config = """
    hours: {late: {timezone: Europe/Berlin, during: ["mon-fri 13:00-17:00"]}}
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, hours: late}}}
    roles: {tl: {chain: [ana, bo]}}
    """
    watch = Watch(config, "severity: s1")
    watch.until("1h")
    assert [words.why for words in words_at(watch, "2h").values()] == ["It waited for opening hours."]
    assert [words.why for words in words_at(watch, "2h5m").values()] == ["Nobody has accepted yet."]
    assert [words.why for words in words_at(Watch(config.replace("13:00", "11:00"), "severity: s1"), "0").values()] == [
        ""
    ]
