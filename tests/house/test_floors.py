"""House rules 1 to 3 and 8: imports point down, the core is pure, each library has its door."""

import ast
import re
import sys

from tests.house.code import NAME, PACKAGE, Module, arrows, modules, of_each

IMPURE = {
    "asyncio", "concurrent", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil",
    "signal", "socket", "sqlite3", "ssl", "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip

FLOORS = {
    "domain": 0, "text": 1, "planning": 1, "ports": 1, "formats": 2, "wording": 2, "adapters": 3, "app": 4, "web": 5, "cli": 6,
}  # fmt: skip

OWN = 99
INNER = {
    "app": {
        "state": 0, "simulation": 0, "configuration": 0, "reply_options": 1, "delivery": 2,
        "edits": 1, "diff": 3, "policy_tests": 3, "incidents": 3, "engine": 3,
        "leadership": 4, "intake": 4, "alerts": 4, "replies": 4, "sign_in": 4, "arrivals": 5, "hand_ins": 6, "lifecycle": 7, "doctor": 8, "wiring": 9,
    },
    "formats": {"schema": 0, "inbox": 1, "mail_records": 0, "incident": 1, "calendar": 1, "settings": 1, "config": 2, "policy_test": 2},
    "wording": {"answer": 2, "delivery": 0, "language": 0, "message": 1, "operator": 2, "report": 2},
    "planning": {"history": 0, "on_call": 0, "machines": 0, "delivery": 0, "cadence": 1},
    "adapters": {"files": 0, "": 0} | dict.fromkeys(("dns", "git", "inbox", "jinja", "ledger", "outbox", "smtp", "twilio"), 1),
    "web": {"http": 0, "access": 1, "routes": 2, "acting": 3, "incidents": 4},
}  # fmt: skip
"""Inside a floor: a folder may import folders with a lower number. A floor's own files stand above its sub-folders."""

DOORS = {
    "aiohttp": {"adapters/twilio/", "adapters/heartbeat.py", "web/"},
    "aiosmtplib": {"adapters/smtp/"},
    "alembic": {"adapters/ledger/"},
    "asyncinotify": {"adapters/files/incident_folder/kernel.py"},
    "babel": {"wording/language/"},
    "click": {"cli/"},
    "croniter": {"planning/on_call/handoffs.py"},
    "dns": {"adapters/dns/"},
    "email_validator": {"text/contacts.py"},
    "icalendar": {"formats/calendar/"},
    "jinja2": {"adapters/jinja/"},
    "phonenumbers": {"text/contacts.py"},
    "prometheus_client": {"web/routes/metrics.py"},
    "psycopg": {"adapters/ledger/postgresql/"},
    "pydantic": {
        "formats/",
        "app/alerts/payload.py",
        "adapters/ledger/schema/codec.py",
        "adapters/ledger/schema/outcome_codec.py",
    },
    "pydantic_core": {"formats/schema/pydantic_problems.py"},
    "pydantic_settings": {"formats/settings/"},
    "recurring_ical_events": {"formats/calendar/"},
    "rich": {"cli/output/terminal/"},
    "ruamel": {"formats/incident/edit.py", "formats/incident/written.py"},
    "sqlalchemy": {"adapters/ledger/"},
    "structlog": {"app/", "web/"},
    "twilio": {"adapters/twilio/"},
    "watchfiles": {"adapters/files/incident_folder/portable.py"},
    "yaml": {"text/yaml.py", "text/yaml_errors.py"},
}

CLOCK = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
         ("time", "time"), ("time", "time_ns"), ("time", "monotonic"), ("time", "clock_gettime"),
         ("func", "now"), ("func", "current_timestamp")}  # fmt: skip


def test_imports_point_down() -> None:
    """Rule 1: a module imports only from floors below its own, or from its own room."""
    wrong = []
    for module, targets in arrows().items():
        room = module.split(".")[0]
        for target in targets:
            other = target.split(".")[0]
            if room in FLOORS and other in FLOORS and room != other and FLOORS[other] >= FLOORS[room]:
                wrong.append(f"{module} (floor {FLOORS[room]}) imports {target} (floor {FLOORS[other]})")
    assert not wrong, wrong


def test_the_inner_floors_hold() -> None:
    """Rule 1: inside a floor a folder imports only the folders that the table puts below it; adapters know no other."""
    wrong = []
    for module, targets in arrows().items():
        room, _, inner = module.partition(".")
        levels = INNER.get(room)
        if levels is None or not inner:
            continue
        for target in targets:
            other, _, beneath = target.partition(".")
            if other != room or not beneath:
                continue
            here, there = folder(room, inner), folder(room, beneath)
            if here != there and levels.get(there, OWN) >= levels.get(here, OWN):
                wrong.append(f"{module} imports {target}")
    assert not wrong, wrong


def folder(room: str, inner: str) -> str:
    """The sub-folder of a floor that a module lies in, "" for the floor's own files."""
    first = inner.partition(".")[0]
    return first if (PACKAGE / room / first).is_dir() else ""


def test_every_room_has_a_floor() -> None:
    """Rule 1: a new folder cannot dodge the rule, neither as a floor nor inside one that has a table."""
    assert {module.room for module in modules()} - {"__init__", "__main__"} <= set(FLOORS)
    for room, levels in INNER.items():
        folders = {path.name for path in (PACKAGE / room).iterdir() if (path / "__init__.py").is_file()}
        assert folders == set(levels) - {""}, room


def test_no_cycles() -> None:
    """Rule 1: no module imports, through others, itself; nor does a folder, its own sub-folders apart."""
    for graph in (arrows(), folder_arrows()):
        done: set[str] = set()

        def visit(name: str, trail: tuple[str, ...], graph: dict[str, set[str]], done: set[str]) -> None:
            assert name not in trail, f"cycle: {' -> '.join((*trail, name))}"
            if name not in done:
                for target in sorted(graph[name]):
                    visit(target, (*trail, name), graph, done)
                done.add(name)

        for name in graph:
            visit(name, (), graph, done)


def folder_arrows() -> dict[str, set[str]]:
    """Which folders each folder's own files import. A folder's front (`__init__`) belongs to it."""
    graph: dict[str, set[str]] = {}
    for module, targets in arrows().items():
        home = home_of(module)
        if not home:
            continue
        graph.setdefault(home, set()).update(home_of(target) for target in targets)
        graph[home] -= {home, ""}
    for targets in list(graph.values()):
        for target in targets:
            graph.setdefault(target, set())
    return graph


def home_of(module: str) -> str:
    """The folder of a module, as a dotted name."""
    return module if (PACKAGE / module.replace(".", "/")).is_dir() else module.rpartition(".")[0]


LATE = "# noqa: PLC0415 - dear, and "
"""How an import inside a function begins to say why it stands there."""


@of_each(modules())
def test_no_dodges(module: Module) -> None:
    """Rule 1: no TYPE_CHECKING blocks; imports inside functions only in cli/, for start-up time, and elsewhere where it
    says what is dear and seldom needed.
    """
    assert "TYPE_CHECKING" not in module.text
    if module.room == "cli":
        return
    lines = module.text.splitlines()
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [
                child
                for child in ast.walk(node)
                if isinstance(child, ast.Import | ast.ImportFrom) and LATE not in lines[child.lineno - 1]
            ]
            assert not inner, f"{module.name}:{inner[0].lineno}: import inside {node.name}" if inner else ""


PURE = modules("domain", "planning", "text", "formats", "wording")
ON_PATHS_ONLY = {
    "formats/settings/": {"os", "pathlib", "urllib"},
    "formats/schema/addresses.py": {"urllib"},
    "formats/incident/edit.py": {"io"},
}
"""Places whose values are paths and addresses, or that write into memory: they may use these, but never touch a disk."""
TOUCHES = {
    "open()",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "stat",
    "exists",
    "is_file",
    "iterdir",
    "environ",
}


@of_each(PURE)
def test_the_core_is_pure(module: Module) -> None:
    """Rule 2: five floors have no I/O, no randomness, no logging and no async; domain/ knows only the stdlib, and
    planning/ besides only the arithmetic of cron.
    """
    allowed = {library for place, extra in ON_PATHS_ONLY.items() if module.name.startswith(place) for library in extra}
    assert not (module.libraries() & IMPURE) - allowed
    for node in module.nodes:
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await)
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else f"{getattr(node.func, 'id', '')}()"
            assert name not in TOUCHES, f"{module.name}:{node.lineno} touches a disk"
    outside = {name for name in module.libraries() if name not in sys.stdlib_module_names} - {NAME}
    if module.room in {"domain", "planning"}:
        assert outside <= ({"croniter"} if module.room == "planning" else set())


def test_nothing_is_assigned_on_another_object() -> None:
    """Rule 8: the room that puts the daemon together gives each part what it needs in its constructor, and assigns
    nothing on it afterwards.
    """
    for module in modules("app"):
        if not module.name.startswith("app/wiring/"):
            continue
        for node in module.nodes:
            targets = node.targets if isinstance(node, ast.Assign) else []
            late = [target for target in targets if isinstance(target, ast.Attribute)]
            assert not late, f"{module.name}:{node.lineno} assigns {ast.unparse(late[0])}"


def test_no_setting_is_a_callable() -> None:
    """Rule 8: whoever needs the config in force holds it; nothing is given a function that gives a setting."""
    for module in modules("app"):
        assert not re.search(r"Callable\[\[\], (Settings|Policy|ReplyRoutes|datetime|timedelta|str|bool)", module.text)


@of_each(modules())
def test_one_file_asks_the_clock(module: Module) -> None:
    """Rule 2: only adapters/clock.py asks what time it is; everybody else is told."""
    if module.name == "adapters/clock.py":
        return
    for node in module.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            said = (owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", ""), node.func.attr)
            assert said not in CLOCK, f"{module.name}:{node.lineno} asks the clock"


@of_each(modules())
def test_each_library_has_its_door(module: Module) -> None:
    """Rules 3 and 8: a third-party library is imported where the house says, and nowhere else."""
    for library in module.libraries() - set(sys.stdlib_module_names) - {NAME}:
        doors = DOORS.get(library, set())
        assert any(module.name.startswith(door) for door in doors), f"{module.name} imports {library}"


def test_one_broad_except() -> None:
    """Rule 9: the one broad except stands in one place: around one incident's reconcile, and around one arrival's
    judgement. Another stands in a process of its own, which hands back whatever its work raised.
    """
    found = []
    for module in modules():
        for node in module.nodes:
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else ""
                if caught in ("", "Exception", "BaseException"):
                    found.append(f"{module.name}:{node.lineno}")
    assert [place.split(":")[0] for place in found] == ["adapters/child.py", "app/engine/isolation.py"], found


def test_wiring_alone_constructs_adapters() -> None:
    """Rule 8: in the app, only wiring/ calls an adapter's class."""
    for module in modules("app"):
        if module.name.startswith("app/wiring/"):
            continue
        classes = {name.split(".")[-1] for name, _ in module.imports() if name.startswith("tocsin.adapters.")}
        classes = {name for name in classes if name[:1].isupper()}
        for node in module.nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in classes, f"{module.name}:{node.lineno} constructs {node.func.id}"
