"""What counts of the last good config that the ledger keeps, where the one on disk cannot be used (rule 43)."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tocsin.app.configuration.kept.disk_words import DiskWords
from tocsin.app.configuration.kept.reading import KeptReading, in_part, read_kept
from tocsin.app.configuration.kept.vouching import code_of, vouched
from tocsin.app.configuration.load import Configuration
from tocsin.app.lifecycle.startup import StartError, load_at_start
from tocsin.domain.policy import Policy
from tocsin.formats.settings.providers import leads_nowhere
from tocsin.formats.settings.running import taken_over, waiting
from tocsin.formats.settings.settings import Settings
from tocsin.ports.ledger.ledger import KeptConfig

from tests.builders.loading import load
from tests.fakes.bounded_work import JUDGE
from tests.fakes.ledger import MemoryLedger
from tests.fakes.pager import CONFIG

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
KEYS = {"TOCSIN_WEB__SIGNING_KEY": '["the newest key of all of them", "the key from before that one"]'}
REAL = """
operators: [olga]
last_resort: [olga, bo]
email: {transport: smtp, host: mail.example.com, sender: "Incidents <incidents@example.com>"}
sms: {transport: twilio, account_sid: AC00000000000000000000000000000001, sender: "+15005550006"}
"""
FORGED = CONFIG.replace("+14155550101", "+14155559999").replace("bo@example.com", "x@evil.example")
FORGED_SETTINGS = REAL.replace('sender: "+1500', 'api_url: https://evil.example, sender: "+1500').replace(
    "host: mail.example.com", "host: example.com"
)
FORGED_SETTINGS = FORGED_SETTINGS.replace("operators: [olga]", "operators: [ana]")
FAULT = "people: [broken"


class Disk:
    """A config folder, and what the ledger keeps of a config."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write(CONFIG, REAL)

    def write(self, config: str | None, settings: str | None) -> None:
        """What stands on disk; None: no such file."""
        for name, text in (("all.yaml", config), ("tocsin.yaml", settings)):
            path = self.folder / name
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)

    def read(self, kept: KeptConfig, **environ: str) -> KeptReading:
        """What counts of a kept config; the one on disk cannot be used."""
        disk = load(self.folder, NOW, environ)
        assert disk.policy is None
        return read_kept(kept, disk, self.folder, NOW, environ)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


def kept(config: str = CONFIG, settings: str = REAL, key: str = "") -> KeptConfig:
    """What the ledger keeps, with the code of a key if there is one."""
    files = {"all.yaml": config.encode(), "tocsin.yaml": settings.encode()}
    return KeptConfig("r1", NOW, files, code_of([key] if key else [], "r1", files))


def policy_of(reading: KeptReading) -> Policy:
    assert reading.configuration.policy is not None, reading
    return reading.configuration.policy


def settings_of(reading: KeptReading) -> Settings:
    assert reading.configuration.settings is not None, reading
    return reading.configuration.settings


def test_a_typo_leaves_nothing_out(disk: Disk) -> None:
    """A word in the wrong place, in a fragment or in tocsin.yaml, with or without a key: the last good config counts."""
    for config, settings in ((CONFIG + FAULT, REAL), (CONFIG, REAL + FAULT), (CONFIG + FAULT, f"hots: 1\n{REAL}")):
        disk.write(config, settings)
        for environ, key in (({}, ""), (KEYS, ""), (KEYS, "the newest key of all of them")):
            reading = disk.read(kept(key=key), **environ)
            assert (reading.left_out, reading.why) == ((), "")
            policy, in_force = policy_of(reading), settings_of(reading)
            assert (policy.people["ana"].phone, policy.people["bo"].email) == ("+14155550101", "bo@example.com")
            assert (policy.operators, policy.revision) == (("olga",), "r1")
            assert (in_force.email.host, in_force.sms.account_sid) == ("mail.example.com", "AC" + "0" * 31 + "1")


def test_forged_addresses_do_not_count(disk: Disk) -> None:
    """Whoever writes a row without a key brings no address that the disk lacks; what is left out is named."""
    disk.write(CONFIG + FAULT, REAL)
    for environ in ({}, KEYS):
        reading = disk.read(kept(FORGED), **environ)
        policy = policy_of(reading)
        assert (policy.people["ana"].phone, policy.people["ana"].email) == ("", "ana@example.com")
        assert (policy.people["bo"].phone, policy.people["bo"].email) == ("+14155550102", "")
        assert reading.left_out == ("ana's number", "bo's mailbox")
        assert "until the config is mended it lacks ana's number, bo's mailbox" in in_part(reading.left_out)
        assert "evil" not in in_part(reading.left_out)


def test_a_config_of_before_goes_on(disk: Disk) -> None:
    """After an upgrade that refuses more, the last good config still counts: nobody is left without a pager."""
    before = CONFIG.replace(", external: false", "")
    assert before != CONFIG
    disk.write(before, REAL)
    reading = disk.read(kept(before))
    assert not policy_of(reading).stakeholders["support"].external


def test_links_that_the_disk_lacks_do_not_count(disk: Disk) -> None:
    """A page leads nobody to where only an unvouched row would have them go."""
    services = "services: {checkout: {runbook: https://wiki.example.com/c, bridge: '#c', links: {Graphs: https://g.example.com}}}\n"
    disk.write(CONFIG + services + FAULT, REAL)
    forged = services.replace("wiki.example.com", "evil.example").replace("g.example.com", "evil.example")
    checkout = policy_of(disk.read(kept(CONFIG + services))).services["checkout"]
    assert (checkout.runbook, checkout.bridge) == ("https://wiki.example.com/c", "#c")
    assert checkout.links == (("Graphs", "https://g.example.com"),)
    reading = disk.read(kept(CONFIG + forged))
    checkout = policy_of(reading).services["checkout"]
    assert (checkout.runbook, checkout.links, checkout.bridge) == ("", (), "#c")
    assert reading.left_out == ("links of checkout",)


def test_a_list_brings_no_reader(disk: Disk) -> None:
    """An address of a stakeholder group is one like any other."""
    disk.write(CONFIG + FAULT, REAL)
    reading = disk.read(kept(CONFIG.replace("[support@", "[mallory@evil.example, support@")))
    assert policy_of(reading).stakeholders["support"].emails == ("support@example.com",)
    assert reading.left_out == ("1 address of support",)


def test_a_key_vouches_for_addresses(disk: Disk) -> None:
    """What a key signed counts whatever the disk says, by an older key as well; what another key signed does not."""
    changed = CONFIG.replace("+14155550101", "+14155550111")
    disk.write(FAULT, REAL)
    for key in ("the newest key of all of them", "the key from before that one"):
        reading = disk.read(kept(changed, key=key), **KEYS)
        assert (policy_of(reading).people["ana"].phone, reading.left_out) == ("+14155550111", ())
    reading = disk.read(kept(changed, key="a stranger's key"), **KEYS)
    assert reading.configuration.policy is None
    assert "ana's number" in reading.why


def test_a_code_is_for_these_very_files() -> None:
    """Another byte, name, revision or key is another code; a file's end is not the next one's beginning."""
    one = kept(key="k" * 20)
    assert vouched(["other", "k" * 20], one)
    assert not vouched(["k" * 21], one)
    assert not vouched([], one)
    for changed in (
        KeptConfig("r2", NOW, one.files, one.mac),
        KeptConfig("r1", NOW, {**one.files, "b.yaml": b""}, one.mac),
        KeptConfig("r1", NOW, {"all.yaml": one.files["all.yaml"] + b" ", "tocsin.yaml": b""}, one.mac),
        KeptConfig("r1", NOW, one.files, ""),
        KeptConfig("r1", NOW, one.files, "é\udcff"),
    ):
        assert not vouched(["k" * 20], changed)
    assert code_of(["k"], "r", {"a": b"1", "b": b""}) != code_of(["k"], "r", {"a": b"", "b": b"1"})
    assert code_of([], "r", {}) == ""


def test_settings_are_the_disks(disk: Disk) -> None:
    """Hosts, senders, operators and the last resort of a row count never while the disk's tocsin.yaml can be used, also
    where a key vouches for it.
    """
    disk.write(CONFIG + FAULT, REAL)
    for key in ("", "the newest key of all of them"):
        reading = disk.read(kept(settings=FORGED_SETTINGS, key=key), **KEYS)
        settings = settings_of(reading)
        assert (settings.sms.api_url, settings.email.host) == (None, "mail.example.com")
        assert policy_of(reading).operators == ("olga",)


def test_forged_settings_lead_nowhere(disk: Disk) -> None:
    """With a tocsin.yaml that cannot be used a row without a key brings no host and no operator: such a provider leads
    nowhere, whatever the row says of it. A part of a word that stands there is no word of it.
    """
    disk.write(CONFIG, REAL + FAULT)
    reading = disk.read(kept(settings=REAL.replace("host: mail.example.com", "host: example.com")))
    settings = settings_of(reading)
    assert leads_nowhere(settings.email)
    assert not leads_nowhere(settings.sms)
    assert reading.left_out == ("email.host",)
    reading = disk.read(kept(settings=FORGED_SETTINGS))
    assert reading.configuration.settings is None
    assert "email.host" in reading.why
    reading = disk.read(
        kept(settings=f"{REAL}public_url: https://evil.example\nheartbeat: {{url: https://evil.example}}")
    )
    assert (settings_of(reading).public_url, settings_of(reading).heartbeat.url) == (None, None)
    assert reading.left_out == ("public_url", "heartbeat.url")


def test_a_fallback_that_is_left_out(disk: Disk) -> None:
    """A fallback of which a word does not stand on disk is none; one that is whole stands in for a first provider that
    is left out.
    """
    both = REAL.replace(
        'sender: "Inc', 'fallbacks: {spare: {host: spare.example.com, sender: a@example.com}}, sender: "Inc'
    )
    disk.write(CONFIG, both + FAULT)
    reading = disk.read(kept(settings=both.replace("host: mail.example.com", "host: evil.example")))
    assert leads_nowhere(settings_of(reading).email)
    assert list(settings_of(reading).email.fallbacks) == ["spare"]
    reading = disk.read(kept(settings=both.replace("spare.example.com", "evil.example")))
    assert settings_of(reading).email.fallbacks == {}
    assert settings_of(reading).email.host == "mail.example.com"
    assert reading.left_out == ("email.fallbacks.spare.host",)


def test_what_leads_nowhere_is_put_right_without_a_restart(disk: Disk) -> None:
    """Once the config is mended its own host counts at once; a host that was in force waits for a restart as ever."""
    disk.write(CONFIG, REAL + FAULT)
    nowhere = settings_of(disk.read(kept(settings=REAL.replace("host: mail.example.com", "host: evil.example"))))
    disk.write(CONFIG, REAL)
    mended = load(disk.folder, NOW, {}).settings
    assert mended is not None
    assert taken_over(nowhere, mended).email.host == "mail.example.com"
    assert waiting(nowhere, mended) == ()


@pytest.mark.parametrize("settings", ["", None, "a: [b"])
def test_a_settings_file_that_is_cut_off(disk: Disk, settings: str | None) -> None:
    """Without a key nothing of the kept tocsin.yaml stands on disk: no start, and it is said why. With one the pager
    goes on whole: a power cut that left an empty file must not silence it.
    """
    disk.write(CONFIG, settings)
    reading = disk.read(kept())
    assert reading.configuration.policy is None
    assert "too little of it stands on disk" in reading.why
    assert "email.host" in reading.why
    reading = disk.read(kept(key="the newest key of all of them"), **KEYS)
    assert settings_of(reading).email.host == "mail.example.com"
    assert policy_of(reading).people["ana"].phone == "+14155550101"


def test_a_disk_that_does_not_answer(disk: Disk, tmp_path: Path) -> None:
    """Rule 73: what could not be read says nothing against what is kept, unless a key could have vouched for it."""
    absent = load(tmp_path / "nowhere", NOW, {})
    assert absent.unread
    reading = read_kept(kept(), absent, tmp_path / "nowhere", NOW, {})
    assert policy_of(reading).people["ana"].phone == "+14155550101"
    assert settings_of(reading).email.host == "mail.example.com"
    assert reading.left_out == ()
    reading = read_kept(kept(), absent, tmp_path / "nowhere", NOW, KEYS)
    assert reading.configuration.policy is None


def test_one_file_that_cannot_be_read(disk: Disk) -> None:
    """Only that file is as it is kept; an address elsewhere must stand on the disk."""
    (disk.folder / "all.yaml").unlink()
    (disk.folder / "all.yaml").symlink_to("nowhere.yaml")
    reading = disk.read(kept())
    assert policy_of(reading).people["ana"].phone == "+14155550101"
    assert reading.left_out == ()
    files = {**kept(FORGED).files, "b.yaml": FORGED.encode(), "all.yaml": b""}
    reading = disk.read(KeptConfig("r1", NOW, files))
    assert reading.configuration.policy is None
    assert "ana's number" in reading.why


def test_nobody_left_is_no_pager(disk: Disk) -> None:
    """A daemon that could reach nobody does not start and seem well."""
    disk.write(FAULT, REAL)
    reading = disk.read(kept())
    assert reading.configuration.policy is None
    assert "ana's number, ana's mailbox" in reading.why
    assert reading.remnant is not None, "doctor looks at the rest"
    assert reading.remnant.settings is not None


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ('phone: "+14155550101"', True),
        ("phone: +1 415 555-0101 # day and night", True),
        ("phone: +1 (415) 555.0101", True),
        ("- +14155550101 2nd", True),
        ("phone: +141555501011", False),
        ("phone: 14155550101", False),
    ],
)
def test_a_number_on_disk(text: str, has: bool) -> None:
    """However it is written; not as a part of a longer one."""
    assert DiskWords([text]).has_number("+14155550101") is has


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("email: Ana@Example.com,", True),
        ("emails: [ana@example.com]", True),
        ('"Ana <ana@example.com>"', True),
        ("email:ana@example.com", True),
        ("email: ana@example.com.evil", False),
        ("email: not-ana@example.com", False),
    ],
)
def test_a_mailbox_on_disk(text: str, has: bool) -> None:
    """In any case; not as a part of a longer one."""
    assert DiskWords([text]).has_mailbox("ana@example.com") is has


async def test_a_start_says_what_it_lacks(disk: Disk) -> None:
    """Operators hear of it; with nothing left the start ends with the places and why."""
    ledger = MemoryLedger()
    forged = kept(FORGED)
    await ledger.record_config("r1", forged.files, NOW)
    disk.write(CONFIG + FAULT, REAL)
    started = await load_at_start(load(disk.folder, NOW, {}), ledger, disk.folder, {}, NOW, JUDGE)
    assert started.left_out == ("ana's number", "bo's mailbox")
    assert started.policy.since == NOW
    assert len(ledger.pages.configs) == 1
    disk.write(CONFIG, FAULT)
    with pytest.raises(StartError) as refused:
        await load_at_start(load(disk.folder, NOW, {}), ledger, disk.folder, {}, NOW, JUDGE)
    assert any("too little of it stands on disk" in reason for reason in refused.value.reasons)


async def test_an_unknown_variable_refuses_no_config_that_counts(disk: Disk) -> None:
    """Rule 43: it stops a first run; later the config on disk is in force, and nobody reads that it was refused."""
    ledger, environ = MemoryLedger(), {"TOCSIN_OPERATERS": "[]"}
    with pytest.raises(StartError):
        await load_at_start(load(disk.folder, NOW, environ), ledger, disk.folder, environ, NOW, JUDGE)
    await load_at_start(load(disk.folder, NOW, {}), ledger, disk.folder, {}, NOW, JUDGE)
    reading = load(disk.folder, NOW, environ)
    started = await load_at_start(reading, ledger, disk.folder, environ, NOW, JUDGE)
    assert (started.disk, started.refused) == (reading, ())


async def test_a_key_without_a_value_that_versions_before_took(disk: Disk) -> None:
    """Rule 64: `check` refuses it; a start pages also where the ledger that knew the config is lost."""
    disk.write(CONFIG + "\nservices: {old: {title: Old, pager: }}\n", REAL)
    reading = load(disk.folder, NOW, {})
    assert [problem.code for problem in reading.errors] == ["unknown-empty-key"]
    started = await load_at_start(reading, MemoryLedger(), disk.folder, {}, NOW, JUDGE)
    assert (started.disk, started.refused) == (reading, ())


async def test_a_config_is_vouched_for_once_there_is_a_key(disk: Disk) -> None:
    """A row from before the upgrade, or from before the key, is written anew at the next good start, with its instant;
    one that is vouched for is left alone.
    """
    ledger = MemoryLedger()

    async def start(environ: dict[str, str]) -> Configuration:
        reading = load(disk.folder, NOW, environ)
        started = await load_at_start(reading, ledger, disk.folder, environ, NOW, JUDGE)
        assert started.policy.since == ledger.pages.configs[0].since
        return reading

    await start({})
    assert [config.mac for config in ledger.pages.configs] == [""]
    reading = await start(KEYS)
    await start(KEYS)
    await start({"TOCSIN_WEB__SIGNING_KEY": "the key from before that one"})
    assert len(ledger.pages.configs) == 3
    assert ledger.pages.configs[1].mac == code_of(["the newest key of all of them"], reading.revision, reading.files)
    assert ledger.pages.configs[1].since == ledger.pages.configs[0].since
