"""What operators are to hear and have not been sent yet (rule 39): troubles, and that they are over.

It decides that a cause is told once an hour, that a trouble which ended before it was told is not told at all, and
which complaints are no longer true. It must not know when a message leaves, nor its words.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from tocsin.domain.operator_notice import ANEW, URGENT, OperatorNotice, Recovery, Trouble, subject_of
from tocsin.domain.problem import Problem
from tocsin.ports.clock import Clock

QUIET = timedelta(hours=1)
"""How long a cause stays quiet after it was told."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that waits, and from when it may be told."""

    notice: OperatorNotice
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A cause that was told: when, and what can be over."""

    at: datetime
    subject: str


class Notices:
    """The notices that wait to be sent together. Anybody may tell; `app/delivery/operator_notices` takes them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, Waiting] = {}
        self._recovered: dict[str, Recovery] = {}
        self._told: dict[str, Told] = {}
        self._end_told: set[str] = set()
        self._open_since: dict[str, datetime] = {}
        self._well: set[str] = set()
        self._retracted: set[str] = set()
        self._sent: dict[str, tuple[datetime, frozenset[str]]] = {}
        self._leaving: set[str] = set()
        self._news = asyncio.Event()

    def tell(self, notice: OperatorNotice) -> None:
        """Let the operators hear of this, unless they were told of its cause in the last hour."""
        now, subject = self._clock.now(), notice.subject
        if notice.trouble in ANEW and self.was_told(subject) and subject in self._well | self._end_told:
            notice = replace(notice, aspect=f"{notice.aspect}@{now.isoformat()}")
        self._well.discard(subject)
        self._retracted.discard(subject)
        self._recovered.pop(subject, None)
        since = self._open_since.setdefault(subject, notice.since or now) if notice.trouble.lasts else now
        notice = replace(notice, since=notice.since or since)
        told = self._told.get(notice.cause)
        may_leave_at = now if told is None else max(now, told.at + QUIET)
        known = self._waiting.get(notice.cause)
        if known is not None:
            may_leave_at = known.at
        elif may_leave_at > now and subject not in self._end_told:
            return
        else:
            log.warning("trouble", cause=notice.cause, text=notice.text)
        self._waiting[notice.cause] = Waiting(notice, may_leave_at)
        self._news.set()

    def tell_instead(self, notice: OperatorNotice) -> None:
        """Let the operators hear of this, and not of what else waits of the same subject: it has become this."""
        for cause in [cause for cause, waiting in self._waiting.items() if waiting.notice.subject == notice.subject]:
            if cause != notice.cause:
                replaced = self._waiting.pop(cause)
                self._waiting.setdefault(notice.cause, Waiting(notice, replaced.at))
        self.tell(notice)

    def tell_template(self, problem: Problem) -> None:
        """Let the operators hear of a template that cannot be used."""
        self.tell(OperatorNotice(Trouble.TEMPLATE_BROKEN, str(problem), about=str(problem)))

    def cured(self, trouble: Trouble, about: str, text: str, name: str = "") -> None:
        """A trouble is over; `text` is a sentence for people. If it was not told yet, neither leaves; else, also if the
        process before told it, the end is told once. To say so when nothing was wrong is cheap and harmless.
        """
        assert trouble.recovered, f"the end of {trouble} has no headline"
        subject, now = subject_of(trouble, about), self._clock.now()
        if subject in self._well:
            return
        self._well.add(subject)
        self._drop(subject)
        since = self._open_since.pop(subject, None)
        self._recovered[subject] = Recovery(trouble, text, now, about, since, name=name)
        self._news.set()

    def retract(self, trouble: Trouble, about: str) -> None:
        """What was told of this is not true any more, or not so: what has not left yet does not leave. Its end, which
        whoever caused it sees, is told to nobody.
        """
        subject = subject_of(trouble, about)
        self._retracted.add(subject)
        self._drop(subject)

    def retract_all(self, trouble: Trouble) -> None:
        """Nothing that was told of this kind is true any more."""
        subjects = {waiting.notice.subject for waiting in self._waiting.values() if waiting.notice.trouble is trouble}
        subjects |= {about for _, sent in self._sent.values() for about in sent if about.startswith(f"{trouble}:")}
        for subject in subjects:
            self._retracted.add(subject)
            self._drop(subject)

    def _drop(self, subject: str) -> None:
        for cause in [cause for cause, waiting in self._waiting.items() if waiting.notice.subject == subject]:
            log.info("trouble over", cause=cause)
            del self._waiting[cause]

    def hold(self, notice: OperatorNotice, until: datetime) -> None:
        """Keep a notice whose cause was told a while ago by the process before, as well as its end: it is told then."""
        self._waiting.setdefault(notice.cause, Waiting(notice, until))

    async def news(self) -> None:
        """Wait until something more is to be told."""
        await self._news.wait()
        self._news.clear()

    def urgent_since(self) -> datetime | None:
        """From when the oldest of the urgent troubles that wait may be told."""
        waits = (waiting.at for waiting in self._waiting.values() if waiting.notice.trouble in URGENT)
        return min(waits, default=None)

    def waiting_since(self, *, grave: bool) -> datetime | None:
        """From when the oldest that waits may be told: of all, or of those that are not minor."""
        waits = [waiting.at for waiting in self._waiting.values() if not (grave and waiting.notice.minor)]
        return min([*waits, *(recovery.until for recovery in self._recovered.values())], default=None)

    def take(self, *, lasting: bool = True) -> tuple[OperatorNotice, ...]:
        """The troubles that may be told now, in the order told; they wait no more. Without `lasting`: only those that
        just happened, and will not be met again by the next process.
        """
        now = self._clock.now()
        self._told = {cause: told for cause, told in self._told.items() if now - told.at < QUIET}
        due = [
            cause
            for cause, waiting in self._waiting.items()
            if waiting.at <= now and (lasting or not waiting.notice.trouble.lasts)
        ]
        notices = tuple(self._waiting.pop(cause).notice for cause in due)
        for notice in notices:
            self._told[notice.cause] = Told(now, notice.subject)
            self._end_told.discard(notice.subject)
            self._leaving.add(notice.subject)
        return notices

    def take_recovered(self) -> tuple[Recovery, ...]:
        """What is over, whether it was told or not, in that order."""
        recovered, self._recovered = tuple(self._recovered.values()), {}
        self._leaving |= {over.subject for over in recovered}
        return recovered

    def note_left(self) -> None:
        """What was taken is written down, with the messages that tell it."""
        self._leaving.clear()

    def owes(self, subject: str) -> bool:
        """Whether the operators are still to hear of this, or that it is over: nobody would after a kill."""
        waits = any(waiting.notice.subject == subject for waiting in self._waiting.values())
        return waits or subject in self._recovered or subject in self._leaving

    def is_open(self, trouble: Trouble) -> bool:
        """Whether it has come up, and is not over."""
        return trouble.value in self._open_since

    def was_told(self, subject: str) -> bool:
        """Whether this process told of the trouble within the last hour."""
        return any(told.subject == subject for told in self._told.values())

    def note_end_told(self, subject: str) -> None:
        """The operators hear that it is over: should it come back within the hour, that is news."""
        self._end_told.add(subject)

    def note_sent(self, key: str, subjects: frozenset[str]) -> None:
        """A message under this key complains of these."""
        now = self._clock.now()
        self._sent = {known: sent for known, sent in self._sent.items() if now - sent[0] < QUIET}
        self._retracted &= {about for _, complaints in self._sent.values() for about in complaints}
        self._sent[key] = (now, subjects)

    def is_void(self, key: str) -> bool:
        """Whether all that a message complains of is over, so that it would not be true when it arrives."""
        _, subjects = self._sent.get(key, (None, frozenset()))
        return bool(subjects) and subjects <= self._well | self._retracted
