"""New files: all of them or none, and never over what is there."""

from pathlib import Path

import pytest
from tocsin.adapters.files.new_files import NewFilesError, in_the_way, write


@pytest.mark.parametrize("kind", ["file", "dangling link"])
def test_nothing_is_written_over(tmp_path: Path, kind: str) -> None:
    """What is there stays as it is, and of the others nothing remains, nor of the folders made for them."""
    path = tmp_path / "b.yaml"
    path.write_text("mine") if kind == "file" else path.symlink_to("nowhere")
    assert in_the_way(tmp_path, ["a/x.yaml", "b.yaml"]) == ["b.yaml"]
    with pytest.raises(NewFilesError, match=r"b\.yaml"):
        write(tmp_path, {"a/x.yaml": b"x", "b.yaml": b"x", "c.yaml": b"x"})
    assert [file.name for file in tmp_path.iterdir()] == ["b.yaml"]
    assert kind == "dangling link" or path.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_a_file_where_a_folder_is_needed(tmp_path: Path) -> None:
    """It is named before anything is written; a folder that is there is no obstacle."""
    (tmp_path / "a").write_text("x")
    (tmp_path / "d").mkdir()
    assert in_the_way(tmp_path, ["a/b/c.yaml", "d/e.yaml"]) == ["a"]
    write(tmp_path, {"d/e.yaml": b"one", "f/g/h.yaml": b"two"})
    assert ((tmp_path / "d" / "e.yaml").read_bytes(), (tmp_path / "f" / "g" / "h.yaml").read_bytes()) == (
        b"one",
        b"two",
    )
