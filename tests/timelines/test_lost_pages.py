"""Rules 65 to 67: pages that reached nobody, corrected addresses, and people who leave the config while they are asked."""

from copy import deepcopy

import pytest
from tocsin.planning.current_state import unreached_since

from tests.timelines.stage import START, Watch, rows, span_of

TWO = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
roles: {tl: {chain: [ana, bo]}}
"""
ONE = TWO.replace("rounds: 2", "rounds: 1")


def test_a_page_that_was_not_delivered_passes_its_step_and_is_tried_once_more() -> None:
    """Rule 66: bo is paged when it is known, not after the window; ana's page goes once more after 30 s."""
    watch = Watch(TWO, "severity: s1")
    watch.until("0")
    watch.lose("9s", "ana", "0", again="sms")
    watch.until("5m9s")
    watch.showed("""
        0     page  declared   ana  sms  tl  0/1
        9s    page  escalated  bo   sms  tl  1/1
        39s   page  reach      ana  sms  tl  0/1
        5m9s  page  repeated   ana  sms  tl  0/2
        """)


def test_the_second_try_goes_only_while_the_page_is_wanted() -> None:
    """Rules 13, 66: bo has accepted meanwhile, so nobody asks ana again; she is stood down as one who was paged."""
    watch = Watch(TWO, "severity: s1")
    watch.until("0")
    watch.lose("9s", "ana", "0", again="sms")
    watch.until("9s")
    watch.ack("20s", "bo")
    watch.until("1h")
    watch.showed("""
        0    page        declared   ana  sms  tl  0/1
        9s   page        escalated  bo   sms  tl  1/1
        20s  stand_down  accepted   ana  sms  tl
        """)


def test_a_step_is_passed_once_no_page_of_it_reached_anybody() -> None:
    """Corner of 66: bo's page arrived, so chen waits for the window; when bo's is lost too she does not."""
    config = TWO.replace("[ana, bo]", "[[ana, bo], chen]")
    watch = Watch(config, "severity: s1")
    watch.until("0")
    watch.lose("9s", "ana", "0")
    assert watch.look("9s") == []
    watch.lose("20s", "bo", "0")
    assert watch.look("20s") == rows("page escalated chen sms tl 1/1")


def test_whoever_is_reached_after_all_counts_as_reached_from_then() -> None:
    """Rules 16, 66: bo's pass alone does not fire the next level once ana has the page after all; hers then does."""
    config = TWO.replace("[ana, bo]", "[[ana, bo], chen]")
    watch = Watch(config, "severity: s1")
    watch.until("0")
    watch.lose("9s", "ana", "0", again="sms")
    watch.until("39s")
    watch.deliver("41s", "ana", "0")
    watch.pass_("50s", "bo")
    assert watch.look("50s") == []
    watch.pass_("1m", "ana")
    assert watch.look("1m") == rows("page declined chen sms tl 1/1")


def test_a_pass_of_all_who_were_reached_still_counts() -> None:
    """Rules 16, 66: ana was not reached, so bo's pass is everybody's."""
    watch = Watch(TWO.replace("[ana, bo]", "[[ana, bo], chen]"), "severity: s1")
    watch.until("0")
    watch.lose("9s", "ana", "0")
    watch.pass_("50s", "bo")
    assert watch.look("50s") == rows("page declined chen sms tl 1/1")


def test_a_pass_of_the_only_one_reached_counts_when_the_other_page_is_lost_later() -> None:
    """Rules 16, 66: bo passed at once, and that ana was not reached is known later: nobody is waited for."""
    watch = Watch(TWO.replace("[ana, bo]", "[[ana, bo], chen]"), "severity: s1")
    watch.until("0")
    watch.pass_("9s", "bo")
    assert watch.look("9s") == []
    watch.lose("20s", "ana", "0")
    assert watch.look("20s") == rows("page declined chen sms tl 1/1")


@pytest.mark.parametrize("passes", ["10s", "20s"])
def test_a_pass_of_the_only_one_who_is_left_counts_before_and_after_the_other_left(passes: str) -> None:
    """Rules 16, 67: ana has left the config at 15 s and bo passes: the level fires anew, and of it only chen remains."""
    config = TWO.replace("[ana, bo]", "[[ana, bo], chen]")
    watch = Watch(config, "severity: s1")
    watch.until("0")
    if passes == "10s":
        watch.pass_("10s", "bo")
    watch.until("14s")
    watch.configure("15s", config.replace("[ana, bo]", "bo") + "without: [ana]")
    watch.until("19s")
    if passes == "20s":
        watch.pass_("20s", "bo")
    watch.until("1m")
    paged_at = {"10s": "15s", "20s": "20s"}[passes]
    watch.showed(f"0 page declared ana,bo sms tl 0/1\n{paged_at} page escalated chen sms tl 1/1")


def test_who_passed_of_a_last_resort_is_not_asked_for_ever() -> None:
    """Rules 16, 67: bo passed and ana left the config: bo is asked again at once, and then each window."""
    watch = Watch(ONE.replace("[ana, bo]", "[chen]"), "severity: s1", last_resort="ana, bo")
    watch.until("5m")
    watch.pass_("5m10s", "bo")
    watch.until("5m20s")
    watch.last_resort = "bo"
    watch.configure("6m", ONE.replace("[ana, bo]", "[chen]") + "without: [ana]")
    watch.until("11m")
    watch.showed("""
        0    page  declared     chen     sms  tl  0/1
        5m   page  last_resort  ana,bo   sms  tl
        6m   page  last_resort  bo       sms  tl
        11m  page  last_resort  bo       sms  tl
        """)


def test_a_lost_last_resort_takes_its_window() -> None:
    """Corner of 66: there is nobody else to ask, so it is no endless loop."""
    watch = Watch(ONE, "severity: s1")
    watch.until("5m")
    watch.lose("5m9s", "bo", "5m")
    watch.until("5m9s")
    watch.lose("5m20s", "olga", "5m9s", again="sms")
    watch.until("10m9s")
    watch.showed("""
        0      page  declared     ana   sms  tl  0/1
        5m     page  escalated    bo    sms  tl  1/1
        5m9s   page  last_resort  olga  sms  tl
        5m50s  page  reach        olga  sms  tl
        10m9s  page  last_resort  olga  sms  tl
        """)


def test_who_replaces_the_one_asked_is_paged_at_once() -> None:
    """Rule 67: ana has left the config; the level fires anew, and the window counts from there."""
    watch = Watch(ONE.replace("[ana, bo]", "[ana]"), "severity: s1")
    watch.until("0")
    watch.configure("1m", ONE.replace("[ana, bo]", "[bo]") + "without: [ana]")
    watch.until("6m")
    watch.showed("""
        0   page  declared     ana   sms  tl  0/1
        1m  page  declared     bo    sms  tl  0/1
        6m  page  last_resort  olga  sms  tl
        """)


def test_a_level_fires_anew_only_when_nobody_of_it_is_left() -> None:
    """Rules 8, 67: bo was asked too and is still there; levels fired stay fired."""
    watch = Watch(ONE.replace("[ana, bo]", "[[ana, bo], dai]"), "severity: s1")
    watch.until("0")
    watch.configure("1m", ONE.replace("[ana, bo]", "[[chen, bo], dai]") + "without: [ana]")
    watch.until("5m")
    watch.showed("0 page declared ana,bo sms tl 0/1\n5m page escalated dai sms tl 1/1")


def test_a_level_that_names_nobody_any_more_is_passed() -> None:
    """Rules 6, 67: the level of ana is gone with her, so the last level of the shorter chain fires, at once."""
    watch = Watch(ONE.replace("[ana, bo]", "[bo, ana]"), "severity: s1")
    watch.until("5m")
    watch.configure("6m", ONE.replace("[ana, bo]", "[chen]") + "without: [ana]")
    watch.until("11m")
    watch.showed("""
        0    page  declared     bo    sms  tl  0/1
        5m   page  escalated    ana   sms  tl  1/1
        6m   page  declared     chen  sms  tl  0/1
        11m  page  last_resort  olga  sms  tl
        """)


def test_an_assigned_person_who_left_gives_way_to_the_chain() -> None:
    """Rules 9, 67: level 0 was the person assigned; nobody stands for them, so the chain is paged at once."""
    watch = Watch(ONE, "{severity: s1, roles: {tl: dai}}")
    watch.until("0")
    watch.configure("1m", ONE + "without: [dai]")
    watch.until("1m")
    watch.showed("0 page declared dai sms tl 0/1\n1m page escalated ana sms tl 1/1")


def test_who_replaces_somebody_who_stays_in_people_is_paged_at_once() -> None:
    """Rule 67: ana is still in `people`, but the chain names bo in her place. Ana may still answer."""
    watch = Watch(ONE.replace("[ana, bo]", "[ana]"), "severity: s1")
    watch.until("0")
    watch.configure("1m", ONE.replace("[ana, bo]", "[bo]"))
    watch.until("1m")
    answered = deepcopy(watch)
    watch.until("6m")
    watch.showed("""
        0   page  declared     ana   sms  tl  0/1
        1m  page  declared     bo    sms  tl  0/1
        6m  page  last_resort  olga  sms  tl
        """)
    answered.ack("2m", "ana")
    answered.until("6m")
    answered.showed("""
        0   page        declared  ana  sms  tl  0/1
        1m  page        declared  bo   sms  tl  0/1
        2m  stand_down  accepted  bo   sms  tl
        """)


def test_a_shorter_chain_without_the_one_asked_fires_its_last_level() -> None:
    """Rules 6, 67: bo was asked, and the chain ends with ana now."""
    watch = Watch(ONE, "severity: s1")
    watch.until("5m")
    watch.configure("6m", ONE.replace("[ana, bo]", "[ana]"))
    watch.until("6m")
    watch.showed("0 page declared ana sms tl 0/1\n5m page escalated bo sms tl 1/1\n6m page declared ana sms tl 0/1")


TURNS = """
severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 10m}}}
roles: {tl: {chain: [primary.on_call]}}
rotations:
  primary:
    shifts:
      - {members: [ana, bo], handoff: "* * * * *", timezone: UTC, starts: "2026-03-02T00:00"}
"""


def test_a_handoff_fires_nothing_anew() -> None:
    """Rules 8, 67: somebody else is on call a minute later, and the rotation still names whoever was asked."""
    watch = Watch(TURNS, "severity: s1")
    assert watch.look("0") in (rows("page declared ana sms tl 0/1"), rows("page declared bo sms tl 0/1"))
    assert watch.look("1m") == watch.look("9m") == []


def test_an_override_whose_span_is_over_still_names_its_person() -> None:
    """Rule 67: dai was asked for the span of the override, and stays the one asked after it."""
    override = "    overrides: [{person: dai, from: 2026-03-02T00:00Z, to: START}]"
    config = TURNS + override.replace("START", f"{START + span_of('30s'):%Y-%m-%dT%H:%M:%SZ}")
    watch = Watch(config, "severity: s1")
    assert watch.look("0") == rows("page declared dai sms tl 0/1")
    assert watch.look("1m") == []


def test_who_is_assigned_is_asked_on_though_the_chain_changes() -> None:
    """Rules 9, 67: dai is named by the file, not by the chain."""
    watch = Watch(ONE, "{severity: s1, roles: {tl: dai}}")
    watch.until("0")
    watch.configure("1m", ONE.replace("[ana, bo]", "[chen]"))
    watch.until("5m")
    watch.showed("0 page declared dai sms tl 0/1\n5m page escalated chen sms tl 1/1")


def test_responders_who_stay_in_people_are_replaced_at_once_unless_they_answered() -> None:
    """Rules 10, 67: gus is asked in place of ana; who answered as a responder goes on, and nobody else is woken."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}}}
    roles: {tl: {chain: [gus]}}
    services: {shop: {responders: [ana]}}
    """
    watch = Watch(config, "{severity: s1, services: shop, acknowledged: [gus]}")
    watch.until("0")
    answered = deepcopy(watch)
    answered.ack("30s", "ana")
    for seen in (watch, answered):
        seen.configure("1m", config.replace("responders: [ana]", "responders: [bo]"))
        seen.until("20m")
    watch.showed("0 page declared ana sms responder 0/1\n1m page declared bo sms responder 0/1")
    answered.showed("0 page declared ana sms responder 0/1")


def test_responders_who_left_are_replaced_at_once() -> None:
    """Rules 10, 67: all who were asked in the round left the config: it is asked anew of whom the services name now."""
    config = """
    severities: {s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m, rounds: 2}}}
    roles: {tl: {chain: [gus]}}
    services: {shop: {responders: [ana]}}
    """
    watch = Watch(config, "{severity: s1, services: shop, acknowledged: [gus]}")
    watch.until("0")
    watch.configure("1m", config.replace("responders: [ana]", "responders: [bo]") + "without: [ana]")
    watch.until("20m")
    watch.showed("""
        0   page  declared  ana  sms  responder  0/1
        1m  page  declared  bo   sms  responder  0/1
        6m  page  repeated  bo   sms  responder  0/2
        """)


def test_a_last_resort_that_left_is_replaced_at_once() -> None:
    """Rule 67: the settings name another last resort."""
    config = ONE.replace("[ana, bo]", "[chen]")
    watch = Watch(config, "severity: s1", last_resort="ana")
    watch.until("5m")
    watch.last_resort = "bo"
    watch.configure("6m", config + "without: [ana]")
    watch.until("11m")
    watch.showed("""
        0    page  declared     chen  sms  tl  0/1
        5m   page  last_resort  ana   sms  tl
        6m   page  last_resort  bo    sms  tl
        11m  page  last_resort  bo    sms  tl
        """)


def test_a_file_that_cannot_be_read_finds_a_new_last_resort() -> None:
    """Rules 32, 67: the same for a file that is not YAML."""
    config = ONE.replace("[ana, bo]", "[chen]")
    watch = Watch.of_unreadable_file(config, last_resort="ana")
    watch.until("0")
    watch.last_resort = "bo"
    watch.configure("1m", config + "without: [ana]")
    watch.until("1m")
    watch.showed("0 page last_resort ana sms -\n1m page last_resort bo sms -")


WRONG = "people: {ana: {email: ana@exmaple.com}}\n"
RIGHT = "people: {ana: {email: ana@example.com}}\n"
MAIL = ONE.replace("[sms]", "[email]").replace("[ana, bo]", "[ana]")


def test_a_corrected_address_is_tried_at_once() -> None:
    """Rule 65: the refusal was about the wrong address; ana is paged at the right one as soon as the config has it."""
    watch = Watch(MAIL + WRONG, "severity: s1")
    watch.until("0")
    watch.refuse("1s", "ana", "email", "ana@exmaple.com")
    watch.lose("1s", "ana", "0")
    watch.until("1s")
    watch.configure("2m", MAIL + RIGHT)
    watch.until("4m")
    watch.see("4m", "status: resolved")
    watch.until("4m")
    watch.showed("""
        0   page     declared     ana       email  tl  0/1
        1s  page     last_resort  olga      email  tl
        2m  page     reach        ana       email  tl  0/1
        4m  closing  resolved     ana,olga  email  -
        """)


@pytest.mark.parametrize("address", ["ana@exmaple.com", ""])
def test_an_address_that_is_not_corrected_stays_refused(address: str) -> None:
    """Rules 14, 65: whatever else of the config changes. What was recorded without an address refuses every one."""
    watch = Watch(MAIL + WRONG, "severity: s1")
    watch.until("0")
    watch.refuse("1s", "ana", "email", address)
    watch.until("1s")
    other = WRONG if address else RIGHT
    watch.configure("2m", MAIL + other + "hours: {}")
    watch.until("4m")
    watch.showed("0 page declared ana email tl 0/1")


def test_a_corrected_address_is_tried_once() -> None:
    """Rule 65: a further edit of the config sends nothing again; an answer before the correction sends nothing at all."""
    watch = Watch(MAIL + WRONG, "severity: s1")
    watch.until("0")
    watch.refuse("1s", "ana", "email", "ana@exmaple.com")
    watch.configure("2m", MAIL + RIGHT)
    watch.until("2m")
    watch.configure("3m", MAIL + RIGHT + "hours: {}")
    watch.until("4m")
    watch.showed("0 page declared ana email tl 0/1\n2m page reach ana email tl 0/1")
    answered = Watch(MAIL + WRONG, "severity: s1")
    answered.until("0")
    answered.refuse("1s", "ana", "email", "ana@exmaple.com")
    answered.ack("1m", "ana")
    answered.configure("2m", MAIL + RIGHT)
    answered.until("4m")
    answered.showed("0 page declared ana email tl 0/1")


def test_updates_go_to_a_corrected_address() -> None:
    """Rules 21, 65: the reader has their channel again with the next update."""
    config = """
    severities: {s1: {updates: [{to: [execs], every: 30m}]}}
    stakeholders: {execs: {people: [ana]}}
    """
    watch = Watch(config + WRONG, "severity: s1")
    watch.until("0")
    watch.refuse("1s", "ana", "email", "ana@exmaple.com")
    watch.configure("2m", config + RIGHT)
    watch.until("30m")
    watch.showed("0 update declared ana email execs\n30m update due ana email execs")


def test_a_corrected_address_is_no_second_page_of_one_instant() -> None:
    """Rules 12, 65: found together with ana's next page, which goes to the right address itself."""
    watch = Watch(MAIL.replace("rounds: 1", "rounds: 2") + WRONG, "severity: s1")
    watch.until("0")
    watch.refuse("1s", "ana", "email", "ana@exmaple.com")
    watch.configure("4m59s", MAIL.replace("rounds: 1", "rounds: 2") + RIGHT)
    assert watch.look("5m") == rows("page repeated ana email tl 0/2")


def test_a_channel_that_waits_for_its_after_is_left_to_it() -> None:
    """Rules 13, 65: the corrected address is that of a later entry of `reach`, which goes when it is due."""
    config = TWO.replace("[sms]", "[sms, email]").replace("[ana, bo]", "[ana]")
    wrong = 'people: {ana: {phone: "+14155550101", email: a@exmaple.com, reach: [sms, {via: email, after: 3m}]}}'
    watch = Watch(config + wrong, "severity: s1")
    watch.until("0")
    watch.refuse("1s", "ana", "email", "a@exmaple.com")
    watch.configure("2m", config + wrong.replace("exmaple", "example"))
    watch.until("4m")
    watch.showed("0 page declared ana sms tl 0/1\n3m page reach ana email tl 0/1")


def test_only_the_newest_page_is_tried_once_more() -> None:
    """Rule 66: ana's second page went in the meantime; that the first one was lost is told too late to help."""
    watch = Watch(TWO.replace("[ana, bo]", "[ana]"), "severity: s1")
    watch.until("5m")
    watch.lose("6m", "ana", "0", again="sms")
    watch.until("9m")
    watch.showed("0 page declared ana sms tl 0/1\n5m page repeated ana sms tl 0/2")


def test_since_when_nobody_is_reached() -> None:
    """Rule 71: from the last resort's step, until somebody accepts or it is over; also for an unreadable file."""
    watch = Watch(ONE, "severity: s1")
    watch.until("0")
    watch.lose("9s", "ana", "0")
    watch.until("9s")
    watch.lose("20s", "bo", "9s")
    watch.until("20s")
    assert unreached_since(watch.history) is None
    watch.lose("30s", "olga", "20s")
    watch.until("30s")
    assert unreached_since(watch.history) == START + span_of("20s")
    accepted, resolved = deepcopy(watch), deepcopy(watch)
    accepted.ack("40s", "ana")
    assert unreached_since(accepted.history) is None
    resolved.see("40s", "status: resolved")
    assert unreached_since(resolved.history) is None
    unread = Watch.of_unreadable_file(ONE.replace("[ana, bo]", "[chen]"))
    unread.until("0")
    assert unreached_since(unread.history) is None
    unread.lose("9s", "olga", "0")
    assert unreached_since(unread.history) == START
    unread.ack("20s", "olga")
    assert unreached_since(unread.history) is None
