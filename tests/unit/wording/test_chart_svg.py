"""The drawn timeline: whatever happened, it is one sound image that stays in its frame and small."""

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tocsin.wording.report.chart import Chart, ChartBand, ChartLane, ChartMark, MarkSign, Tone
from tocsin.wording.report.chart_svg import NARROW, WIDE, draw

from tests.builders.examples import some

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
instants = st.integers(-10, 10**8).map(lambda seconds: T0 + timedelta(seconds=seconds))
texts = st.text(max_size=60)
bands = st.builds(
    lambda at, span, tone, label, thin: ChartBand(at, at + timedelta(seconds=span), tone, label, thin),
    instants,
    st.integers(1, 10**6),
    st.sampled_from(Tone),
    texts,
    st.booleans(),
)
lanes = st.builds(
    lambda title, note, bands, marks: ChartLane(
        title, note, tuple(sorted(bands, key=lambda each: each.start)), tuple(marks)
    ),
    texts,
    texts,
    st.lists(bands, max_size=5),
    st.lists(st.builds(ChartMark, instants, st.sampled_from(MarkSign)), max_size=9),
)
charts = st.builds(
    lambda title, start, span, now, lanes: Chart(
        title, title, start, start + timedelta(seconds=span), now, tuple(lanes)
    ),
    texts,
    instants,
    st.integers(0, 10**8),
    st.none() | instants,
    st.lists(lanes, max_size=4),
)


def parsed(svg: str) -> ET.Element:
    """The drawing. A browser reads it as HTML, which allows more than XML does: controls are taken out first."""
    return ET.fromstring(re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", svg))


@given(charts, st.sampled_from([WIDE, NARROW]))
@settings(max_examples=some(60), deadline=None)
def test_it_is_sound_and_stays_in_its_frame(chart: Chart, width: int) -> None:
    """Well-formed, named for who cannot see it, without style or script, everything between left and right."""
    image = parsed(draw(chart, width, "a"))
    assert image.get("role") == "img"
    assert [each.get("id") for each in list(image)[:2]] == (image.get("aria-labelledby") or "").split()
    for each in image.iter():
        assert not {"style", "onload", "href"} & set(each.keys())
        assert each.tag in {"svg", "title", "desc", "g", "line", "rect", "circle", "path", "text"}
        for name in ("x", "x1", "x2"):
            if each.tag != "rect" or "band" in (each.get("class") or ""):
                assert 0 <= float(each.get(name, "0")) <= width


def test_text_is_data() -> None:
    """Markup in a title, a note or a label is shown, never obeyed."""
    evil = '</text><script>alert("x")</script>'
    band = ChartBand(T0, T0 + timedelta(hours=2), Tone.NEWS, evil[:40])
    chart = Chart(evil, evil, T0, T0 + timedelta(hours=2), None, (ChartLane(evil[:30], evil[:20], (band,)),))
    assert "<script" not in draw(chart, WIDE, "a")


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_thousands_are_condensed(width: int) -> None:
    """Five thousand pages, updates and flips of the status are a few hundred shapes; the marks say how many they are."""
    step = timedelta(seconds=30)
    marks = tuple(
        ChartMark(T0 + number * step, sign) for number in range(5000) for sign in (MarkSign.PAGE, MarkSign.UPDATE)
    )
    flips = tuple(ChartBand(T0 + number * step, T0 + (number + 1) * step, Tone.WARN, "x") for number in range(5000))
    chart = Chart("t", "d", T0, T0 + 5000 * step, None, (ChartLane("a", "", flips, marks),))
    drawn = draw(chart, width, "a")
    assert len(list(parsed(drawn).iter())) < 3 * width
    assert re.search(r'class="count"[^>]*>\d\d</text>', drawn)


def test_days_and_hours_on_the_axis() -> None:
    """Ticks stand at round instants: times within a day, the day where it changes."""
    chart = Chart("t", "d", T0, T0 + timedelta(hours=30), None, (ChartLane("a"),))
    labels = [each.text for each in parsed(draw(chart, WIDE, "a")).iter() if each.get("class") == "axis"]
    assert labels == ["12:00", "18:00", "24 Nov", "06:00", "12:00"]
    chart = Chart("t", "d", T0, T0 + timedelta(minutes=7), None, (ChartLane("a"),))
    labels = [each.text for each in parsed(draw(chart, NARROW, "a")).iter() if each.get("class") == "axis"]
    assert labels == ["10:00", "10:02", "10:04", "10:06"]
