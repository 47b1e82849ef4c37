"""All fuzzers, in the order in which they run."""

from functools import cache

from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.targets import answers, configs, inbox, incidents, messages, providers, templates

NAMES = (
    "incident", "edit", "alertmanager", "policy-test", "config", "calendar", "reply", "link", "session", "outbox",
    "webhook", "entry", "entry-name", "sms-provider", "smtp", "dns", "message", "template",
    "template-grammar",
)  # fmt: skip


@cache
def fuzzers() -> dict[str, Fuzzer]:
    """Every fuzzer, by its name. Making them takes a second."""
    rooms = (incidents, configs, answers, inbox, providers, messages, templates)
    made = {fuzzer.name: fuzzer for room in rooms for fuzzer in room.fuzzers()}
    assert tuple(made) == NAMES
    return made
