"""The rules and promises are written down in docs/, whatever cites them finds them there, and each is tested.

A citation is "rule 39", "rules 34, 36 to 38", "corner [14]", "corner of 17", `rule_39` in a test's name, or "P5" in a docstring or
comment. "House rule 9" and "rule 7 of the house" are another series, and so is all that tests/house cites.
"""

import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

from tests.house.code import ROOT

DOCS = ROOT / "docs"
RULES, BEHAVIOUR = DOCS / "rules.md", DOCS / "behaviour.md"
CODE, TESTS = ROOT / "daemon", ROOT / "tests"
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")])

_LIST = r"\d+(?:(?:\s*,\s*(?:and\s+)?|\s+(?:and|to)\s+|\s*[–-]\s*)\d+)*"
_PLURAL = re.compile(rf"\b(?:[Rr]ules|[Cc]orners)\s+(?P<numbers>{_LIST})")
_SINGULAR = re.compile(r"(?:\b[Rr]ule\s+|\b[Cc]orner of\s+|rule_|#rule-)(?P<numbers>\d+)")
_CORNERS = re.compile(r"\b[Cc]orners?\s+(?P<numbers>\[\d+(?:\]?,\s*\[?\d+)*\])")
_HOUSE = re.compile(
    rf"(?:[Hh]ouse(?:\.md)?,?\s+(?:rules?|\(rules?)\s+{_LIST})"  # house rule 9 · house.md, rule 6 · of the house (rule 9)
    rf"|(?:\b[Rr]ules?\s+{_LIST}\s+of\s+the\s+house)"  # rule 7 of the house
)
_PROMISE = re.compile(r"\bP(\d{1,2})\b")
_MEASURE = re.compile(r"\bS(\d)\b(?=  )")
_PAGE = re.compile(r"\b((?:docs/)?[A-Za-z-]+\.md)#([A-Za-z0-9_-]+)")

_ANCHOR = re.compile(r'<a id="([^"]+)"></a>')
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def python_files(*, tests: bool) -> list[Path]:
    """The package's files, or those of tests outside the house."""
    found = sorted((TESTS if tests else CODE).rglob("*.py"))
    return [path for path in found if TESTS / "house" not in path.parents]


def rules_in(text: str) -> set[int]:
    """The numbers of the rules that a text cites."""
    text, found = _HOUSE.sub(" ", text), set()
    for form in (_PLURAL, _SINGULAR, _CORNERS):
        for match in form.finditer(text):
            found |= _numbers(match["numbers"])
    return found


def _numbers(listed: str) -> set[int]:
    """The numbers of a list: `34, 36 to 38` has four."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:(?:\s+to\s+|\s*[–-]\s*)(\d+))?", listed):
        found |= set(range(int(first), int(last or first) + 1))
    return found


def said_in(path: Path) -> str:
    """What a file's docstrings and comments say."""
    source = path.read_text(encoding="utf-8")
    said = [
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return "\n".join([*said, *(token.string for token in tokens if token.type == tokenize.COMMENT)])


@lru_cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page: explicit ones, and those that GitHub makes of headings."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found, times = set(_ANCHOR.findall(text)), Counter[str]()
    for heading in _HEADING.findall(text):
        plain = re.sub(r"<[^>]*>", "", _LINK.sub(lambda link: link[0][1 : link[0].index("](")], heading))
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{slug}-{times[slug]}" if times[slug] else slug)
        times[slug] += 1
    return frozenset(found)


def written(page: Path, series: str) -> set[int]:
    """The numbers of a series that have an anchor of their own on a page."""
    found = (re.fullmatch(rf"{series}(\d+)", anchor) for anchor in anchors(page))
    return {int(match[1]) for match in found if match}


def _links(page: Path) -> Iterator[str]:
    """Where a page's links lead, code apart."""
    text = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", page.read_text(encoding="utf-8")))
    yield from _LINK.findall(text)


def _fault(page: Path, link: str) -> str:
    """What is wrong with a link of a page; empty when it leads somewhere."""
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return f"{page.relative_to(ROOT)}: there is no {link}"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"{page.relative_to(ROOT)}: {target.relative_to(ROOT)} has no anchor {anchor}"
    return ""


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(rule 39)", {39}),
        ("Rule 11, 30 s later: open time", {11}),
        ("rules 34, 36 to 38 and 42", {34, 36, 37, 38, 42}),
        ("(rules\n31–33)", {31, 32, 33}),
        ("Rules 24, 26, corner [30]; the corner of 17; Corners [16], [17]", {16, 17, 24, 26, 30}),
        ("def test_rule_40_again, docs/rules.md#rule-41", {40, 41}),
        ("house rule 9; house.md, rule 6; of the house (rule 9); Rule 7 of the house; House rules 1 to 3 and 8", set()),
    ],
)
def test_citations_are_recognised(text: str, numbers: set[int]) -> None:
    """Each form in use is read as what it means, and the house's own series is left alone."""
    assert rules_in(text) == numbers


def test_every_cited_rule_is_written_down() -> None:
    """A rule's number in the code or in a test leads to a heading of docs/rules.md."""
    known, unknown = written(RULES, "rule-"), defaultdict(list)
    for path in (*python_files(tests=False), *python_files(tests=True)):
        for number in rules_in(path.read_text(encoding="utf-8")) - known:
            unknown[number].append(path.relative_to(ROOT).as_posix())
    assert known
    assert not unknown, dict(unknown)


def test_every_rule_has_one_heading() -> None:
    """Anchors and headings agree, each number stands once and in order."""
    found = re.findall(r'^<a id="rule-(\d+)"></a>\n### Rule (\d+): \S', RULES.read_text(encoding="utf-8"), re.MULTILINE)
    numbers = [int(anchor) for anchor, _ in found]
    assert all(anchor == heading for anchor, heading in found)
    assert numbers == sorted(set(numbers))
    assert set(numbers) == written(RULES, "rule-")


def test_every_rule_is_tested() -> None:
    """Each rule is named by a test outside this folder."""
    cited = set[int]()
    for path in python_files(tests=True):
        if path.name.startswith("test_"):
            cited |= rules_in(path.read_text(encoding="utf-8"))
    assert not written(RULES, "rule-") - cited


def test_every_promise_is_written_down_and_tested() -> None:
    """A promise that is named has its anchor in docs/behaviour.md, and each one there is named by a test."""
    known = written(BEHAVIOUR, "promise-p")
    cited: dict[bool, set[int]] = {
        tests: {
            int(number)
            for path in python_files(tests=tests)
            if _PROMISE.search(path.read_text(encoding="utf-8"))  # few do, and reading what is said takes long
            for number in _PROMISE.findall(said_in(path))
        }
        for tests in (False, True)
    }
    assert known
    assert not (cited[False] | cited[True]) - known
    assert not known - cited[True]


def test_every_measure_of_speed_is_written_down() -> None:
    """What the bench calls S1 and the like has its anchor in docs/behaviour.md."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "bench").rglob("*.py"))]
    cited = {int(number) for source in sources for number in _MEASURE.findall(source)}
    assert cited
    assert cited == written(BEHAVIOUR, "speed-s")


def test_every_link_leads_somewhere() -> None:
    """Relative links of the docs lead to a file that is there, and to an anchor that it has."""
    inside = [(page, link) for page in PAGES for link in _links(page) if not re.match(r"[a-z]+:", link)]
    faults = [fault for page, link in inside if (fault := _fault(page, link))]
    assert not faults, faults


def test_every_page_named_by_the_code_leads_somewhere() -> None:
    """`docs/rules.md#rule-39` in a docstring or comment is such a link too."""
    faults = []
    for path in (*python_files(tests=False), *python_files(tests=True)):
        for name, anchor in _PAGE.findall(path.read_text(encoding="utf-8")):
            page = ROOT / name if (ROOT / name).is_file() else DOCS / name
            if not page.is_file() or anchor not in anchors(page):
                faults.append(f"{path.relative_to(ROOT)}: there is no {name}#{anchor}")
    assert not faults, faults
