"""Where the ledger is: what an address may look like, and that its password is nowhere to be seen (P3)."""

from pathlib import Path

import pytest
from tocsin.formats.settings.layers import SettingsLayers, read_settings
from tocsin.formats.settings.ledger_address import LedgerAddress, read_address
from tocsin.text.yaml import read_yaml

SETTINGS = "operators: [ana]\nlast_resort: [ana]\nemail: {sender: i@example.com}\nsms: {sender: Acme}\n"
SERVER = "postgresql://tocsin@db1.example.com:5432,db2.example.com/tocsin?target_session_attrs=read-write"


@pytest.mark.parametrize(
    ("address", "server", "password"),
    [
        (SERVER, SERVER, ""),
        ("postgres://db/tocsin", "postgres://db/tocsin", ""),
        ("postgresql://tocsin:a%2Fb%40%3Ac@[::1]:5433/tocsin", "postgresql://tocsin@[::1]:5433/tocsin", "a/b@:c"),
        (
            "postgresql://db/tocsin?password=p%26q&sslmode=verify-full",
            "postgresql://db/tocsin?sslmode=verify-full",
            "p&q",
        ),
        ("postgresql://:pw@db/tocsin", "postgresql://db/tocsin", "pw"),
        ("postgresql://%2Frun%2Fpostgresql/tocsin", "postgresql://%2Frun%2Fpostgresql/tocsin", ""),
        ("postgresql://?service=tocsin", "postgresql://?service=tocsin", ""),
        ("postgresql:///?host=/run/postgresql&dbname=tocsin", "postgresql:///?host=/run/postgresql&dbname=tocsin", ""),
    ],
)
def test_an_address_of_a_server(address, server, password):
    """It stays as libpq wants it, its password apart; people see neither that nor the options."""
    place = read_address(address)
    assert (place.file, place.server, place.password) == (None, server, password)
    assert str(place) == server.partition("?")[0]
    assert not password or password not in f"{place!r}{place}"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://db.example.com",
        "postgresql://db.example.com/",
        "postgresql://tocsin:hunter2@x@db/tocsin",
        "postgresql://tocsin:hunter2/x@db/tocsin",
        "postgresql://tocsin:hunter2 @db/tocsin",
        "postgresql+psycopg://tocsin:hunter2@db/tocsin",
        "postgresql:hunter2",
        "mysql://tocsin:hunter2@db/tocsin",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "hunter2",
        "",
    ],
)
def test_no_address(address):
    """What is wrong is said with an example, and without what may be a password."""
    with pytest.raises(ValueError, match="write it such as") as fault:
        read_address(address)
    assert "hunter2" not in str(fault.value)


@pytest.mark.parametrize(
    ("written", "credential", "variable", "place"),
    [
        (SERVER, {}, {}, LedgerAddress(None, SERVER)),
        (SERVER, {"tocsin_ledger": "p/w\n"}, {}, LedgerAddress(None, SERVER, "p/w")),
        (SERVER, {}, {"TOCSIN_LEDGER": "hunter2"}, LedgerAddress(None, SERVER, "hunter2")),
        (SERVER, {"tocsin_ledger": "hunter1"}, {"TOCSIN_LEDGER": "hunter2"}, LedgerAddress(None, SERVER, "hunter2")),
        (
            SERVER,
            {"tocsin_ledger": "postgresql://tocsin_read:pw@db/tocsin"},
            {},
            LedgerAddress(None, "postgresql://tocsin_read@db/tocsin", "pw"),
        ),
        ("sqlite:///../var/a.db", {}, {"TOCSIN_LEDGER": SERVER}, LedgerAddress(None, SERVER)),
        (SERVER, {}, {"TOCSIN_LEDGER": "sqlite:////b.db"}, LedgerAddress(Path("/b.db"))),
    ],
)
def test_the_password_comes_from_outside(written, credential, variable, place):
    """P3: TOCSIN_LEDGER and the credential file are a whole address, or the password for that of tocsin.yaml."""
    document = read_yaml(f"{SETTINGS}ledger: {written}\n", "config/tocsin.yaml")
    reading = read_settings(SettingsLayers(document, credential, variable, Path("/srv/pager/config")))
    assert reading.settings is not None, reading.problems
    assert reading.settings.ledger == place
    shown = repr(reading.settings) + str(reading.settings.model_dump()) + reading.settings.model_dump_json()
    assert not place.password or place.password not in shown
    assert reading.settings.state == (Path("/") if place.file else Path("/srv/pager/var"))


def test_a_password_alone_is_none_for_a_file():
    """It is told as what it is, and not repeated."""
    document = read_yaml(f"{SETTINGS}ledger: sqlite:///a.db\n", "config/tocsin.yaml")
    reading = read_settings(SettingsLayers(document, {}, {"TOCSIN_LEDGER": "hunter2"}, Path("/x")))
    assert reading.settings is None
    assert "hunter2" not in repr(reading.problems)
    assert any("postgresql://" in problem.message for problem in reading.problems)
