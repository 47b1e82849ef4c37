"""Rule 32: a file that is not YAML at all pages the last resort."""

from datetime import timedelta

import pytest
from tocsin.domain.facts import Answer, Answered, Gone, Seen
from tocsin.domain.history import History
from tocsin.domain.notification import Kind
from tocsin.planning.delivery.still_wanted import why_unwanted
from tocsin.planning.history.asked_for import asked_for
from tocsin.planning.history.fold import fold_facts

from tests.timelines.stage import START, Watch, rows

CONFIG = """
severities:
  s1:
    page: {roles: [tl], via: [email], acknowledge_within: 10m}
    updates: [{to: [execs], every: 30m}]
roles: {tl: {chain: [ana]}}
stakeholders: {execs: {people: [ceo]}}
people: {hal: {email: hal@example.com, phone: "+14155550108", reach: [email, {via: sms, after: 3m}]}}
"""
"""Here `unreadable_severity` is the stage's own: by SMS, every 5 minutes."""


def test_it_pages_the_last_resort_every_window() -> None:
    """Rule 32: by the `via` of `unreadable_severity`, with empty roles, level and round null, and nobody else."""
    watch = Watch.of_unreadable_file(CONFIG, "olga, max, hal")
    watch.until("10m")
    watch.showed(
        """
        0    page  last_resort  olga,hal  sms    -
        0    page  last_resort  max       email  -
        5m   page  last_resort  olga,hal  sms    -
        5m   page  last_resort  max       email  -
        10m  page  last_resort  olga,hal  sms    -
        10m  page  last_resort  max       email  -
        """
    )


def test_an_ok_ends_its_pages() -> None:
    """Rule 32: an `ok` of somebody paged ends them for everybody; one of anybody else accepts nothing."""
    watch = Watch.of_unreadable_file(CONFIG, "olga, pia")
    watch.until("1m")
    watch.ack("2m", "ana")
    watch.until("5m")
    assert [at for _, at in watch.history.ineffective_acks] == [START + timedelta(minutes=2)]
    watch.ack("6m", "pia")
    watch.until("1h")
    watch.showed("0 page last_resort olga,pia sms -\n5m page last_resort olga,pia sms -")


def test_a_pass_leaves_out_who_passed() -> None:
    """Rules 16, 32: of the last resort too; it brings nothing forward, and once all have passed all are paged again."""
    watch = Watch.of_unreadable_file(CONFIG, "olga, pia")
    watch.until("1m")
    watch.pass_("2m", "olga")
    watch.until("6m")
    watch.pass_("7m", "pia")
    watch.until("11m")
    watch.ack("12m", "olga")
    watch.until("1h")
    watch.showed("""
        0    page  last_resort  olga,pia  sms  -
        5m   page  last_resort  pia       sms  -
        10m  page  last_resort  olga,pia  sms  -
        """)


def test_what_waits_of_a_page_that_was_passed_does_not_leave() -> None:
    """Rule 32: the sender asks before each try."""
    watch = Watch.of_unreadable_file(CONFIG, "olga, pia")
    watch.look("0")
    watch.pass_("2m", "olga")
    wanted = {page.to: why_unwanted(page, watch.history) is None for page in watch.said}
    assert wanted == {"olga": False, "pia": True}
    assert not asked_for(watch.history, "olga")
    assert asked_for(watch.history, "pia")


def test_an_ok_by_a_slow_clock_ends_its_pages() -> None:
    """Rules 32, 68: it is recorded after the page, whatever instant it bears."""
    watch = Watch.of_unreadable_file(CONFIG)
    watch.until("1m")
    watch.note(Answered(START - timedelta(seconds=5), "olga", Answer.OK))
    watch.until("1h")
    watch.showed("0 page last_resort olga sms -")


def test_an_answer_from_before_it_was_seen_spoils_nothing() -> None:
    """Rules 32, 63: 0.4 and older recorded such a one; the incident is folded and paged as if it were not there."""
    before = Answered(START - timedelta(seconds=5), "olga", Answer.OK)
    watch = Watch.of_unreadable_file(CONFIG)
    assert fold_facts([before]) == History()
    assert watch.history.incident is not None
    seen = Seen(START, watch.history.incident)
    assert fold_facts([before, seen]) == fold_facts([seen])


def test_its_pages_end_when_the_file_has_gone() -> None:
    """Rule 32: a file that was never readable and has gone pages nobody any more."""
    watch = Watch.of_unreadable_file(CONFIG)
    watch.until("5m")
    watch.note(Gone(START + timedelta(minutes=7)))
    watch.until("1h")
    watch.showed("0 page last_resort olga sms -\n5m page last_resort olga sms -")


def test_a_pass_ends_nothing() -> None:
    """Rules 16, 32: the last resort is paged on, whoever passes."""
    watch = Watch.of_unreadable_file(CONFIG)
    watch.until("1m")
    watch.pass_("2m", "olga")
    watch.until("5m")
    watch.showed("0 page last_resort olga sms -\n5m page last_resort olga sms -")


def test_found_late_it_goes_once() -> None:
    """Rules 4, 32: a page found over a minute late goes once, and the next window counts from then."""
    watch = Watch.of_unreadable_file(CONFIG)
    assert watch.look("3m") == rows("page last_resort olga sms -")
    assert watch.look("7m59s") == []
    assert watch.look("8m") == rows("page last_resort olga sms -")


def test_found_less_than_a_minute_late_it_keeps_the_clock() -> None:
    """Rules 4, 32: found 30 s late, also the first page counts from when it was due."""
    watch = Watch.of_unreadable_file(CONFIG)
    assert watch.look("30s") == rows("page last_resort olga sms -")
    assert watch.look("4m59s") == []
    assert watch.look("5m") == rows("page last_resort olga sms -")


def test_nobody_left_is_noted_and_takes_a_window() -> None:
    """Rules 6, 14, P6: a last resort that reaches nobody is a page held back, once a window."""
    watch = Watch.of_unreadable_file(CONFIG, "pat")
    watch.refuse("0", "pat", "sms")
    assert watch.look("0") == []
    assert [(held.kind, held.why.value, held.to) for held in watch.suppressed] == [(Kind.PAGE, "no_channel", "")]
    assert watch.next_look == START + timedelta(minutes=5)


def test_once_it_can_be_read_it_is_declared() -> None:
    """Rules 25, 32: as any other incident; whoever was paged before hears the end too."""
    watch = Watch.of_unreadable_file(CONFIG)
    watch.until("5m")
    watch.see("6m")
    watch.until("7m")
    watch.ack("8m", "ana")
    watch.see("9m", "status: resolved")
    watch.until("10m")
    watch.showed(
        """
        0   page     last_resort  olga  sms    -
        5m  page     last_resort  olga  sms    -
        6m  page     declared     ana   email  tl  0/1
        6m  update   declared     ceo   email  execs
        9m  closing  resolved     olga  sms    -
        9m  closing  resolved     ana   email  -
        9m  closing  resolved     ceo   email  -
        """
    )


def test_who_was_paged_for_it_hears_the_end_also_if_it_is_resolved_once_it_can_be_read() -> None:
    """P5, rules 20, 25, 32: nobody goes on looking for what is over. Nothing was declared, so nobody else hears of it,
    and nobody is asked to verify or to review.
    """
    watch = Watch.of_unreadable_file(CONFIG)
    watch.until("6m")
    watch.see("7m", "status: resolved")
    watch.until("6h")
    watch.showed("""
        0   page     last_resort  olga  sms  -
        5m  page     last_resort  olga  sms  -
        7m  closing  resolved     olga  sms  -
        """)


def test_the_end_that_an_older_version_told_nobody_is_not_told_months_later() -> None:
    """An edit of a file of long ago: its end was never told, and what is not told now is noted (P6)."""
    watch = Watch.of_unreadable_file(CONFIG)
    watch.until("6m")
    watch.see("7m", "status: resolved")
    assert watch.look("60d") == []
    assert [(held.kind, held.why.value, held.to) for held in watch.suppressed] == [(Kind.CLOSING, "late", "olga")]
    watch.see("61d", "{status: resolved, review: done}")
    assert watch.look("61d") == []
    assert watch.history.closed


def test_another_version_that_cannot_be_read_changes_nothing() -> None:
    """Rule 32: the pages go on by the clock of the first one."""
    watch = Watch.of_unreadable_file(CONFIG)
    watch.until("1m")
    watch.see_unreadable("3m")
    watch.until("5m")
    watch.ack("6m", "olga")
    watch.see_unreadable("7m")
    watch.until("1h")
    watch.showed("0 page last_resort olga sms -\n5m page last_resort olga sms -")


@pytest.mark.parametrize("acknowledged", [False, True])
def test_another_unreadable_file_of_that_name_is_paged_for_anew(acknowledged: bool) -> None:
    """P2, rule 32: the first one has been taken away, whether somebody looked after it or not."""
    watch = Watch.of_unreadable_file(CONFIG)
    watch.until("1m")
    if acknowledged:
        watch.ack("2m", "olga")
    watch.note(Gone(START + timedelta(minutes=3)))
    watch.until("30m")
    watch.see_unreadable("31m")
    watch.until("36m")
    watch.showed("""
        0    page  last_resort  olga  sms  -
        31m  page  last_resort  olga  sms  -
        36m  page  last_resort  olga  sms  -
        """)
