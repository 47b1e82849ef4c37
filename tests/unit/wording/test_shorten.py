"""An SMS that does not fit gives way in one order (rule 42), no further than it must, and never at the answer."""

from dataclasses import replace

import pytest
from tocsin.domain.notification import Kind
from tocsin.text.gsm import segments
from tocsin.wording.message.shorten import limit, shorten
from tocsin.wording.message.update_words import News
from tocsin.wording.message.wording import Wording

PAGE = Wording(
    kind="page",
    reason="declared",
    drill=False,
    external=False,
    title="T" * 30,
    status="investigating",
    tag="SEV1",
    why="Nobody has accepted yet.",
    roles=("Incident Commander", "Technical Lead"),
    your_role="Incident Commander and Technical Lead",
    acknowledge="tocsin ack card --as bo",
    code="K7",
)
UPDATE = replace(PAGE, kind="update", code="", why="", title="U" * 100, news=(News("x" * 100), News("y" * 100)))


def page(words: Wording) -> str:
    reply = f"Reply ok {words.code}" if words.code else words.answer_url or words.acknowledge
    return f"{words.tag} {words.title}: {words.why} You: {words.your_role}. {reply}"


def update(words: Wording) -> str:
    texts = " ".join(entry.text for entry in words.news)
    return f"{words.title}/{texts}/{words.summary}/{words.impact}/{words.resolution}/{words.groups}"


def fitted(words: Wording, room: int = 160) -> str:
    """A page with so much else in it that `room` characters of one segment are left."""
    text = shorten(words, lambda candidate: page(candidate) + "!" * (160 - room))
    assert text is not None
    return text.rstrip("!")


def test_what_fits_stays_whole() -> None:
    """Up to the last character of the last segment."""
    assert fitted(PAGE, len(page(PAGE))) == page(PAGE)
    assert shorten(UPDATE, update) == update(UPDATE)


WHY = "Nobody has accepted yet."
ROLES = "Incident Commander and Technical Lead"
GIVES_WAY = [
    f"SEV1 {'T' * 26}...: {WHY} You: {ROLES}. Reply ok K7",
    f"SEV1 {'T' * 13}...: {WHY} You: {ROLES}. Reply ok K7",
    f"SEV1 {'T' * 30}: You: {ROLES}. Reply ok K7",
    f"SEV1 {'T' * 13}...: You: {ROLES}. Reply ok K7",
    f"SEV1 {'T' * 30}: You: Incident Commander +1. Reply ok K7",
    f"SEV1 {'T' * 13}...: You: Incident Commander +1. Reply ok K7",
]
"""What a page says in ever less room."""


@pytest.mark.parametrize("text", GIVES_WAY)
def test_a_page_gives_way_in_order(text: str) -> None:
    """The title down to 16 characters, then the reason, then the further roles; the answer code stands. What has just
    the room that it needs is not shortened further.
    """
    assert fitted(PAGE, len(text)) == text


@pytest.mark.parametrize("number", [1, 3])
def test_what_has_no_room_is_left_out_whole(number: int) -> None:
    """One character less than a title of 16 needs: the reason goes, then the further roles, and the title is longer."""
    shown = fitted(PAGE, len(GIVES_WAY[number]) - 1)
    least, most = GIVES_WAY[number + 2], GIVES_WAY[number + 1]
    assert shown.partition(":")[2] == least.partition(":")[2]
    assert len(least) < len(shown) <= len(most)


def test_a_link_gives_way_to_the_command() -> None:
    """Where there is no code: a link that is too long is left out last, and then the command stands."""
    linked = replace(PAGE, code="", answer_url="https://tocsin.example.com/" + "x" * 40)
    assert fitted(linked).endswith(linked.answer_url)
    assert fitted(linked, 100).endswith(linked.acknowledge)
    assert fitted(replace(linked, code="K7"), 100).endswith("Reply ok K7")
    longest = replace(linked, acknowledge="tocsin ack " + "y" * 200, tag="S" * 30)
    shown = fitted(longest, 120)
    assert shown.startswith("SSSSSSSSSSSSS... ")
    assert shown.endswith("tocsin ack, or acknowledged: in the file")


def test_an_update_gives_way_in_order() -> None:
    """The title down to 48 characters, then the texts, then the title down to 16."""
    room = 459 - len(update(replace(UPDATE, title="")))

    def text(besides: int) -> str:
        made = shorten(UPDATE, lambda words: update(words) + "!" * besides)
        assert made is not None
        assert segments(made) <= 3
        return made.rstrip("!")

    texts = "x" * 100 + " " + "y" * 100
    assert text(room - 60) == "U" * 57 + f".../{texts}////"
    assert text(room - 48) == "U" * 45 + f".../{texts}////"
    assert text(room - 47) == "U" * 45 + f".../{texts[:-4]}...////"
    assert text(459 - 53) == "U" * 45 + "...////" + "/"
    assert text(459 - 30).startswith("U" * 13 + ".../")


def test_old_news_is_left_out_first() -> None:
    """Of many entries the newest three are what an SMS can tell; a free text longer than an SMS is cut before."""
    words = replace(UPDATE, title="t", news=tuple(News(f"entry {number}") for number in range(5)), summary="s" * 900)
    text = shorten(words, update)
    assert text is not None
    assert "/entry 2 entry 3 entry 4/" in text
    assert segments(text) == 3


def test_letters_beyond_the_narrow_alphabet() -> None:
    """A title that nothing makes fit is told in letters that need less room, or by a plain word."""
    assert limit(PAGE) == limit(replace(PAGE, kind="stand_down")) == 1
    assert {limit(replace(PAGE, kind=kind.value)) for kind in Kind if kind.value not in ("page", "stand_down")} == {3}
    roomy = replace(PAGE, why="", your_role="Lead", roles=("Lead",))
    assert fitted(replace(roomy, title="支付失败 Pay"), 100).startswith("SEV1 Pay: ")
    assert fitted(replace(roomy, title="支付失败"), 100).startswith("SEV1 incident: ")
    assert fitted(replace(roomy, title="支付失败 1 (db)", id="db"), 100).startswith("SEV1 incident db: ")
    assert fitted(replace(roomy, title="Pay", your_role="支付", roles=("支付",)), 100).endswith(
        "You: responder. Reply ok K7"
    )


def test_a_drill_counts() -> None:
    """The word DRILL stands first and takes its room."""
    drill = replace(PAGE, drill=True)
    assert fitted(drill, len(page(PAGE)) + 6) == f"DRILL {page(PAGE)}"
    shown = fitted(drill, len(page(PAGE)) + 5)
    assert shown.startswith("DRILL SEV1 TTT")
    assert "T...:" in shown


def test_nothing_makes_it_fit() -> None:
    """Then there is no text, and the caller has another."""
    assert shorten(PAGE, lambda _: "x" * 161) is None
