"""Who is signed in: the sessions in force, by the digests of their ids. The ids themselves are with browsers alone."""

from collections.abc import Collection, Iterable
from datetime import datetime

from tocsin.domain.people import Session, session_digest


class OpenSessions:
    """The sessions that have begun and not been ended."""

    def __init__(self, sessions: Iterable[Session] = ()) -> None:
        self._sessions = {session.digest: session for session in sessions}

    def add(self, session: Session) -> None:
        """Somebody has signed in. A digest that is known stays its person's."""
        self._sessions.setdefault(session.digest, session)

    def renew(self, sessions: Iterable[Session]) -> None:
        """These are all, as the ledger has them."""
        self._sessions = {session.digest: session for session in sessions}

    def person_of(self, session_id: str, now: datetime) -> str | None:
        """Who is signed in by the session of this id; None: nobody, or not any more. Whether they are in the config is
        not known here.
        """
        session = self._sessions.get(session_digest(session_id))
        return session.person if session is not None and now < session.ends_at else None

    def of(self, *, person: str = "", digest: str = "") -> list[str]:
        """The digests of one session, of a person's, or of all."""
        return [
            known.digest
            for known in self._sessions.values()
            if known.digest == (digest or known.digest) and known.person == (person or known.person)
        ]

    def ended(self, people: Collection[str], now: datetime) -> list[str]:
        """The digests of those that are over, or not of these people."""
        return [known.digest for known in self._sessions.values() if now >= known.ends_at or known.person not in people]

    def end(self, digests: Iterable[str]) -> None:
        """These are over."""
        for digest in digests:
            self._sessions.pop(digest, None)
