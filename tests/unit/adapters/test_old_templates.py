"""The shipped templates of the version before messages had languages, copied into a folder of one's own."""

from pathlib import Path

import pytest
from tocsin.adapters.jinja.judging import judge_templates
from tocsin.adapters.jinja.renderer import JinjaRenderer
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.domain.people import Channel
from tocsin.wording.operator.samples import TESTS, notice_samples

OLD = Path(__file__).parents[2] / "data" / "templates_before_languages"
TEXTS = {path.name: path.read_text() for path in sorted(OLD.iterdir())}


def test_all_of_them_are_good() -> None:
    """Nothing that is newer (a preview, the language) is missed."""
    assert judge_templates(TEXTS, lambda _name: None, ("de",)).faults == ()


@pytest.mark.parametrize("name", ["layout.html.j2", "parts.html.j2", "page.email.html.j2"])
def test_one_of_them_is_good(name: str) -> None:
    """Beside the shipped ones of today, which extend it or which it extends."""
    assert judge_templates({name: TEXTS[name]}, lambda _name: None).faults == ()


def test_what_is_no_incidents_is_said_in_an_old_layout(tmp_path: Path) -> None:
    """Operators' notices and test messages know no incident: its names are empty there."""
    (tmp_path / "layout.html.j2").write_text(TEXTS["layout.html.j2"].replace("<body ", '<body id="mine" '))
    told: list[object] = []
    renderer = JinjaRenderer(shipped_folder(), told.append)
    assert renderer.load(tmp_path) == ()
    for words in (*notice_samples(), *TESTS):
        content = renderer.render_own(lambda _language, words=words: words, Channel.EMAIL, "en")  # type: ignore[misc]
        assert '<body id="mine" ' in content.html
        assert "Follow the incident" not in content.html
    assert told == []
