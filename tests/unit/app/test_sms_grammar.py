"""The grammar of answers: what counts, and above all what does not."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.app.replies.sms_grammar import SLIPS, START, STOP, WORDS, SmsCommand, Verb, read

OKS = ["ok", "OK", "Ok", "ack", "Ack", "a", "A", "yes", "YES", "ｏｋ", "𝐨𝐤", " ok ", "ok.", "ok!", "'ok'", '"ok"', "«ok»", "„ok“", "“ok”",
       "‘ok’", "「ok」", "(ok)", "o\u200bk", "\u202aok\u202c", "\u2067ok\u2069", "\ufeffok", "ok\u00a0", "\u3000ok", "ok\ufe0f", "\tok", "ok\r\n",
       "\n\nok", "ok\nSent from my phone", "ok…"]  # fmt: skip
CODED = ["ok K7", "K7", "k7", "k7 ok", "ok k7", "okk7", "OK, K7", "ok: k7", "ok #k7", "#K7", "ack k7", "yes K7", "a k7", "'ok' k7", "ok 'k7'",
         "ok - k7", "ok\u00a0K7", "ｏｋ　Ｋ７", "ok K７", "ok K٧", "ok K७", "K7.", "K7!", "\u200fK7\u200f", "ok\u2003k7", "ok K7\nthanks",
         "\u212a7", "K7 yes", "k7 a"]  # fmt: skip
QUOTES = ["''", '""', "``", "‘’", "‚‘", "“”", "„“", "«»", "»«", "‹›", "「」", "『』", "´´"]
BLANKS = [
    " ",
    "  ",
    "\t",
    "\u00a0",
    "\u2003",
    "\u2009",
    "\u202f",
    "\u3000",
    " \u200b",
    "\u200f ",
    "\u2066 \u2069",
    ", ",
    ": ",
    " - ",
    " #",
    ". ",
]
SEVENS = "7٧۷߇७৭௭๗༧၇៧᠗᥍᧗７𝟕𝟟𝟩𝟳𝟽"
ENDS = [
    "",
    ".",
    "!",
    ",",
    "…",
    "。",
    "،",
    "।",
    " ",
    "\n",
    "\r\n",
    ")",
    "\ufe0f",
    "\u200e",
    "\n\n-- \nSent from my phone",
    "\n> Reply ok A1 or pass A1",
]
PASSES = ["pass", "PASS", "no", "No.", "pass k7", "k7 pass", "no K7", "K7 no", "passK7"]
UNCLEAR = ["", " ", "?", "👍", "okai", "oky", "okayy", "ok ok", "ik", "on", "nk", "pas", "all", "all ok", "all pass", "okal", "statusall", "statusk", "ok all all", "ok all K7 K8", "ok K7 all", "K7 all", "status all",
           "ok alll", "ok al", "ok all?", "ok all please", "OK all of it", "all K7", "ok thanks", "ok, on it", "k", "kk", "0k", "оk", "ок", "οk", "ok K", "ok 7", "ok 7K", "ok K777", "K1 2", "ok K7 7",
           "K7K8", "ok K7 K8", "not ok", "nok", "aok", "acknowledge", "yess", "yes please", "nope", "no way", "да", "是", "はい", "نعم", "हाँ",
           "ja", "oui", "sí", "ok-k", "ok\u0336", "ök", "ack!k", "Please ok K7", "I said ok", "> ok", "ok К7", "ok Κ7", "ok k７７７", "A1B2", "passport",
           "note", "note ", "notes: x", "a note", "status?k", "\x00", "\ud800", "ok\ud800", "K7 note", "yesno",
           "№", "ª", "ⓐ", "ₐ", "paß", "ﬆatus", "K⁷", "Ⓚ7", "㏀7", "ok?", "no?", "K7?", "ok K7?", "pass?", "note K7", "note ...", "noteé x", "noteда", "note1",
           "Ꮶ7", "κ7", "Қ7", "Ķ7", "K\u0308\u0337", "okК7", "оkK7", "ok К７", "ok Ⅶ", "ok K七", "ok K⑦", "pаss", "ѕtatus", "ack K7 Bo", "ok/K7", "ok=K7",
           "👍 K7", "ok 👍", "K7 👍", "+1", "👌", "✅", "ok\u0301", "ok K7\u0301", "> ok K7", "Re: ok K7", "OK!!!1", "tocsin ack pay as ana"]  # fmt: skip


@pytest.mark.parametrize("text", OKS)
def test_a_bare_ok(text: str) -> None:
    """Case, quotes, blanks, widths and marks that nobody sees don't matter."""
    assert replace(read(text), starts=False) == SmsCommand(Verb.OK)


@pytest.mark.parametrize("text", CODED)
def test_an_ok_with_its_code(text: str) -> None:
    """The code before or after, or alone; digits of any script."""
    assert read(text) == SmsCommand(Verb.OK, "K7")


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("blank", BLANKS)
def test_every_word_with_a_code(word: str, blank: str) -> None:
    """Before it and after it, in capitals and not, with any blank between, any quotes around, any end."""
    for said in (f"{word}{blank}k7", f"K7{blank.replace('#', '')}{word}", f"{word.upper()}{blank}K7"):
        for end in ENDS:
            assert read(said + end) == SmsCommand(WORDS[word], "K7"), said + end
        for open_, close in QUOTES:
            assert read(f"{open_}{said}{close}") == SmsCommand(WORDS[word], "K7")


@pytest.mark.parametrize("seven", SEVENS)
def test_a_digit_of_any_script(seven: str) -> None:
    """Phones write the digits of their language."""
    assert read(f"ok K{seven}") == read(f"K{seven}") == SmsCommand(Verb.OK, "K7")
    assert read(f"pass K{seven}{seven}") == SmsCommand(Verb.PASS, "K77")


@pytest.mark.parametrize(
    ("said", "verb", "code", "everything"),
    [(f"{word}k7", WORDS[word], "K7", False) for word in ("ok", "ack", "yes", "pass", "status")]
    + [(f"k7{word}", WORDS[word], "K7", False) for word in ("ok", "ack", "yes", "pass", "status")]
    + [(f"{word}all", verb, "", True) for word, verb in WORDS.items() if verb is not Verb.STATUS]
    + [(f"{word}allk7", verb, "K7", True) for word, verb in WORDS.items() if verb is not Verb.STATUS]
    + [(" ".join(word), verb, "", False) for word, verb in WORDS.items() if word not in SLIPS]
    + [
        ("K 7", Verb.OK, "K7", False),
        ("ok k 7", Verb.OK, "K7", False),
        ("K 12", Verb.OK, "K12", False),
        ("# K 7", Verb.OK, "K7", False),
        ("o k k7", Verb.OK, "K7", False),
        ("a a1", Verb.OK, "A1", False),
        ("k7 n o", Verb.PASS, "K7", False),
        ("pas s a ll", Verb.PASS, "", True),
        ("status k 7?", Verb.STATUS, "K7", False),
    ],
)
def test_a_blank_more_or_less(said: str, verb: Verb, code: str, everything: bool) -> None:
    """Section 6: blanks don't matter, neither one too many nor one too few."""
    assert replace(read(said.upper()), starts=False) == SmsCommand(verb, code, everything=everything)


@pytest.mark.parametrize(
    "said",
    ["at 5", "at 10", "as 5", "an 8", "am 9", "now 5", "not 5", "nor 5", "nos 5", "n o t 5", "a 5", "A 10", "u 2", "I 5", "on 5",
     "no 5", "no 5 yet", "yes 5", "ok 5", "ok u 2", "no I 5", "5 at", "to 5", "in 5", "by 5", "okk 7", "n ok7", "k 7 n o", "no t5 5",
     "K1 2", "ok K1 2", "ok k", "ok K", "ok ok", "o kk", "no t", "st op", "s top", "not e x", "k 7ok", "ok all a 5", "at all",
     "at5", "am5", "as5", "an8", "ab5", "au5", "ak7", "not5", "now5", "nor7", "nos5", "nok7", "okkk7", "okayk7", "k7a", "k7no", "b4no", "u2no",
     "k7okay", "y 5", "o 5", "e 5", "ok y 5", "e 5 no", "ok all o 5"],
)  # fmt: skip
def test_a_blank_that_could_change_what_is_meant(said: str) -> None:
    """Words of everyday become no answer, with a blank or without, `nok7` may be a mistyped ok, of two numbers nobody knows
    which incident is meant, and the carrier does not hear its words in pieces.
    """
    for written in (said, said.upper(), f"{said}."):
        assert read(written).verb is Verb.UNCLEAR, written


def test_the_question_that_is_one() -> None:
    """`status?` asks; no other word with a question mark says anything."""
    for said in ("status?", "Status K7?", "K7 status ?", "status؟"):
        assert read(said).verb is Verb.STATUS


@pytest.mark.parametrize("text", PASSES)
def test_a_pass(text: str) -> None:
    """With or without its code."""
    assert read(text).verb is Verb.PASS
    assert read(text).code in ("", "K7")


@pytest.mark.parametrize("text", UNCLEAR)
def test_anything_else_is_not_taken_for_an_answer(text: str) -> None:
    """Letters that only look alike, words around it, half a code, other languages."""
    assert read(text) == SmsCommand(Verb.UNCLEAR)


@pytest.mark.parametrize("text", ["help", "HELP", "info", "'help'"])
def test_the_carrier_s_words_are_left_to_it(text: str) -> None:
    """They are answered by the carrier."""
    assert read(text) == SmsCommand(Verb.CARRIER)


@pytest.mark.parametrize("word", sorted(STOP))
def test_stop_in_all_its_words(word: str) -> None:
    """Rule 51: in any case, with or without an end, also above a signature; in a sentence it is none."""
    for said in (word, word.upper(), f"{word.capitalize()}.", f" '{word}' ", f"{word}\nSent from my phone"):
        assert read(said) == SmsCommand(Verb.STOP), said
    for said in (f"please {word}", f"{word} it", f"{word} K7", f"{word} all", f"ok {word}", f"{word}s"):
        assert read(said).verb not in (Verb.STOP, Verb.START), said


@pytest.mark.parametrize("word", sorted(START))
def test_start_is_the_whole_message(word: str) -> None:
    """Rule 51: the carrier hears it only where nothing stands below it. `yes` stays an answer, and says that it is
    START as well.
    """
    said = read(word.upper())
    assert said == SmsCommand(Verb.OK, starts=True) if word == "yes" else said == SmsCommand(Verb.START)
    below = read(f"{word}\nSent from my phone")
    assert below == SmsCommand(Verb.OK if word == "yes" else Verb.CARRIER)
    assert not read(f"{word} K7").starts
    assert not read(f"{word} all").starts


@pytest.mark.parametrize("blank", BLANKS)
def test_an_answer_to_everything(blank: str) -> None:
    """Rule 47: every word that answers, with `all` behind it; never with a code, and never the other way round."""
    for word, verb in WORDS.items():
        said = f"{word}{blank}all"
        expected = SmsCommand(verb, everything=True) if verb is not Verb.STATUS else SmsCommand(Verb.UNCLEAR)
        for end in ENDS:
            assert read(said.upper() + end) == read(said + end) == expected, said + end


@pytest.mark.parametrize(
    "slip", ["okay", "okey", "okk", "okok", "Okay!", "OKAY,", "okay.", "OKK", "ack.", "ok,", "yes!"]
)
def test_slips_of_known_words(slip: str) -> None:
    """Rule 47: what thumbs make of them, with an end that means nothing; with a code, too."""
    assert replace(read(slip), starts=False) == SmsCommand(Verb.OK)
    word = slip.strip(".,!")
    assert read(f"{word} K7") == read(f"K7 {word}") == SmsCommand(Verb.OK, "K7")


def test_no_slip_is_near_a_word_that_declines() -> None:
    """Whatever accepts is two letters or more away from everything that declines or stops."""
    accepting = [word for word, verb in WORDS.items() if verb is Verb.OK]
    declining = [word for word, verb in WORDS.items() if verb is Verb.PASS]
    assert {"okay", "okey", "okk", "okok"} == SLIPS
    for accepts in accepting:
        for declines in (*declining, *STOP):
            assert distance(accepts, declines) >= 2, (accepts, declines)


@given(st.sampled_from([f"{word}{rest}" for word in ("pass", "no") for rest in ("", " K7", " all")]), st.data())
def test_one_wrong_letter_in_declining_never_accepts(said: str, data: st.DataObject) -> None:
    """A letter too many, too few, another, or two that changed places: it declines, or it is not understood."""
    place = data.draw(st.integers(0, len(said.split(maxsplit=1)[0]) - 1))
    other = data.draw(st.characters(codec="ascii", categories=["Ll", "Lu"]))
    swapped = said[:place] + said[place : place + 2][::-1] + said[place + 2 :]
    slips = [said[:place] + other + said[place:], said[:place] + other + said[place + 1 :], swapped]
    slips.append(said[:place] + said[place + 1 :])
    for slip in slips:
        assert read(slip).verb in (Verb.PASS, Verb.UNCLEAR), slip


def distance(one: str, other: str) -> int:
    """Letters to add, take away or change, or neighbours to swap, until one is the other."""
    table = {(-1, -1): 0}
    for at in range(len(one)):
        table[at, -1] = at + 1
    for to in range(len(other)):
        table[-1, to] = to + 1
    for at, letter in enumerate(one):
        for to, wanted in enumerate(other):
            least = min(table[at - 1, to] + 1, table[at, to - 1] + 1, table[at - 1, to - 1] + (letter != wanted))
            if at and to and letter == other[to - 1] and one[at - 1] == wanted:
                least = min(least, table[at - 2, to - 2] + 1)
            table[at, to] = least
    return table[len(one) - 1, len(other) - 1]


@pytest.mark.parametrize(
    ("text", "code", "said", "whole"),
    [
        ("note disk is full", "", "disk is full", "disk is full"),
        ("NOTE: Größe 数据 हिन्दी", "", "Größe 数据 हिन्दी", "Größe 数据 हिन्दी"),
        ("note K7 disk is full", "K7", "disk is full", "K7 disk is full"),
        ("k7 note disk is full", "K7", "disk is full", "disk is full"),
        ("note two\nlines\x07", "", "two lines", "two lines"),
        ("note ok K7", "", "ok K7", "ok K7"),
        ("note\u00a0disk is full", "", "disk is full", "disk is full"),
        ("\u200fnote القرص ممتلئ", "", "القرص ممتلئ", "القرص ممتلئ"),
        ("ｎｏｔｅ　ディスク満杯", "", "ディスク満杯", "ディスク満杯"),
        ("note数据库已满", "", "数据库已满", "数据库已满"),
        ('"note disk is full"', "", "disk is full", "disk is full"),
        ('note: "disk is full"', "", '"disk is full"', '"disk is full"'),
        ("#K7 Note: Größe", "K7", "Größe", "Größe"),
        ("noteK7 disk is full", "K7", "disk is full", "K7 disk is full"),
        ("k7note disk is full", "K7", "disk is full", "disk is full"),
        ("note a 1 disk is full", "", "a 1 disk is full", "a 1 disk is full"),
        ("note K٧ x", "K7", "x", "K٧ x"),
        ("note \x1b[31mred\x1b[0m", "", "red", "red"),
        ("note " + "x" * 5000, "", "x" * 1000, "x" * 1000),
    ],
)
def test_a_note_keeps_its_words(text: str, code: str, said: str, whole: str) -> None:
    """Cleaned, on one line, bounded; its first word may be a code, or not."""
    assert read(text) == SmsCommand(Verb.NOTE, code, said, whole)


@given(st.text())
def test_whatever_is_written_is_read(text: str) -> None:
    """It never raises, and a code is a letter and one or two digits of ASCII."""
    found = read(text)
    assert found.code == "" or (
        found.code[0] in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" and found.code[1:].isdecimal() and found.code.isascii()
    )


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=6))
def test_only_exact_words_act(text: str) -> None:
    """Whatever acts is, letter by letter, one of the words and a code in plain letters, and nothing else."""
    found = read(text)
    if found.verb in (Verb.OK, Verb.PASS, Verb.STATUS):
        bare = "".join(letter for letter in unicodedata.normalize("NFKC", text.lower()) if letter.isalnum())
        for letter in set(bare):
            bare = bare.replace(letter, str(unicodedata.decimal(letter, letter)))
        words = [word for word, verb in WORDS.items() if verb is found.verb] + [""] * bool(found.code)
        first = next(line for line in text.splitlines() if read(line).verb is not Verb.UNCLEAR)
        assert read(first) == found
        words = [word + "all" for word in words] if found.everything else words
        assert any(bare.startswith((word + found.code.lower(), found.code.lower() + word)) for word in words)


@given(st.sampled_from(["ok K7", "pass K7", "K7", "ok", "status K7"]), st.data())
def test_another_letter_is_another_message(said: str, data: st.DataObject) -> None:
    """No letter can be put in the place of one so that another incident is meant."""
    place = data.draw(st.integers(0, len(said) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs", "Nd"]))
    found = read(said[:place] + other + said[place + 1 :])
    if found.code not in ("", "K7"):
        assert found.code[0] == unicodedata.normalize("NFKC", other).upper()
