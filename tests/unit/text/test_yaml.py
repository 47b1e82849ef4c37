"""The YAML reader: values as written, every danger named with its place, the rest kept."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.text.yaml import DEPTH_LIMIT, read_yaml

from tests.builders.examples import some

REFUSED = {
    # name: (text, code, line, column, words in the message, what is kept)
    "duplicate key": ("a: 1\na: 2\n", "duplicate-key", 2, 1, "first in line 1", {"a": "1"}),
    "nested duplicate": ("b: {c: 1, c: 2}\n", "duplicate-key", 1, 11, '"c" stands twice', {"b": {"c": "1"}}),
    "anchor": ("a: &x 1\n", "anchor", 1, 4, "anchors (&x)", {"a": "1"}),
    "alias": ("a: 1\nb: *x\nc: [*x, 3]\n", "alias", 2, 4, "write the value out", {"a": "1", "c": ["3"]}),
    "tag": ("a: !!int 5\n", "tag", 1, 4, "tags", {"a": "5"}),
    "own tag": ("a: !python/object:os.system {x: 1}\n", "tag", 1, 4, "tags", {"a": {"x": "1"}}),
    "merge key": ("a:\n  <<: {x: 1}\n  y: 2\n", "merge-key", 2, 3, "write the entries out", {"a": {"y": "2"}}),
    "several documents": ("a: 1\n---\nb: 2\n", "several-documents", 2, 1, "remove the ---", {"a": "1"}),
    "key of braces": ("{{a}}: 1\nb: 2\n", "key-not-text", 1, 1, "quote {{ }}", {"b": "2"}),
    "no key": ('"": 1\nb: 2\n', "empty-key", 1, 1, "before the colon", {"b": "2"}),
    "too deep": (f"a: {'[' * 50}{']' * 50}\nb: 2\n", "too-deep", 1, 43, "over 40 deep", None),
    "control character": ("a: x\x00y\n", "control-character", 1, 5, "U+0000", {"a": "xy"}),
    "escaped control": ('a: "x\\0y"\n', "control-character", 1, 4, "U+0000", {"a": "xy"}),
    "lone surrogate": ("a: x\ud800y\n", "not-utf8", 1, 5, "save the file as UTF-8", None),
    "tab as indentation": ("a:\n\tb: 1\n", "not-yaml", 2, 1, "use spaces", {}),
    "at sign": ("a: @x\n", "not-yaml", 1, 4, "begins with @ needs quotes", {}),
    "colon in a value": ("a: b: c\n", "not-yaml", 1, 5, "quote the value", {"a": "b"}),
    "open quote": ('a: 1\nb: "x\nc: 2\n', "not-yaml", 2, 4, "never closed", {"a": "1"}),
    "open list": ("a: [1, 2\nb: 3\n", "not-yaml", 2, 2, "write ]", None),
    "no colon": ("a: 1\nfoo\nb: 2\n", "not-yaml", 2, 1, "write `key: value`", {"a": "1"}),
    "no blank behind a colon": ("p:\n  name:Ana\n  mail: x\n", "not-yaml", 2, 3, "write `key: value`", None),
    "no colon inside": ("p:\n  name Ana\n\n  mail: x\n", "not-yaml", 2, 3, "write `key: value`", None),
    "a list's entry above a colon": ("p:\n  - name\n    mail: x\n", "not-yaml", 3, 9, "indentation", None),
    "nothing behind a colon in brackets": ("a: {b: 1, c:}\n", "not-yaml", 1, 12, "behind this", None),
    "no comma between entries": ("a:\n  {b: 1\n  c: 2}\n", "not-yaml", 3, 4, "opened in line 2", None),
    "a star": ("a: *\n", "not-yaml", 1, 5, "begins with & or * needs quotes", None),
    "text behind a block's sign": ("a: |x\n  b\n", "not-yaml", 1, 5, "below it, indented", None),
    "backslash": ('a: "\\q"\n', "not-yaml", 1, 5, "single quotes", {}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_each_danger_is_named_with_its_place_and_the_rest_is_kept(name):
    """What is refused says where and what to write instead, and takes nothing else with it."""
    text, code, line, column, words, kept = REFUSED[name]
    document = read_yaml(text, "f.yaml")
    problem = document.problems[0]
    assert (problem.file, problem.code, problem.line, problem.column) == ("f.yaml", code, line, column)
    assert words in problem.message
    assert "\n" not in str(problem)
    if kept is not None:
        assert document.value == kept
    assert document.broken == (code == "not-yaml")


@pytest.mark.parametrize(
    "written",
    ["+14155550101", "0012", "12:30:45", "2026-11-23", "no", "on", "1_000", "0x1F", "1.50", "true", "NaN", ".5"],
)
def test_scalars_stay_as_they_are_written(written):
    """Phone numbers, times, dates and ids are never spoiled, quoted or not."""
    assert read_yaml(f"a: {written}\nb: '{written}'\n", "f").value == {"a": written, "b": written}


def test_null_is_absent_only_when_plain():
    """The core rules' nulls are None; a quoted one is a text."""
    assert read_yaml("a: ~\nb: null\nc: 'null'\nd:\ne: ''\n", "f").value == {
        "a": None, "b": None, "c": "null", "d": None, "e": "",
    }  # fmt: skip


def test_every_key_and_value_has_its_place():
    """Lines and columns count from 1; a missing path falls back to its parent."""
    document = read_yaml("a: 1\nb:\n  - c: x\n    d: [y, z]\n", "f")
    assert document.place(("a",)) == (1, 4)
    assert document.place(("b",), key=True) == (2, 1)
    assert document.place(("b", 0, "c"), key=True) == (3, 5)
    assert document.place(("b", 0, "d", 1)) == (4, 12)
    assert document.place(("b", 0, "missing")) == (3, 5)
    assert document.place(("nothing", "here")) == (1, 1)


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfa: 1\r\nb: x\r\n", b"a: 1\nb: x\n", b"a: 1\rb: x\r"])
def test_byte_order_mark_and_line_ends_are_fine(data):
    """What editors on other systems write is no problem."""
    document = read_yaml(data, "f")
    assert document.value == {"a": "1", "b": "x"}
    assert document.problems == []


def test_json_with_pairs_of_surrogates_is_read():
    """JSON writes what lies beyond U+FFFF as two escapes: a file that a program wrote is a page like any other."""
    value = {"title": "Down \U0001f600\U0001f4a5 now", "summary": r"a path \ud83d\ude00, and \\ud83d"}
    found = read_yaml(json.dumps(value), "x.yaml")
    assert (found.value, found.problems, found.broken) == (value, [], False)
    lone = read_yaml(b'title: "half \\ud83d"', "x.yaml")
    assert [str(problem) for problem in lone.problems] == [
        "x.yaml:1:16: error: this escape is no character; write the character itself"
    ]


def test_what_looks_like_surrogates_outside_double_quotes_stays_as_it_is():
    """It is no escape there, but the text of a log that somebody put in."""
    assert read_yaml(r"title: a \ud83d\ude00", "x.yaml").value == {"title": r"a \ud83d\ude00"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_refused_but_read(encoding):
    """UTF-16 is a problem, and still no reason to lose a page."""
    document = read_yaml("a: 1\nb: x\n".encode(encoding), "f")
    assert document.value == {"a": "1", "b": "x"}
    assert len(document.problems) == 1


def test_wrong_bytes_are_told_with_their_place():
    """A byte that is no UTF-8 becomes a mark, its place a problem."""
    document = read_yaml(b"a: 1\nb: caf\xe9\nc: 2\n", "f")
    assert document.value == {"a": "1", "b": "caf\ufffd", "c": "2"}
    assert [(p.line, p.column, p.code) for p in document.problems] == [(2, 7, "not-utf8")]


def test_a_file_over_the_limit_is_read_up_to_its_last_whole_line():
    """Too large is a problem; a cut in the middle of a list is not a second one."""
    document = read_yaml("a: 1\nb: [\n" + "x,\n" * 100, "f", limit=100)
    assert document.value["a"] == "1"
    assert [p.code for p in document.problems] == ["file-too-large"]
    assert not document.broken


def test_a_cut_file_ends_with_its_last_whole_line():
    """Half a line never counts: `status: resolved_not` is not read as `status: resolved`."""
    assert read_yaml("a: 1\nb: resolved_not\n", "f", limit=16).value == {"a": "1"}
    assert read_yaml("a: 1\n", "f", limit=5).problems == []


def test_a_place_does_not_count_the_byte_order_mark():
    """Editors do not show it."""
    (problem,) = read_yaml(b"\xef\xbb\xbfa: \xff\n", "f").problems
    assert (problem.line, problem.column) == (1, 4)


@pytest.mark.parametrize("before", ["roles:\n  tl: {title: x}\n", ""])
def test_an_unfinished_merge_is_told_as_that(before):
    """Whatever the parser stumbles over first, the place of the first conflict marker is what has to be mended."""
    text = f"{before}<<<<<<< HEAD\n  co: {{title: y}}\n=======\n  co: {{title: z}}\n>>>>>>> branch\n"
    (problem,) = read_yaml(text.encode(), "roles.yaml").problems
    assert (problem.line, problem.column) == (before.count("\n") + 1, 1)
    assert problem.message.startswith("a merge was not finished here; keep what counts of both sides")


def test_a_quoted_key_of_two_less_signs_is_a_key():
    """Only the plain one merges, in YAML as people know it."""
    document = read_yaml('"<<": 1\n', "f")
    assert (document.value, document.problems) == ({"<<": "1"}, [])


def test_an_anchor_and_a_tag_on_one_value_are_both_told():
    """Both must go."""
    assert [problem.code for problem in read_yaml("a: &x !!int 5\n", "f").problems] == ["anchor", "tag"]


@pytest.mark.parametrize(
    "bomb",
    ["[" * 30_000 + "]" * 30_000, "[" * 250_000, "{" * 250_000, "- " * 120_000, "? " * 120_000, "{a: " * 60_000,
     "a: " * 80_000, '"' * 250_000, "?\n" * 60_000, "%X\n" * 50_000, "[a\n" * 60_000, "&a " * 80_000, "#" * 250_000],
)  # fmt: skip
def test_bombs_neither_crash_nor_stall(bomb):
    """A quarter megabyte of anything ends soon, with a problem or a value."""
    start = time.perf_counter()
    read_yaml(bomb, "f")
    assert time.perf_counter() - start < 5


def test_aliases_never_grow():
    """The billion laughs are not even read."""
    text = "a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a, *a]\n" for n in range(50))
    document = read_yaml(text, "f")
    assert document.value["b49"] == []
    assert len(document.problems) <= 100


def test_nesting_up_to_the_limit_is_read():
    """Forty levels are fine."""
    document = read_yaml("[" * DEPTH_LIMIT + "]" * DEPTH_LIMIT, "f")
    assert document.problems == []


@settings(max_examples=some(150), deadline=None)
@given(st.binary(max_size=400) | st.text("ab:-[]{}?&*!|>'\"#%@`,\n\t \r\x00é\ud800", max_size=200))
def test_reading_never_raises(data):
    """Whatever the bytes, the answer is a document whose problems stand on one line each, inside the file."""
    document = read_yaml(data, "f")
    for problem in document.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert "\n" not in str(problem)
