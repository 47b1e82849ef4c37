"""`severity`, `impact`, `note`, `reviewed`: what the file says then, what is told, and what is refused (P7)."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tocsin.cli import tocsin

from tests.fakes.pager import CONFIG, SETTINGS

FILE = "# by hand\ntitle: Payments fail   # says the shop\nseverity: sev2\n"
Run = Callable[..., Result]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A config with two severities, and one incident."""
    for name in ("config", "incidents"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "all.yaml").write_text(CONFIG + "  sev2: {title: Major}\n")
    (tmp_path / "config" / "tocsin.yaml").write_text(SETTINGS)
    made = tmp_path / "incidents" / "2026-11-23-pay.yaml"
    made.write_text(FILE)
    return made


@pytest.fixture
def run(tmp_path: Path, file: Path) -> Run:
    """Runs a command where no daemon watches, which is meant."""
    assert file.exists()

    def run(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(
            tocsin, [*arguments, "--anyway", "--config", str(tmp_path / "config")], env=environ, catch_exceptions=False
        )

    return run


def test_the_severity_is_set_and_who_did_it_stands_there(run: Run, file: Path) -> None:
    """Comments are kept; what is true now is told on stderr, as the start of an id was understood."""
    done = run("severity", "2026", "SEV1", "--as", "Bo Berg")
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "2026 is 2026-11-23-pay\n2026-11-23-pay: Severity is SEV1 now, was SEV2.\n"
    text = file.read_text()
    assert text.startswith("# by hand\ntitle: Payments fail   # says the shop\nseverity: sev1\n")
    assert 'by: "bo", text: "Severity is SEV1 now, was SEV2."}' in text


def test_what_stands_there_already_is_not_written(run: Run, file: Path) -> None:
    """It says so, and the file keeps its time."""
    done = run("severity", "2026-11-23-pay", "sev2", TOCSIN_AS="bo")
    assert (done.exit_code, done.stderr) == (0, "2026-11-23-pay: it says so already; nothing was written\n")
    assert file.read_text() == FILE


def test_the_impact_a_note_and_the_end_of_the_review(run: Run, file: Path) -> None:
    """Each by whom $TOCSIN_AS names; texts are cleaned, over several lines as well."""
    for arguments, said in (
        (["impact", "2026", "One payment\nin \x1b[31mthree fails"], "The impact: “One payment in three fails”"),
        (["note", "2026", "Restarted the primary."], "noted."),
        (["resolve", "2026"], "It is resolved."),
        (["reviewed", "2026"], "The review is done."),
        (["reviewed", "2026", "https://wiki/42"], "The review is done: https://wiki/42"),
    ):
        done = run(*arguments, TOCSIN_AS="ana")
        assert (done.exit_code, done.stderr) == (0, f"2026 is 2026-11-23-pay\n2026-11-23-pay: {said}\n")
    text = file.read_text()
    assert text.count('by: "ana"') == 5
    assert "impact: |\n  One payment\n  in three fails\n" in text
    assert 'text: "Restarted the primary."}' in text
    assert text.endswith("review: https://wiki/42\n")


def test_who_gives_a_role_and_who_resolves_stand_in_the_timeline(run: Run, file: Path) -> None:
    """P8: who did what stands in the file, by command as in the browser."""
    given = run("assign", "2026", "technical_lead", "Bo Berg", "--as", "ana")
    assert (given.exit_code, given.stdout) == (0, "")
    assert given.stderr.endswith("2026-11-23-pay: Technical Lead is given to Bo Berg.\n")
    assert run("resolve", "2026", "Failed over.", TOCSIN_AS="bo").exit_code == 0
    text = file.read_text()
    assert 'by: "ana", text: "Technical Lead is given to Bo Berg."}' in text
    assert 'by: "bo", text: "It is resolved. What ended it: “Failed over.”"}' in text
    assert "status: resolved" in text


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["severity", "2026", "sve1"], 1, 'unknown severity "sve1"; did you mean "sev1"?'),
        (["severity", "2026", "sev1", "--as", "boo"], 1, 'unknown person "boo"; did you mean "bo"?'),
        (["resolve", "2026", "--as", "boo"], 1, 'unknown person "boo"; did you mean "bo"?'),
        (["assign", "2026", "technical_lead", "bo", "--as", "boo"], 1, 'unknown person "boo"; did you mean "bo"?'),
        (["update", "2026", "x", "--by", "boo"], 1, 'unknown person "boo"; did you mean "bo"?'),
        (["severity", "pey", "sev1"], 1, 'there is no incident "pey"; did you mean "2026-11-23-pay"?'),
        (["severity", "", "sev1"], 2, "it is empty; name the incident"),
        (["impact", "2026", " \x07 "], 2, "TEXT is empty; say what customers notice"),
        (["note", "2026", ""], 2, "TEXT is empty; say what is to be kept"),
        (["reviewed", "2026", "ftp://x"], 2, 'LINK is "ftp://x"; write an https:// link, or nothing'),
        (["update", "2026", "x", "--eta", "soon"], 2, '"soon" is no instant; write it such as'),
        (["update", "2026", "x", "--eta", "-2h"], 2, "write it such as 2026-11-23T10:04:00Z, 23:00 or 2h"),
    ],
)
def test_what_is_refused_writes_nothing(run: Run, file: Path, arguments: list[str], status: int, said: str) -> None:
    """Exit 1: it could not be done; 2: wrong usage. One sentence says what is wrong and what to write."""
    done = run(*arguments)
    assert done.exit_code == status
    assert said in done.stderr
    assert file.read_text() == FILE


def test_the_start_of_two_ids_writes_nothing(run: Run, file: Path) -> None:
    """P7: exit 1 and the list."""
    (file.parent / "2026-11-24-shop.yaml").write_text("title: Shop down\nseverity: sev1\n")
    done = run("severity", "2026-11", "sev1")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.split("\n")[1:] == [
        "  2026-11-24-shop  SEV1 Shop down",
        "  2026-11-23-pay   SEV2 Payments fail",
        "",
    ]
    assert file.read_text() == FILE


def test_long_ids_stand_above_their_titles(run: Run, file: Path) -> None:
    """80 columns read well: side by side each title would break to the next line."""
    for number in "12":
        (file.parent / f"2026-11-24-{'card-payments-' * 4}{number}.yaml").write_text("title: Slow\nseverity: sev1\n")
    done = run("severity", "2026-11-24", "sev1")
    assert done.stderr.split("\n")[1:3] == [f"  2026-11-24-{'card-payments-' * 4}2", "      SEV1 Slow"]


def test_who_it_is_must_be_said_once(run: Run, file: Path) -> None:
    """Whoever is asleep on their feet is told how; the sentence is laid out by the terminal, as all are."""
    done = run("ack", "2026")
    assert done.exit_code == 2
    assert "Error: say who it is: --as P, an id, full name or email; or once for all: export TOCSIN_AS=P" in done.stderr
    assert run("ack", "2026", TOCSIN_AS="ana").exit_code == 0
    assert "2026-11-23-pay: acknowledged by ana" in run("ack", "2026", TOCSIN_AS="ana").stderr
    assert file.exists()


def test_a_title_that_no_id_can_hold_has_a_word(run: Run) -> None:
    """The day alone would begin all ids of that day, and an exact id wins."""
    assert run("declare", "日本語", "--severity", "sev1").stdout.strip().endswith("-incident")


def test_an_estimate_may_be_short(run: Run, file: Path) -> None:
    """`2h` and `23:00`, in the zone of who writes; the instant taken is told (P7)."""
    config = file.parents[1] / "config" / "all.yaml"
    config.write_text(
        config.read_text().replace('phone: "+14155550102"', 'phone: "+14155550102", timezone: Asia/Kolkata')
    )
    done = run("update", "2026", "x", "--eta", "23:00", TOCSIN_AS="bo")
    assert done.exit_code == 0
    assert "--eta 23:00 is " in done.stderr
    assert "23:00:00 IST (20" in done.stderr
    assert "T17:30:00Z\n" in file.read_text()
    assert "UTC (20" in run("update", "2026", "y", "--eta", "1h30m").stderr


def test_a_declaration_is_never_refused_for_who_made_it(run: Run, file: Path) -> None:
    """A lost page is worse than a name that nobody has: any text will do, and $TOCSIN_AS is the default."""
    done = run("declare", "Shop down", "--severity", "sev1", TOCSIN_AS="nobody-of-ours")
    assert done.exit_code == 0
    assert 'declared_by: "nobody-of-ours"' in (file.parent / f"{done.stdout.strip()}.yaml").read_text()


def test_whoever_assigns_and_whoever_resolves_stands_in_the_file(run: Run, file: Path) -> None:
    """Section 7: `--as` everywhere, by $TOCSIN_AS as well; `declare` takes it beside `--by`."""
    for arguments in (["assign", "2026", "technical_lead", "ana", "--as", "Bo Berg"], ["resolve", "2026", "Mended."]):
        assert run(*arguments, TOCSIN_AS="bo").exit_code == 0
    text = file.read_text()
    assert 'by: "bo", text: "Technical Lead is given to Ana Souza."}' in text
    done = run("declare", "Shop down", "--severity", "sev1", "--as", "ana")
    assert 'declared_by: "ana"' in (file.parent / f"{done.stdout.strip()}.yaml").read_text()


OVER = FILE + "status: resolved\nreview: https://wiki/42\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["update", "2026", "it's back"],
        ["update", "2026", "it's back", "--status", "resolved"],
        ["severity", "2026", "sev1"],
        ["impact", "2026", "All payments"],
        ["assign", "2026", "technical_lead", "ana"],
    ],
)
def test_what_nobody_would_hear_of_is_not_done(run: Run, file: Path, arguments: list[str]) -> None:
    """Bad input: an incident that is resolved meanwhile. One sentence and how to open it again, the text given back."""
    file.write_text(OVER)
    done = run(*arguments)
    assert (done.exit_code, file.read_text()) == (1, OVER)
    assert "2026-11-23-pay is resolved: nobody would " in done.stderr
    assert "to open it again, which pages people anew: tocsin update 2026-11-23-pay " in done.stderr
    assert ("tocsin note 2026-11-23-pay 'it'\"'\"'s back'\n" in done.stderr) is (arguments[0] == "update")


def test_an_update_may_open_an_incident_again_and_says_so(run: Run, file: Path) -> None:
    """In a script; somebody at a terminal is asked before."""
    file.write_text(OVER)
    done = run("update", "2026", "It is back.", "--status", "identified")
    assert done.exit_code == 0
    assert "The update is written. It is open again, status identified.\n" in done.stderr
    assert "status: identified\n" in file.read_text()


def test_an_update_that_resolves_is_the_end(run: Run, file: Path) -> None:
    """Its words are what people read of the end, as those of `resolve`."""
    assert run("update", "2026", "Mended.", "--status", "resolved", "--public", "It works again.").exit_code == 0
    assert 'resolution:\n  text: "Mended."\n  public: "It works again."\n' in file.read_text()


def test_an_estimate_that_is_past_or_far_is_told(run: Run) -> None:
    """It is written all the same: the words that came with it must not be lost."""
    past = run("update", "2026", "x", "--eta", "2020-01-01T10:00Z")
    assert "is past: it is " in past.stderr
    assert "Readers are told that it takes longer" in past.stderr
    assert past.exit_code == 0
    assert ", in 400 days.\n" in run("update", "2026", "y", "--eta", "401d").stderr.replace("in 401", "in 400")


def test_a_review_is_of_what_is_over_and_its_link_stays(run: Run, file: Path) -> None:
    """A slip of the id would leave an open incident without a review; `done` says less than a link."""
    done = run("reviewed", "2026")
    assert done.exit_code == 1
    assert "2026-11-23-pay is not resolved, so nothing was written" in done.stderr
    file.write_text(OVER)
    assert "it says so already" in run("reviewed", "2026").stderr
    assert file.read_text() == OVER
