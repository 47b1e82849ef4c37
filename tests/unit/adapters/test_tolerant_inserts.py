"""Inserts that put up with a row that is there: one for both databases."""

import subprocess
import sys
from typing import Any

import pytest
from sqlalchemy import Dialect, not_
from sqlalchemy.dialects import postgresql, sqlite
from tocsin.adapters.ledger.schema import tables as t
from tocsin.adapters.ledger.schema.tolerant import tolerant_insert


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()], ids=["postgresql", "sqlite"])
def test_it_reads_as_postgresqls_own(dialect: Dialect) -> None:
    """With a key and without, with what is replaced, and on which condition."""

    def statements(make: Any) -> list[str]:
        notices, known = make(t.notices), make(t.opt_outs)
        quiet = not_(t.notices.c.at > "x")
        all_of_them = (
            make(t.contents).on_conflict_do_nothing(),
            known.on_conflict_do_nothing(index_elements=["via", "address"]),
            known.on_conflict_do_nothing().returning(t.opt_outs.c.id),
            notices.on_conflict_do_update(index_elements=["cause"], set_={"at": notices.excluded.at}),
            notices.on_conflict_do_update(index_elements=["cause"], set_={"at": notices.excluded.at}, where=quiet),
        )
        return [str(statement.compile(dialect=dialect)) for statement in all_of_them]

    assert statements(tolerant_insert) == statements(postgresql.insert)


def test_a_ledger_in_a_file_loads_nothing_of_postgresql() -> None:
    """Its dialect is large."""
    ask = "import sys, tocsin.app.wiring.build; print([name for name in sys.modules if 'postgresql' in name])"
    found = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
