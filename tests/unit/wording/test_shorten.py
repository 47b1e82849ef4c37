"""An SMS of several segments that does not fit gives way in one order, no further than it must. What must fit one:
`test_one_segment`.
"""

from dataclasses import replace

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


def update(words: Wording) -> str:
    texts = " ".join(entry.text for entry in words.news)
    return f"{words.title}/{texts}/{words.summary}/{words.impact}/{words.resolution}/{words.groups}"


def test_what_fits_stays_whole() -> None:
    """Up to the last character of the last segment."""
    assert shorten(UPDATE, update) == update(UPDATE)


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


def test_how_many_segments_each_kind_may_take() -> None:
    """What wakes somebody, or asks them something, is one."""
    one = {kind for kind in Kind if limit(replace(PAGE, kind=kind.value)) == 1}
    assert {Kind.PAGE, Kind.STAND_DOWN, Kind.VERIFY} <= one
    assert limit(UPDATE) == 3


def test_nothing_makes_it_fit() -> None:
    """Then there is no text, and the caller has another."""
    assert shorten(PAGE, lambda _: "x" * 161) is None
    assert shorten(UPDATE, lambda _: "x" * 460) is None


def test_a_reminder_names_a_group_as_long_as_anything_can_give_way() -> None:
    """Who has heard nothing is what it is about: what they read otherwise goes before that, and the link."""
    groups = "Customers in Brazil, Clientes and Merchants"
    reminder = replace(PAGE, kind="reminder", unheard=groups, otherwise="o" * 99, answer_url="https://x.example/a/q1w2")

    def text(besides: int) -> str:
        made = shorten(reminder, lambda words: f"{words.unheard}/{words.otherwise}/{words.answer_url}" + "!" * besides)
        assert made is not None
        return made.rstrip("!")

    assert text(0) == f"{groups}//{reminder.answer_url}"
    assert text(100) == f"Customers in Brazil,...//{reminder.answer_url}"
    assert text(130) == "Customers in Brazil,...//"
    assert text(150) == "//"
