"""Who is signed in: the sessions in force, by the digests of their ids. The ids themselves are with browsers alone."""

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

SESSION_LASTS = timedelta(hours=12)
"""How long a session holds from when it began."""


def session_digest(session: str) -> str:
    """What the daemon keeps of a session's id."""
    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()


class OpenSessions:
    """The sessions that have begun and not been ended, (digest, person, when it began) each."""

    def __init__(self, sessions: Iterable[tuple[str, str, datetime]] = ()) -> None:
        self._sessions = {digest: (person, began_at) for digest, person, began_at in sessions}

    def begin(self, digest: str, person: str, at: datetime) -> None:
        """Somebody has signed in."""
        self._sessions[digest] = person, at

    def person_of(self, session_id: str, now: datetime) -> str | None:
        """Who is signed in by this session; None: nobody, or not any more."""
        person, began_at = self._sessions.get(session_digest(session_id), (None, now))
        return person if now < began_at + SESSION_LASTS else None
