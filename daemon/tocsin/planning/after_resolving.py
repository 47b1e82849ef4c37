"""Closing: after the resolution everybody who heard the start hears the end (P5, rules 3, 25)."""

from tocsin.domain.facts import Closed
from tocsin.domain.notification import Kind, Reason, Why
from tocsin.domain.people import Channel
from tocsin.planning.draft import Draft
from tocsin.planning.reach import open_channels


def close(draft: Draft) -> None:
    """One closing message to each reader reached in the episode, on each channel that reached them."""
    history = draft.history
    if history.closed:
        return
    assert history.resolved_at is not None
    at, rule = draft.instant(history.resolved_at), draft.severity.place
    for group in history.groups.values():
        if group.held_since is not None:
            draft.hold(Kind.UPDATE, Why.RESOLVED, at, group.group, "the closing message says it", rule)
    people = {reader for reader in history.reached if draft.person(reader)}
    written = {person.email.casefold() for person in map(draft.person, people) if person}
    for reader, reached in history.reached.items():
        if reader not in people and reader.casefold() in written:
            draft.hold(Kind.CLOSING, Why.TOLD_ALREADY, at, reader, "it is somebody's who hears it anyway", rule)
            continue
        channels = _channels(draft, reader, reached.channels)
        for via in channels:
            draft.send(Kind.CLOSING, Reason.RESOLVED, at, reader, via, rule=rule, external=reached.external)
        if not channels:
            draft.hold(Kind.CLOSING, Why.LEFT_CONFIG, at, reader, "no address in the config is left", rule)
    draft.record(Closed(at))


def _channels(draft: Draft, reader: str, reached: tuple[Channel, ...]) -> tuple[Channel, ...]:
    """Those that reached the reader and were not refused since; if none is left, whatever they still have."""
    person = draft.person(reader)
    if person is None:
        address = reader.casefold()
        listed = any(
            address == email.casefold() for group in draft.policy.stakeholders.values() for email in group.emails
        )
        return tuple(via for via in reached if listed and (reader, via) not in draft.history.refused)
    left = open_channels(person, draft.history)
    return tuple(via for via in reached if via in left) or left
