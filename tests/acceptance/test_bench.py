"""The bench: what it says of figures, and that it runs. How fast anything is, no test asks."""

import json
import subprocess
import sys
from pathlib import Path

from bench import report
from bench.figures import Figure, Found, Line, percentile
from bench.parts import PARTS
from bench.targets import MEASURES

ROOT = Path(__file__).resolve().parents[2]
FASTER = Figure("incidents", [300.0, 240.0, 360.0], "Alertmanager", [100.0, 200.0, 150.0])


def test_a_ratio_is_that_of_each_round_and_is_judged_by_the_median() -> None:
    """Rounds are pairs: what else the machine did in one met both sides of it."""
    assert FASTER.ratios == [3.0, 1.2, 2.4]
    assert report.judged(FASTER) == "ok"
    assert report.judged(Figure("incidents", [100.0, 100.0, 900.0], "Alertmanager", [100.0, 100.0, 100.0])) == "SHORT"
    [said] = report.rows([FASTER])
    assert "300 mails/s (240..360)" in said
    assert "2.4 x (1.2..3)" in said


def test_a_value_without_a_peer_is_judged_by_itself() -> None:
    """The bound of a command is in seconds, also where Python's own time stands beside it."""
    assert report.judged(Figure("ack", [0.3], "python -c pass", [0.02])) == "ok"
    assert report.judged(Figure("ack", [0.4], "python -c pass", [0.02])) == "SHORT"


def test_a_peer_that_is_not_installed_is_named_and_nothing_is_judged() -> None:
    """Who reads the table sees which rows could not be measured, and for want of what."""
    figure = Figure("incidents", [300.0], missing="prometheus-alertmanager")
    [said] = report.rows([figure])
    assert "not measured: prometheus-alertmanager is not installed here" in said
    assert report.judged(figure) == "?"


def test_a_percentile_is_one_of_the_values() -> None:
    """The 99th of a hundred is the worst of them, not something between two."""
    assert percentile(range(1, 101), 0.99) == 100
    assert percentile([5.0], 0.99) == 5.0


def test_a_part_that_is_measured_again_takes_the_place_of_the_earlier_figure() -> None:
    """The rest of the page stays as the other run had it."""
    from bench import page  # dear, and every worker reads this file

    first = report.document(Found([FASTER, Figure("ack", [0.3])], [Line("open-rate", "SQLite", [(10, 5.0)])]), 60)
    again = report.document(Found([Figure("ack", [0.2])]), 30)
    both = page.together([first, again])
    assert [(figure["measure"], figure["ours"]) for figure in both["figures"]] == [
        ("incidents", FASTER.ours), ("ack", [0.2])
    ]  # fmt: skip
    assert both["lines"] == first["lines"]
    assert both["seconds"] == 90


def test_all_of_the_bench_takes_no_part_twice() -> None:
    """What another part has all of is left out of the whole."""
    assert all(entry.within in {"", *PARTS} for entry in PARTS.values())


def test_a_part_runs_and_leaves_the_table_and_the_same_as_json(tmp_path: Path) -> None:
    """The smallest one, in small: the ledger's commits. The JSON names no path."""
    path = tmp_path / "figures.json"
    given = [sys.executable, "-m", "bench", "quick", "commits", "--json", str(path)]
    run = subprocess.run(given, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert "S5  durable commits, 16 tasks" in run.stdout
    assert f"JSON: {path}" in run.stderr
    written = json.loads(path.read_text())
    assert [figure["measure"] for figure in written["figures"]] == ["commits", "commits-alone"]
    assert written["figures"][0]["row"]["measure"] == MEASURES["commits"].words
    assert str(ROOT) not in path.read_text()


def test_a_run_is_put_into_the_page_between_its_marks(tmp_path: Path) -> None:
    """What people wrote around it stays; the same figures give the same files."""
    from bench import page, plots  # dear, and every worker reads this file

    line = Line("open-start", "SQLite", [(10, 1.0), (100, 2.0)])
    document = report.document(Found([FASTER], [line]), 60.0)
    speed = tmp_path / "speed.md"
    speed.write_text(f"before\n{page.BEGIN}old\n{page.END}after\n")
    page.write(document, speed)
    [picture] = (tmp_path / "speed").iterdir()
    first, bytes_ = speed.read_text(), picture.read_bytes()
    page.write(document, speed)
    assert first == speed.read_text()
    assert bytes_ == picture.read_bytes()
    assert first.startswith(f"before\n{page.BEGIN}Measured in 1 minutes")
    assert first.endswith(f"{page.END}after\n")
    assert "| 2.4 x (1.2..3) | >= 1.2 x | ok |" in first
    assert f"![{plots.PLOTS['open-start'].title}](speed/open-start.svg)" in first
