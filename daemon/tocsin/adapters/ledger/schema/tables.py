"""What the ledger keeps. A change here comes with a script in `migrations/versions`; a new file is made of this.

Instants are ISO 8601 texts in UTC with microseconds, so that they sort as they read, but for those that the database
itself writes where several machines share it. What two machines may speak of has a name that one of them made (R52): an
attempt its `id`, everything else its key; where a table counts, that is only the order in which its rows came. The
facts of one incident count from 1 (`sequence`), so that two writers could not both go on.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
    literal_column,
)

LEADS_FROM = "0009"
"""The oldest of the scripts whose program may lead on a ledger of the newest (P9)."""

metadata = MetaData()
COUNT = Integer().with_variant(BigInteger(), "postgresql")

incidents = Table(
    "incidents",
    metadata,
    Column("id", String, primary_key=True),
    Column("finished", Boolean, nullable=False),
    Column("file", LargeBinary, nullable=False),
    Column("digest", String, nullable=False),
    Column("data", LargeBinary),
)

facts = Table(
    "facts",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("incident", String, nullable=False),
    Column("at", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("sequence", Integer, nullable=False, server_default="0"),
    Index("facts_of_incident", "incident", "sequence", unique=True),
    sqlite_autoincrement=True,
)

contents = Table(
    "contents",
    metadata,
    Column("digest", String, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("language", Text, nullable=False, server_default="en"),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),
    Column("incident", String, nullable=False, index=True),
    Column("episode", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("at", String, nullable=False),
    Column("to", String, nullable=False),
    Column("via", String, nullable=False),
    Column("roles", String, nullable=False),
    Column("level", Integer),
    Column("round", Integer),
    Column("group", String),
    Column("external", Boolean, nullable=False),
    Column("next_update_at", String),
    Column("rule", String, nullable=False),
    Column("revision", String, nullable=False),
    Column("content", String, ForeignKey("contents.digest")),
    Column("state", String, nullable=False),
    Column("settled_at", String),
    Column("detail", String, nullable=False),
    sqlite_autoincrement=True,
)

attempts = Table(
    "attempts",
    metadata,
    Column("sequence", COUNT, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("via", String, nullable=False),
    Column("address", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("outcome", String),
    Column("ended_at", String),
    Column("possible_duplicate", String, nullable=False),
    Column("receipt", String),
    Column("receipt_at", String),
    Column("provider", String, nullable=False, server_default=""),
    Column("bundle", String, nullable=False, server_default=""),
    Column("receipt_code", String, nullable=False, server_default=""),
    Column("id", String, nullable=False, server_default=""),
    Index("attempts_id", "id", unique=True),
    Index("attempts_started", "started_at"),
    sqlite_autoincrement=True,
)

bundles = Table(
    "bundles",
    metadata,
    Column("id", String, primary_key=True),
    Column("content", String, ForeignKey("contents.digest"), nullable=False),
)

configs = Table(
    "configs",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("revision", String, nullable=False),
    Column("since", String, nullable=False),
    Column("files", LargeBinary),
    Column("mac", Text),
    Column("seal", Text),
    sqlite_autoincrement=True,
)

arrivals = Table(
    "arrivals",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("who", String, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", String, nullable=False),
    Column("result", String),
    Column("words", Text),
    Index("arrivals_ref", "kind", "ref", unique=True),
    Index("arrivals_of", "kind", "who", "id"),
    sqlite_autoincrement=True,
)

opt_outs = Table(
    "opt_outs",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("via", String, nullable=False),
    Column("address", String, nullable=False),
    Column("at", String, nullable=False),
    Column("ref", String, nullable=False),
    Index("opt_outs_address", "via", "address", unique=True),
    sqlite_autoincrement=True,
)

answer_links = Table(
    "answer_links",
    metadata,
    Column("digest", String, primary_key=True),
    Column("incident", String, nullable=False),
    Column("episode", Integer, nullable=False),
    Column("person", String, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String, primary_key=True),
    Column("person", String, nullable=False),
    Column("began_at", String, nullable=False),
)

pruned = Table(
    "pruned",
    metadata,
    Column("incident", String, primary_key=True),
    Column("closed_at", String, nullable=False),
    Column("digests", Text, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("cause", String, primary_key=True),
    Column("at", String, nullable=False),
)

reports = Table(
    "reports",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("at", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("text", Text, nullable=False),
    sqlite_autoincrement=True,
)

term = Table(
    "term",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("id", String, nullable=False),
    Column("leads_from", String, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("term", String, nullable=False),
    Column("node", String, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("renewed_at", DateTime(timezone=True)),
)

installation = Table(
    "installation",
    metadata,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("id", String, nullable=False),
)

writers = Table(
    "writers",
    metadata,
    Column("node", String, primary_key=True),
    Column("last_group", BigInteger, nullable=False),
    Column("wrote_at", DateTime(timezone=True), nullable=False),
)

nodes = Table(
    "nodes",
    metadata,
    Column("name", String, primary_key=True),
    Column("folder", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("state", String, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
    Column("last_word", DateTime(timezone=True), nullable=False),
    Column("version", String, nullable=False),
    Column("config", String, nullable=False),
    Column("schema", String, nullable=False),
    Column("key", String, nullable=False),
    Column("providers_ok", Boolean, nullable=False),
    Column("stopped", Boolean, nullable=False),
)

PENDING = "pending"
"""The state of a notification that may still need a try."""
HELD = "held"
"""The state of a message that was decided not to be sent."""

pending = notifications.c.state == literal_column(f"'{PENDING}'")
answers = facts.c.kind == literal_column("'Answered'")
coded = facts.c.kind == literal_column("'Coded'")
unjudged = arrivals.c.result.is_(None)
bundled = attempts.c.bundle != literal_column("''")
unfinished = incidents.c.finished == false()
"""Conditions that have an index of just their rows, on PostgreSQL too (by the scripts; to say so here would load its
dialect). Such an index is found only by a literal, not by a parameter.
"""
Index("notifications_pending", notifications.c.id, sqlite_where=pending)
Index("facts_answers", facts.c.id, sqlite_where=answers)
Index("facts_codes", facts.c.id, sqlite_where=coded)
Index("incidents_unfinished", incidents.c.id, sqlite_where=unfinished)
Index("attempts_bundled", attempts.c.bundle, attempts.c.sequence, sqlite_where=bundled)
Index("notifications_content", notifications.c.content)
Index("bundles_content", bundles.c.content)
Index("answer_links_incident", answer_links.c.incident)
Index("arrivals_unjudged", arrivals.c.id, sqlite_where=unjudged)
