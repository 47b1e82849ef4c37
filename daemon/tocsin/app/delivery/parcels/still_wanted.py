"""Whether letters on their way are still wanted, from how things stand now.

`planning.delivery.still_wanted` decides; this brings it the newest history, and heeds notices that were taken back and
codes that nobody knows any more.
"""

from collections.abc import Callable
from dataclasses import replace

from tocsin.app.delivery.parcels.delivery import Delivery
from tocsin.app.delivery.parcels.parcel import Parcel
from tocsin.app.state.incidents import Incidents
from tocsin.app.state.notices import Notices
from tocsin.app.state.sign_in_codes import SignInCodes
from tocsin.domain.history import History
from tocsin.domain.notification import Kind, Notification, Why
from tocsin.domain.people import Channel
from tocsin.planning.delivery.still_wanted import why_not_now
from tocsin.ports.clock import Clock


class StillWanted:
    """Asked before every try, and of what waits. `never_left`: by which channels no page of an episode has left for a
    reader (`Rooms.never_left`).
    """

    def __init__(
        self,
        clock: Clock,
        incidents: Incidents,
        notices: Notices,
        codes: SignInCodes,
        never_left: Callable[[History, str], frozenset[tuple[str, Channel]]],
    ) -> None:
        self._clock = clock
        self._incidents = incidents
        self._notices = notices
        self._codes = codes
        self._never_left = never_left

    def why_not(self, notification: Notification) -> Why | None:
        """Why it should not leave any more, or None while it should."""
        if self._notices.is_void(notification.key):
            return Why.NO_LONGER_WANTED
        if notification.kind is Kind.SIGN_IN and not self._codes.may_leave(notification.key, self._clock.now()):
            return Why.LATE
        history = self._incidents.history(notification.incident)
        if notification.kind is Kind.CLOSING and notification.episode < history.episode:
            history = replace(history, never_left=self._never_left(history, notification.to))
        return why_not_now(notification, history, self._clock.now())

    def is_late_notice(self, notification: Notification) -> bool:
        """Whether it is a notice to operators that is too old to leave."""
        return notification.kind is Kind.OPERATOR and self.why_not(notification) is Why.LATE

    def is_wanted(self, notification: Notification) -> bool:
        """Whether it should still leave, or be asked about."""
        return self.why_not(notification) is None

    def among(self, parcel: Parcel) -> list[Delivery]:
        """Those letters of a parcel that should."""
        return [member for member in parcel.members if not member.withdrawn and self.is_wanted(member.notification)]
