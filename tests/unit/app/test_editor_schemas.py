"""The schemas for editors agree with the readers: what is shipped is good to both, what is wrong in shape to neither."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tocsin.app.configuration.editor_schemas import SCHEMAS
from tocsin.app.configuration.read_tree import read_tree
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.incident.read import read_incident
from tocsin.formats.policy_test.read import read_policy_tests
from tocsin.formats.schema import patterns
from tocsin.text import scalars

from tests.editor import seen

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data"
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
BASE = {path.name: path.read_bytes() for path in (DATA / "config" / "base").iterdir()}
VALIDATORS = {name: Draft202012Validator(json.loads(text())) for name, text in SCHEMAS.items()}
SHIPPED = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "config").rglob("*.y*ml"))

ELSEWHERE = {
    "alias", "anchor", "calendar-over", "declared-twice", "duplicate-key", "group-twice", "name-clash",
    "no-such-file", "not-yaml", "severity-without-page", "shared-phone", "unknown-hours", "unknown-person",
    "unknown-role", "unknown-rotation", "unknown-severity", "unknown-stakeholder-group",
}  # fmt: skip
"""Codes of problems beyond the shape of one file: other entries, other files, the environment, YAML itself."""

ONLY_CODE = {
    "operators-missing": "they may come from the environment",
    "sender-missing": "it may come from the environment",
    "chain-rotation-bare": "the name of a rotation",
    "cron-zone-unknown": "which zones there are",
    "duration-beyond-reason": "a sum",
    "handoff-each-minute": "how long a rotation has run",
    "override-backwards": "which instant is the later",
    "person-zone-unknown": "which zones there are",
    "phone-too-short": "how long the numbers of a country are",
    "shift-handoff-never": "which dates there are",
    "smtp-without-host": "the host may come from the environment",
    "sms-sender-missing": "the sender may come from the environment",
    "twilio-without-account": "the account may come from the environment",
}
"""What a pattern cannot see, and why."""


def fragment(text):
    """The errors of a fragment beside a good config."""
    files = {"base/all.yaml": BASE["all.yaml"], "tocsin.yaml": BASE["tocsin.yaml"], "x.yaml": text.encode()}
    found = read_tree(files, Path("/x/config"), AT, {})
    return [each for each in found.problems if each.level is ProblemLevel.ERROR]


def settings(text):
    """The errors of a tocsin.yaml beside good fragments."""
    files = {"base/all.yaml": BASE["all.yaml"], "tocsin.yaml": text.encode()}
    found = read_tree(files, Path("/x/config"), AT, {})
    return [each for each in found.problems if each.level is ProblemLevel.ERROR]


def declared(text):
    """The problems of an incident file, warnings too: an editor has one colour only."""
    policy = read_tree(BASE, Path("/x/config"), AT, {}).policy
    return read_incident(text.encode(), "x.yaml", policy, None, "x.yaml").problems


def played(text):
    """The problems of a file of policy tests beside a good config."""
    policy = read_tree(BASE, Path("/x/config"), AT, {}).policy
    return read_policy_tests(text.encode(), "config/tests/x.yaml", policy, {"../../a.yaml": TWO.encode()}.get)[1]


def judged(kind, text):
    """What the schema says of a file as an editor reads it."""
    return [error.message for error in VALIDATORS[kind].iter_errors(seen(text))]


def announced(path):
    """The codes that a case announces in its comments."""
    return set(re.findall(r"#! \d+ ([a-z-]+):", path.read_text()))


CASES = [
    path
    for folder in ("config", "settings")
    for path in sorted((DATA / folder).glob("*.yaml"))
    if path.stem not in ONLY_CODE and announced(path) - ELSEWHERE
]


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_schemas_are_schemas(name):
    """Each is valid JSON Schema 2020-12, and says of every key what it is for."""
    schema = VALIDATORS[name].schema
    Draft202012Validator.check_schema(schema)

    assert list(undescribed(schema)) == []


def undescribed(part, path=""):
    """The keys of objects that no description explains."""
    if isinstance(part, list):
        for each in part:
            yield from undescribed(each, path)
    if not isinstance(part, dict):
        return
    if "additionalProperties" in part:
        yield from (f"{path}.{key}" for key, value in part.get("properties", {}).items() if "description" not in value)
    for key, value in part.items():
        yield from undescribed(value, f"{path}.{key}")


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_shipped_schemas_are_those_that_the_command_prints(name):
    """An editor's schema never goes stale."""
    path = ROOT / "config" / "schema" / f"{name}.json"
    assert path.read_text() == SCHEMAS[name](), f"renew it: tocsin schema {name} > config/schema/{name}.json"


@pytest.mark.parametrize("path", SHIPPED)
def test_every_shipped_file_is_good_and_names_its_schema(path):
    """The config to start from opens in an editor with completion, and nothing underlined."""
    text = (ROOT / path).read_text()
    up = "../" * (len(Path(path).parts) - 2)
    assert text.startswith(f"# yaml-language-server: $schema={up}schema/config.json\n")
    assert judged("config", text) == []


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_each_wrong_shape_is_refused_by_the_schema_too(path):
    """What the reader refuses for its shape (the tables of its own tests), an editor underlines."""
    assert judged("config", path.read_text())


OPENS = "people: {x: {email: x@example.com}}"
STREAM = "severities: {s: {updates: [{to: [staff], %s}]}}"
PAGE = "severities: {s: {page: {roles: [lead], via: [sms], acknowledge_within: 5m, %s}}}"
SHIFT = "rotations: {r: {shifts: [{members: [ana], handoff: 0 9 * * mon, timezone: UTC, starts: 2026-01-05, %s}]}}"
GROUP = "stakeholders: {g: {emails: [g@example.com], %s}}"
PERSON = "people: {x: {email: x@example.com, %s}}"
LEAST = """operators: [ana]
last_resort: [ana, bo]
email: {sender: incidents@example.com}
sms: {sender: "+15005550006"}
"""

GOOD_FRAGMENTS = [
    "",
    "# nothing yet",
    "people:",
    OPENS,
    "severities: {low: }",
    "services: {s: {title: 404}}",
    "severities: {s: {title: Bad, meaning: , review: {within: 5d}, remind_before: 5m, verify_after: PT30M}}",
    PAGE % "rounds: 1000, hours: office, still_there_after: 2h",
    PAGE % "hours: always, still_there_after: ",
    "severities: {s: {page: {roles: lead, via: email, acknowledge_within: 1d 2H 3m 4s}}}",
    STREAM % "every: 90m",
    STREAM % "every: [{for: 2h, every: 30m}, {every: 1h}]",
    STREAM % 'cron: "*/15 9-17 1,15 jan-mar mon", timezone: Europe/Berlin',
    STREAM % "every: , cron: 0 9 * * 1",
    "severities: {s: {updates: [{to: staff}]}}",
    PERSON % 'name: "Ana: \\"x\\"", timezone: America/Argentina/Buenos_Aires, language: pt-BR',
    PERSON % "phone: +14155550107",
    PERSON % 'phone: "+1 (415) 555-0107"',
    PERSON % "phone: , reach: email",
    PERSON % "reach: [sms, {via: email, after: 0s}, {via: sms}]",
    "people: {007: {phone: +49 30 23125 101}}",
    SHIFT % "during: [mon-fri 8:00-20:00, sat, sun 22:00 - 24:00]".replace("sat, sun", '"sat,sun').replace("]", '"]'),
    SHIFT % "during: fri-mon 22:00-06:00",
    "rotations: {r: {shifts: [{members: ana, handoff: '0 0 1 * *', timezone: UTC, starts: 2026-01-05 09:00:00}]}}",
    "rotations: {r: {shifts: [{members: [ana, ana], handoff: 0 9 * * mon, timezone: UTC, starts: 2026-W02-1T09:00}],"
    " overrides: [{person: ana, from: 2026-12-24T09:00+01:00, to: 20261227T0900Z, instead_of: bo}]}}",
    "services: {s: {roles: {lead: [duty.on_call, [ana, duty.next], duty.everyone]}, responders: ana, stakeholders: staff}}",
    "roles: {r: {title: R, duties: D, chain: ana}}",
    GROUP % "external: true, via: [email, sms], people: ana, language: en, first: accepted",
    "stakeholders: {g: {people: [ana], emails: []}}",
    "stakeholders: {g: {people: [], emails: [g@example.com], external: false}}",
    "services: {s: {runbook: https://wiki.example.com/s, bridge: '#s', links: {Graphs: http://g.example.com/, Call: 'tel:+1415'}}}",
    "services: {s: {runbook: , bridge: , links: }}",
    PERSON % "closing: email",
    "severities: {s: {closing: email}}",
    "hours: {h: {timezone: Asia/Kolkata, during: 00:00-00:00}}",
]
WRONG_FRAGMENTS = [
    "people: [ana]",
    "people: {x: {email: x@example.com, Email: y@example.com}}",
    "people: {-x: {email: x@example.com}}",
    f"people: {{{'x' * 65}: {{email: x@example.com}}}}",
    PERSON % "name: {first: X}",
    f"people: {{x: {{email: x@example.com, name: {'x' * 4001}}}}}",
    PERSON % "timezone: [UTC]",
    PERSON % "timezone: localtime",
    PERSON % "phone: 0014155550101x",
    PERSON % "phone: +1415",
    PERSON % "reach: [{after: 3m}]",
    PERSON % "reach: [{via: sms, after: 3}]",
    "people: {x: {email: x@y@example.com}}",
    "people: {x: {email: , phone: }}",
    PAGE % "rounds: 1001",
    PAGE % "rounds: 1.5",
    PAGE % "still_there_after: 0s",
    "severities: {s: {page: {roles: [], via: [sms], acknowledge_within: 5m}}}",
    "severities: {s: {page: {roles: [lead, lead], via: [sms], acknowledge_within: 5m}}}",
    "severities: {s: {page: {roles: [lead], via: [SMS], acknowledge_within: 5m}}}",
    "severities: {s: {page: {roles: [lead], via: [sms], acknowledge_within: }}}",
    "severities: {s: {page: always}}",
    "severities: {s: {updates: {to: [staff]}}}",
    "severities: {s: {updates: [{every: 5m}]}}",
    STREAM % "every: 5 minutes",
    STREAM % "every: []",
    STREAM % "every: [{for: 1h}]",
    STREAM % "cron: '@daily'",
    STREAM % "cron: 0 9 * *",
    STREAM % "cron: R 9 * * mon",
    STREAM % "cron: [0 9 * * mon]",
    "severities: {s: {review: 5d}}",
    "severities: {s: {review: {within: 5d, remind: 1d}}}",
    SHIFT % "during: mon-fri",
    SHIFT % "during: 9-17",
    SHIFT % "during: []",
    "rotations: {r: {shifts: [{members: [], handoff: 0 9 * * mon, timezone: UTC, starts: 2026-01-05}]}}",
    "rotations: {r: {shifts: [{members: [ana], timezone: UTC, starts: 2026-01-05}]}}",
    "rotations: {r: {shifts: [{members: [ana], handoff: 0 9 * * mon, timezone: UTC, starts: tomorrow}]}}",
    "rotations: {r: {calendar: x.ics, overrides: [{person: ana, from: 2026-12-24T09:00Z}]}}",
    "services: {s: {roles: [lead]}}",
    "services: {s: {responders: []}}",
    "services: {s: {owner: ana}}",
    "roles: {r: {chain: [[]]}}",
    "roles: {r: {chain: [ana.next.next]}}",
    "roles: {r: {chain: [{person: ana}]}}",
    GROUP % "via: fax",
    GROUP % "external: 1",
    GROUP % "via: sms",
    GROUP % "external: ",
    GROUP % "external: true, first: never",
    PERSON % "closing: sms",
    "services: {s: {runbook: wiki}}",
    "services: {s: {links: {Graphs: ftp://example.com}}}",
    "services: {s: {links: [https://example.com]}}",
    "services: {s: {bridge: " + "x" * 201 + "}}",
    "stakeholders: {g: {emails: []}}",
    "stakeholders: {g: {people: []}}",
    "stakeholders: {g: {people: [], emails: []}}",
    "hours: {h: {timezone: UTC, during: [mon-fri 09:00-17:60]}}",
    "hours: {h: {timezone: UTC, during: {mon: 09:00-17:00}}}",
    "operators: [ana]\npeople: {x: {email: x@example.com}}",
]
GOOD_SETTINGS = [
    LEAST,
    LEAST + "ledger: sqlite:////var/lib/tocsin/db\nunreadable_severity: SEV1\npublic_url: https://t.example.com/x\n",
    LEAST + "web: {listen: '[::1]:8765', alertmanager: {severities: {critical: sev1}, default_severity: sev1}}\n",
    LEAST + "heartbeat: {url: http://127.0.0.1:9/ping, every: 30s}\nreplies: {by: off}\nincidents: \nweb: \n",
    LEAST.replace("{sender: i", "{transport: smtp, host: mx.example.com, security: tls, port: 465, sender: i"),
    LEAST.replace('"+15005550006"', "32665"),
    LEAST.replace('"+15005550006"', "Example 24"),
    LEAST.replace("incidents@example.com", "'\"Incidents, Ltd.\" <incidents@example.com>'"),
    LEAST.replace('{sender: "', '{transport: twilio, account_sid: AC0f, messaging_service_sid: MG1, sender: "'),
    LEAST.replace("[ana]", "ana"),
    LEAST + "organisation: Acme\nreply_to: help@example.com\nbridge: https://meet.example.com/acme\n",
    LEAST + "organisation: \nreply_to: \nbridge: +49 30 1234567\n",
]
WRONG_SETTINGS = [
    LEAST + "incidents: [a, b]\n",
    LEAST + "ledger: 'sqlite:///:memory:'\n",
    LEAST + "web: {listen: 127.0.0.1:65536}\n",
    LEAST + "web: {token: x}\n",
    LEAST + "web: {alertmanager: {severity: critical}}\n",
    LEAST + "web: 127.0.0.1:8765\n",
    LEAST + "public_url: https://\n",
    LEAST + "public_url: ftp://t.example.com\n",
    LEAST + "heartbeat: {url: https://h.example.com, every: 1}\n",
    LEAST + "replies: poll\n",
    LEAST + "outbox: {path: x}\n",
    LEAST + "people: {x: {email: x@example.com}}\n",
    LEAST.replace("[ana]", "[ana, ana]"),
    LEAST.replace("[ana]", "[ana souza]"),
    LEAST.replace("{sender: i", "{port: 0, sender: i"),
    LEAST.replace("{sender: i", "{transport: SMTP, sender: i"),
    LEAST.replace("{sender: i", "{api_key: x, sender: i"),
    LEAST.replace('{sender: "', '{api_secret: x, sender: "'),
    LEAST.replace('{sender: "', '{messaging_service_sid: AC1, sender: "'),
    LEAST.replace('{sender: "', '{api_url: example.com, sender: "'),
    LEAST.replace("incidents@example.com", "Incidents"),
    LEAST + "organisation: [Acme]\n",
    LEAST + f"organisation: {'x' * 201}\n",
    LEAST + "reply_to: nobody\n",
    LEAST + "reply_to: Help <help@example.com>\n",
    LEAST + "bridge: {url: https://meet.example.com}\n",
]
TWO = "title: Card payments fail\nseverity: sev1\n"
GOOD_INCIDENTS = [
    TWO,
    TWO + "status: RESOLVED\nresolution: |\n  Failover done.\n  All is well.\n",
    TWO.replace("sev1", "SEV1") + "status: Identified\nsummary: 40\nimpact: \nservices: \nroles: {}\n",
    TWO + "roles: {lead: bo}\nacknowledged: ana\neta: 2026-11-23T12:00Z\n",
    TWO + "acknowledged: [ana, {by: bo, at: 2026-11-23T10:04Z}, {by: ANA@example.com}]\n",
    TWO
    + "updates: Failover under way.\ntimeline: [Error rate falls., {at: 2026-11-23 10:05:00.5+01:00, by: D, text: x}]\n",
    TWO + "updates: [{text: x, public: y}, {public: z}, {text: t, at: , by: }]\n",
    TWO + "declared_at: 20261123t100000z\ndeclared_by: The 3 a.m. shift\nverified_by: chen\n",
    TWO + "review: DONE\ndrill: yes\n",
    TWO + "review: https://wiki.example.com/x?y=z\ndrill: false\n",
    TWO + "drill: Review\npublic_title: Payments\nstarted_at: 2026-11-23T09:00Z\nbridge: '#war-room'\n",
    TWO + "links: {Graphs: https://g.example.com/x, Call: 'tel:+14155550101', Later: }\n",
    TWO + "resolution: {text: Failed over., public: It works again.}\n",
    TWO + "resolution: {public: It works again., text: }\n",
    TWO + "resolution: {}\nlinks: {}\npublic_title: \n",
]
WRONG_INCIDENTS = [
    "title: Only a title\n",
    "severity: sev1\n",
    "[title, severity]",
    TWO + "Status: resolved\n",
    TWO + "titel: x\n",
    TWO + "status: fixed\n",
    TWO + "status: [resolved]\n",
    "title: [a, b]\nseverity: sev1\n",
    "title: {a: b}\nseverity: sev1\n",
    f"title: {'x' * 201}\nseverity: sev1\n",
    "title: T\nseverity: [sev1]\n",
    "title: T\nseverity: very bad\n",
    TWO + "severity: \n".replace("severity", "summary: {text").replace(": \n", ": x}\n"),
    TWO + f"summary: {'x' * 10_001}\n",
    TWO + "impact: [a]\n",
    TWO + "services: {checkout: true}\n",
    TWO + "services: [web site]\n",
    TWO + "roles: [ana]\n",
    TWO + "roles: ana\n",
    TWO + "roles: {lead: [ana]}\n",
    TWO + "roles: {the lead: ana}\n",
    TWO + "acknowledged: [{at: 2026-11-23T10:04Z}]\n",
    TWO + "acknowledged: [{by: ana, when: 2026-11-23T10:04Z}]\n",
    TWO + "acknowledged: [{by: ana, at: 10:04}]\n",
    TWO + "acknowledged: [[ana]]\n",
    TWO + "eta: soon\n",
    TWO + "eta: 2026-11-23T12:00\n",
    TWO + "eta: 1026-11-23T12:00Z\n",
    TWO + "eta: [2026-11-23T12:00Z]\n",
    TWO + "declared_at: 2026-13-23T12:00Z\n",
    TWO + "declared_by: [dee]\n",
    TWO + f"verified_by: {'x' * 201}\n",
    TWO + "updates: [{at: 2026-11-23T10:20:00Z}]\n",
    TWO + "updates: [{text: x, internal: y}]\n",
    TWO + "updates: [{text: [x]}]\n",
    TWO + "updates: [{text: x, at: yesterday}]\n",
    TWO + "timeline: [{by: dee}]\n",
    TWO + "timeline: [{text: x, public: y}]\n",
    TWO + "resolution: {text: x, internal: y}\n",
    TWO + "resolution: [x]\n",
    TWO + "resolution: {public: [x]}\n",
    TWO + "links: [https://g.example.com]\n",
    TWO + "links: https://g.example.com\n",
    TWO + "links: {Graphs: g.example.com}\n",
    TWO + "links: {Graphs: 'javascript:alert(1)'}\n",
    TWO + "links: {Call: 'tel:us'}\n",
    TWO + "bridge: {url: https://meet.example.com}\n",
    TWO + "started_at: yesterday\n",
    TWO + f"public_title: {'x' * 201}\n",
    TWO + "review: later\n",
    TWO + f"review: https://example.com/{'x' * 2000}\n",
    TWO + "drill: maybe\n",
    TWO + "drill: [true]\n",
]
TEST = "at: 2026-11-23T10:00Z\nincident: {severity: sev1}\n"
GOOD_TESTS = [
    TEST + "expect: {after: 0s, page: ana}\n",
    TEST + "name: 7\nfor: 2h\nsteps: \nexpect: [{after: 5m..6m, page: [ana, Bo], as: lead, via: [sms, email]}]\n",
    TEST + "expect: [{never: page, to: bo}, {none_after: 2h}, {update: staff, after: 30m.., reason: due}]\n",
    TEST + "expect: {after: 5m, page: ana, level: 0, round: 1, reason: declared, via: sms}\n",
    TEST + "expect: {exactly: [{page: ana}, {closing: [ana], after: 1h}]}\nfor: 2h\n",
    TEST.replace("{severity: sev1}", "../../a.yaml") + "expect: {page: ana}\n",
    TEST + "steps: [{after: 7m, ack: ana}, {after: 20m, pass: [bo], update: x, public: y}]\nexpect: {page: ana}\n",
    TEST + "steps: [{after: 1h, set: {status: resolved, eta: }, fail: {person: ana, via: sms}}]\nexpect: {page: ana}\n",
    f"- {{{', '.join(TEST.splitlines())}, expect: {{page: ana}}}}\n- {{{', '.join(TEST.splitlines())}, expect: {{page: bo}}}}\n",
]
WRONG_TESTS = [
    "[]\n",
    "[x]\n",
    "text\n",
    TEST,
    TEST.replace("2026-11-23T10:00Z", "10:00") + "expect: {page: ana}\n",
    TEST.replace("at", "At") + "expect: {page: ana}\n",
    TEST.replace("{severity: sev1}", "[sev1]") + "expect: {page: ana}\n",
    TEST.replace("{severity: sev1}", "{title: T}") + "expect: {page: ana}\n",
    TEST.replace("{severity: sev1}", "{severity: sev1, status: fixed}") + "expect: {page: ana}\n",
    TEST + "expect: []\n",
    TEST + "expect: {page: []}\n",
    TEST + "expect: {page: ana, update: staff}\n",
    TEST + "expect: {after: 5m}\n",
    TEST + "expect: {pages: ana}\n",
    TEST + "expect: {page: ana, after: soon}\n",
    TEST + "expect: {page: ana, after: 5}\n",
    TEST + "expect: {page: ana, level: one}\n",
    TEST + "expect: {page: ana, round: 0}\n",
    TEST + "expect: {page: ana, via: fax}\n",
    TEST + "expect: {page: ana, reason: because}\n",
    TEST + "expect: {never: paging}\n",
    TEST + "expect: {none_after: never}\n",
    TEST + "expect: {exactly: [{never: page}]}\n",
    TEST + "for: 0s\nexpect: {page: ana}\n",
    TEST + "steps: {after: 5m, ack: ana}\nexpect: {page: ana}\n",
    TEST + "steps: [{ack: ana}]\nexpect: {page: ana}\n",
    TEST + "steps: [{after: 5m}]\nexpect: {page: ana}\n",
    TEST + "steps: [{after: 5, ack: ana}]\nexpect: {page: ana}\n",
    TEST + "steps: [{after: 5m, acked: ana}]\nexpect: {page: ana}\n",
    TEST + "steps: [{after: 5m, set: resolved}]\nexpect: {page: ana}\n",
    TEST + "steps: [{after: 5m, set: {status: fixed}}]\nexpect: {page: ana}\n",
    TEST + "steps: [{after: 5m, fail: ana}]\nexpect: {page: ana}\n",
    TEST + "steps: [{after: 5m, fail: {person: ana, via: fax}}]\nexpect: {page: ana}\n",
]


@pytest.mark.parametrize(
    ("kind", "read", "text"),
    [
        *(("config", fragment, text) for text in GOOD_FRAGMENTS),
        *(("config", settings, text) for text in GOOD_SETTINGS),
        *(("config", played, text) for text in GOOD_TESTS),
        *(("incident", declared, text) for text in GOOD_INCIDENTS),
    ],
)
def test_what_the_reader_takes_the_schema_takes(kind, read, text):
    """No editor underlines a form that is good, however liberal."""
    assert [str(each) for each in read(text)] == []
    assert judged(kind, text) == []


@pytest.mark.parametrize(
    ("kind", "read", "text"),
    [
        *(("config", fragment, text) for text in WRONG_FRAGMENTS),
        *(("config", settings, text) for text in WRONG_SETTINGS),
        *(("config", played, text) for text in WRONG_TESTS),
        *(("incident", declared, text) for text in WRONG_INCIDENTS),
    ],
)
def test_what_the_reader_refuses_for_its_shape_the_schema_refuses(kind, read, text):
    """Each rule about the shape of one file, by a file that breaks only that rule."""
    assert read(text)
    assert judged(kind, text)


@pytest.mark.parametrize("name", ONLY_CODE)
def test_what_only_code_can_see_the_schema_lets_pass(name):
    """The list of what an editor cannot underline is true, and no longer than it must be."""
    path = next(DATA.glob(f"*/{name}.yaml"))
    assert judged("config", path.read_text()) == []


@settings_of_hypothesis(max_examples=60, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize(
    ("schema", "reads"),
    [
        (patterns.NAME, scalars.name),
        (patterns.WINDOW, scalars.window),
        (patterns.DELAY, scalars.duration),
    ],
    ids=["name", "window", "delay"],
)
def test_whatever_a_pattern_lets_pass_is_read(data, schema, reads):
    """A pattern is no looser than its reader, but for durations beyond ten years."""
    text = data.draw(st.from_regex(re.compile(schema["pattern"], re.ASCII), fullmatch=True))
    refused = ""
    try:
        reads(text)
    except ValueError as fault:
        refused = str(fault)
    assert not refused or "too long" in refused


@given(st.from_regex(scalars._WINDOW, fullmatch=True))
def test_no_window_that_is_read_is_underlined(text):
    """Every form of a window that the reader takes, the pattern takes."""
    try:
        scalars.window(text)
    except ValueError:
        return
    assert re.search(patterns.WINDOW["pattern"], text)
