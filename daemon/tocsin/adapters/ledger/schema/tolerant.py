"""Inserts that put up with a row that is there already, for both databases.

SQLAlchemy has such an insert for each database apart, with the same clause. That of SQLite serves for both: that of
PostgreSQL would load all of its dialect, 2 MB and a twentieth of a command's time, where there is none. A test holds
both to the same words.
"""

from typing import Any

from sqlalchemy.dialects.sqlite import Insert as TolerantInsert
from sqlalchemy.dialects.sqlite import insert as tolerant_insert
from sqlalchemy.dialects.sqlite.dml import OnConflictDoNothing, OnConflictDoUpdate
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["TolerantInsert", "tolerant_insert"]


@compiles(OnConflictDoNothing, "postgresql")
@compiles(OnConflictDoUpdate, "postgresql")
def _in_words_of_postgresql(clause: Any, compiler: SQLCompiler, **how: Any) -> str:
    """The clause by PostgreSQL's own compiler, which asks for one thing more: a constraint's name. None."""
    clause.constraint_target = None
    words: str = getattr(compiler, f"visit_{clause.__visit_name__}")(clause, **how)
    return words
