"""Records of SPF, DKIM and DMARC: whatever a stranger publishes, reading gives a value or a sentence."""

from hypothesis import example, given
from hypothesis import strategies as st
from tocsin.formats.mail_records.dkim import is_key, key_problem
from tocsin.formats.mail_records.dmarc import is_dmarc, read_dmarc
from tocsin.formats.mail_records.spf import SpfTerm, is_spf, read_spf
from tocsin.formats.mail_records.tags import read_tags

WORDS = st.sampled_from(
    ["v=spf1", "v=DMARC1;", "v=DKIM1;", "p=", "p=none;", "-all", "ip4:", "ip6:::1", "a/33", "mx//129", "include:", "=", ";",
     "redirect=", "%{i}", "exists:%{", "rua=mailto:", "k=rsa;", "🙂", "\x00", "+", "?all", "all:x", "ptr", "a:/", ":"]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(WORDS).map(" ".join), st.lists(WORDS).map("".join))


@given(TEXTS)
@example("v=spf1 a:b/c//d =x /")
def test_reading_never_raises(text: str) -> None:
    """Neither does asking what a text is."""
    record = read_spf(text)
    assert not (record.problem and record.terms)
    dmarc = read_dmarc(text)
    assert dmarc.problem or dmarc.policy in ("none", "quarantine", "reject")
    key_problem(text)
    read_tags(text)
    assert {type(is_spf(text)), type(is_dmarc(text)), type(is_key(text))} == {bool}


def test_terms_of_spf() -> None:
    """How each judges, its name, and what it is about; lengths of networks are left out."""
    record = read_spf(
        "v=spf1 a mx:acme.dev/24 -ip4:192.0.2.0/24 ?include:%{d}.acme.dev a/24//64 ~all exp=why.acme.dev x=y"
    )
    assert record.problem == ""
    assert record.terms == (
        SpfTerm("+", "a"),
        SpfTerm("+", "mx", "acme.dev"),
        SpfTerm("-", "ip4", "192.0.2.0/24"),
        SpfTerm("?", "include", "%{d}.acme.dev"),
        SpfTerm("+", "a"),
        SpfTerm("~", "all"),
    )
    assert record.others == "~"
    assert read_spf("v=spf1 redirect=acme.dev").redirect == "acme.dev"
