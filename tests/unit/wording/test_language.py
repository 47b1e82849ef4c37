"""Languages: sentences, counts, lists, and dates as people there write them."""

from datetime import UTC, datetime, timedelta

import pytest
from babel import Locale
from tocsin.text import times as english_times
from tocsin.wording.language import times
from tocsin.wording.language.language import ENGLISH, Language, Translation, locale_of, parents
from tocsin.wording.language.placeholders import filled
from tocsin.wording.language.times import clock, dated, moment, span, time_of_day

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
GERMAN = Language(
    "de",
    {
        "Next update by {time}.": Translation(("Nächste Meldung bis {time}.",)),
        "{number} page": Translation(("{number} Alarm", "{number} Alarme"), lambda number: int(number != 1)),
    },
)


def test_a_sentence_is_said_in_the_readers_language() -> None:
    """What is missing is said in English, the names filled in either way, and never looked at again."""
    assert GERMAN.say("Next update by {time}.", time="12:00") == "Nächste Meldung bis 12:00."
    assert GERMAN.say("It is {title}.", title="{time}", time="x") == "It is {time}."
    assert ENGLISH.say("Next update by {time}.", time="12:00") == "Next update by 12:00."
    with pytest.raises(KeyError):
        ENGLISH.say("Next update by {time}.")


def test_things_are_counted_by_the_rule_of_the_language() -> None:
    """Both sentences know the number, written as people there write it."""
    assert [ENGLISH.count("{number} page", "{number} pages", number) for number in (0, 1, 2, 12_000)] == [
        "0 pages",
        "1 page",
        "2 pages",
        "12,000 pages",
    ]
    assert [GERMAN.count("{number} page", "{number} pages", number) for number in (1, 2, 12_000)] == [
        "1 Alarm",
        "2 Alarme",
        "12.000 Alarme",
    ]
    assert GERMAN.count("one {thing}", "{number} {thing}s", 3, thing="role") == "3 roles"


@pytest.mark.parametrize(
    ("code", "listed"),
    [("en", "a, b and c"), ("de", "a, b und c"), ("pt-BR", "a, b e c"), ("fr", "a, b et c"), ("tlh", "a, b and c")],
)
def test_names_are_listed(code: str, listed: str) -> None:
    """As people list them there; in English where nobody knows."""
    language = Language(code)
    assert language.listed(["a", "b", "c"]) == listed
    assert (language.listed([]), language.listed(["a"])) == ("", "a")
    assert language.listed(["{0}", "{1}"]).startswith("{0} ")


def test_which_way_a_language_is_read() -> None:
    """By the locale; an unknown one from left to right."""
    assert [Language(code).direction for code in ("en", "de", "ar", "he", "fa-IR", "tlh")] == [
        "ltr",
        "ltr",
        "rtl",
        "rtl",
        "rtl",
        "ltr",
    ]


def test_a_language_falls_back_to_the_nearest() -> None:
    """A country's language to the language itself."""
    assert parents("zh-Hant-TW") == ("zh-Hant", "zh")
    assert parents("de") == ()
    assert str(locale_of("pt-BR")) == "pt_BR"
    assert str(locale_of("pt-XQ")) == "pt"
    assert locale_of("tlh") is None


def test_times_in_german() -> None:
    """Days, months and zones by their names there; twenty-four hours; the year only where it is another."""
    zone = "Europe/Berlin"
    assert clock(NOW, zone, NOW, GERMAN) == "11:30 MEZ"
    assert clock(NOW + timedelta(days=1), zone, NOW, GERMAN) == "Di., 24. Nov., 11:30 MEZ"
    assert dated(NOW, zone, GERMAN, NOW) == "Mo., 23. Nov., 11:30 MEZ (10:30 UTC)"
    assert dated(NOW, "UTC", GERMAN) == "Mo., 23. Nov., 10:30 UTC"
    assert dated(NOW, zone, GERMAN, NOW - timedelta(days=365)) == "Mo., 23. Nov. 2026, 11:30 MEZ (10:30 UTC)"
    assert moment(NOW, zone, GERMAN) == "Mo., 23. Nov. 2026, 11:30 MEZ"
    assert span(timedelta(hours=2, minutes=5), GERMAN) == "2 Stunden und 5 Minuten"
    assert span(timedelta(seconds=3), GERMAN) == "1 Minute"
    assert clock(NOW, "America/Sao_Paulo", NOW, GERMAN) == "07:30 UTC-03"
    assert clock(NOW, "America/Sao_Paulo", NOW, Language("pt")) == "07:30 BRT"


@pytest.mark.parametrize("code", ["en", "en-US", "tlh"])
def test_english_is_as_records_have_it(code: str) -> None:
    """English, and languages that nobody knows the dates of, write as `text/times` does."""
    language, later = Language(code), NOW + timedelta(days=40)
    zone = "Europe/Berlin"
    assert clock(later, zone, NOW, language) == english_times.clock(later, zone, NOW)
    assert dated(later, zone, language, NOW) == english_times.dated(later, zone, NOW)
    assert moment(later, zone, language) == english_times.moment(later, zone)
    assert span(later - NOW, language) == english_times.span(later - NOW)


def test_a_day_and_a_time_are_set_off() -> None:
    """Behind a shortened month a blank alone would read as one number."""
    later = NOW + timedelta(days=1)
    assert clock(later, "America/Sao_Paulo", NOW, Language("pt")) == "ter., 24 de nov., 07:30 BRT"
    assert clock(later, "Europe/Berlin", NOW, Language("de")) == "Di., 24. Nov., 11:30 MEZ"


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("{part} of {whole} is 50 %.", "%s of {part} is 50 %."),
        ("100 % %s %(part)s {nobody knows}{part}", "100 % %s %(part)s {nobody knows}%s"),
        ("%s %(part)s 5 %", "%s %(part)s 5 %"),
    ],
)
def test_only_names_in_braces_are_filled_in(sentence: str, said: str) -> None:
    """Once each: what is filled in is text, and so are percent signs, wherever they stand."""
    assert filled(sentence, {"part": "%s", "whole": "{part}"}) == said


def test_a_name_that_is_not_given_is_no_text() -> None:
    """It is a mistake of ours."""
    with pytest.raises(KeyError):
        filled("{name} is on call.", {"names": "Ana"})


@pytest.mark.parametrize("language", [ENGLISH, GERMAN])
def test_times_of_one_second_are_written_once(language: Language, monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm has hundreds of pages in a second; another second, day, zone or language is written for itself."""
    asked: list[str] = []
    locale = times._locale

    def noted(code: str) -> Locale | None:
        asked.append(code)
        return locale(code)

    monkeypatch.setattr(times, "_locale", noted)
    for kept in (times._clock, times._dated, times._time_of_day):
        kept.cache_clear()
    at = NOW.replace(second=7, microsecond=1)
    later = at.replace(microsecond=999_999)
    for write in (
        lambda at: dated(at, "Europe/Berlin", language, NOW),
        lambda at: clock(at, "Europe/Berlin", NOW, language),
        lambda at: time_of_day(at, "Europe/Berlin", NOW, language),
    ):
        asked.clear()
        assert write(at) == write(later)
        assert len(asked) == 1
        assert write(at + timedelta(minutes=1)) != write(at)
        assert write(at + timedelta(days=1)) != write(at)
    assert clock(at, "Asia/Tokyo", NOW, language) != clock(at, "Europe/Berlin", NOW, language)
    assert clock(at, "UTC", at + timedelta(days=1), language) != clock(at, "UTC", NOW, language)
