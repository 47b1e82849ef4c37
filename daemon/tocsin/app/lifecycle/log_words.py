"""Log lines for whoever watches a terminal: a time, a short sentence, and how it went, in 80 columns.

Decides the words of every event. What only people read (names, titles) comes in fields that begin with `shown_`; JSON
lines leave them out.
"""

import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from structlog.typing import EventDict, WrappedLogger

from tocsin.domain.people import MAIN

WIDTH = 80
"""Columns of a line; what is longer goes on below."""
MARGIN = 10
"""Columns of the time, which the lines below leave free."""
OUTCOME = 44
"""The column in which the outcome of a try begins, behind the margin."""
FOR_PEOPLE = "shown_"
_KINDS = {"stand_down": "stand-down", "operator": "notice"}
_GRAVE = frozenset({"warning", "error", "critical"})
_OUTCOMES = {
    "accepted": "accepted",
    "deferred": "not taken yet",
    "refused": "refused for good",
    "uncertain": "perhaps sent",
}
_HOUSEKEEPING = frozenset({"timestamp", "level", "event", "incident", "exception", "logger"})

Fields = Mapping[str, Any]


def _ready(fields: Fields) -> str:
    if "listening" in fields:
        return f"the web side is ready: http://{fields['listening']}"
    number = fields["open"]
    counted = f"{number or 'no'} open incident{'s' * (number != 1)}"
    leaves = f"email by {fields['email']}, SMS by {fields['sms']}"
    return f"ready: watching {fields['incidents']}, {counted}; {leaves}; config {fields['revision']}"


def _stopping(fields: Fields) -> str:
    if "unsettled" not in fields:
        return "the web side is stopping"
    number = fields["unsettled"]
    return f"stopping; {number} message{'s' * (number != 1)} wait for the next start" if number else "stopping"


def _version(fields: Fields) -> str:
    return f"{fields['severity'].upper()} {fields.get('shown_title') or fields.get('incident', '')}: {fields['status']}"


def _tried(fields: Fields) -> str:
    kind = _KINDS.get(fields["kind"], fields["kind"])
    provider = fields.get("provider", MAIN)
    by = f" by {provider}" if provider != MAIN else ""
    sent = f"  {kind} → {fields.get('shown_reader') or fields['to']}, {fields['via']}{by}"
    outcome = _OUTCOMES.get(fields["outcome"], fields["outcome"])
    again = f" (try {fields['number']})" if fields["number"] > 1 else ""
    room = max(OUTCOME, len(sent) + 2) if len(sent) < WIDTH - MARGIN - 12 else 0
    return f"{sent:<{room}}{'' if room else ': '}{outcome}{again}"


def _receipt(fields: Fields) -> str:
    return f"  receipt of {fields.get('shown_reader') or fields['to']}, {fields['via']}: {fields['receipt']}"


def _arrival(fields: Fields) -> str:
    kinds = {"sms": "an SMS", "receipt": "a receipt", "answer": "an answer by link", "unsubscribe": "a reader's wish"}
    kinds |= {"sign_in": "a request to sign in", "code": "a code to sign in", "sign_out": "a wish to sign out"}
    kinds |= {"prune": "an order to prune"}
    kinds |= {"edit": "a change from the browser", "declare": "a declaration from the browser"}
    kind = kinds.get(fields["kind"], "something")
    return f"{kind} came in: {fields['result'].replace('_', ' ')}"


def _alerts(fields: Fields) -> str:
    unknown = fields["unknown_services"]
    left_out = f"; there is no service {', '.join(unknown)}" if unknown else ""
    why = f" ({fields['why']})" if fields["why"] else ""
    return f"alerts for {fields['incident'] or 'no incident'}: {fields['did']}{why}{left_out}"


WORDS: dict[str, Callable[[Fields], str]] = {
    "ready": _ready,
    "recalling": lambda f: f"{f['recalled']} of {f['of']} incidents are recalled from the ledger",
    "stopping": _stopping,
    "beginning anew": lambda _: "beginning anew with the settings as they are now",
    "version": _version,
    "tried": _tried,
    "receipt": _receipt,
    "arrival": _arrival,
    "answered": lambda f: f"{f['person']} answered {f['answer']} to {f['incident']} by a link",
    "acted": lambda f: f"{f['person']} did this to {f['incident']} in the browser: {f['act']}",
    "not done": lambda f: f"what {f['asker']} sent by a form was not done ({f['status']}); they have their text back",
    "edited": lambda f: f"{f['by']} changed {', '.join(f['keys'])} of {f['incident']} in the browser",
    "declared": lambda f: f"{f['by']} declared {f['incident']} ({f['severity'].upper()}) in the browser",
    "edit not written": lambda f: f"what somebody did in the browser could not be written: {f['why']}",
    "handed in": lambda f: f"what is new of {f['incident']} was handed in to the machine that leads",
    "handed in again": lambda f: f"the ledger does not have what the file of {f['incident']} says: handed in again",
    "journal handed in": lambda f: (
        f"the ledger lacked {f['messages']} messages that were sent since {f['since']}, and has them again"
    ),
    "paged elsewhere": lambda f: f"somebody was paged for {f['incident']} by another machine, and hears the end",
    "sent from memory": lambda f: f"what left from memory of {f['incident']} was handed in to the machine that leads",
    "sent elsewhere": lambda f: f"a page of {f['incident']} left from {f['machine']} while it could not see the ledger",
    "absence handed in": lambda f: f"that files are gone was handed in: {', '.join(f['incidents'])}",
    "file judged": lambda f: f"what {f['machine']} has of {f['incident']}: {f['result']}",
    "folder memory": lambda f: f"what was seen in the folder cannot be remembered: {f['trouble']}",
    "put back": lambda f: f"a save of an older text of {f['incident']} lacked {f['lacked']}",
    "not put back": lambda f: f"a save of an older text of {f['incident']} lacks {f['lacked']} {f['why']}",
    "inbox": lambda f: f"to read them: {f['address']}",
    "advice": lambda f: f["text"],
    "trouble": lambda f: f"{f['text']} (the operators are told)",
    "trouble over": lambda f: f"over: {f['text']}",
    "erased": lambda f: f"a person was erased from closed incidents: {f['incidents']}",
    "pruned": lambda f: f"incidents pruned that were closed before {f['closed_before'][:10]}: {f['incidents']}",
    "config": lambda f: f"a new config is in force: {f['revision']}",
    "config unread": lambda f: f"the config cannot be read, the old one stays: {'; '.join(f['problems'])}",
    "config not judged yet": lambda f: f"{'; '.join(f['why'])}; until then what was good before goes on",
    "poll": lambda f: f"answers by SMS cannot be asked for: {f['trouble']}",
    "ledger trouble": lambda f: f"trouble with the ledger: {f['trouble']}",
    "broken": lambda _: "an error in tocsin itself; the rest goes on, this is tried again:",
    "unhealthy": lambda f: f"not healthy: no sign of life from {', '.join(f['stale'])}",
    "heartbeat": lambda f: f"the dead man's switch did not answer: {f['trouble']}",
    "clock": lambda f: f"this machine's clock was put {f['put']} by {f['by']}",
    "heartbeat withheld": lambda f: (
        "the dead man's switch is not pinged: a page, or a message to the operators, reaches nobody since "
        f"{f['undelivered_since'][11:16]} UTC"
    ),
    "log lines lost": lambda f: f"{f['lines']} log line{'s' * (f['lines'] != 1)} could not be written and are lost",
    "connections of one client full": lambda f: (
        f"{f['client']} has {f['most']} connections; of those that wait the oldest makes room"
    ),
    "connections full": lambda f: f"{f['most']} connections are open; who waits longest makes room",
    "reads too slowly": lambda f: f"a client that did not take its answer within {f['within']} s was cut off",
    "not HTTP": lambda f: f"a client did not speak HTTP ({f['trouble']})",
    "too slow": lambda f: f"a client did not end its request within {f['within']} s",
    "too many wrong tokens": lambda _: "too many wrong tokens of one client; more are refused for a while",
    "needless secrets": lambda f: f"{f['trouble']}",
    "secret too short": lambda f: f"{f['trouble']}",
    "entry refused": lambda f: f"{f['what']} in the inbox was refused: {f['why']}",
    "entry not removed": lambda f: f"{f['number']} of what was read in the inbox cannot be removed: {f['why']}",
    "entry not left": lambda f: f"what came in ({f['kind']}) cannot be left for the daemon: {f['trouble']}",
    "webhook refused": lambda f: f"a webhook was refused: {f['why']}",
    "receipt of another account": lambda f: f"a receipt that {f['account']} signed is about no SMS of it: not believed",
    "stop": lambda f: f"{f['person']} answered STOP: no SMS goes there until START",
    "start": lambda f: f"{f['person']} takes SMS again",
    "refused": lambda f: f"{f['method']} {f['route']} was refused to {f['asker']} ({f['status']})",
    "fault": lambda _: "an error in the web side itself; that request got no answer, the rest goes on:",
    "alerts": _alerts,
    "too many incidents by alerts": lambda f: f"alerts open too many {f['severity']} incidents; more wait",
    "kept templates": lambda f: f"the last good templates go on: {f['why']}",
    "not apart": lambda f: f"{f['trouble']}",
    "alerts not taken": lambda f: f"alerts could not be taken: {f['trouble']}",
    "standing by": lambda f: f"{f['node']} stands by: it takes the lead when nobody else leads",
    "machine clock": lambda f: f"this machine's clock is {f['stands']} that of the database, which tocsin goes by",
    "machine clock right": lambda _: "this machine's clock is the database's again",
    "standby trouble": lambda f: f"it stands by, but: {f['trouble']}",
    "standby trouble over": lambda _: "it stands by, and could take the lead again",
    "without the ledger": lambda f: f"for long nobody was seen to lead: {f['node']} pages what is newly declared",
    "ledger back": lambda _: "a machine can lead again: this one sends nothing from memory any more",
    "leading": lambda f: f"{f['node']} leads now{'' if f['clean'] else ': who led before has fallen silent'}",
    "installation not remembered": lambda f: f"which ledger this machine uses cannot be written down: {f['trouble']}",
    "not leading any more": lambda f: f"this machine does not lead any more ({f['why']}), and sends nothing",
    "handing over": lambda f: f"this machine gives the lead to another one: {f['why']}",
    "lease not renewed": lambda f: f"the lead could not be renewed: {f['trouble']}",
    "lease not given back": lambda f: f"the lead could not be given back, others wait some seconds: {f['trouble']}",
}
"""What each event of ours says. An event without an entry is told with its fields."""


class TextShape:
    """The last step of a line: its text. It names an incident whenever the lines go on to another one, and paths below
    the folder `here` without that folder.
    """

    def __init__(self, here: str = "") -> None:
        self._here = f"{here}/"
        self._incident = ""

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict) -> str:
        """The line, or several."""
        mark = "! " if line.get("level") in _GRAVE else ""
        begin = f"{line.get('timestamp', ''):<{MARGIN}}{mark}"
        text = sentence(line).replace(self._here, "") if len(self._here) > 2 else sentence(line)
        shown = [*self._heading(line), *_wrapped(begin, text)]
        return "\n".join([*shown, *([str(line["exception"])] if "exception" in line else ())])

    def _heading(self, line: EventDict) -> list[str]:
        incident = str(line.get("incident") or self._incident)
        if incident in {self._incident, "-"}:
            return []
        self._incident = incident
        return [f"{line.get('timestamp', ''):<{MARGIN}}{incident}"[:WIDTH]]


def _wrapped(begin: str, text: str) -> Iterator[str]:
    """A text of one or more lines behind a time, none of them too wide."""
    margin = " " * MARGIN
    for part in text.splitlines():
        yield from textwrap.wrap(
            begin + part, WIDTH, subsequent_indent=margin, break_on_hyphens=False, break_long_words=False
        )
        begin = margin


def sentence(line: Fields) -> str:
    """What an event says; of one without words here, or without the fields that they need, its name and its fields. It
    never raises.
    """
    event = str(line.get("event", ""))
    if event in WORDS and "held_back" not in line:
        with suppress(LookupError, TypeError, ValueError, AttributeError):
            return WORDS[event](line)
    fields = [
        f"{key} {value}" for key, value in line.items() if key not in _HOUSEKEEPING and not key.startswith(FOR_PEOPLE)
    ]
    return f"{event}: {', '.join(fields)}" if fields else event


def not_for_people(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Leave out what only people read."""
    return {key: value for key, value in line.items() if not key.startswith(FOR_PEOPLE)}
