"""How lines for people look: whole and plain in a pipe; on a terminal laid out by its width, in colour, with progress."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tocsin.cli.output.terminal.line import Line, Mark, marked, problem_line, rows, severity_mark
from tocsin.domain.problem import Problem, ProblemLevel

from tests.fakes.pager import CONFIG, SETTINGS
from tests.fakes.terminal import ESCAPES, Terminal, plain

LONG = Line(
    "  Technical Lead   Bo Berg, ", marked("not accepted", Mark.ALARM), "; next Fay Ito 21:15, then Gil", hang=19
)
PLACE = "config/a-long-name.yaml:117:3: error: https://example.com/an/address/that/is/long is wrong"
BARE = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")} | {
    "TERM": "xterm-256color"
}


def shown(line: str, most: int) -> list[str]:
    return list(rows(line, most))


def marks(line: str, most: int) -> list[str]:
    return [row[start:end] for row in rows(line, most) for start, end, _ in row.marks]


def test_a_line_goes_on_in_its_column() -> None:
    """Below what it belongs to; what stands out does so on both rows."""
    assert shown(LONG, 80) == [LONG]
    assert shown(LONG, 43) == [
        "  Technical Lead   Bo Berg, not accepted;",
        "                   next Fay Ito 21:15, then",
        "                   Gil",
    ]
    assert marks(LONG, 80) == ["not accepted"]
    assert marks(LONG, 31) == ["not", "accepted"]


def test_places_and_addresses_stay_whole() -> None:
    """Also where a row has no room for them; without a column of its own a line goes on two further in."""
    assert shown(PLACE, 40) == [
        "config/a-long-name.yaml:117:3: error:",
        "  https://example.com/an/address/that/is/long",
        "  is wrong",
    ]


def test_wide_letters_count_twice() -> None:
    """And may be parted, for their languages know no blanks."""
    assert shown("SEV1 支付失败支付失败", 12) == ["SEV1 支付失", "  败支付失败"]


@given(st.text(st.sampled_from("ab -:/支é"), max_size=60), st.integers(1, 50), st.integers(0, 30))
def test_no_word_is_lost_or_broken(text: str, most: int, hang: int) -> None:
    """Whatever the width: the same words in the same order, and no row too long that has two of them."""
    wrapped = shown(Line(text, hang=hang), most)
    assert "".join(wrapped).replace(" ", "") == text.replace(" ", "")
    if "支" not in text:
        assert " ".join(wrapped).split() == text.split()
        assert all(cell_len(row) <= most or len(row.split()) == 1 for row in wrapped if row.strip())


def test_a_line_is_a_text() -> None:
    """Parts keep their marks wherever they come to stand; a severity stands out by its rank."""
    assert Line("a ", LONG).marks == ((30, 42, Mark.ALARM),)
    assert Line("a ", LONG) == f"a {LONG}"
    assert [severity_mark(rank) for rank in (0, 1, 2, 3, 9)] == [
        Mark.WORST, Mark.SECOND, Mark.THIRD, Mark.MILD, Mark.MILD,
    ]  # fmt: skip


@pytest.mark.parametrize(("level", "mark"), [(ProblemLevel.ERROR, Mark.ALARM), (ProblemLevel.WARNING, Mark.WARNING)])
def test_a_problem(level: ProblemLevel, mark: Mark) -> None:
    """It reads as `check` always printed it."""
    problem = Problem("a.yaml", 3, 1, level, "code", "it is wrong")
    line = problem_line(problem)
    assert line == str(problem)
    assert [(line[start:end], found) for start, end, found in line.marks] == [(f"{level}:", mark)]


SHOW = """
import sys, time
from tocsin.cli.output.terminal.line import Line, Mark, marked
from tocsin.cli.output.terminal.show import progress, show
assert "rich.console" not in sys.modules
with progress("Looking", 3) as work:
    work.tell(1)
    time.sleep(float(sys.argv[1]))
show([Line("a [red]word[/red] ", marked("not accepted", Mark.ALARM), " and so on :+1:")])
sys.exit("rich.console" in sys.modules)
"""


def on_terminal(columns: int, *, slow: float = 0, **environ: str) -> tuple[str, int]:
    with Terminal([sys.executable, "-c", SHOW, str(slow)], columns, env=BARE | environ) as terminal:
        return terminal.end(), terminal.process.returncode


def test_in_a_pipe() -> None:
    """Whole, plain, without progress, and what of rich is dear is not even imported. Colours can be forced; the layout stays."""
    done = subprocess.run([sys.executable, "-c", SHOW, "0"], capture_output=True, text=True, env=BARE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "a [red]word[/red] not accepted and so on :+1:\n", "")
    environ = BARE | {"FORCE_COLOR": "1", "COLUMNS": "20"}
    forced = subprocess.run([sys.executable, "-c", SHOW, "0"], capture_output=True, text=True, env=environ, check=False)
    assert forced.stdout == "a [red]word[/red] \x1b[1;31mnot accepted\x1b[0m and so on :+1:\n"


def test_on_a_terminal() -> None:
    """Laid out by its width and coloured; nothing is shown of what is done at once."""
    assert on_terminal(80) == ("a [red]word[/red] \x1b[1;31mnot accepted\x1b[0m and so on :+1:\n", 1)
    assert plain(on_terminal(20)[0]) == "a [red]word[/red]\n  not accepted and\n  so on :+1:\n"


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_without_colour(environ: dict[str, str]) -> None:
    """NO_COLOR takes the colours, not the emphasis; a dumb terminal gets nothing but letters."""
    seen, _ = on_terminal(80, **environ)
    assert plain(seen) == "a [red]word[/red] not accepted and so on :+1:\n"
    assert ESCAPES.findall(seen) == ([] if "TERM" in environ else ["\x1b[1m", "\x1b[0m"])


def test_progress() -> None:
    """What takes over half a second is told of, and nothing of it is left. A dumb terminal shows none."""
    seen, _ = on_terminal(80, slow=0.8)
    assert "Looking 1 of 3" in plain(seen)
    before, _, after = seen.rpartition("\x1b[2K")
    assert "Looking" in before
    assert plain(after).lstrip("\r") == "a [red]word[/red] not accepted and so on :+1:\n"
    assert "\x1b[?25h" in seen
    assert on_terminal(80, slow=0.8, TERM="dumb")[0] == "a [red]word[/red] not accepted and so on :+1:\n"


QUICK = """
import sys
from pathlib import Path
from tocsin.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    sys.exit(1 if "rich" in sys.modules else end.code)
"""


def test_an_answer_at_night_waits_for_no_colours(tmp_path: Path) -> None:
    """`ack` on a terminal, whose sentence is short, imports nothing of rich, nor does the log's library for it."""
    for folder in ("config", "incidents"):
        (tmp_path / folder).mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG)
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    (tmp_path / "incidents" / "pay.yaml").write_text(
        "title: Payments fail\nseverity: sev1\nroles: {technical_lead: ana}\n"
    )
    command = [sys.executable, "-c", QUICK, "ack", "pay", "--as", "ana", "--anyway"]
    with Terminal(command, 80, cwd=tmp_path, env=BARE) as terminal:
        assert terminal.end() == "pay: acknowledged by ana\n"
        assert terminal.process.returncode == 0
