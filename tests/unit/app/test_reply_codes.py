"""Reply codes: who gets which, for how long, and what one stands for (rule 42)."""

import random
from datetime import timedelta

import pytest
from tocsin.app.reply_options.codes import LETTERS, RESERVED_FOR, Codes
from tocsin.domain.arrival import ReservedCode
from tocsin.domain.facts import Coded

from tests.builders.instants import MINUTE, T0

ANA, BO = "+14155550101", "+14155550102"
SHORT_CODES = len(LETTERS) * 9
FAILURES_ENOUGH = 50
"""After so many gifts without a code in a row none is left."""


@pytest.fixture
def codes() -> Codes:
    return Codes(random.Random(1))


def test_a_code_is_given_once_and_recorded_once(codes: Codes) -> None:
    """Every page of an incident to a number shows the same code; only the first gives a fact to record."""
    code, fact = codes.give("pay", "ana", ANA, T0)
    assert fact == Coded(T0, "ana", ANA, code)
    assert codes.give("pay", "ana", ANA, T0 + MINUTE) == (code, None)
    assert codes.incident(ANA, "ana", code) == "pay"


def test_a_code_is_a_letter_and_a_digit_that_nobody_misreads(codes: Codes) -> None:
    """No I, no O, no 0; and each of them only once on a number."""
    given = [codes.give(f"i{number}", "ana", ANA, T0)[0] for number in range(SHORT_CODES)]
    assert len(set(given)) == SHORT_CODES
    assert all(code[0] not in "IO" and code[1] in "123456789" and len(code) == 2 for code in given)


def test_which_code_comes_next_cannot_be_guessed() -> None:
    """Two processes with other dice give other codes in another order."""
    orders = [[Codes(random.Random(seed)).give("pay", "ana", ANA, T0)[0] for seed in range(first, first + 20)]
              for first in (0, 100)]  # fmt: skip
    assert len(set(orders[0])) > 10
    assert orders[0] != orders[1]


def test_each_number_has_codes_of_its_own(codes: Codes) -> None:
    """A code is of one number: on another it stands for nothing, and another number's codes are not in its way."""
    code, _ = codes.give("pay", "ana", ANA, T0)
    assert codes.incident(BO, "ana", code) is None
    for number in range(SHORT_CODES - 1):
        codes.give(f"i{number}", "ana", ANA, T0)
    assert len(codes.give("pay", "bo", BO, T0)[0]) == 2


def test_people_who_share_a_number_have_codes_of_their_own(codes: Codes) -> None:
    """Each person's code of an incident is another, and answers for them alone."""
    of_ana, _ = codes.give("pay", "ana", ANA, T0)
    of_bo, _ = codes.give("pay", "bo", ANA, T0)
    assert of_ana != of_bo
    assert codes.incident(ANA, "bo", of_ana) is None
    assert [code.code for code in codes.of_person(ANA, "ana")] == [of_ana]


def test_the_newest_comes_first(codes: Codes) -> None:
    """What a bare answer may mean is looked for from the newest on; a code that is given anew is the newest again."""
    for incident in ("one", "two", "three"):
        codes.give(incident, "ana", ANA, T0)
    assert [code.incident for code in codes.of_person(ANA, "ana")] == ["three", "two", "one"]
    codes.close("one", T0)
    codes.give("one", "ana", ANA, T0 + MINUTE)
    assert [code.incident for code in codes.of_person(ANA, "ana")] == ["one", "three", "two"]


def fill(codes: Codes) -> None:
    """Every code that a number can have is taken by an open incident."""
    number = failures = 0
    while failures < FAILURES_ENOUGH:
        number += 1
        failures = 0 if codes.give(f"i{number}", "ana", ANA, T0)[0] else failures + 1


def test_a_closed_incident_keeps_its_code_for_a_week(codes: Codes) -> None:
    """On a full number the first code that comes free is that of a closed incident, to the second a week later."""
    code, _ = codes.give("pay", "ana", ANA, T0)
    fill(codes)
    codes.close("pay", T0)
    early = T0 + timedelta(days=7) - timedelta(seconds=1)
    assert codes.give("new", "ana", ANA, early) == ("", None)
    assert codes.give("new", "ana", ANA, T0 + timedelta(days=7))[0] == code
    assert codes.incident(ANA, "ana", code) == "new"


def test_codes_of_open_incidents_are_never_given_away(codes: Codes) -> None:
    """However old, and though others were closed: a number without a free code gets none."""
    code, _ = codes.give("pay", "ana", ANA, T0)
    fill(codes)
    codes.close("another", T0)
    assert codes.give("new", "ana", ANA, T0 + 10 * RESERVED_FOR) == ("", None)
    assert codes.incident(ANA, "ana", code) == "pay"


def test_a_reopened_incident_gets_its_code_back(codes: Codes) -> None:
    """It is recorded anew, and counts as open again."""
    code, _ = codes.give("pay", "ana", ANA, T0)
    codes.close("pay", T0 + MINUTE)
    again = T0 + 2 * MINUTE
    assert codes.give("pay", "ana", ANA, again) == (code, Coded(again, "ana", ANA, code))
    fill(codes)
    assert codes.give("new", "ana", ANA, again + 2 * RESERVED_FOR) == ("", None)


def test_a_request_to_verify_shows_the_code_of_a_closed_incident(codes: Codes) -> None:
    """Known or new, the code becomes free as the incident's others do."""
    code, _ = codes.give("pay", "ana", ANA, T0)
    codes.close("pay", T0)
    assert codes.give("pay", "ana", ANA, T0 + MINUTE, over=True) == (code, None)
    fresh, fact = codes.give("pay", "bo", ANA, T0 + MINUTE, over=True)
    assert fact == Coded(T0 + MINUTE, "bo", ANA, fresh)
    fill(codes)
    free = {codes.give(f"new{number}", "ana", ANA, T0 + RESERVED_FOR + MINUTE)[0] for number in range(2)}
    assert free == {code, fresh}


def test_the_ledgers_codes_are_known_after_a_restart() -> None:
    """With their incident, their person, their number, and since when they are closed."""
    rows = [
        ReservedCode("open", Coded(T0, "ana", ANA, "A1"), None),
        ReservedCode("over", Coded(T0, "ana", ANA, "B2"), T0 + MINUTE),
        ReservedCode("open", Coded(T0, "bo", BO, "C3"), None),
    ]
    codes = Codes(random.Random(1), rows)
    assert codes.give("open", "ana", ANA, T0) == ("A1", None)
    assert codes.incident(BO, "bo", "C3") == "open"
    assert [(code.code, code.since, code.closed_at) for code in codes.of_person(ANA, "ana")] == [
        ("B2", T0, T0 + MINUTE),
        ("A1", T0, None),
    ]


def test_a_code_of_the_future_is_not_reserved_for_ever() -> None:
    """Rule 59: given and closed while the clock was years ahead, it counts as closed now, and is free in a week."""
    rows = [ReservedCode("over", Coded(T0 + 500 * RESERVED_FOR, "ana", ANA, "B2"), T0 + 501 * RESERVED_FOR)]
    codes = Codes(random.Random(1), rows, T0)
    assert [(code.since, code.closed_at) for code in codes.of_person(ANA, "ana")] == [(T0, T0)]


def test_a_corrected_number_keeps_its_codes() -> None:
    """Rules 42 and 65: what waited for the old number is answered from the new one by the same code, where it is free."""
    codes = Codes(random.Random(1))
    before, _ = codes.give("card", "ana", "+14155550101", T0)
    other, _ = codes.give("search", "ana", "+14155550101", T0)
    code, coded = codes.give("card", "ana", "+14155550188", T0, former="+14155550101")
    assert code == before
    assert coded == Coded(T0, "ana", "+14155550188", before)
    assert codes.give("card", "ana", "+14155550188", T0, former="+14155550101") == (before, None)
    taken, _ = codes.give("api", "bo", "+14155550199", T0, former="")
    codes.give("web", "bo", "+14155550102", T0)
    assert codes.give("search", "ana", "+14155550188", T0)[0] != before
    assert other
    assert taken
