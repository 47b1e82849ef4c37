"""The ledger port on SQL: hands rows to the writer, asks questions in threads."""

import os
import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from tocsin.adapters.ledger import redating, writes
from tocsin.adapters.ledger.reads import addresses, arrivals, messages, operation, sessions
from tocsin.adapters.ledger.reads import incidents as of_incidents
from tocsin.adapters.ledger.removal import pruning
from tocsin.adapters.ledger.schema.attempt_ids import AttemptIds
from tocsin.adapters.ledger.schema.codec import replace_non_characters
from tocsin.adapters.ledger.schema.configs import pack_config
from tocsin.adapters.ledger.schema.decoding import write_instant
from tocsin.adapters.ledger.schema.rows import (
    attempt_row,
    content_row,
    digest_of,
    end_row,
    fact_row,
    link_row,
    notification_row,
    settled_row,
    suppression_row,
)
from tocsin.adapters.ledger.store import Store
from tocsin.adapters.ledger.tallies import Tallies
from tocsin.adapters.ledger.unjudged import Unjudged
from tocsin.domain.arrival import Arrival, ArrivalKind, Judgement, OptOut, ReservedCode
from tocsin.domain.delivery import Attempt, Bundle, Letter, Outcome, Proof, Receipt, Record
from tocsin.domain.facts import Answered, Fact
from tocsin.domain.history import IncidentSummary
from tocsin.domain.incident import Incident
from tocsin.domain.notification import AnswerLink, Notification, Suppression
from tocsin.domain.people import Channel, Session
from tocsin.planning.history.fast_replace import replace
from tocsin.ports.ledger.kept_file import KeptFile
from tocsin.ports.ledger.ledger import KeptConfig
from tocsin.ports.ledger.tally import Tally
from tocsin.ports.ledger.trouble import Unreadable
from tocsin.ports.ledger.upkeep import PrunedIncident


class SqlLedger:
    """A port Ledger, and a port LedgerPlace."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._commit = store.commit
        self._commit_all = store.commit_all
        self._read = store.read
        self._unjudged = Unjudged(store)
        self._tallies = Tallies()
        self._attempt_ids = AttemptIds()

    @property
    def away(self) -> str:
        """Why it does not lie where it should; empty if it does."""
        return self.store.away

    async def close(self) -> None:
        """Finish what is queued and let go of the database."""
        await self.store.close()

    async def record(
        self,
        incident: str,
        facts: Sequence[Fact],
        letters: Sequence[Letter],
        held: Sequence[Suppression],
        anew: datetime | None = None,
    ) -> frozenset[str]:
        """Write facts and notifications together; the keys that were new. What is older than `anew` is put aside."""
        return await self._commit(writes.record, _entry(incident, facts, letters, held, anew))

    async def finish(self, incident: str) -> None:
        """Nothing can become due for this incident again without a new fact: a start need not load it."""
        await self._commit(writes.record, writes.RecordEntry(incident, finished=True))

    async def facts(self, incident: str) -> tuple[Fact, ...]:
        """All facts of one incident, in the order recorded. Raises UnreadableError."""
        return await self._read(of_incidents.facts(incident))

    async def newest_versions(self, incidents: Collection[str]) -> Mapping[str, Incident]:
        """The newest version of each of these incidents that was seen and can be read."""
        return await self._read(of_incidents.newest_versions(incidents))

    async def version_digests(self, incidents: Collection[str], *, newest: bool = False) -> dict[str, tuple[str, ...]]:
        """The digests of all versions of each of these incidents, oldest first; `newest`: of the last one alone."""
        return await self._read(of_incidents.version_digests(incidents, newest=newest))

    async def records(self, incident: str) -> tuple[Record, ...]:
        """Everything decided for an incident that can be read, to be sent or held back, in the order decided."""
        return await self._read(messages.records(incident))

    async def unfinished(self) -> dict[str, tuple[Fact, ...] | Unreadable]:
        """The facts of every incident that may still need something, by its id."""
        return await self._read(of_incidents.unfinished)

    async def unreadable_letters(self) -> tuple[Unreadable, ...]:
        """The incidents with a letter that is not settled and cannot be read, or an attempt of one; each once."""
        return await self._read(messages.unreadable_letters)

    async def settle_unreadable(self, incident: str, at: datetime) -> None:
        """Such letters of an incident are given up: they are settled as unwanted."""
        await self._commit(writes.settle_unreadable, {"incident": incident, "settled_at": write_instant(at)})

    async def incidents(self) -> tuple[str, ...]:
        """The ids of all incidents ever seen."""
        return await self._read(of_incidents.incidents)

    async def last_closed(self, most: int) -> tuple[tuple[str, datetime], ...]:
        """The incidents that were closed last, the newest first, each once with the instant."""
        return await self._read(of_incidents.last_closed(most))

    async def summaries(self, incidents: Collection[str]) -> Mapping[str, IncidentSummary]:
        """What each of these is known by without its whole story, if its newest version can be read."""
        return await self._read(of_incidents.summaries(incidents))

    async def keep_file(self, incident: str, file: str, digest: str, data: bytes) -> None:
        """Keep the bytes of the newest good version of an incident's file."""
        row = {"id": incident, "file": os.fsencode(file), "digest": digest, "data": zlib.compress(data)}
        await self._commit(writes.keep_file, row)

    async def files(self) -> dict[str, tuple[str, str]]:
        """For every incident the name of its file and the digest of its newest good version."""
        return await self._read(of_incidents.files)

    async def file(self, incident: str) -> KeptFile | None:
        """The name and the bytes of the newest good version of an incident's file."""
        return await self._read(of_incidents.file(incident))

    async def pruned(self, incident: str) -> PrunedIncident | None:
        """What is left of a pruned incident; None: it was never pruned."""
        return await self._read(pruning.pruned(incident))

    async def pruned_digests(self) -> Mapping[str, str]:
        """The digest of the newest version of each pruned incident."""
        return await self._read(pruning.pruned_digests)

    async def begin_attempt(
        self, key: str, via: Channel, address: str, at: datetime, possible_duplicate: str = "", *, provider: str = ""
    ) -> Attempt:
        """Record an attempt before its first byte leaves."""
        begun = self._attempt(key, via, address, at, possible_duplicate, provider)
        begun = replace(begun, number=await self._commit(writes.begin_attempt, attempt_row(begun)))
        await self.store.note_begun([begun])
        return begun

    async def begin_bundle(
        self,
        bundle: Bundle,
        keys: Sequence[str],
        via: Channel,
        address: str,
        at: datetime,
        causes: Mapping[str, str],
        *,
        provider: str = "",
    ) -> tuple[Attempt, ...]:
        """Record one try of a bundle before its first byte leaves: an attempt for each of these keys."""
        tries = [self._attempt(key, via, address, at, causes.get(key, ""), provider, bundle.id) for key in keys]
        digest = digest_of(bundle.content)
        words, links = content_row(digest, bundle.content), [link_row(link) for link in bundle.links]
        entry = writes.BundleEntry(bundle.id, digest, words, [attempt_row(attempt) for attempt in tries], links)
        numbers = await self._commit(writes.begin_bundle, entry)
        begun = tuple(replace(attempt, number=number) for attempt, number in zip(tries, numbers, strict=True))
        await self.store.note_begun(begun)
        return begun

    def _attempt(
        self, key: str, via: Channel, address: str, at: datetime, cause: str, provider: str, bundle: str = ""
    ) -> Attempt:
        """One that is to be recorded; its number is the ledger's to give."""
        cause = cause or self.store.repetition(key, via, address, at)
        id_ = self._attempt_ids.make(at)
        return Attempt(id_, key, 0, via, address, at, possible_duplicate=cause, provider=provider, bundle=bundle)

    async def bundle(self, id_: str) -> Bundle | None:
        """A bundle by its id."""
        return await self._read(messages.bundle(id_))

    async def answer_link(self, digest: str) -> AnswerLink | None:
        """Whom a short link is for, by the digest of what it ends with; None: it is none of ours."""
        return await self._read(messages.answer_link(digest))

    async def end_attempt(self, attempt: Attempt, outcome: Outcome, at: datetime) -> None:
        """Record how an attempt ended. What says less than is known already counts for nothing."""
        row = end_row(attempt, outcome, at)
        self.store.note_ended(row)
        await self._commit(writes.end_attempt, row)

    async def end_and_settle(
        self, ended: Sequence[tuple[Attempt, Outcome, datetime]], settled: Sequence[tuple[str, str, datetime]]
    ) -> None:
        """Record how attempts ended, whoever leads, and what nothing more is tried for. Each counts by itself, though
        they mostly share a transaction.
        """
        ends = [end_row(*end) for end in ended]
        for row in ends:
            self.store.note_ended(row)
        settlements = ((writes.settle, settled_row(*settlement)) for settlement in settled)
        await self._commit_all([*((writes.end_attempt, row) for row in ends), *settlements])

    async def record_receipt(self, attempt: Attempt, receipt: Receipt, at: datetime, code: str = "") -> None:
        """What the provider said became of an attempt; never moves backwards."""
        row = {
            "this": attempt.id,
            "rank": receipt.rank,
            "receipt": receipt.value,
            "receipt_at": write_instant(at),
            "receipt_code": code,
        }
        await self._commit(writes.record_receipt, row)

    async def settle(self, key: str, state: str, at: datetime) -> None:
        """Nothing more will be tried for this notification. The first state stands."""
        await self._commit(writes.settle, settled_row(key, state, at))

    async def find_attempt(self, attempt: str) -> tuple[tuple[Attempt, Notification], ...]:
        """An attempt by its id, and the notification it was for; then what left with it in the same try."""
        return await self._read(messages.find_attempt(attempt))

    async def sent_pages(self, since: datetime, person: str = "") -> tuple[tuple[Notification, Attempt], ...]:
        """What the room of each address is reckoned from at a start, in the order begun."""
        return await self._read(addresses.sent_pages(since, person))

    async def unsettled(self) -> tuple[Letter, ...]:
        """Every letter that is not settled and can be read, with its attempts, oldest first."""
        return await self._read(messages.unsettled)

    async def refusals(self) -> tuple[Attempt, ...]:
        """The newest attempt at each address that was taken or refused for good, where it was refused."""
        return await self._read(addresses.refusals)

    async def record_arrival(self, arrival: Arrival) -> bool:
        """Keep something that came in. False when its kind and `ref` are known."""
        row = {"kind": arrival.kind.value, "ref": arrival.ref, "who": arrival.who, "at": write_instant(arrival.at)}
        row |= {"body": replace_non_characters(arrival.body)}
        return await self._commit(writes.record_arrival, row)

    async def unjudged_arrivals(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """What came in and is not judged yet, oldest first, each with its row."""
        return await self._unjudged.ask(arrivals.unjudged_arrivals)

    async def unjudged_alerts(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """The alerts among it."""
        return await self._unjudged.ask(arrivals.unjudged_alerts)

    async def unjudged_acts(self) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """What people do to incidents, or declare."""
        return await self._unjudged.ask(arrivals.unjudged_acts)

    async def news(self, within: float) -> None:
        """Wait until there may be something else to judge."""
        await self._unjudged.news(within)

    async def unjudged_hand_ins(self, under_way: Collection[int] = ()) -> tuple[tuple[int, Arrival | Unreadable], ...]:
        """What other machines handed in."""
        return await self._read(arrivals.unjudged_hand_ins(tuple(under_way)))

    async def record_result(self, row: int, result: str, words: str = "") -> None:
        """An arrival is judged. The first result stands, with its words."""
        judged = {"this": row, "result": result, "words": replace_non_characters(words)}
        await self._commit(writes.record_result, judged)

    async def outcome(self, kind: ArrivalKind, ref: str) -> Judgement | None:
        """What became of an arrival; None: it is not judged yet, or unknown."""
        return await self._read(arrivals.outcome(kind, ref))

    async def has_arrived(self, kind: ArrivalKind, ref: str) -> bool:
        """Whether an arrival is there, judged or not."""
        return await self._read(arrivals.has_arrived(kind, ref))

    async def newest_results(self, kind: ArrivalKind, who: str, most: int) -> tuple[str, ...]:
        """What the newest judged arrivals of somebody led to, newest first."""
        return await self._read(arrivals.newest_results(kind, who, most))

    async def results_since(self, kind: ArrivalKind, who: str, since: datetime) -> tuple[tuple[datetime, str], ...]:
        """When each judged arrival of somebody came in after an instant, and what it led to, oldest first."""
        return await self._read(arrivals.results_since(kind, who, since))

    async def last_arrival_at(self, kind: ArrivalKind) -> datetime | None:
        """When the newest of a kind came in."""
        return await self._read(arrivals.last_arrival_at(kind))

    async def reserved_codes(self, since: datetime) -> tuple[ReservedCode, ...]:
        """The reply codes of incidents that are open or were closed after `since`, in the order given."""
        return await self._read(arrivals.reserved_codes(since))

    async def pages_handed_over(self, person: str, until: datetime, *, begun: bool) -> frozenset[tuple[str, int]]:
        """The unfinished incidents, each with the episode, of which a provider took a page to that person by then."""
        return await self._read(addresses.pages_handed_over(person, until, begun=begun))

    async def record_answers(self, answers: Sequence[tuple[str, Answered]], letter: Letter) -> bool:
        """Write down answers, and the letter that tells of them. False: the letter's key is known."""
        facts = [writes.RecordEntry(incident, [fact_row(incident, answer)]) for incident, answer in answers]
        entry = _entry(letter.notification.incident, (), [letter], ())
        return await self._commit(writes.record_answers, (entry, facts))

    async def opt_outs(self) -> tuple[OptOut, ...]:
        """Every address that wants nothing more, in the order they said so."""
        return await self._read(addresses.opt_outs)

    async def opt_out(self, opt_out: OptOut) -> None:
        """Nothing more goes to this address."""
        at = write_instant(opt_out.at)
        row = {"via": opt_out.via.value, "address": opt_out.address, "at": at, "ref": opt_out.ref}
        await self._commit(writes.opt_out, row)

    async def opt_in(self, via: Channel, address: str) -> bool:
        """This address may be written to again. False: it might all along."""
        return await self._commit(writes.opt_in, {"of": via.value, "this": address})

    async def proofs(self) -> Mapping[tuple[Channel, str], Proof]:
        """When each address last proved to work."""
        return await self._read(addresses.proofs)

    async def begin_session(self, session: Session) -> None:
        """Somebody has signed in."""
        row = {"digest": session.digest, "person": session.person, "began_at": write_instant(session.began_at)}
        await self._commit(writes.begin_session, row)

    async def end_sessions(self, digests: Collection[str]) -> None:
        """These are over."""
        await self._commit(writes.end_sessions, list(digests))

    async def sessions(self) -> tuple[Session, ...]:
        """All that can be read, in the order they began."""
        return await self._read(sessions.sessions)

    async def session(self, digest: str) -> Session | None:
        """One of them; None: there is none."""
        return await self._read(sessions.session(digest))

    async def record_config(
        self,
        revision: str,
        files: Mapping[str, bytes],
        at: datetime,
        mac: str = "",
        templates: Mapping[str, str] | None = None,
    ) -> None:
        """A good config came into force, or other templates did beside it."""
        packed = pack_config(files, templates)
        seal = self.store.seal(revision, packed) or None
        row = {"revision": revision, "since": write_instant(at), "files": packed, "mac": mac or None, "seal": seal}
        await self._commit(writes.record_config, row)

    async def last_good_config(self) -> KeptConfig | None:
        """The config that came into force last and can be read."""
        return await self._read(operation.last_good_config(self.store.vouches))

    async def kept_files(self) -> Sequence[Mapping[str, bytes]]:
        """The files of all configs that are kept and can be read, the newest first."""
        return await self._read(operation.kept_files)

    async def claim_notice(self, cause: str, at: datetime, quiet: timedelta) -> bool:
        """Whether operators may hear of this cause now: they were not told of it within `quiet`. Counts as telling."""
        return await self._commit(writes.claim_notice, writes.NoticeClaim(cause, at, quiet))

    async def noticed_at(self, cause: str) -> datetime | None:
        """When this cause was last told; None: never."""
        return await self._read(operation.noticed_at(cause))

    async def noticed(self, trouble: str) -> Mapping[str, datetime]:
        """Every cause of a trouble that was told, and when last."""
        return await self._read(operation.noticed(trouble))

    async def move_clock(self, by: timedelta, now: datetime) -> None:
        """The clock was put forward by so much and says `now`: what still matters is moved with it."""
        await self._commit(redating.move, redating.ClockMove(by, now))

    async def bring_back(self, now: datetime) -> timedelta:
        """Nothing that still matters is later than now; how far ahead the latest was."""
        return await self._commit(redating.bring_back, now)

    async def tally(self, settled_before: datetime) -> Tally:
        """What the ledger holds, in numbers. Rows begun before that instant count as they were found first."""
        return await self._read(lambda connection: self._tallies.count(connection, settled_before))


def _entry(
    incident: str,
    facts: Sequence[Fact],
    letters: Sequence[Letter],
    held: Sequence[Suppression],
    anew: datetime | None = None,
) -> writes.RecordEntry:
    digests = {content: digest_of(content) for content in dict.fromkeys(letter.content for letter in letters)}
    rows = [notification_row(letter.notification, digests[letter.content]) for letter in letters]
    return writes.RecordEntry(
        incident,
        [fact_row(incident, fact) for fact in facts],
        {digest: content_row(digest, content) for content, digest in digests.items()},
        [*rows, *map(suppression_row, held)],
        [link_row(letter.link) for letter in letters if letter.link],
        anew=anew,
    )
