"""`tocsin init`: whatever the answers, the config that comes of them is good, or nothing is written."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tocsin.adapters.files import new_files
from tocsin.app.configuration import editor_schemas
from tocsin.app.configuration.read_tree import read_tree
from tocsin.app.configuration.starter.begin import FilesInTheWayError, begin, begin_server, draft
from tocsin.app.configuration.starter.starter_texts import (
    StarterAnswers,
    StarterEmail,
    StarterSms,
    person,
    scalar,
    team,
)
from tocsin.cli import tocsin
from tocsin.planning.on_call.resolve import on_call
from tocsin.text.yaml import read_yaml

from tests.builders.examples import some
from tests.builders.loading import load
from tests.editor import seen

NOW = datetime(2026, 11, 23, 7, 59, tzinfo=UTC)  # a Monday, 08:59 in Berlin
ANA = "Ana Souza <ana@example.com> +14155550101"
BO = "Bo Berg <bo@example.com> +1 (415) 555-0102"
TWO = StarterAnswers(team([person(ANA), person(BO)]), "Europe/Berlin")
FLAGS = ["--timezone", "Europe/Berlin", "--person", ANA, "--person", BO]


def tree(folder):
    """Every file below a folder, with its bytes."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_people_and_a_zone_make_a_config_without_a_word_of_complaint(tmp_path):
    """What is written is what was drafted, and the daemon's own reader finds nothing to say about it."""
    names, problems = begin(tmp_path / "pager", TWO, NOW)
    assert problems == ()
    assert tree(tmp_path / "pager") == draft(TWO, NOW)
    assert names == sorted(tree(tmp_path / "pager"))
    found = load(tmp_path / "pager" / "config", NOW, {})
    assert found.problems == ()
    assert found.settings.incidents == tmp_path / "pager" / "incidents"
    assert found.policy.people["bo"].phone == "+14155550102"
    assert found.policy.last_resort == ("ana", "bo")


def test_a_server_gets_its_config_right_into_the_folder_with_absolute_paths(tmp_path):
    """Nothing but the config, found good; incidents, ledger, reviews and outbox lie where the server's folders are."""
    names, problems = begin_server(tmp_path / "etc", TWO, NOW)
    assert problems == ()
    assert {"tocsin.yaml", "people.yaml", "tests/starter.yaml", "schema/config.json"} <= set(names)
    assert not {name for name in names if name.startswith((".", "config", "README"))}
    found = load(tmp_path / "etc", NOW, {})
    assert found.problems == ()
    state = Path("/var/lib/tocsin")
    settings = found.settings
    assert (settings.incidents, settings.reviews, settings.outbox, settings.database, settings.templates) == (
        state / "incidents", state / "reviews", state / "outbox", state / "tocsin.db", tmp_path / "etc" / "templates",
    )  # fmt: skip
    with pytest.raises(FilesInTheWayError):
        begin_server(tmp_path / "etc", TWO, NOW)


def test_the_first_named_is_on_call_now_and_the_second_from_monday_nine():
    """The first turn began at the last handoff, also a minute before one."""
    policy = config_of(TWO, NOW)
    assert on_call(policy.rotations["primary"], NOW) == "ana"
    assert on_call(policy.rotations["primary"], NOW + timedelta(minutes=1)) == "bo"
    after = config_of(TWO, NOW + timedelta(minutes=1))
    assert on_call(after.rotations["primary"], NOW + timedelta(minutes=1)) == "ana"


def config_of(answers, at):
    """The policy of a draft."""
    files = {
        name.removeprefix("config/"): data for name, data in draft(answers, at).items() if name.startswith("config/")
    }
    found = read_tree(
        {name: data for name, data in files.items() if name.endswith(".yaml") and not name.startswith("tests/")},
        Path("/x/config"),
        at,
        {},
    )
    assert found.errors == (), [str(each) for each in found.errors]
    return found.policy


def test_every_file_is_good_by_the_schema_that_is_written_beside_it():
    """An editor underlines nothing, and finds the schema where the first line says."""
    files = draft(TWO, NOW)
    validator = Draft202012Validator(json.loads(files["config/schema/config.json"]))
    config = [name for name in files if name.startswith("config/") and name.endswith(".yaml")]
    for name in config:
        text = files[name].decode()
        up = "../" * (name.count("/") - 1)
        assert text.startswith(f"# yaml-language-server: $schema={up}schema/config.json\n")
        assert list(validator.iter_errors(seen(text))) == []
    assert len(config) >= 8
    assert files["config/schema/incident.json"].decode() == editor_schemas.incident()


def test_real_providers_ask_for_their_secrets_and_nothing_else(tmp_path):
    """With a mail server and Twilio the config is good; the secrets that the daemon needs are named."""
    answers = StarterAnswers(
        TWO.team,
        "UTC",
        StarterEmail('"Ops: all" <ops@example.com>', "mx.example.com", 465, "pager"),
        StarterSms("+14155550199", "AC0f"),
    )
    _, problems = begin(tmp_path / "p", answers, NOW)
    assert [each.code for each in problems] == ["missing-secret", "missing-secret"]
    found = load(tmp_path / "p" / "config", NOW, {"TOCSIN_EMAIL__PASSWORD": "x", "TOCSIN_SMS__AUTH_TOKEN": "x"})
    assert found.problems == ()
    assert (found.settings.email.security, found.settings.email.port) == ("tls", 465)
    assert found.settings.email.sender == '"Ops: all" <ops@example.com>'
    assert "TOCSIN_SMS__AUTH_TOKEN" in (tmp_path / "p" / "README.md").read_text()


def test_one_person_alone_is_a_config_with_advice(tmp_path):
    """It works, and says what is thin about it."""
    _, problems = begin(tmp_path, StarterAnswers(team([person(ANA)]), "UTC"), NOW)
    assert [each.code for each in problems] == ["chain-of-one", "last-resort-of-one"]


@pytest.mark.parametrize(
    ("texts", "ids"),
    [
        (["Ana Souza", "Ana Silva", "Ana Souza"], ["ana", "ana-silva", "ana-souza"]),
        (["Primary", "primary on call"], ["primary-2", "primary-on-call"]),
        (["山田 太郎", "Ærø Ødegård", "Zoë"], ["x0", "r", "zoe"]),
        (["No Body", "null", "3PO", "true: x #"], ["no", "null", "3po", "true"]),
        (["X" * 100], ["x" * 60]),
    ],
)
def test_ids_come_from_names_and_are_ones_own(texts, ids):
    """Short ids that can be typed at 3 a.m., never the rotation's name, never twice."""
    people = [person(f"{text} <x{number}@example.com> +1415555010{number}") for number, text in enumerate(texts)]
    found = StarterAnswers(team(people), "UTC")
    assert [each.id for each in found.team] == ids
    policy = config_of(found, NOW)
    assert [policy.people[each.id].name for each in found.team] == [each.name for each in found.team]


@settings(max_examples=some(25), deadline=None)
@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=4))
def test_no_name_breaks_the_yaml(names):
    """Quotes, colons, line breaks, braces, other scripts: a name that is taken is read back as it is."""
    people = []
    for number, name in enumerate(names):
        try:
            people.append(person(f"{name} <x{number}@example.com> +1415555010{number}"))
        except ValueError:
            continue
    if people:
        answers = StarterAnswers(team(people), "UTC")
        policy = config_of(answers, NOW)
        assert [policy.people[each.id].name for each in answers.team] == [each.name for each in answers.team]
        assert policy.last_resort == tuple(each.id for each in answers.team)


@given(
    st.text(alphabet=st.characters(exclude_categories=("C", "Z")), min_size=1)
    | st.sampled_from(["null", "No", "a: b", "- x", "y"])
)
def test_a_scalar_reads_back_as_it_was(text):
    """Here, and in an editor's YAML."""
    assert read_yaml(f"[{scalar(text)}]", "").value == [text]
    assert seen(f"[{scalar(text)}]") == [text]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["Ana"], "write the name, <email> and phone"),
        (["<ana@example.com> +14155550101"], "has no name"),
        (["Ana <ana@example.com>"], "a mailbox wakes nobody"),
        (["Ana <ana@example> +14155550101"], "is no email address"),
        (["Ana <ana@example.com> 0170 1234567"], "has no country code"),
        (["Ana <ana@example.com\nBcc: x@example.com> +14155550101"], "cannot hold a line break"),
        (["A" * 101 + " <ana@example.com> +14155550101"], "over 100 characters"),
        ([ANA, BO.replace("0102", "0101")], "share the phone number"),
        ([f"A <a@example.com> +1415555{number:04}" for number in range(51)], "begin with 50"),
    ],
)
def test_a_wrong_answer_is_told_at_once(texts, words):
    """Each with a sentence that says what to write."""
    with pytest.raises(ValueError, match=words.replace("+", r"\+")):
        team([person(text) for text in texts])


@pytest.mark.parametrize(
    ("there", "told"),
    [
        ("README.md", ["README.md"]),
        ("config/people.yaml", ["config/people.yaml"]),
        ("config/teams/payments.yml", ["config/teams/payments.yml"]),
        (".github", [".github"]),
        ("config", ["config"]),
    ],
)
def test_nothing_is_written_over(tmp_path, there, told):
    """A file in the way is named, and the folder stays as it was; so does config that would be mixed with ours."""
    (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / there).write_text("mine")
    with pytest.raises(FilesInTheWayError) as found:
        begin(tmp_path, TWO, NOW)
    assert found.value.names == told
    assert tree(tmp_path) == {there: b"mine"}


def test_what_fails_half_way_leaves_nothing(tmp_path):
    """The files and folders that were made are taken back; what was there before stays."""
    (tmp_path / "kept").mkdir()
    with pytest.raises(new_files.NewFilesError, match="x" * 300):
        new_files.write(tmp_path, {"a/b/c": b"1", "kept/d": b"2", "x" * 300: b"3"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "give --timezone, and --person"),
        (["--timezone", "UTC"], "give --timezone, and --person"),
        (["--timezone", "Europe/Berln", "--person", ANA], 'did you mean "Europe/Berlin"'),
        (["--timezone", "UTC", "--person", "Ana"], "--person"),
        ([*FLAGS, "--smtp", "mx.example.com"], "--smtp needs --email-from"),
        ([*FLAGS, "--smtp", "mx:x", "--email-from", "a@example.com"], "is no mail server"),
        ([*FLAGS, "--smtp-user", "u"], "--smtp-user needs --smtp"),
        ([*FLAGS, "--twilio", "AC0"], "--twilio needs --sms-from"),
        ([*FLAGS, "--twilio", "SK0", "--sms-from", "+14155550199"], "begins with AC"),
        ([*FLAGS, "--sms-from", "0170 1234567"], "--sms-from"),
        ([*FLAGS, "--email-from", "Ops"], "--email-from"),
        ([*FLAGS, "--outbox", "--sms-from", "+14155550199"], "--outbox sends nothing"),
    ],
)
def test_wrong_usage_names_the_option(tmp_path, flags, words):
    """Without a terminal nothing is asked: exit 2, the option's name, and no folder."""
    ran = CliRunner().invoke(tocsin, ["init", str(tmp_path / "p"), *flags])
    assert ran.exit_code == 2
    assert words in " ".join(ran.stderr.replace("│", " ").split())
    assert not (tmp_path / "p").exists()


def test_the_command_prints_what_it_wrote(tmp_path):
    """A path a line on stdout; the second time exit 1, each file that is in the way, and nothing changed."""
    ran = CliRunner().invoke(tocsin, ["init", str(tmp_path), *FLAGS, "--email-from", "Ops <ops@example.com>"])
    assert ran.exit_code == 0
    before = tree(tmp_path)
    assert ran.stdout.splitlines() == [str(tmp_path / name) for name in sorted(before)]
    again = CliRunner().invoke(tocsin, ["init", str(tmp_path), *FLAGS])
    assert again.exit_code == 1
    assert again.stdout == ""
    assert len(again.stderr.splitlines()) == len(before) + 1
    assert tree(tmp_path) == before
