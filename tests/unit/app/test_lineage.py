"""Which contents of a machine's file were said already, and which are edits (P9)."""

from dataclasses import replace

import pytest
from tocsin.app.edits.carried_over import carried_over
from tocsin.app.edits.lineage import came_from, lags_behind, newest_held
from tocsin.domain.incident import Incident, Status, TimelineNote

PAY = Incident("pay", "Card payments fail", "sev1")


@pytest.mark.parametrize(
    ("content", "held", "counted", "lags"),
    [
        ("a", "", "ab", True),  # a fresh clone of an old commit
        ("a", "a", "ab", True),  # looked at again
        ("b", "a", "abc", True),  # it is pulled, one commit after the other
        ("a", "ab", "ab", False),  # back to what was, on purpose
        ("a", "ab", "abc", False),
        ("x", "a", "ab", False),  # never said
        ("b", "ab", "abc", True),  # it held that very version, and nothing newer
        ("b", "a", "aba", True),  # a shared folder: another machine was quicker, both ways
        ("b", "aba", "aba", False),  # there and back, and there again
        ("b", "xa", "abxc", False),
        ("a", "ax", "abx", False),  # an edit of its own counted: what was before that is behind it
    ],
)
def test_what_lags_behind(content: str, held: str, counted: str, lags: bool) -> None:
    """P9: equal to an older version, and the machine's own file has never held a newer one."""
    assert lags_behind(content, held, counted) is lags


def test_what_a_file_has_held_for_sure() -> None:
    """P9: each content stands for the first version that it can be."""
    assert newest_held("", "ab") == -1
    assert newest_held("aa", "ab") == 0
    assert newest_held("ba", "aba") == 2
    assert newest_held("zb", "ab") == 1


def test_a_pull_of_several_commits_is_no_edit_of_what_lies_between() -> None:
    """P9: a clone that lags behind gets what the ledger knows together with one edit more: only that edit counts, also
    where what lies between was changed once more meanwhile.
    """
    identified = replace(PAY, status=Status.IDENTIFIED, impact="Nobody can pay.")
    resolved = replace(identified, status=Status.RESOLVED)
    pulled = replace(identified, timeline=(TimelineNote("the standby was promoted"),))
    base = came_from(PAY, pulled, [identified, resolved])
    assert base == identified
    assert carried_over(base, pulled, resolved) == replace(resolved, timeline=pulled.timeline)


def test_an_edit_of_the_version_before_is_one_of_that() -> None:
    """P9: where nothing that counted since is nearer, the version that the file had before is the one it was made of."""
    identified = replace(PAY, status=Status.IDENTIFIED)
    saved = replace(PAY, timeline=(TimelineNote("the standby was promoted"),))
    assert came_from(PAY, saved, [identified]) == PAY
    assert came_from(None, saved, []) is None
    assert came_from(None, saved, [PAY]) == PAY
