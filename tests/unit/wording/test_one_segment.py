"""What must fit one SMS gives way in the order of R42, no further than it must, and never at severity, why or answer."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.text.cleaning import clean
from tocsin.text.gsm import fold, segments
from tocsin.wording.message.one_segment import cut_at_word, cut_words, fit_one_segment, latin_sense, shorter_names
from tocsin.wording.message.wording import Wording

from tests.builders.examples import some

LINK = "https://pager.example.com/a/Ab3dEf6hIj9lMn2p"
BRIEF = "https://p.io/a/Ab3dEf6hIj9lMn2p"
TITLE = "Card payments fail at checkout for all customers in Europe since noon"
PAGE = Wording(
    kind="page",
    reason="escalated",
    drill=False,
    external=False,
    title=TITLE,
    status="investigating",
    organisation="Acme Incorporated",
    id="card",
    tag="SEV1",
    since_short="22:02",
    why="Nobody has accepted yet.",
    why_short="Escalated.",
    roles=("Incident Commander", "Technical Lead", "Scribe"),
    your_role="Incident Commander, Technical Lead and Scribe",
    your_role_short="Incident Commander +2 roles",
    acknowledge="tocsin ack card --as bo",
    code="K7",
    answer_url=LINK,
)


def line(words: Wording) -> str:
    """As the shipped template has it."""
    role = f"You: {words.your_role}.".replace("....", "...") if words.your_role else ""
    link = words.answer_url or ("" if words.code else f"Accept: {words.acknowledge}")
    code = f"ok {words.code} / pass {words.code}" if words.code else ""
    parts = (words.organisation, words.tag, words.since_short, f"{words.title}.", words.why_short, role, code, link)
    return ("DRILL " if words.drill else "") + " ".join(part for part in parts if part)


def fitted(words: Wording, room: int) -> str:
    """The text with so much else in it that `room` characters of one segment are left."""
    text = fit_one_segment(words, lambda candidate: line(candidate) + "!" * (160 - room))
    assert text is not None
    return text.rstrip("!")


ROLES, SHORT = PAGE.your_role, PAGE.your_role_short
GIVES_WAY = [
    f"Acme Incorporated SEV1 22:02 Pay fails. Escalated. You: {ROLES}. ok K7 / pass K7 {BRIEF}",
    f"Acme Incorporated SEV1 22:02 Pay fails. Escalated. You: {ROLES}. ok K7 / pass K7",
    f"Acme Incorporated SEV1 22:02 Pay fails. Escalated. You: {SHORT}. ok K7 / pass K7",
    f"Acme Incorporated SEV1 Pay fails. Escalated. You: {SHORT}. ok K7 / pass K7",
    f"Acme SEV1 Pay fails. Escalated. You: {SHORT}. ok K7 / pass K7",
    "Acme SEV1 Pay fails. Escalated. You: Incident Commander. ok K7 / pass K7",
    "Acme SEV1 Pay fails. Escalated. You: Incident... ok K7 / pass K7",
    "Acme SEV1 Pay fails. Escalated. ok K7 / pass K7",
]
"""What a page with a short title says in ever less room."""


@pytest.mark.parametrize("step", range(len(GIVES_WAY)))
def test_a_page_gives_way_in_order(step: int) -> None:
    """R42: what has just the room that it needs is not shortened further; with a letter less the next thing goes."""
    words, text = replace(PAGE, title="Pay fails", answer_url=BRIEF), GIVES_WAY[step]
    assert fitted(words, len(text)) == text
    if step + 1 < len(GIVES_WAY):
        assert fitted(words, len(text) - 1) == GIVES_WAY[step + 1]


def test_the_title_keeps_45_letters_while_a_role_can_give_way() -> None:
    """R42: between organisation and role it gives way down to 45 letters, in whole words if that leaves as many."""
    text = f"Acme SEV1 {TITLE}. Escalated. You: {SHORT}. ok K7 / pass K7"
    assert fitted(PAGE, len(text)) == text
    assert fitted(PAGE, len(text) - 1) == text.replace(" noon.", "....")
    least = f"Acme SEV1 {TITLE[:45]}.... Escalated. You: {SHORT}. ok K7 / pass K7"
    assert fitted(PAGE, len(least)) == least
    assert fitted(PAGE, len(least) - 1) == least.replace(SHORT, "Incident Commander")
    bare = f"Acme SEV1 {TITLE[:45]}.... Escalated. ok K7 / pass K7"
    assert fitted(PAGE, len(bare)) == bare
    assert (
        fitted(PAGE, len(bare) - 1) == "Acme SEV1 Card payments fail at checkout for all.... Escalated. ok K7 / pass K7"
    )


def test_the_link_stands_where_no_code_answers() -> None:
    """It is the way to answer then, and never cut; a command that is longer than an SMS gives way to its like."""
    linked = replace(PAGE, code="")
    for room in (160, 100, 90):
        assert fitted(linked, room).endswith(f" {LINK}")
    longest = replace(linked, answer_url="", tag="S" * 30, acknowledge="tocsin ack " + "y" * 200)
    assert fitted(longest, 120).endswith("Accept: tocsin ack, or acknowledged: in the file")
    assert "SSSSSSSSSSSSS... " in fitted(longest, 120)


SENSES = [
    ("Zahlungen fallen aus", 1),
    ("Échec à la caisse: cœur, ß, Łódź", 1),
    ("Thanh toán thẻ không hoạt động", 1),
    ("503!", 1),
    ("🔥", 1),
    ("Платежи", 0.75),
    ("Πληρωμές", 6.25 / 8),
    ("支付失败", 0),
    ("فشل الدفع (503)", 3 / 11),
]


@pytest.mark.parametrize(("title", "sense"), SENSES)
def test_how_much_of_a_title_latin_letters_carry(title: str, sense: float) -> None:
    """Accents and pictures cost nothing of it, another alphabet a little, a script that has no Latin letters all."""
    assert latin_sense(title) == pytest.approx(sense)


IN_OWN_LETTERS = [
    ("支付失败，用户无法完成结账", "SEV1 支付失败，用户无法完成结账. Escalated. ok K7 / pass K7"),
    ("فشل الدفع (503)", "SEV1 22:02 فشل الدفع (503). Escalated. ok K7 / pass K7"),
    ("Платежи не проходят", "SEV1 Платежи не проходят. Escalated. ok K7 / pass K7"),
    ("فشل الدفع بالبطاقات عند الخروج من المتجر اليوم", "SEV1 فشل الدفع بالبطاقات عند الخروج من... Escalated. ok K7 / pass K7"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "text"), IN_OWN_LETTERS)
def test_a_title_in_another_script_goes_in_its_own_letters(title: str, text: str) -> None:
    """R42: severity, title, answer, in one segment of 70; besides what there is room for beside the whole title."""
    made = fit_one_segment(replace(PAGE, title=title), line)
    assert made is not None
    assert segments(made) == 1
    assert all(part in made for part in ("SEV1", "Escalated.", "ok K7 / pass K7"))
    assert made.replace("....", "...") == text or title in made


def test_a_link_leaves_less_of_such_a_title() -> None:
    """Then why it comes gives way to the title; a Cyrillic one goes in Latin letters, which say more of it."""
    linked = replace(PAGE, code="")
    assert (
        fit_one_segment(replace(linked, title="支付失败，用户无法完成结账"), line)
        == f"SEV1 支付失败，用户无法完成结账. {LINK}"
    )
    made = fit_one_segment(replace(linked, title="Платежи по картам не проходят"), line)
    assert made is not None
    assert " Platezhi po kartam ne prokhodyat. Escalated." in made


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Zahlungen fallen aus: 支", "Zahlungen fallen aus:"),
        ("Paiements refusés: ☃", "Paiements refusés:"),
        ("🔥🔥", "incident card"),
        ("🔥 Checkout is down 🔥🔥", "Checkout is down"),
    ],
)
def test_one_odd_letter_changes_nothing(title: str, said: str) -> None:
    """A German or French title with a letter of another script stays in the narrow alphabet, without that letter."""
    made = fit_one_segment(replace(PAGE, title=title), line)
    assert made is not None
    assert f" {said}. Escalated." in made
    assert fold(made) == made


def test_names_in_other_scripts() -> None:
    """Where the rest is narrow they are left out, but for one that fits whole beside everything else."""
    words = replace(PAGE, organisation="株式会社", roles=("指揮官",), your_role="指揮官", your_role_short="")
    made = fit_one_segment(words, line)
    assert made == f"SEV1 22:02 {TITLE}. Escalated. ok K7 / pass K7 {LINK}"
    whole = fit_one_segment(replace(words, title="API down", answer_url=""), line)
    assert whole == "株式会社 SEV1 22:02 API down. Escalated. You: 指揮官. ok K7 / pass K7"


def test_a_drill_counts() -> None:
    """The word DRILL stands first and takes its room."""
    text = f"DRILL {GIVES_WAY[1]}"
    assert fitted(replace(PAGE, title="Pay fails", drill=True), len(text)) == text


def test_a_role_is_cut_at_a_word_and_marked() -> None:
    """Half a role would be read as another one; a word that is too long for it is cut all the same."""
    assert cut_at_word("Incident Commander", 18) == "Incident Commander"
    assert cut_at_word("Security and Regulation", 16) == "Security and..."
    assert cut_at_word("Krisenstabsleitung", 16) == "Krisenstabsle..."


def test_an_organisation_is_cut_inside_a_word_only_at_last() -> None:
    """R42: to 12 letters, of whole words; its first word stands whole as long as there is room."""
    assert list(shorter_names("Acme Incorporated")) == ["Acme"]
    assert list(shorter_names("Österreichische Bahnen")) == ["Österreichische", "Österreichis"]
    words = replace(PAGE, organisation="Österreichische Bahnen", title="Pay fails", answer_url="")
    text = f"Österreichische SEV1 Pay fails. Escalated. You: {SHORT}. ok K7 / pass K7"
    assert fitted(words, len(text)) == text
    assert fitted(words, len(text) - 1) == text.replace("Österreichische", "Österreichis")


def test_whole_words() -> None:
    """Of an organisation as many as there is room for."""
    assert cut_words("Acme Incorporated", 12) == "Acme"
    assert cut_words("Acme & Sons Ltd", 9) == "Acme"
    assert cut_words("Donaudampfschiff", 12) == "Donaudampfsc"
    assert cut_words("Acme", 12) == "Acme"


SCRIPTS = "aé ñß漢字한국ひらカタЖяΩλעבرית ไทยहिन्दी🔥€{}~^ !"
TITLES = st.text(alphabet=SCRIPTS, max_size=120) | st.text(max_size=120) | st.sampled_from([TITLE, *dict(SENSES)])
NAMES = st.text(alphabet="abc DEF株式Жя&", min_size=1, max_size=60)


@settings(max_examples=some(300), deadline=None)
@given(
    title=TITLES.map(lambda title: " ".join(clean(title).split()) or "Untitled incident"),
    organisation=NAMES | st.just(""),
    roles=st.lists(NAMES, min_size=0, max_size=5),
    host=st.text("abcdefgh.-", min_size=4, max_size=40),
    way=st.sampled_from(["code", "link", "both", "command"]),
    why=st.sampled_from(["", "Last resort.", "Still unanswered.", "Take over from Ana-Maria Lindqvist-Oh."]),
    drill=st.booleans(),
)
def test_whatever_is_written_it_is_one_segment_with_what_is_never_cut(
    title: str, organisation: str, roles: list[str], host: str, way: str, why: str, drill: bool
) -> None:
    """R42, for titles in every script, long organisations, many roles and long hosts."""
    link = f"https://{host}/a/Ab3dEf6hIj9lMn2p"
    words = replace(
        PAGE,
        title=title,
        organisation=organisation,
        roles=tuple(roles),
        your_role=", ".join(roles),
        your_role_short=f"{roles[0]} +{len(roles) - 1} roles" if len(roles) > 1 else "",
        why="A whole sentence." if why else "",
        why_short=why,
        code="K7" if way in ("code", "both") else "",
        answer_url=link if way in ("link", "both") else "",
        drill=drill,
    )
    made = fit_one_segment(words, line)
    assert made is not None
    assert segments(made) == 1
    answer = {"link": link, "command": f"Accept: {PAGE.acknowledge}"}.get(way, "ok K7 / pass K7")
    assert made.endswith((answer, f"{answer} {link}"))
    assert made.partition("SEV1 ")[1]
    assert made.startswith("DRILL ") is drill
    narrow = fold(made) == made and all(segments(letter * 71) == 1 for letter in made)
    assert why in made or not narrow
    if narrow and latin_sense(title) == 1 and title.isascii():
        assert (
            fold(title[:45]).strip() in made
            or "You: " not in made
            or not title.isprintable()
            or "incident card" in made
        )
