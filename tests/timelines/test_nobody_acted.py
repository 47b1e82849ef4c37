"""Rule 28: drills and alerts that ended by themselves ask for no verify and no review; rule 58: the end by email."""

from dataclasses import replace

import pytest
from tocsin.domain.facts import Closed, Noted
from tocsin.domain.notification import Kind
from tocsin.domain.people import Channel
from tocsin.wording.report.chart_lanes import chart
from tocsin.wording.report.public.view import public_view
from tocsin.wording.report.reason_text import suppression_text
from tocsin.wording.report.timeline import steps_of

from tests.timelines.stage import START, Watch, policy_of, rows, shows, span_of

ASKS = """
severities:
  s1:
    page: {roles: [tl], via: [sms], acknowledge_within: 30m}
    updates: [{to: [execs]}]
    verify_after: 10m
    review: {within: 1d}
  s2: {page: {roles: [tl], via: [sms], acknowledge_within: 30m}, verify_after: 10m, review: {within: 1d}}
roles: {tl: {chain: [ana]}, sc: {chain: [fay]}, ic: {chain: [gus]}}
services: {shop: {responders: [bo]}}
stakeholders: {execs: {people: [ceo]}}
"""
ALERTS = "severity: s1, declared_by: Alertmanager, services: shop"


def asked(watch: Watch) -> bool:
    """Whether anybody is asked to verify or for the review within two hours of the end at 20 m; neither comes alone."""
    watch.until("2h")
    kinds = {said.kind.value for said in watch.said} & {"verify", "review"}
    assert kinds in (set(), {"verify", "review"})
    held = {held.kind.value for held in watch.suppressed if held.why.value in ("nobody_acted", "drill")}
    assert held == ({"verify", "review"} if not kinds else set())
    return bool(kinds)


def test_alerts_that_ended_by_themselves() -> None:
    """Rule 28: paged, told, closed; and nothing after it."""
    shows(
        ASKS,
        f"{{{ALERTS}}}",
        """
        0    page     declared  ana     sms    tl         0/1
        0    page     declared  bo      sms    responder  0/1
        0    update   declared  ceo     email  execs
        20m  closing  resolved  ana,bo  sms    -
        20m  closing  resolved  ceo     email  -
        """,
        script="- {after: 20m, set: {status: resolved, resolution: It stopped.}}",
        span="2h",
        coming=None,
    )


@pytest.mark.parametrize("by", ["Alertmanager", "alertmanager"])
@pytest.mark.parametrize(
    "change",
    [
        "updates: [{text: Looking}]",
        "timeline: [{text: The disk is full}]",
        "acknowledged: [ana]",
        "acknowledged: [chen]",
        "impact: Cards fail",
        "severity: s2",
        "summary: The disk is full",
        "declared_by: Alertmanager, title: The disk is full",
    ],
)
def test_any_edit_of_somebody_counts(by: str, change: str) -> None:
    """Rule 28: any edit but the resolving one, whoever is named in it."""
    watch = Watch(ASKS, f"{{severity: s1, declared_by: {by}}}")
    watch.until("5m")
    watch.see("6m", f"{{{change}}}")
    watch.until("19m")
    watch.see("20m", "status: resolved")
    assert asked(watch)


def test_the_resolving_edit_does_not_count() -> None:
    """Rule 28: whatever it says, unless there is a new entry under `updates` or `timeline` in it."""
    for change, counts in (
        ("resolution: The disk was full", False),
        ("impact: None any more, severity: s2", False),
        ("updates: [{text: The disk was full}]", True),
        ("timeline: [{text: The disk was full}]", True),
        ("acknowledged: [ana]", True),
        ("acknowledged: [chen]", False),
    ):
        watch = Watch(ASKS, f"{{{ALERTS}}}")
        watch.until("19m")
        watch.see("20m", f"{{status: resolved, {change}}}")
        assert asked(watch) is counts, change


def test_an_answer_with_effect_counts() -> None:
    """Rule 28: an `ok` or a `pass`, of a responder too; of somebody who was never asked it does not."""
    for person, verb, counts in (
        ("ana", "ok", True),
        ("ana", "pass", True),
        ("bo", "ok", True),
        ("bo", "pass", True),
        ("chen", "ok", False),
        ("chen", "pass", False),
    ):
        watch = Watch(ASKS, f"{{{ALERTS}}}")
        watch.until("4m")
        (watch.ack if verb == "ok" else watch.pass_)("5m", person)
        watch.until("19m")
        watch.see("20m", "status: resolved")
        assert asked(watch) is counts, (person, verb)


def test_accepted_at_first_sight_and_written_at_first_sight() -> None:
    """Rules 15, 28: ana accepted without a page; bo answered for responder; somebody wrote an entry."""
    for fields in ("acknowledged: [ana]", "acknowledged: [bo]", "updates: [{text: x}]", "timeline: [{text: x}]"):
        watch = Watch(ASKS, f"{{{ALERTS}, {fields}}}")
        watch.until("19m")
        watch.see("20m", "status: resolved")
        assert asked(watch), fields


def test_a_note_from_a_phone_counts() -> None:
    """Rule 28: somebody wrote something; after the end it is too late."""
    for at, counts in (("5m", True), ("21m", False)):
        watch = Watch(ASKS, f"{{{ALERTS}}}")
        watch.look("0")
        for after in ("5m", "20m", "21m"):
            if after == at:
                watch.note(Noted(START + span_of(after), "ana", "looking"))
            if after == "20m":
                watch.see("20m", "status: resolved")
            watch.look(after)
        assert asked(watch) is counts


def test_an_answer_after_the_end_is_too_late() -> None:
    """Rule 28: it had ended before anybody acted; so is an edit, and an `ok` by SMS."""
    watch = Watch(ASKS, f"{{{ALERTS}}}")
    watch.until("19m")
    watch.see("20m", "status: resolved")
    watch.look("20m")
    watch.ack("21m", "ana")
    watch.look("21m")
    watch.see("22m", "timeline: [{text: The disk was full}]")
    assert not asked(watch)


ALERT_FILE = "title: 5xx\nseverity: s2\ndeclared_by: Alertmanager\n"
MARKED = "# alertmanager: newest 2026-11-23T10:00:00+00:00 summary 0123 (leave these lines)\n# alertmanager {}\n"


def test_what_alerts_write_themselves_does_not_count() -> None:
    """Rule 28: a worse alert raises the severity, names a service and has a link of its own; then all end. Nobody has
    acted.
    """
    watch = Watch.of_text(ASKS, ALERT_FILE + MARKED.format("aaaaaaaa"))
    watch.until("19s")
    raised = (
        ALERT_FILE.replace("s2", "s1")
        + "services: [shop]\nsummary: two alerts\nlinks: {Graph: 'https://graphs.example.com/1'}\n"
    )
    watch.see_text("20s", raised + MARKED.format("bbbbbbbb aaaaaaaa"))
    watch.until("31s")
    watch.see_text("32s", raised + "status: resolved\nresolution: x\n" + MARKED.format("bbbbbbbb aaaaaaaa"))
    assert not asked(watch)


def test_alerts_that_fire_again_have_not_acted() -> None:
    """Rule 28: alerts end, open it again and end once more; where somebody had acted before, it is still so."""
    for acts in (False, True):
        watch = Watch.of_text(ASKS, ALERT_FILE + MARKED.format("aaaaaaaa"))
        watch.until("1m")
        if acts:
            watch.ack("2m", "ana")
        watch.until("4m")
        watch.see_text("5m", ALERT_FILE + "status: resolved\n" + MARKED.format("aaaaaaaa"))
        watch.until("6m")
        watch.see_text("7m", ALERT_FILE + "status: investigating\n" + MARKED.format("bbbbbbbb aaaaaaaa"))
        watch.until("19m")
        watch.see_text("20m", ALERT_FILE + "status: resolved\n" + MARKED.format("bbbbbbbb aaaaaaaa"))
        watch.suppressed = []
        assert asked(watch) is acts


def test_somebody_who_writes_what_alerts_write_has_acted() -> None:
    """Rule 28: the severity was changed and the file remembers no other alerts: somebody did it; and so with a line
    of alerts and an impact at once.
    """
    for changed in (
        ALERT_FILE.replace("s2", "s1") + MARKED.format("aaaaaaaa"),
        ALERT_FILE + "impact: x\n" + MARKED.format("bbbbbbbb"),
    ):
        watch = Watch.of_text(ASKS, ALERT_FILE + MARKED.format("aaaaaaaa"))
        watch.until("1m")
        watch.see_text("2m", changed)
        watch.until("19m")
        watch.see_text("20m", changed + "status: resolved\n")
        assert asked(watch)


def test_a_config_that_reads_the_file_otherwise_has_not_acted() -> None:
    """Rules 8, 28: the same bytes, but the service they name is in the config now."""
    text = ALERT_FILE + "services: [shop]\n"
    watch = Watch.of_text(ASKS.replace("shop: {responders: [bo]}", ""), text)
    watch.until("1m")
    watch.policy = replace(policy_of(ASKS), since=START + span_of("2m"), revision="other")
    watch.see_text("2m", text)
    assert watch.history.incident is not None
    assert watch.history.incident.services == ("shop",)
    watch.until("19m")
    watch.see_text("20m", text + "status: resolved\n")
    assert not asked(watch)


def test_what_a_person_declared_always_asks() -> None:
    """Rule 28: nobody acted, but it was no alert."""
    watch = Watch(ASKS, "severity: s1")
    watch.until("19m")
    watch.see("20m", "status: resolved")
    assert asked(watch)


def test_drills() -> None:
    """Rule 28: `true` asks for nothing, `review` for both, whoever acted."""
    for drill, asks in (("true", False), ("review", True), ("false", True)):
        watch = Watch(ASKS, f"{{severity: s1, drill: {drill}}}")
        watch.until("4m")
        watch.ack("5m", "ana")
        watch.until("19m")
        watch.see("20m", "status: resolved")
        assert asked(watch) is asks, drill


def test_a_drill_that_wants_a_review_after_all() -> None:
    """Rule 28: `drill: review` is written after the end; it is asked for from the next time on."""
    watch = Watch(ASKS, "{severity: s1, drill: true}")
    watch.until("19m")
    watch.see("20m", "status: resolved")
    watch.until("1h")
    watch.see("1h5m", "drill: review")
    watch.until("1h6m")
    assert {said.kind.value for said in watch.said if said.at > START + span_of("1h")} == {"verify", "review"}


def test_why_nobody_is_asked_is_told() -> None:
    """Rule 28, P6: what was held back says why, once."""
    watch = Watch(ASKS, f"{{{ALERTS}}}")
    watch.until("19m")
    watch.see("20m", "status: resolved")
    watch.until("3h")
    words = {(held.kind.value, suppression_text(held)) for held in watch.suppressed}
    why = "it was over before anybody answered or wrote anything (alerts declared it)"
    assert words == {("verify", why), ("review", why)}
    assert len(watch.suppressed) == 2


CLOSING = """
severities:
  s1:
    page: {roles: [tl], via: [sms, email], acknowledge_within: 5m}
    updates: [{to: [execs], every: 1h}]
roles: {tl: {chain: [ana, pat]}}
stakeholders: {execs: {people: [eve, ceo], via: [sms, email]}}
"""
BEGIN = """
0   page    declared   ana  sms+email  tl     0/1
0   update  declared   eve  sms+email  execs
0   update  declared   ceo  email      execs
5m  page    escalated  pat  sms        tl     1/1
"""
ENDS = "[{after: 6m, ack: pat}, {after: 9m, set: {status: resolved}}]"
DOWN = "6m stand_down accepted ana sms tl\n"


def test_a_severity_may_close_by_email() -> None:
    """Rule 58: no SMS to ana and eve, whom the mail reaches; pat has only a phone and hears the end there."""
    shows(
        CLOSING.replace("s1:\n", "s1:\n    closing: email\n"),
        "severity: s1",
        BEGIN + DOWN + "9m closing resolved ana,eve,ceo email -\n9m closing resolved pat sms -",
        script=ENDS,
    )


def test_a_person_may_be_closed_by_email() -> None:
    """Rule 58: eve alone."""
    people = 'people: {eve: {email: eve@example.com, phone: "+14155550105", closing: email}}'
    shows(
        CLOSING + people,
        "severity: s1",
        BEGIN
        + DOWN
        + """
        9m  closing  resolved  ana      sms+email  -
        9m  closing  resolved  eve,ceo  email      -
        9m  closing  resolved  pat      sms        -
        """,
        script=ENDS,
    )


def test_whom_no_email_reached_hears_the_end_by_sms() -> None:
    """Rules 25, 58: ana was paged by SMS alone; and of eve the mailbox was refused."""
    config = CLOSING.replace("via: [sms, email], ack", "via: [sms], ack").replace("s1:\n", "s1:\n    closing: email\n")
    shows(
        config,
        "severity: s1",
        """
        0   page     declared  ana  sms        tl     0/1
        0   update   declared  eve  sms+email  execs
        0   update   declared  ceo  email      execs
        4m  closing  resolved  ana,eve  sms    -
        4m  closing  resolved  ceo  email      -
        """,
        script="[{after: 1m, fail: {person: eve, via: email}}, {after: 4m, set: {status: resolved}}]",
    )


def test_whose_mailbox_refuses_the_end_hears_it_by_sms() -> None:
    """P5, rule 58: the mail did not reach them; once, and nobody else."""
    shows(
        CLOSING.replace("s1:\n", "s1:\n    closing: email\n"),
        "severity: s1",
        """
        0     page     declared  ana      sms+email  tl     0/1
        0     update   declared  eve      sms+email  execs
        0     update   declared  ceo      email      execs
        4m    closing  resolved  ana,eve,ceo  email  -
        4m5s  closing  resolved  ana      sms        -
        """,
        script="""
        - {after: 4m, set: {status: resolved}}
        - {after: 4m5s, fail: {person: ana, via: email}}
        - {after: 5m, fail: {person: eve, via: sms}}
        - {after: 6m, fail: {person: eve, via: email}}
        - {after: 7m, fail: {person: ceo, via: email}}
        """,
    )


def test_an_sms_that_is_left_out_is_told() -> None:
    """Rule 58, P6: `explain` says why."""
    watch = Watch(CLOSING.replace("s1:\n", "s1:\n    closing: email\n"), "severity: s1")
    watch.look("0")
    watch.see("1m", "status: resolved")
    assert watch.look("1m") == rows("closing resolved ana,eve,ceo email -")
    assert {held.to: suppression_text(held) for held in watch.suppressed} == dict.fromkeys(
        ("ana", "eve"), "they were told already (closing: email, and the mail says it)"
    )


def test_an_end_that_neither_mail_nor_sms_took_is_noted() -> None:
    """P6, rule 58: their mailbox refuses the end, and their number does not take it any more either; once."""
    watch = Watch(CLOSING.replace("s1:\n", "s1:\n    closing: email\n"), "severity: s1")
    watch.look("0")
    watch.see("1m", "status: resolved")
    watch.look("1m")
    known = len(watch.suppressed)
    watch.refuse("2m", "ana", "sms", "+14155550101")
    watch.refuse("3m", "ana", "email", "ana@example.com")
    assert watch.look("3m") == []
    assert watch.look("4m") == []
    assert [(held.to, suppression_text(held)) for held in watch.suppressed[known:]] == [
        ("ana", "no channel leads to them (it was refused wherever they have an address)")
    ]


def test_an_end_that_is_told_once_more_by_sms_is_no_second_end() -> None:
    """P5, P8, rule 58: outsiders heard of it once, when it ended; and a group's lane has one mark for the end."""
    watch = Watch(
        """
        severities:
          s1:
            closing: email
            page: {roles: [tl], via: [sms, email], acknowledge_within: 5m}
            updates: [{to: [customers], every: 30m}]
        roles: {tl: {chain: [ana, bo]}}
        stakeholders: {customers: {emails: [all@example.com], external: true}}
        """,
        "severity: s1",
    )
    watch.until("3m")
    watch.see("4m", "status: resolved")
    watch.until("4m")
    before = public_view(steps_of(watch.facts), {}, watch.policy)
    watch.refuse("9m", "ana", "email", "ana@example.com")
    watch.until("9m")
    assert (watch.said[-1].kind, watch.said[-1].to, watch.said[-1].via) == (Kind.CLOSING, "ana", Channel.SMS)
    steps = steps_of(watch.facts)
    assert before is not None
    assert public_view(steps, {}, watch.policy) == before
    assert [fact.at for fact in watch.facts if isinstance(fact, Closed)] == [before.resolved_at] * 2
    lanes = chart(steps, {}, watch.policy, START + span_of("9m")).lanes
    assert [len(lane.marks) for lane in lanes if lane.title == "customers"] == [2]
