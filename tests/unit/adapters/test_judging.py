"""Folders of templates that were written for an older version."""

from tocsin.adapters.jinja import sources
from tocsin.adapters.jinja.judging import judge_templates
from tocsin.adapters.jinja.sources import shipped_folder
from tocsin.ports.renderer import TemplateFault

OWN_PAGE = {"page.sms.txt.j2": "{{ tag }} {{ title }} {{ code }}"}


def test_a_part_that_lacks_what_shipped_templates_take_from_it_is_told_at_home() -> None:
    """It is left out, with what to take over; the other templates of the folder go on."""
    old = {"parts.html.j2": "{% macro para(words) %}<p>{{ words }}</p>{% endmacro %}{% set tint = 'red' %}", **OWN_PAGE}
    verdict = judge_templates(old, lambda _: None, ("en",))
    (fault,) = verdict.faults
    assert (fault.name, fault.line) == ("parts.html.j2", 1)
    assert fault.why.startswith("it lacks button, command, ")
    assert " para," not in fault.why
    assert verdict.left_out == {"parts.html.j2"}


def test_a_layout_of_an_older_version_goes_on() -> None:
    """It asks for the incident's id in every message, which those to operators do not have."""
    layout = sources.read(shipped_folder()).texts["layout.html.j2"]
    old = layout.replace(
        "</body>", "{% if id or page_url %}Incident {{ id }}, {{ tag }} since {{ since }}{% endif %}</body>"
    )
    assert old != layout
    assert judge_templates({"layout.html.j2": old}, lambda _: None).faults == ()


def test_what_a_part_lacks_counts_only_where_something_breaks() -> None:
    """A name that no template of the folder gives in the end breaks nothing, and a template is told for its own sake."""
    broken = {"page.sms.txt.j2": "{{ titel }}", "de/mine.j2": "x", "use.j2": "{% from 'de/mine.j2' import nothing %}"}
    (fault, *_) = judge_templates(broken, lambda _: None).faults
    assert isinstance(fault, TemplateFault)
    assert fault.name == "page.sms.txt.j2"
