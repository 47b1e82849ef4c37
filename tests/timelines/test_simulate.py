"""Rules 29 and 30: what `simulate` prints, and rule 28's mark on every text."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from tocsin.cli import tocsin

from tests.timelines.stage import START, folder_of, play, shows

LADDER = """
severities: {s1: {page: {roles: [tl], via: [sms, email], acknowledge_within: 5m}}}
roles: {tl: {chain: [ana, bo, chen]}}
"""

EVERYTHING = """
severities:
  s1:
    title: Critical
    page: {roles: [tl, ic, co], via: [sms, email], acknowledge_within: 5m, still_there_after: 40m}
    updates: [{to: [execs, customers], every: 30m}]
    remind_before: 5m
    verify_after: 10m
    review: {within: 1d}
roles: {tl: {chain: [ana, bo]}, ic: {chain: [chen]}, co: {chain: [eve]}}
services: {shop: {responders: [fay]}}
stakeholders: {execs: {people: [ceo]}, customers: {emails: [list@example.org], external: true}}
"""
SCRIPT = """
- {after: 6m, ack: ana}
- {after: 7m, ack: chen}
- {after: 8m, ack: eve}
- {after: 10m, set: {roles: {ic: dai}}}
- {after: 12m, ack: dai}
- {after: 20m, update: Found it, public: We found it}
- {after: 55m, ack: eve}
- {after: 1h20m, set: {status: resolved, resolution: Failed over}}
"""


def test_both_ends_are_included() -> None:
    """Rule 29: messages with from <= at <= to, and `next` is the first one after."""
    shows(
        LADDER,
        "severity: s1",
        """
        0   page  declared   ana  sms+email  tl  0/1
        5m  page  escalated  bo   sms+email  tl  1/1
        """,
        span="5m",
        coming="10m",
    )
    shows(LADDER, "severity: s1", "0 page declared ana sms+email tl 0/1", span="4m59s", coming="5m")
    shows(LADDER, "severity: s1", "0 page declared ana sms+email tl 0/1", span="0", coming="5m")


def test_steps_after_the_end_are_ignored() -> None:
    """Rule 29: an ok after `to` does not change `next`; one at `to` does."""
    first = "0 page declared ana sms+email tl 0/1"
    shows(LADDER, "severity: s1", first, script="- {after: 4m1s, ack: ana}", span="4m", coming="5m")
    shows(LADDER, "severity: s1", first, script="- {after: 4m, ack: ana}", span="4m", coming=None)


def test_next_is_null_when_nothing_more_happens() -> None:
    """Rule 29: an accepted incident without updates has nothing to come."""
    shows(LADDER, "severity: s1", "0 page declared ana sms+email tl 0/1", script="- {after: 1m, ack: ana}", coming=None)


def test_messages_come_in_order() -> None:
    """Rule 29: by instant, kind as listed in section 7, reader, channel; here unlike the order of the config."""
    document = play(
        """
        severities:
          s1:
            page: {roles: [tl, ic], via: [sms, email], acknowledge_within: 5m}
            updates: [{to: [zeta, alpha], every: 5m}]
        roles: {tl: {chain: [[eve, ana], dai]}, ic: {chain: [[bo, chen]]}}
        stakeholders: {alpha: {people: [cto]}, zeta: {people: [ceo, hal], via: [sms, email]}}
        """,
        "severity: s1",
        "[{after: 5m, ack: chen}, {after: 6m, set: {status: resolved}}]",
    )
    found = [(m["after"], m["kind"], m["to"], m["via"]) for m in document["messages"]]
    kinds = ["page", "stand_down", "update", "closing", "reminder", "verify", "review", "operator"]
    assert found == sorted(found, key=lambda each: (each[0], kinds.index(each[1]), each[2], each[3]))
    assert [each[1:] for each in found if each[0] == 300] == [
        ("page", "dai", "email"),
        ("page", "dai", "sms"),
        ("stand_down", "bo", "sms"),
        ("update", "ceo", "email"),
        ("update", "cto", "email"),
        ("update", "hal", "email"),
        ("update", "hal", "sms"),
    ]


def test_a_script_replaces_appends_and_answers() -> None:
    """Rule 30: `set` replaces whole fields (the old assignment is gone), `update` appends, `pass` is an answer."""
    shows(
        """
        severities:
          s1: {page: {roles: [tl], via: [sms], acknowledge_within: 5m}, updates: [{to: [execs]}]}
        roles: {tl: {chain: [ana, bo]}, sc: {chain: [fay]}}
        stakeholders: {execs: {people: [ceo]}}
        """,
        "{severity: s1, roles: {tl: dai}, updates: [{text: One}]}",
        """
        0    page        declared   dai  sms    tl  0/1
        0    update      declared   ceo  email  execs
        1m   page        assigned   eve  sms    sc  0/1
        2m   update      changed    ceo  email  execs
        3m   update      changed    ceo  email  execs
        4m   page        declined   ana  sms    tl  1/1
        """,
        script="""
        - {after: 1m, set: {roles: {sc: eve}}}
        - {after: 90s, ack: eve}
        - {after: 2m, update: Two}
        - {after: 3m, public: Three}
        - {after: 4m, pass: dai}
        - {after: 5m, ack: ana}
        """,
        coming=None,
    )


def simulate(tmp_path: Path, incident: str, *options: str) -> dict[str, Any]:
    """The JSON document that the command prints."""
    config = tmp_path / "config"
    config.mkdir(exist_ok=True)
    for name, data in folder_of(EVERYTHING).items():
        (config / name).write_bytes(data)
    (tmp_path / "shop-down.yaml").write_text(incident, encoding="utf-8")
    (tmp_path / "script.yaml").write_text(SCRIPT.replace("ic: dai", "incident_commander: dai"), encoding="utf-8")
    files = [str(tmp_path / "shop-down.yaml"), "--config", str(config), "--format", "json"]
    result = CliRunner().invoke(tocsin, ["simulate", *files, *options])
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_the_defaults_of_the_command(tmp_path: Path) -> None:
    """Rule 29: --at defaults to now in whole seconds, --for to 4 h; the id is the file's stem."""
    before = datetime.now(UTC).replace(microsecond=0)
    document = simulate(tmp_path, "title: Shop down\nseverity: s1\n")
    start, end = datetime.fromisoformat(document["from"]), datetime.fromisoformat(document["to"])
    assert before <= start <= datetime.now(UTC)
    assert end - start == timedelta(hours=4)
    assert document["incident"] == "shop-down"
    assert list(document) == ["incident", "from", "to", "messages", "next"]


def test_every_message_has_all_keys(tmp_path: Path) -> None:
    """Rule 30: all keys everywhere; each null and empty where the rule says so, and only there."""
    incident = "title: Shop down\nseverity: s1\nservices: shop\n"
    at = START.isoformat().replace("+00:00", "Z")
    options = ("--at", at, "--for", "2h", "--script", str(tmp_path / "script.yaml"))
    messages = simulate(tmp_path, incident, *options)["messages"]
    keys = [
        "at",
        "after",
        "kind",
        "reason",
        "to",
        "roles",
        "group",
        "via",
        "address",
        "level",
        "round",
        "subject",
        "text",
        "segments",
    ]
    kinds = {"page", "stand_down", "update", "closing", "reminder", "verify", "review"}
    assert {message["kind"] for message in messages} == kinds
    for message in messages:
        assert list(message) == keys
        kind, sms = message["kind"], message["via"] == "sms"
        assert message["at"] == (START + timedelta(seconds=message["after"])).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert bool(message["roles"]) == (kind in {"page", "stand_down", "verify", "review"}), message
        ladder = kind == "page" and message["reason"] not in {"last_resort", "still_there"}
        assert (message["level"] is not None) == (message["round"] is not None) == ladder, message
        assert (message["group"] is not None) == (kind == "update")
        assert (message["subject"] is None) == sms
        assert (message["segments"] is None) == (not sms)
        assert message["text"]
        assert message["address"].startswith("+1415555") if sms else "@example." in message["address"]
        assert not sms or 1 <= message["segments"] <= (1 if kind == "page" else 3)
    reasons = {message["reason"] for message in messages if message["kind"] == "page"}
    assert reasons == {"declared", "escalated", "last_resort", "assigned", "still_there"}


def test_a_drill_marks_every_subject_and_text(tmp_path: Path) -> None:
    """Rule 28: every subject and every text says DRILL; without `drill` none does."""
    options = ("--at", "2026-11-23T10:00:00Z", "--for", "2h", "--script", str(tmp_path / "script.yaml"))
    incident = "title: Shop down\nseverity: s1\nservices: shop\n"
    drill = simulate(tmp_path, incident + "drill: review\n", *options)["messages"]
    assert all("DRILL" in m["text"] and (m["subject"] is None or "DRILL" in m["subject"]) for m in drill)
    assert not [m for m in drill if m["group"] == "customers"]
    plain = simulate(tmp_path, incident, *options)["messages"]
    assert not [m for m in plain if "DRILL" in m["text"] or "DRILL" in (m["subject"] or "")]
    inside = [m for m in plain if m["to"] != "list@example.org"]
    assert [(m["after"], m["kind"], m["to"], m["via"]) for m in drill] == [
        (m["after"], m["kind"], m["to"], m["via"]) for m in inside
    ]
