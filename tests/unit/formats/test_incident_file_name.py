"""Which names count, and the id each stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.formats.incident.file_name import ID, incident_id, is_incident_file
from tocsin.text.cleaning import shown


@pytest.mark.parametrize(
    ("name", "id_"),
    [
        ("2026-11-23-card-payments-fail.yaml", "2026-11-23-card-payments-fail"),
        ("a.yml", "a"),
        ("A_b.c.YAML", "A_b.c"),
        ("card payments (eu).yaml", "card-payments--eu-"),
        ("-payments.yaml", "payments"),
        ("-_.payments.yaml", "payments"),
        ("x" * 80 + ".yaml", "x" * 80),
        ("zürich.yaml", "z-rich"),
        ("a.yaml.yaml", "a.yaml"),
    ],
)
def test_the_stem_is_the_id(name: str, id_: str) -> None:
    """The id is the stem, with `-` for what an id cannot hold."""
    assert is_incident_file(name)
    assert incident_id(name) == id_


@pytest.mark.parametrize("name", [".a.yaml", "_a.yaml", "a.yaml~", "a.yaml.swp", "a.yaml.tmp", "README.md", "yaml", ""])
def test_names_left_alone(name: str) -> None:
    """Hidden files, drafts and what editors leave are no incident files."""
    assert not is_incident_file(name)


@given(st.text(st.characters(exclude_characters="/\0", codec=None), max_size=255))
def test_no_name_is_refused(stem: str) -> None:
    """Every stem gives a valid id, always the same; and every name can be shown."""
    name = f"{stem}.yaml"
    assert ID.fullmatch(incident_id(name))
    assert incident_id(name) == incident_id(name)
    shown(name).encode()


def test_long_and_foreign_names_are_told_apart() -> None:
    """Names that share their first 80 characters, or have no letter an id can hold, do not collide."""
    names = ["x" * 90 + "1.yaml", "x" * 90 + "2.yaml", "支付.yaml", "故障.yaml"]
    assert len({incident_id(name) for name in names}) == 4
