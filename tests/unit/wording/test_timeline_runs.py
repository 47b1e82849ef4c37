"""Runs: a line is put together once; Markdown and a page in a browser say the same words."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.text.cleaning import clean
from tocsin.text.markdown import Run, flowing, inline, joined, markdown, quoted, quoted_lines, runs

from tests.builders.examples import some

texts = st.text(st.characters() | st.sampled_from("\\*`_[]<>#-1.)\n |~&$"), max_size=60)


@given(texts)
@settings(max_examples=some(150), deadline=None)
def test_a_strangers_text_is_written_as_it_was(text: str) -> None:
    """Whatever somebody wrote is one plain run with the same words, escaped where Markdown is written and only there."""
    for run, escaped in ((quoted(text), inline(text)), (quoted_lines(text), flowing(text, "  "))):
        assert run.text.split() == clean(text).split()
        assert markdown((run,), "  ") == escaped


def test_a_line_is_put_together() -> None:
    """Each manner has its marks, once around neighbours of one manner; a broken line of ours stays one."""
    strong = (quoted("a*b", "strong"), Run(" accepted", "strong"))
    line = runs(
        strong, " by ", joined("\n", [quoted_lines("- one\n\ntwo"), Run("in public:", "slight")]), Run("x", "code")
    )
    assert markdown(line, "  ") == "**a\\*b accepted** by \\- one\n\n  two\\\n  *in public:*`x`"
    assert [run.text for run in line] == ["a*b", " accepted", " by ", "- one\n\ntwo", "\n", "in public:", "x"]
    assert runs() == joined("; ", []) == ()


def test_only_a_strangers_start_of_a_line_is_escaped() -> None:
    """Our own words stand as they are, also where a stranger's would begin a list."""
    assert markdown(runs("1. ours ", quoted("2. theirs"))) == "1. ours 2\\. theirs"
    assert not re.search(r"\\", markdown(runs(": ", Run("- ", "strong"))))
