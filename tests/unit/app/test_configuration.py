"""Config as code: each rule refuses its case with one clear line at the right place, and the good config loads."""

import os
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.app.configuration.judge import judge_config
from tocsin.app.configuration.load import ConfigFiles
from tocsin.app.configuration.read_tree import read_tree
from tocsin.domain.problem import ProblemLevel
from tocsin.formats.settings.ledger_address import LedgerAddress
from tocsin.ports.bounded_work import Overrun, OverrunCause

from tests.builders.examples import some
from tests.builders.loading import load
from tests.fakes.bounded_work import SameProcess

DATA = Path(__file__).parents[2] / "data"
BASE = {path.name: path.read_bytes() for path in (DATA / "config" / "base").iterdir()}
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
EXPECTED = re.compile(r"#! (\d+) ([a-z-]+): (.*?)(?=\s+#! |$)")
ROOT = Path(__file__).parents[3]
SHIPPED = {path.name: path.read_bytes() for path in (ROOT / "config").glob("*.yaml")}
CALM = b"severities: {calm: {title: Calm}}\n"
BASE_SETTINGS = BASE["tocsin.yaml"].decode()


def read(files, environ=None):
    return read_tree(
        {"base/all.yaml": BASE["all.yaml"], "tocsin.yaml": BASE["tocsin.yaml"], **files},
        Path("/x/config"),
        AT,
        environ or {},
    )


def expected(text):
    """The problems that a case announces in its comments: line, column, code, words."""
    return [
        (number, int(column), code, words.strip())
        for number, line in enumerate(text.splitlines(), 1)
        for column, code, words in EXPECTED.findall(line)
    ]


def cases(folder):
    return sorted(path.stem for path in (DATA / folder).glob("*.yaml"))


def judge(found, file, text):
    """Exactly the announced errors, each on one line, with its words."""
    errors = [p for p in found.problems if p.level is ProblemLevel.ERROR]
    wanted = expected(text)
    assert wanted
    assert sorted((p.file.removeprefix("/x/config/"), p.line, p.column, p.code) for p in errors) == sorted(
        (file, line, column, code) for line, column, code, _ in wanted
    ), [str(p) for p in errors]
    for line, column, code, words in wanted:
        problem = next(p for p in errors if (p.line, p.column, p.code) == (line, column, code))
        assert words in problem.message.replace("/x/config/", "")
        assert "\n" not in str(problem)
    assert found.policy is None
    assert found.settings is None


@pytest.mark.parametrize("case", cases("config"))
def test_each_rule_of_the_fragments_refuses_its_case(case):
    """A tiny fragment beside a good config gives exactly the errors that its comments announce."""
    text = (DATA / "config" / f"{case}.yaml").read_text()
    judge(read({f"{case}.yaml": text.encode()}), f"{case}.yaml", text)


@pytest.mark.parametrize("case", cases("settings"))
def test_each_rule_of_the_settings_refuses_its_case(case):
    """A wrong tocsin.yaml beside good fragments gives exactly the errors that its comments announce."""
    text = (DATA / "settings" / f"{case}.yaml").read_text()
    judge(read({"tocsin.yaml": text.encode(), "calm.yaml": CALM}), "tocsin.yaml", text)


def test_the_good_base_is_a_policy_with_places():
    """Defaults as docs/behaviour.md names them, and every part knows its file and line."""
    found = read({})
    assert found.errors == ()
    policy = found.policy
    severity = policy.severities["sev1"]
    assert (severity.title, severity.page.rounds, severity.page.hours) == ("sev1", 1, "always")
    assert severity.page.acknowledge_within == timedelta(minutes=5)
    assert severity.place.endswith("base/all.yaml:2")
    assert severity.page.place.endswith("base/all.yaml:3")
    assert severity.updates[0].place.endswith("base/all.yaml:4")
    assert policy.roles["lead"].chain[1].whos[0].place.endswith("base/all.yaml:6")
    assert policy.people["ana"].place.endswith("base/all.yaml:8")
    assert policy.stakeholders["staff"].via == ("email",)
    assert policy.hours["office"].windows[0].days == frozenset(range(5))
    assert policy.place_of_last_resort().endswith("tocsin.yaml:2")
    assert (policy.operators, policy.last_resort, policy.unreadable_severity) == (("ana",), ("ana", "bo"), "sev1")


def test_fragments_may_be_split_at_any_depth_and_merge():
    """A team's file under its own folder adds to the rest, `.yml` too; tests/ and hidden files are not config."""
    found = read(
        {
            "teams/payments/people.yml": b"people: {chen: {email: chen@example.com}}\n",
            "teams/payments.yaml": b"services: {pay: {responders: [chen]}}\n",
            "tests/sev1.yaml": b"incident: {}\n",
            "empty.yaml": b"# nothing yet\n",
        }
    )
    assert found.errors == ()
    assert found.policy.services["pay"].responders[0].name == "chen"


CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//example//EN
BEGIN:VEVENT
UID:1@example.com
DTSTART:20261123T080000Z
DTEND:20261130T080000Z
RRULE:FREQ=WEEKLY;INTERVAL=2
SUMMARY:%s
END:VEVENT
END:VCALENDAR
"""


def test_a_calendar_rotation_reads_its_file():
    """The path is relative to the fragment; events name people and are known for 400 days ahead."""
    fragment = b"rotations: {plan: {calendar: ../plans/ops.ics}}\nroles: {r: {chain: [plan.on_call, bo]}}\n"
    found = read({"teams/ops.yaml": fragment, "plans/ops.ics": (CALENDAR % "On call: ana").encode()})
    assert found.errors == ()
    events = found.policy.rotations["plan"].events
    assert {event.person for event in events} == {"ana"}
    assert events[0].start == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert len(events) == 400 // 14 + 1


def test_a_calendar_that_cannot_be_read_is_a_problem_at_its_own_file():
    """Nonsense is an error, a name that nobody has a warning, both in the calendar's own file."""
    fragment = b"rotations: {plan: {calendar: ops.ics}}\n"
    found = read({"ops.yaml": fragment, "ops.ics": b"nonsense"})
    assert [(p.file, p.level) for p in found.errors] == [("/x/config/ops.ics", ProblemLevel.ERROR)]
    found = read({"ops.yaml": fragment, "ops.ics": (CALENDAR % "zoe").encode()})
    assert found.errors == ()
    assert "/x/config/ops.ics" in {p.file for p in found.problems}
    assert "calendar-over" in {p.code for p in found.problems}
    found = read({"ops.yaml": fragment, "ops.ics": b" " * (4 * 1024 * 1024 + 1)})
    assert [p.code for p in found.errors] == ["file-too-large"]


def test_one_value_will_do_where_a_list_is_meant():
    """`to: staff` is `to: [staff]`; a chain of one is written as one."""
    text = b"severities: {s: {updates: {to: staff}}}\n"
    assert [p.code for p in read({"x.yaml": text}).errors] == ["wrong-type"]
    text = b"severities: {s: {updates: [{to: staff, every: 1h}]}}\nroles: {r: {chain: duty.on_call}}\n"
    policy = read({"x.yaml": text}).policy
    assert policy.severities["s"].updates[0].to == ("staff",)
    assert str(policy.roles["r"].chain[0].whos[0]) == "duty.on_call"


def test_addresses_are_normalised():
    """Blanks leave a phone number; an internationalised domain becomes ASCII."""
    text = "people: {x: {phone: +1 (415) 555-0109, email: x@exämple.com}}\n"
    person = read({"x.yaml": text.encode()}).policy.people["x"]
    assert (person.phone, person.email) == ("+14155550109", "x@xn--exmple-cua.com")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "special-role-missing"),
        ("roles: {r: {chain: [ana]}}", "chain-of-one"),
        ("people: {x: {phone: +447700900123}}", "phone-doubtful"),
        ("people: {x: {email: x@example.com, reach: [sms]}}", "reach-without-address"),
        ("people: {x: {email: x@example.com}}\nservices: {s: {roles: {lead: [x]}}}", "no-phone"),
    ],
)
def test_advice_warns_and_refuses_nothing(text, code):
    """What is merely unwise is a warning with its place."""
    found = read({"x.yaml": text.encode()})
    assert found.policy is not None
    assert code in {p.code for p in found.problems if p.level is ProblemLevel.WARNING}


def test_a_fragment_over_the_limit_is_refused():
    """256 KiB is the most that one file may hold."""
    found = read({"big.yaml": b"#" * (256 * 1024 + 1)})
    assert [(p.file, p.code) for p in found.errors] == [("/x/config/big.yaml", "file-too-large")]


def test_a_group_of_mistakes_is_told_at_once():
    """Problems of settings, shape and references come together, not one after the other."""
    found = read(
        {"x.yaml": b"roles: {r: {chain: [nobody]}}\n", "y.yaml": b"people: {z: {emial: q}}\n", "tocsin.yaml": b"{}"}
    )
    assert {"unknown-person", "unknown-key", "missing-key"} <= {p.code for p in found.errors}


def test_a_broken_file_is_told_without_all_that_follows_from_it():
    """Names that stand in a file which is no YAML are not called unknown everywhere else."""
    found = read({"base/all.yaml": BASE["all.yaml"].replace(b"people:", b"people: [")})
    assert {p.code for p in found.errors} == {"not-yaml"}


def test_an_unknown_variable_is_an_error_that_leaves_the_config_usable():
    """The caller decides what an unknown TOCSIN_ variable stops (rule 43)."""
    found = read({}, {"TOCSIN_OPERATERS": "[]", "TOCSIN_CONFIG": "x", "HOME": "/"})
    assert [(p.file, p.code) for p in found.errors] == [("TOCSIN_OPERATERS", "unknown-variable")]
    assert 'did you mean "TOCSIN_OPERATORS"' in found.errors[0].message
    assert found.policy is not None
    assert found.settings is not None


def test_the_inbox_stays_beside_the_link_that_leads_to_the_ledger(tmp_path):
    """What waits there counts, though the ledger is the file that the link leads to (rule 72)."""
    (tmp_path / "config").mkdir()
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "tocsin.db").symlink_to(tmp_path / "large.db")
    found = read_tree(BASE, tmp_path / "config", AT, {})
    assert (found.settings.ledger.file, found.settings.inbox) == (tmp_path / "large.db", tmp_path / "var" / "inbox")


def test_what_the_settings_add_to_the_policy():
    """Who writes, where answers go and where people meet are words of messages, so the policy has them."""
    text = BASE_SETTINGS + "organisation: Acme  Ltd\nreply_to: Help@Example.com\nbridge: https://meet.example.com/x\n"
    policy = read({"tocsin.yaml": text.encode()}).policy
    assert (policy.organisation, policy.reply_to, policy.bridge) == (
        "Acme Ltd",
        "Help@example.com",
        "https://meet.example.com/x",
    )
    policy = read({}).policy
    assert (policy.organisation, policy.reply_to, policy.bridge) == ("", "", "")
    (wrong,) = read({"tocsin.yaml": (BASE_SETTINGS + "reply_to: nobody\n").encode()}).errors
    assert "no email address" in wrong.message


def test_plain_addresses_without_external_refuse_what_is_new_only():
    """A group of plain addresses must say who reads them; a config that was in force before this rule goes on."""
    files = {"base/all.yaml": BASE["all.yaml"].replace(b", external: false", b"")}
    found = read(files)
    assert [(p.code, p.level) for p in found.problems] == [("external-unsaid", "error")]
    assert "external: true" in found.errors[0].message
    assert found.policy is None
    earlier = read_tree({**files, "tocsin.yaml": BASE["tocsin.yaml"]}, Path("config"), AT, {}, was_in_force=True)
    assert ("external-unsaid", "warning") in [(p.code, p.level) for p in earlier.problems]
    assert earlier.errors == ()
    assert not earlier.policy.stakeholders["staff"].external


def test_200_people_50_rotations_and_50_services_load_within_a_second():
    """A large organisation's config is no burden."""
    people = "".join(f'  p{n}: {{email: p{n}@example.com, phone: "+1415555{n + 1000:04}"}}\n' for n in range(200))
    shift = "{members: [%s], handoff: 0 9 * * mon, timezone: Europe/Berlin, starts: 2026-01-05T09:00}"
    rotations = "".join(f"  r{n}: {{shifts: [{shift % f'p{n}, p{n + 1}, p{n + 2}'}]}}\n" for n in range(50))
    services = "".join(f"  s{n}: {{roles: {{lead: [r{n}.on_call, r{n}.next]}}}}\n" for n in range(50))
    text = f"people:\n{people}rotations:\n{rotations}services:\n{services}"
    start = time.perf_counter()
    found = read({"x.yaml": text.encode()})
    assert found.errors == ()
    assert time.perf_counter() - start < 1


@settings(max_examples=some(60), deadline=None)
@given(st.data())
def test_a_damaged_config_never_raises(data):
    """A line lost, doubled or spoilt anywhere gives a configuration or problems, never an exception (P8)."""
    name = data.draw(st.sampled_from(sorted(SHIPPED)))
    lines = SHIPPED[name].decode().splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    spoilt = data.draw(
        st.sampled_from(["", lines[at] * 2, lines[at] + ": [", lines[at].upper(), "  " + lines[at], "\t"])
    )
    found = read_tree({**SHIPPED, name: "\n".join([*lines[:at], spoilt, *lines[at + 1 :]]).encode()}, Path("c"), AT, {})
    assert (found.policy is None) == bool(found.errors)
    for problem in found.problems:
        assert problem.file.startswith("c/")


def test_the_shipped_config_is_good_without_a_warning():
    """What `tocsin init` gives is a config that a small company could start from."""
    found = load(ROOT / "config", AT, {})
    assert found.problems == ()
    policy = found.policy
    assert list(policy.severities) == ["sev1", "sev2", "sev3", "sev4"]
    assert set(policy.roles) == {"incident_commander", "technical_lead", "communications", "scribe"}
    assert len(policy.severities["sev1"].page.roles) == 4
    assert policy.severities["sev4"].page is None
    assert all(group.via == ("email",) for group in policy.stakeholders.values())
    assert all(policy.people[person].phone for person in policy.last_resort)
    assert all(policy.people[person].phone and policy.people[person].email for person in policy.operators)
    for role in ("communications", "scribe"):
        assert len(policy.roles[role].chain) == 3


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    """A link to a file inside is read, one that leads outside is an error, a FIFO never makes the load wait."""
    folder = tmp_path / "config"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text("people: {x: {email: x@example.com}}\n")
    (folder / "..data").mkdir()
    (folder / "..data" / "all.yaml").write_bytes(BASE["all.yaml"])
    (folder / "all.yaml").symlink_to("..data/all.yaml")
    (folder / "tocsin.yaml").write_bytes(BASE["tocsin.yaml"])
    assert load(folder, AT, {}).errors == ()
    (folder / "out.yaml").symlink_to(tmp_path / "secret.yaml")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    os.mkfifo(folder / "pipe.yaml")
    found = load(folder, AT, {})
    assert [p.code for p in found.errors] == ["unreadable-file", "link-outside", "unreadable-file"]


def test_a_link_to_a_folder_is_an_error(tmp_path):
    """It is not followed, and not silently left out either."""
    folder = tmp_path / "config"
    shutil.copytree(ROOT / "config", folder)
    (folder / "teams").symlink_to(tmp_path)
    assert [p.code for p in load(folder, AT, {}).errors] == ["link-to-folder"]


def test_settings_under_another_suffix_are_not_overlooked():
    """tocsin.yml is no settings file, and says so instead of being read as a fragment."""
    found = read({"tocsin.yml": b"operators: [ana]\n"})
    assert [(p.file, p.code) for p in found.errors] == [("/x/config/tocsin.yml", "wrong-name")]


def test_from_inside_the_folder_files_have_their_bare_names(tmp_path, monkeypatch):
    """`tocsin check --config .` says tocsin.yaml, as the user would."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    monkeypatch.chdir(tmp_path / "config")
    (tmp_path / "config" / "tocsin.yaml").write_text("a: [")
    found = load(Path(), AT, {})
    assert [p.file for p in found.problems] == ["tocsin.yaml"]


def test_no_folder_is_one_problem():
    """A wrong --config says so once, and no more."""
    found = load(Path("nowhere/config"), AT, {})
    assert [(p.file, p.code) for p in found.problems] == [("nowhere/config", "no-such-file")]


def test_the_revision_is_the_commit_and_shows_changes(tmp_path, monkeypatch):
    """A clean checkout is its commit, a changed one is marked, no checkout has a digest of its files."""
    folder = tmp_path / "config"
    folder.mkdir()
    for name, data in BASE.items():
        (folder / name).write_bytes(data)
    assert load(folder, AT, {}).revision.startswith("sha256:")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    monkeypatch.setenv("GIT_DIR", str(ROOT / "nowhere"))
    clean = load(folder, AT, {}).revision
    assert re.fullmatch("[0-9a-f]{12}", clean)
    (folder / "more.yaml").write_text("people: {x: {email: x@example.com}}\n")
    assert re.fullmatch(rf"{clean}\+[0-9a-f]{{8}}", load(folder, AT, {}).revision)


@pytest.mark.parametrize(
    ("text", "environ", "ledger"),
    [
        ("ledger: sqlite:///led.db\n", {}, "/x/config/led.db"),
        ("ledger: sqlite:////srv/led.db\n", {}, "/srv/led.db"),
        ("ledger: sqlite:///led.db\n", {"TOCSIN_LEDGER": "sqlite:///../env.db"}, "/x/env.db"),
        ("a: [", {"TOCSIN_LEDGER": "sqlite:////srv/env.db"}, "/srv/env.db"),
        ("a: [", {}, "/x/var/tocsin.db"),
    ],
)
def test_the_ledger_is_found_even_if_the_settings_are_broken(text, environ, ledger):
    """At its `ledger` if that can be read, else the environment's, else the default place (rule 43)."""
    assert read({"tocsin.yaml": text.encode()}, environ).ledger == LedgerAddress(Path(ledger))


def test_a_servers_ledger_is_found_without_its_config(tmp_path):
    """Rule 43: where nothing says where the ledger is, and none is at the default place, it is in the state folder."""
    state, config = tmp_path / "state", tmp_path / "config"
    state.mkdir()
    config.mkdir()
    (config / "tocsin.yaml").write_text("a: [")
    environ = {"STATE_DIRECTORY": f"/nowhere:{state}"}
    assert load(config, AT, environ).ledger.file == tmp_path / "var" / "tocsin.db"
    (state / "tocsin.db").touch()
    assert load(config, AT, environ).ledger.file == state / "tocsin.db"
    installed = read_tree({}, Path("/etc/tocsin"), AT, {})
    assert (installed.ledger.file, installed.elsewhere) == (
        Path("/etc/var/tocsin.db"),
        (LedgerAddress(Path("/var/lib/tocsin/tocsin.db")),),
    )
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "tocsin.db").touch()
    assert load(config, AT, environ).ledger.file == tmp_path / "var" / "tocsin.db"


@pytest.mark.parametrize(
    ("last_resort", "codes"),
    [
        ("[ana, bo]", []),
        ("[ana]", [("last-resort-of-one", "only one person is left")]),
        ("[ana, max]", [("no-phone", "max has no phone")]),
        ("[max]", [("last-resort-of-one", "only one person is left"), ("no-phone", "max has no phone")]),
    ],
)
def test_whoever_is_asked_last_should_be_two_and_have_a_phone(last_resort, codes):
    """Advice at the settings' line, about those who lack something, and nothing where all is well."""
    settings_file = BASE["tocsin.yaml"].replace(b"last_resort: [ana, bo]", f"last_resort: {last_resort}".encode())
    found = read({"tocsin.yaml": settings_file, "max.yaml": b"people: {max: {email: max@example.com}}\n"})
    assert found.policy is not None
    advice = [p for p in found.problems if p.message.startswith("last_resort:")]
    assert [(p.code, p.file, p.line) for p in advice] == [(code, "/x/config/tocsin.yaml", 2) for code, _ in codes]
    assert all(words in p.message for p, (_, words) in zip(advice, codes, strict=True))


def test_severities_in_the_settings_may_be_written_in_any_case():
    """The policy has the name as the fragments write it, whatever other severities there are."""
    fragment = b"severities: {Worst: {page: {roles: [lead], via: [sms], acknowledge_within: 1m}}}\n"
    settings_file = BASE["tocsin.yaml"] + b"unreadable_severity: wORST\nweb: {alertmanager: {default_severity: SEV1}}\n"
    found = read({"x.yaml": fragment, "tocsin.yaml": settings_file})
    assert found.errors == ()
    assert found.policy.unreadable_severity == "Worst"


def test_a_default_severity_of_alerts_that_is_unknown_refuses_the_config():
    """At its own key, with the neighbour that may be meant."""
    settings_file = BASE["tocsin.yaml"] + b"web: {alertmanager: {default_severity: sev2}}\n"
    found = read({"tocsin.yaml": settings_file})
    assert [(p.code, p.line) for p in found.errors] == [("unknown-severity", 5)]
    assert 'did you mean "sev1"' in found.errors[0].message
    assert found.policy is None


def test_people_of_the_last_resort_that_do_not_exist_are_not_counted():
    """An unknown name is an error; that two should stand there is no advice then."""
    settings_file = BASE["tocsin.yaml"].replace(b"last_resort: [ana, bo]", b"last_resort: [nobody]")
    assert [p.code for p in read({"tocsin.yaml": settings_file}).problems if p.file.endswith("tocsin.yaml")] == [
        "unknown-person"
    ]


def test_a_slow_config_is_told_with_what_took_the_time() -> None:
    """The file that was read when the time was over need not be to blame."""
    many = (("config/a.ics", 1.2), ("config/b.ics", 0.9))
    slow = Overrun(OverrunCause.TIME, "takes over 10 s", "config/z.ics", many)
    refused = judge_config(SameProcess(slow), ConfigFiles({}, (), ""), Path("config"), AT, {})
    assert [str(error) for error in refused.errors] == [
        "config:1:1: error: reading the whole config takes over 10 s; it was at config/z.ics then; the dearest were "
        "config/a.ics (1.2 s), config/b.ics (0.9 s); simplify these, or take out what was changed last"
    ]
