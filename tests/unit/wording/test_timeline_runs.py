"""Runs: Markdown of ours read back, so that a page in a browser says what the review says."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.text.markdown import Run, flowing, inline, runs

texts = st.text(st.characters() | st.sampled_from("\\*`_[]<>#-1.)\n |~&$"), max_size=60)


@given(texts)
@settings(max_examples=150, deadline=None)
def test_a_strangers_text_comes_back_as_it_was(text: str) -> None:
    """Whatever somebody wrote is one plain run with the same words: none of it counts as a mark of ours."""
    for made in (inline(text), flowing(text, "  ")):
        found = runs(made)
        assert {each.manner for each in found} <= {""}
        assert "".join(each.text for each in found).split() == inline_words(text)


def inline_words(text: str) -> list[str]:
    """The words of a clean text."""
    from tocsin.text.cleaning import clean

    return clean(text).split()


def test_our_own_marks_are_read() -> None:
    """Strong, slight and code become runs of that manner; a broken line stays one."""
    line = f"**Update** by {inline('a*b')}: {flowing('one' + chr(10) + 'two', '  ')} *in public:* `updates`"
    assert runs(line) == (
        Run("Update", "strong"),
        Run(" by a*b: one\ntwo "),
        Run("in public:", "slight"),
        Run(" "),
        Run("updates", "code"),
    )
    assert runs("") == ()
