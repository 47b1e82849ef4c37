"""Review drafts never overwrite what somebody has written."""

from pathlib import Path

from daemon.adapters.drafts import Drafts


def test_a_draft_is_renewed_until_somebody_edits_it(tmp_path: Path) -> None:
    """An untouched draft is replaced; an edited one stays, and the new draft stands beside it."""
    drafts = Drafts(tmp_path / "reviews")
    assert not drafts.has("pay")
    assert drafts.put("pay", "# Pay\n") == "pay.md"
    assert drafts.has("pay")
    assert drafts.put("pay", "# Pay again\n") == "pay.md"
    file = tmp_path / "reviews" / "pay.md"
    assert file.read_text().startswith("# Pay again\n")
    file.write_text(file.read_text().replace("again", "by hand"))
    assert drafts.put("pay", "# Pay a third time\n") == "pay-2.md"
    assert drafts.put("pay", "# Pay a fourth time\n") == "pay-2.md"
    assert "by hand" in file.read_text()
    assert sorted(path.name for path in (tmp_path / "reviews").iterdir()) == ["pay-2.md", "pay.md"]
