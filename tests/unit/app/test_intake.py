"""Intake: when the content of a file counts, and which incident a file is (rules 31 to 33)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tocsin.app.intake.changes import Changes, Version
from tocsin.app.intake.intake import Intake
from tocsin.app.state.incident_state import KnownVersion
from tocsin.domain.incident import Incident, Status
from tocsin.domain.operator_notice import Trouble
from tocsin.domain.policy import Policy

from tests.builders.policies import small_policy
from tests.fakes.folder import FakeFolder

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
GOOD = "title: Card payments fail\nseverity: sev2\n"
IDENTIFIED = GOOD + "status: identified\n"
RESOLVED = GOOD + "status: resolved\n"
PROSE = "Payments are down, please help\n"


class Desk:
    """A folder, an intake, and a clock that the test moves."""

    def __init__(self, known: dict[str, KnownVersion] | None = None, policy: Policy | None = None) -> None:
        self.folder = FakeFolder()
        self.policy = policy or small_policy()
        self.intake = Intake(known or {})
        self.now = START

    def look(self, after: float = 0) -> Changes:
        self.now += timedelta(seconds=after)
        return self.intake.observe(self.folder.scan(), self.now, self.policy)

    def watch(self, seconds: float, step: float = 0.5) -> list[Changes]:
        """Every look of the next seconds that brought something."""
        looks = [self.look(step) for _ in range(int(seconds / step))]
        return [found for found in looks if found.versions or found.gone or found.notices]


def ids(changes: Changes) -> list[str]:
    return [version.incident.id for version in changes.versions]


def only(changes: Changes) -> Version:
    (version,) = changes.versions
    return version


def declared(text: str = GOOD, name: str = "card.yaml") -> Desk:
    """A desk on which one incident has been declared."""
    desk = Desk()
    desk.folder.write(name, text)
    only(desk.look())
    return desk


def test_a_readable_new_file_counts_at_once_and_once() -> None:
    """A new file whose severity can be read counts at the first look, and never again unless it changes."""
    desk = declared()
    assert desk.look().next_look is None
    assert desk.watch(30) == []


def test_a_new_file_with_dropped_fields_counts_at_once() -> None:
    """Only the severity decides; what was dropped is told to the operators as a minor matter."""
    desk = Desk()
    desk.folder.write("card.yaml", GOOD + "eta: noon\n")
    found = desk.look()
    assert ids(found) == ["card"]
    (trouble,) = found.notices
    assert (trouble.trouble, trouble.minor, found.mended) == (Trouble.FILE_FAULTY, True, ())
    assert "incidents/card.yaml:3:6" in trouble.text
    desk.folder.write("card.yaml", GOOD)
    assert desk.look(1).mended == ("incidents/card.yaml",)


@pytest.mark.parametrize("text", ["title: x\n", "title: x\nseverity: sev9\n"])
def test_a_new_file_without_a_good_severity_waits_for_stillness(text: str) -> None:
    """It counts after 2 s without change; each change begins the wait anew."""
    desk = Desk()
    desk.folder.write("card.yaml", text)
    assert desk.look().next_look == START + timedelta(seconds=2)
    desk.folder.write("card.yaml", text + "summary: more\n")
    assert desk.look(1.5).versions == ()
    assert desk.look(1.9).versions == ()
    found = desk.look(0.1)
    assert only(found).incident.severity == "sev1"
    assert [trouble.minor for trouble in found.notices] == [False]


def test_a_half_written_file_counts_when_it_is_whole() -> None:
    """While it waits, a content with a good severity counts at once."""
    desk = Desk()
    desk.folder.write("card.yaml", "title: Card pay")
    assert desk.look().versions == ()
    desk.folder.write("card.yaml", GOOD)
    assert only(desk.look(0.1)).incident.title == "Card payments fail"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (IDENTIFIED + "eta: 2026-11-23T12:00Z\n", IDENTIFIED + "eta: noon\n"),
        (IDENTIFIED + "eta: 2026-11-23T12:00Z\n", IDENTIFIED),
        (IDENTIFIED + "updates: [a, b]\n", IDENTIFIED + "updates: [a]\n"),
        (IDENTIFIED + "services: [checkout]\n", GOOD),
        (IDENTIFIED, IDENTIFIED + "summary: 'half"),
        (RESOLVED, GOOD),
        (RESOLVED, IDENTIFIED),
    ],
)
def test_a_version_that_drops_fields_or_reopens_waits(before: str, after: str) -> None:
    """It counts once the file has been still for 2 s; if it is whole again before, nothing has happened."""
    desk = declared(before)
    desk.folder.write("card.yaml", after)
    assert desk.look(1).versions == ()
    assert desk.look(1.9).versions == ()
    assert len(desk.look(0.1).versions) == 1
    again = declared(before)
    again.folder.write("card.yaml", after)
    assert again.look(1).versions == ()
    again.folder.write("card.yaml", before)
    assert again.watch(5) == []


def test_a_good_change_counts_at_once() -> None:
    """A version that only adds or changes needs no stillness; nor does a resolution."""
    desk = declared()
    desk.folder.write("card.yaml", IDENTIFIED)
    assert only(desk.look(1)).incident.status is Status.IDENTIFIED
    desk.folder.write("card.yaml", RESOLVED)
    assert only(desk.look(1)).incident.resolved


@pytest.mark.parametrize("text", ["", PROSE, "\x00", "[" * 60_000, "title: &x {{{"])
def test_an_open_incident_goes_on_when_its_file_cannot_be_read(text: str) -> None:
    """Emptied, prose or rubbish changes nothing; operators are told once, and the file may come back."""
    desk = declared()
    desk.folder.write("card.yaml", text)
    (found,) = desk.watch(60)
    assert (found.versions, len(found.notices)) == ((), 1)
    assert "goes on as it last could be read" in found.notices[0].text
    assert found.notices[0].trouble is Trouble.FILE_UNREADABLE
    desk.folder.write("card.yaml", IDENTIFIED)
    found = desk.look()
    assert (only(found).incident.status, found.mended) == (Status.IDENTIFIED, ("incidents/card.yaml",))


def test_a_file_that_is_not_yaml_counts_after_ten_seconds() -> None:
    """A new file of prose stands for an unreadable incident once it has been still for 10 s."""
    desk = Desk()
    desk.folder.write("card.yaml", PROSE)
    assert desk.look().next_look == START + timedelta(seconds=10)
    assert desk.look(9.9).versions == ()
    found = desk.look(0.1)
    version = only(found)
    assert (version.incident.unreadable, version.incident.summary) == (True, PROSE.strip())
    assert len(found.notices) == 1
    assert desk.watch(30) == []


def test_once_readable_it_is_declared_normally() -> None:
    """The same id, now with a good version."""
    desk = Desk()
    desk.folder.write("card.yaml", PROSE)
    desk.watch(12)
    desk.folder.write("card.yaml", GOOD)
    assert only(desk.look()).incident == Incident("card", "Card payments fail", "sev2")


def test_a_never_readable_file_that_is_gone_ends() -> None:
    """After 10 s without the file its incident is gone, operators are told; the id is free again."""
    desk = Desk()
    desk.folder.write("card.yaml", PROSE)
    desk.watch(12)
    desk.folder.remove("card.yaml")
    assert desk.look().next_look == desk.now + timedelta(seconds=10)
    assert desk.look(9.9).gone == ()
    found = desk.look(0.1)
    assert (found.gone, len(found.notices)) == (("card",), 1)
    desk.folder.write("card.yaml", GOOD)
    assert ids(desk.look(5)) == ["card"]


def test_a_vanished_file_stays_open_and_is_told_once() -> None:
    """Silence never means resolved (P4): after 10 s one notice, and nothing else ever."""
    desk = declared()
    desk.folder.remove("card.yaml")
    assert desk.look().notices == ()
    (found,) = desk.watch(120)
    assert (found.versions, found.gone) == ((), ())
    assert "stays open" in found.notices[0].text
    desk.folder.write("card.yaml", RESOLVED)
    assert only(desk.look()).incident.resolved


@pytest.mark.parametrize(("count", "told"), [(3, 3), (7, 1)])
def test_what_was_told_to_have_vanished_and_is_back(count: int, told: int) -> None:
    """Rule 39: a few have a notice each, which is taken back when that file is there again; many have one together,
    which holds until they all are.
    """
    desk = Desk()
    names = [f"card{number}.yaml" for number in range(count)]
    for name in names:
        desk.folder.write(name, GOOD)
    desk.watch(5)
    for name in names:
        desk.folder.remove(name)
    (found,) = desk.watch(30)
    assert len(found.notices) == told
    desk.folder.write(names[0], RESOLVED)
    assert len(desk.look().returned) == (told > 1)
    for name in names[1:]:
        desk.folder.write(name, GOOD)
    back = {notice.about for notice in found.notices}
    assert {*desk.look().returned} == (back - {"incidents/card0.yaml"} if told > 1 else back)
    assert desk.look().returned == ()


def test_the_file_of_a_resolved_incident_may_go() -> None:
    """Moving it to an archive is no trouble."""
    desk = declared(RESOLVED)
    desk.folder.remove("card.yaml")
    assert desk.watch(30) == []


@pytest.mark.parametrize("gap", [0.0, 0.1, 9.9])
def test_a_renamed_file_keeps_its_id(gap: float) -> None:
    """The same content under another name within 10 s is the same incident, also for later versions."""
    desk = declared()
    desk.folder.remove("card.yaml")
    if gap:
        desk.look()
    desk.folder.write("renamed.yaml", GOOD)
    version = only(desk.look(gap))
    assert (version.incident, version.file) == (Incident("card", "Card payments fail", "sev2"), "renamed.yaml")
    desk.folder.write("renamed.yaml", IDENTIFIED)
    assert ids(desk.look(30)) == ["card"]
    desk.folder.remove("renamed.yaml")
    assert len(desk.watch(30)) == 1


def test_the_same_content_later_is_another_incident() -> None:
    """After 10 s the name counts; so does a copy beside the original."""
    desk = declared()
    desk.folder.write("copy.yaml", GOOD)
    assert ids(desk.look()) == ["copy"]
    desk.folder.remove("card.yaml")
    desk.watch(11)
    desk.folder.write("late.yaml", GOOD)
    assert ids(desk.look()) == ["late"]


def test_of_two_files_with_one_stem_the_first_seen_goes_on() -> None:
    """The second is a problem, once; it takes over when the first has gone."""
    desk = declared()
    desk.folder.write("card.yml", IDENTIFIED)
    found = desk.look()
    assert found.versions == ()
    assert "incidents/card.yml" in found.notices[0].text
    assert desk.watch(20) == []
    desk.folder.remove("card.yaml")
    assert [ids(found) for found in desk.watch(20)] == [["card"]]


def test_a_new_suffix_is_the_same_incident() -> None:
    """`card.yml` in place of `card.yaml`, changed or not, goes on with the incident, without a notice."""
    desk = declared()
    desk.folder.remove("card.yaml")
    desk.folder.write("card.yml", IDENTIFIED)
    assert ids(desk.look()) == ["card"]
    assert desk.watch(20) == []


@pytest.mark.parametrize(("is_file", "pages"), [(False, False), (True, True)])
def test_what_cannot_be_opened_is_told(is_file: bool, pages: bool) -> None:
    """Rule 41: a link or FIFO is told to operators only; a file without the right to read it may be a call for help."""
    desk = Desk()
    desk.folder.obstruct("card.yaml", "card.yaml cannot be had", is_file=is_file)
    looks = desk.watch(20)
    assert [len(found.notices) for found in looks] == [1]
    assert [version.incident.unreadable for found in looks for version in found.versions] == [True] * pages


def test_a_link_never_takes_an_id() -> None:
    """A regular file beside a link of the same stem is the incident."""
    desk = Desk()
    desk.folder.obstruct("card.yaml", "card.yaml is a symbolic link")
    desk.look()
    desk.folder.write("card.yml", GOOD)
    assert ids(desk.look()) == ["card"]
    desk.folder.remove("card.yml")
    assert len(desk.watch(30)) == 2


def test_everything_deleted_for_a_moment() -> None:
    """500 files gone for 100 ms and back: no version, no notice."""
    desk = Desk()
    for number in range(500):
        desk.folder.write(f"i{number}.yaml", GOOD.replace("Card", f"Card {number}"))
    assert len(desk.look().versions) == 500
    kept, desk.folder.files = desk.folder.files, {}
    desk.look(1)
    desk.folder.files = kept
    assert desk.look(0.1).versions == ()
    assert desk.watch(30) == []


def test_everything_deleted_for_good_is_one_notice() -> None:
    """500 files gone: every incident stays open, the operators get one notice."""
    desk = Desk()
    for number in range(500):
        desk.folder.write(f"i{number}.yaml", GOOD.replace("Card", f"Card {number}"))
    desk.look()
    desk.folder.files = {}
    (found,) = desk.watch(60)
    assert (found.versions, len(found.notices)) == ((), 1)
    assert "500 incident files" in found.notices[0].text


def test_a_checkout_that_goes_back_and_forth() -> None:
    """500 files reopened by one checkout and resolved again by the next, within 2 s: nothing happens."""
    desk = Desk()
    for number in range(500):
        desk.folder.write(f"i{number}.yaml", RESOLVED)
    desk.look()
    for text in (GOOD, RESOLVED):
        for number in range(500):
            desk.folder.write(f"i{number}.yaml", text)
        assert desk.look(1).versions == ()
    assert desk.watch(10) == []


def test_many_files_with_problems_are_no_flood() -> None:
    """A thousand old files with a doubtful field each: all count, the operators get twenty notices."""
    desk = Desk()
    for number in range(1000):
        desk.folder.write(f"i{number}.yaml", GOOD + "eta: noon\n")
    desk.folder.write("zz.yaml", "title: no severity\n")
    found = desk.look()
    assert (len(found.versions), len(found.notices)) == (1000, 20)
    assert "981 more incident files" in found.notices[-1].text
    (later,) = desk.watch(10)
    assert [trouble.minor for trouble in later.notices] == [False]


def test_a_folder_that_cannot_be_listed() -> None:
    """It changes nothing, is told once after 10 s, and again when it happens anew."""
    desk = declared()
    for _ in range(2):
        desk.folder.away = "the incident folder is gone"
        (found,) = desk.watch(60)
        assert (found.versions, [trouble.cause for trouble in found.notices]) == ((), ["folder-unreadable"])
        desk.folder.away = ""
        assert desk.watch(30) == []


def known_from(desk: Desk) -> dict[str, KnownVersion]:
    """What the ledger would know after this desk's first look."""
    found = Intake({}).observe(desk.folder.scan(), START, desk.policy)
    return {
        version.incident.id: KnownVersion(version.incident, version.digest, version.file) for version in found.versions
    }


@pytest.mark.parametrize("text", [GOOD, IDENTIFIED + "eta: noon\n", RESOLVED])
def test_a_restart_declares_nothing_again(text: str) -> None:
    """The same files after a restart: no version and no notice."""
    before = declared(text)
    after = Desk(known_from(before))
    after.folder = before.folder
    assert after.watch(30) == []


def test_a_finished_incident_is_not_read_again() -> None:
    """Its digest will do; only another content is a version, and a reopening waits for stillness."""
    before = declared(RESOLVED + "eta: noon\n")
    after = Desk()
    after.folder = before.folder
    after.intake = Intake({}, finished={"card": before.folder.files["card.yaml"].digest})
    assert after.watch(30) == []
    known = known_from(before)["card"]
    after.folder.write("card.yaml", GOOD)
    assert after.look(1).unknown == ("card",)
    after.intake.note_version("card", known)
    assert after.look(0).versions == ()
    assert [ids(found) for found in after.watch(5)] == [["card"]]


def test_a_finished_incident_of_which_the_ledger_cannot_tell_counts_anyway() -> None:
    """Better a page too many than none: what the file says counts as a new one's."""
    desk = Desk()
    desk.intake = Intake({}, finished={"card": "of before"})
    desk.folder.write("card.yaml", GOOD)
    assert (desk.look().versions, desk.look().unknown) == ((), ("card",))
    desk.intake.note_version("card", None)
    assert ids(desk.look()) == ["card"]


def test_a_restart_sees_what_changed_meanwhile() -> None:
    """A file changed, one renamed and one gone while the daemon was down."""
    before = Desk()
    for name in ("changed", "renamed", "gone"):
        before.folder.write(f"{name}.yaml", GOOD.replace("Card", name))
    after = Desk(known_from(before))
    after.folder.write("changed.yaml", GOOD.replace("Card", "changed") + "status: identified\n")
    after.folder.write("other.yaml", GOOD.replace("Card", "renamed"))
    found = after.look()
    assert [(each.incident.id, each.file) for each in found.versions] == [
        ("changed", "changed.yaml"),
        ("renamed", "other.yaml"),
    ]
    (found,) = after.watch(30)
    assert [trouble.cause for trouble in found.notices] == ["file-vanished:incidents/gone.yaml"]


def test_a_file_that_is_back_is_not_told_again() -> None:
    """Editors remove a file and write it anew: its problems are the same, and operators have heard of them."""
    desk = declared(GOOD + "eta: noon\n")
    desk.folder.remove("card.yaml")
    assert desk.watch(2) == []
    desk.folder.write("card.yaml", GOOD + "eta: noon\n")
    assert desk.watch(30) == []


def went_back(*names: str, at_start: bool = False) -> Desk:
    """A desk on which these incidents were declared and resolved, and whose files go back to the first content now, at a
    start or while it looks on.
    """
    desk = Desk()
    for text in (GOOD, RESOLVED):
        for name in names:
            desk.folder.write(f"{name}.yaml", text.replace("Card", name))
        desk.watch(5)
    if at_start:
        known = {id_: replace(known, file=f"{id_}.yaml") for id_, known in desk.intake._known.items()}
        folder = desk.folder
        desk = Desk(known)
        desk.folder = folder
    for name in names:
        desk.folder.write(f"{name}.yaml", GOOD.replace("Card", name))
    return desk


@pytest.mark.parametrize("at_start", [False, True])
def test_a_checkout_of_an_old_commit_is_held(at_start: bool) -> None:
    """Rule 69: three go back together, also while the daemon was stopped: none counts, and the operators are asked in one
    notice that names them.
    """
    desk = went_back("a", "b", "c", at_start=at_start)
    (found,) = desk.watch(120)
    assert found.versions == ()
    (notice,) = found.notices
    assert notice.trouble is Trouble.REOPENINGS_HELD
    assert "of 3 resolved incidents went back to older contents at once, as by git checkout: a, b, c;" in notice.text
    assert "is it meant" in notice.text


@pytest.mark.parametrize("at_start", [False, True])
def test_two_that_go_back_are_reopened(at_start: bool) -> None:
    """Rule 69: one or two are edits like any other, after 2 s of stillness (rule 31), also at a start."""
    desk = went_back("a", "b", at_start=at_start)
    assert desk.look(1.5).versions == ()
    assert [ids(found) for found in desk.watch(10)] == [["a", "b"]]


def test_going_back_to_the_resolved_content_ends_the_hold() -> None:
    """Rule 69: the files are put back; later each may be reopened by itself."""
    desk = went_back("a", "b", "c")
    assert not desk.look(0).none_held
    desk.watch(10)
    assert not desk.look(1).none_held
    for name in "abc":
        desk.folder.write(f"{name}.yaml", RESOLVED.replace("Card", name))
    assert desk.look(0.1).none_held
    assert desk.watch(30) == []
    desk.folder.write("a.yaml", GOOD.replace("Card", "a"))
    assert [ids(found) for found in desk.watch(10)] == [["a"]]


def test_a_further_edit_of_what_is_held_counts() -> None:
    """Rule 69: that one alone, as `tocsin update` writes it."""
    desk = went_back("a", "b", "c")
    desk.watch(10)
    desk.folder.write("b.yaml", GOOD.replace("Card", "b") + "updates: [{text: It is back.}]\n")
    assert [ids(found) for found in desk.watch(10)] == [["b"]]


def test_a_checkout_may_take_its_time_but_not_too_long() -> None:
    """Rule 69: three within 2 s, each a second after the one before; 1.5 s apart they are three edits."""
    for pause, held in ((1.0, True), (1.5, False)):
        desk = went_back("a", "b", "c")
        for name in "abc":
            desk.folder.write(f"{name}.yaml", RESOLVED.replace("Card", name))
        desk.watch(1)
        counted: list[str] = []
        for name in "abc":
            desk.folder.write(f"{name}.yaml", GOOD.replace("Card", name))
            counted += [id_ for found in desk.watch(pause) for id_ in ids(found)]
        counted += [id_ for found in desk.watch(30) for id_ in ids(found)]
        assert counted == ([] if held else ["a", "b", "c"])


def test_open_incidents_and_new_contents_are_not_held() -> None:
    """Rule 69 is about resolved incidents and contents that the ledger knows; all else in a checkout counts."""
    desk = went_back("a", "b", "c")
    desk.folder.write("new.yaml", GOOD)
    desk.folder.write("b.yaml", GOOD.replace("Card", "other"))
    counted = sorted(id_ for found in desk.watch(30) for id_ in ids(found))
    assert counted == ["a", "b", "c", "new"]


def test_a_held_file_stays_held_when_it_is_written_anew_as_it_is() -> None:
    """An editor that removes and writes it says nothing new."""
    desk = went_back("a", "b", "c")
    desk.watch(10)
    desk.folder.remove("a.yaml")
    desk.look(1)
    desk.folder.write("a.yaml", GOOD.replace("Card", "a"))
    assert desk.watch(30) == []


def test_going_back_to_an_older_content_later_is_an_edit() -> None:
    """Only what a file holds since before the start is stale: who undoes an edit under our eyes means it."""
    first, second = (f"{GOOD}summary: {said}\n" for said in ("first", "second"))
    before, older = declared(second), declared(first).folder.files["card.yaml"].digest
    ((id_, newest),) = known_from(before).items()
    after = Desk({id_: KnownVersion(newest.incident, newest.digest, newest.file, frozenset({older}))})
    after.folder = before.folder
    assert after.watch(5) == []
    after.folder.write("card.yaml", first)
    assert only(after.look(1)).incident.summary == "first"


def test_another_nodes_version_is_not_undone() -> None:
    """A version learned from another node stands, also when the config changes, until this node's file changes."""
    desk = declared()
    desk.intake.note_version(
        "card", KnownVersion(Incident("card", "Card payments fail", "sev2", Status.RESOLVED), "elsewhere")
    )
    assert desk.watch(5) == []
    desk.policy = small_policy()
    assert desk.watch(5) == []


def test_another_config_reads_again_at_once() -> None:
    """A person unknown until now is known by the new config: the version counts without waiting."""
    people = dict(small_policy().people)
    chen = people.pop("chen")
    desk = Desk(policy=small_policy(people=people))
    desk.folder.write("card.yaml", GOOD + "roles: {scribe: chen}\n")
    assert only(desk.look()).incident.roles == ()
    desk.policy = small_policy(people={**people, "chen": chen})
    found = desk.look()
    assert (only(found).incident.roles, found.notices) == ((("scribe", "chen"),), ())


@pytest.mark.parametrize("change", [lambda text: text + "# a note\n", lambda text: text.replace("\n", "\r\n")])
def test_a_change_without_meaning_keeps_the_version(change: Callable[[str], str]) -> None:
    """Comments and line ends give the same incident under a new digest, so that a restart knows the file again."""
    desk = declared()
    before = desk.folder.files["card.yaml"].digest
    desk.folder.write("card.yaml", change(GOOD))
    version = only(desk.look())
    assert version.incident == Incident("card", "Card payments fail", "sev2")
    assert version.digest != before


def test_odd_names_are_shown_safely() -> None:
    """A name that is no UTF-8, or turns text around, is an incident, and its problems can be written down."""
    desk = Desk()
    desk.folder.write("a\udcff\u202eb\n.yaml", GOOD + "eta: noon\n")
    found = desk.look()
    assert ids(found) == ["a--b-"]
    found.notices[0].text.encode()
    found.notices[0].cause.encode()
    assert "\u202e" not in found.notices[0].text


def test_what_many_incidents_say_alike_is_kept_once() -> None:
    """Ten thousand open ones have their severity, their services, and that no version was before the first, in common."""
    desk = Desk()
    for name in ("a.yaml", "b.yaml"):
        desk.folder.write(name, f"title: {name}\nseverity: sev2\nservices: [checkout]\n")
    one, other = desk.look().versions
    assert one.incident.severity is other.incident.severity
    assert one.incident.services[0] is other.incident.services[0]
    assert desk.intake._known["a"].older is desk.intake._known["b"].older
