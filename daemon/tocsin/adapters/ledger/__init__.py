"""The durable record on SQL, written in SQLAlchemy Core so that SQLite and PostgreSQL take the same code.

`sqlite` is the ledger as a file: made, checked or set aside, locked, looked after. `migrations` bring an older one up
to date. `schema` says what is kept, and turns values into it and back. `ledger` is the port: it asks the questions of
`reads`, and hands the statements of `writes` to a `store`, whose `writer` commits them in groups. No SQL asks the
clock. The few questions that people's commands wait for `sqlite.reading` knows in SQL as well.
"""
