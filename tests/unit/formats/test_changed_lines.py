"""Which lines of a config changed, and a config in which one of them did not."""

import pytest
from tocsin.formats.config.changed_lines import (
    ABSENT,
    ChangedLine,
    files_without_change,
    find_changed_lines,
)
from tocsin.formats.config.tree import ConfigTree, read_config_tree
from tocsin.text.yaml import read_yaml

OLD = """\
severities:
  sev1:
    updates:
      - {to: [staff], every: 30m}
      - {to: [board], every: 1h}
roles:
  lead: {chain: [ana, bo]}
people:
  ana: {email: ana@example.com}
  bo: {email: bo@example.com}
"""


def tree(text: str, **files: str) -> ConfigTree:
    sources = {"a.yaml": text, **{name.replace("_ics", ".ics"): content for name, content in files.items()}}
    return read_config_tree({name: content.encode() for name, content in sources.items()}, "config")


def changed(old: str, new: str) -> list[tuple[str, int]]:
    return [(line.name, line.line) for line in find_changed_lines(tree(old), tree(new))]


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("30m", "15m", [("severities.sev1.updates[0].every", 4)]),
        ("every: 30m}", "every: 30m}  # why", []),
        ("[ana, bo]", "[ana]", [("roles.lead.chain", 7)]),
        ("{chain: [ana, bo]}", "\n    chain:\n    - bo\n    - ana", [("roles.lead.chain", 9)]),
        ("{chain: [ana, bo]}", "\n    chain:\n    - ana\n    - bo\n    - ana", [("roles.lead.chain", 11)]),
        ("[ana, bo]", "ana", [("roles.lead.chain", 7)]),
        ("  bo: {email: bo@example.com}\n", "", [("people.bo", 10)]),
        ("  bo: {", "  bo: {name: Bo, ", [("people.bo.name", 10)]),
        ("      - {to: [board], every: 1h}\n", "", [("severities.sev1.updates", 3)]),
        ("      - {to: [staff], every: 30m}\n", "", [("severities.sev1.updates", 4)]),
        ("{to: [board], every: 1h}", "board", [("severities.sev1.updates", 5)]),
        ("lead: {", "lead: {title: , ", [("roles.lead.title", 7)]),
    ],
)
def test_what_one_edit_changes(old: str, new: str, lines: list[tuple[str, int]]) -> None:
    """A value, a list of words as a whole, an entry that came or went; at its line now, or where it stood."""
    assert old in OLD
    assert changed(OLD, OLD.replace(old, new)) == lines


def test_changes_stand_in_the_order_of_files_and_lines() -> None:
    """Not of their names, nor of the sections in the other config."""
    new = "zeta.yaml"
    old_tree = tree("roles: {a: {chain: ana}}\npeople: {b: {email: b@example.com}}\n")
    new_tree = read_config_tree(
        {
            "b.yaml": b"roles: {z: {chain: ana}}\npeople: {y: {email: b@example.com}}\n",
            new: b"roles: {a: {chain: bo}}\npeople: {b: {email: b@example.com}}\n",
        },
        "config",
    )
    assert [(line.file, line.name) for line in find_changed_lines(old_tree, new_tree)] == [
        ("config/b.yaml", "roles.z"),
        ("config/b.yaml", "people.y"),
        ("config/zeta.yaml", "roles.a.chain"),
    ]


def test_a_moved_file_changes_nothing_not_even_where_a_calendar_lies() -> None:
    """Calendars are named from the config's folder, whatever file names them."""
    fragment = b"rotations: {d: {calendar: %s}}\n"
    old = read_config_tree({"a.yaml": fragment % b"sub/x.ics", "sub/x.ics": b"x"}, "config")
    new = read_config_tree({"sub/b.yaml": fragment % b"x.ics", "sub/x.ics": b"x"}, "config")
    assert find_changed_lines(old, new) == ()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("a\nb\nc", "a\nB\nc", 2), ("a\nb", "a\nb\nc", 3), ("a\nb\nc", "a\nb", 2), ("a", "a\n", None)],
)
def test_a_calendar_changes_at_its_first_other_line(old: str, new: str, line: int | None) -> None:
    """At the last line where it only lost some; line ends do not count."""
    lines = find_changed_lines(tree("", x_ics=old), tree("", x_ics=new))
    assert [(change.path, change.line) for change in lines] == ([(("x.ics",), line)] if line else [])


def values(old: str, new: str, name: str) -> list[dict[str, object]]:
    """The sections of each config in which the line of this name did not change."""
    before, after = tree(old), tree(new)
    lines = find_changed_lines(before, after)
    (line,) = [line for line in lines if line.name == name]
    return [sections(files) for files in files_without_change(before, after, lines, line)]


def sections(files: dict[str, bytes]) -> dict[str, object]:
    merged: dict[str, dict[str, object]] = {}
    for data in files.values():
        for section, entries in (read_yaml(data, "").value or {}).items():  # type: ignore[union-attr]  # a mapping
            merged.setdefault(section, {}).update(entries)
    return dict(merged)


def test_one_line_stays_as_it_was_and_the_others_changed() -> None:
    """A value, an entry that came, and one inside a list of entries."""
    new = (
        OLD.replace("30m", "15m")
        .replace("[ana, bo]", "[bo]")
        .replace("people:\n", "people:\n  x: {email: x@example.com}\n")
    )
    whole = tree(new).tree
    (kept,) = values(OLD, new, "roles.lead.chain")
    assert kept == {**whole, "roles": {"lead": {"chain": ["ana", "bo"]}}}
    (kept,) = values(OLD, new, "severities.sev1.updates[0].every")
    assert kept == {**whole, "severities": tree(OLD).tree["severities"]}
    (kept,) = values(OLD, new, "people.x")
    assert kept == {**whole, "people": tree(OLD).tree["people"]}


def test_what_a_line_names_comes_back_with_it() -> None:
    """An entry that was removed does nothing by itself; without it the old line could not load. What did not go stays new."""
    new = OLD.replace("[ana, bo]", "[ana]").replace("  bo: {email: bo@example.com}\n", "").replace("ana@", "new@")
    first, second = values(OLD, new, "roles.lead.chain")
    assert first["people"] == {"ana": {"email": "new@example.com"}, "bo": {"email": "bo@example.com"}}
    assert second["people"] == {"ana": {"email": "new@example.com"}}
    assert first["roles"] == second["roles"] == {"lead": {"chain": ["ana", "bo"]}}


def test_a_calendar_stays_as_it_was() -> None:
    """The other files are the new ones."""
    before, after = tree(OLD, x_ics="old"), tree(OLD.replace("30m", "15m"), x_ics="new")
    lines = find_changed_lines(before, after)
    for line in lines:
        (files,) = files_without_change(before, after, lines, line)
        assert files["x.ics"] == (b"old" if line.path == ("x.ics",) else b"new")


def test_a_line_is_told_by_its_path_and_place() -> None:
    """The values may be lists, which have no hash."""
    line = ChangedLine(("a", 0, "b"), ["x"], ABSENT, "f", 1)
    assert line.name == "a[0].b"
    assert len({line, ChangedLine(("a", 0, "b"), ["x"], ABSENT, "f", 1)}) == 1
