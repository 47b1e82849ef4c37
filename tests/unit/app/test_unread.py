"""What is said of a config that was not read, and of one that was not judged yet (rule 73)."""

from structlog.testing import capture_logs
from tocsin.app.configuration.judge import NOT_JUDGED
from tocsin.app.lifecycle.log_words import sentence
from tocsin.app.lifecycle.unread import UnreadConfig
from tocsin.app.state.notices import Notices
from tocsin.domain.problem import Problem
from tocsin.text.decoding import TOP, problem

from tests.builders.instants import T0
from tests.fakes.clock import StillClock

WAITING = problem("templates", TOP, NOT_JUDGED, "the templates are still being judged")
UNREAD = problem("config/all.yaml", TOP, "unreadable-file", "the file cannot be read: it hangs")


def noted(*parts: tuple[str, tuple[Problem, ...]]) -> list[str]:
    """What a terminal reads."""
    clock = StillClock(T0)
    unread = UnreadConfig(clock, Notices(clock), "config")
    with capture_logs() as lines:
        for part, problems in parts:
            unread.note(part, problems)
    return [f"{line['log_level']}: {sentence(line)}" for line in lines]


def test_what_waits_to_be_judged_is_no_fault_of_the_config() -> None:
    """On a busy machine a start does not wait for the templates: nothing is wrong with them, nor with the config."""
    assert noted(("the templates", (WAITING,))) == [
        "info: the templates are still being judged; until then what was good before goes on"
    ]


def test_what_cannot_be_read_is_told_as_such() -> None:
    """With its place, also beside what only waits."""
    (line, both) = noted(("the config", (UNREAD,)), ("the templates", (WAITING,)))
    assert line.startswith(
        "warning: the config cannot be read, the old one stays: config/all.yaml:1:1: error: the file"
    )
    assert both.startswith(line)
