"""Templates of a config folder: whatever they are, the message has words, in time."""

from dataclasses import replace
from pathlib import Path
from random import Random

from tocsin.adapters.jinja.judging import judge_templates
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.domain.incident import Status
from tocsin.ports.renderer import TemplateFiles

from tests.builders.policies import shipped_policy
from tests.builders.stories import CARD, FIRST
from tests.builders.templates import Grammar
from tests.fuzz.fuzzer import Fuzzer
from tests.fuzz.targets.configs import files_of, folder
from tests.fuzz.targets.messages import TEMPLATES, decided

JINJA = (
    *(b"{% for i in [1] %}", b"{% endfor %}", b"{% if 1 %}", b"{% endif %}", b"{% set a=[1,1] %}", b"{% set a=[a,a] %}"),
    *(b"{{ a|string }}", b"{{ a == a }}", b"{% set l=[1]*5000 %}", b"{% set l=l+l %}", b"{% include 'page.j2' %}"),
    *(b"{% macro m(x) %}", b"{% endmacro %}", b"{{ m(m) }}", b"{{ loop(l) }}", b"recursive", b"|join", b"|list", b"|sort"),
    *(b"|map(attribute='x')", b"|replace('a', 'aaaa')", b"{{ title }}", b"{{ incident }}", b"{% raw %}", b"~", b"**"),
    *(b"range(5000)", b"[[1]*5000]*5000", b"'a'*99999", b".__class__", b"{% extends 'page.j2' %}", b"{% block x %}", b"{#"),
)  # fmt: skip


def fuzzers() -> list[Fuzzer]:
    """Those of any bytes, and those by Jinja's grammar, of which a case is the seed."""
    policy = shipped_policy()
    story = replace(CARD, status=Status.RESOLVED, resolution="Failover done.", updates=(FIRST,))
    known = {(due[0].kind, due[0].via): due for due in decided(story, policy)}
    texts = {path.relative_to(TEMPLATES).as_posix(): path.read_bytes() for path in sorted(TEMPLATES.rglob("*.j2"))}
    kinds = tuple(f"{kind}." for kind, _via in known)
    names = [name for name in texts if name.startswith(kinds)]
    written = [folder({name: texts[name]}) for name in names]
    written += [folder({name: b"".join(JINJA[at : at + 9])}) for at, name in enumerate(names)]

    def templates(case: bytes) -> None:
        own = {path: data.decode("utf-8", "replace") for path, data in files_of(case).items()}
        renderer = JinjaRenderer(TEMPLATES, lambda _problem: None)
        problems = renderer.use(TemplateFiles(Path("own"), own), judge_templates(own, lambda _name: None))
        assert all("\n" not in problem.message for problem in problems)
        for (kind, _via), (notification, incident, history) in known.items():
            if any(name.startswith(f"{kind}.") for name in own):
                content = renderer.render(notification, incident, history, policy)
                assert content.text.strip()
                assert "\n" not in content.subject

    def grammatical(case: bytes) -> None:
        templates(folder({"page.email.txt.j2": Grammar(Random(case)).template().encode()}))

    return [
        Fuzzer("template", written, templates, JINJA, sample=20),
        Fuzzer("template-grammar", [b"seed"], grammatical, sample=6),
    ]
