"""The drawn timeline: a chart as SVG, to stand inside an HTML page. It needs no script and no style of its own: classes
are named, the page's stylesheet colours them.

Decides where things go and what is condensed when there is no room; must not know what an incident is. The text of the
chart is data: it is escaped. Whatever is drawn stands beside it as a list too, so the drawing is one image to who
hears the page read out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from tocsin.wording.report.chart import Chart, ChartBand, ChartLane, ChartMark, MarkSign

WIDE = 620
"""Units (pixels on a desk) of the width of a drawing for a desk."""
NARROW = 300
"""The same for a phone."""
LANES_MOST = 40
LANE = 46
"""Height of a lane: its title, and its track below."""
TRACK = 30
"""From the top of a lane to the middle of its track."""
BAR = 16
AXIS = 26
KEY = 24
"""Height of a row of the key."""
KEY_FROM = 17.0
NOW = "now"
LETTER = 6.7
"""How wide a letter of a label is, rather too much than too little."""
APART = 10.0
"""Marks of one sign that are nearer than this are one mark with their number."""
TICK = 64.0
"""Room that the label of a tick needs."""
STEPS = tuple(
    timedelta(minutes=minutes)
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7 * 1440, 30 * 1440, 365 * 1440)
)
EDGE = 9.0
"""Room left and right, so that a mark at the very edge is whole."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """Instants to units from the left."""

    start: datetime
    span: timedelta
    width: float

    def x(self, at: datetime) -> float:
        share = min(max((at - self.start) / self.span, 0.0), 1.0)
        return EDGE + share * (self.width - 2 * EDGE)


def draw(chart: Chart, width: int, name: str, zone: str = "UTC") -> str:
    """The drawing, `width` units wide, on the wall clock of `zone`. `name` makes its ids unique on the page."""
    scale = _Scale(chart.start, max(chart.end - chart.start, timedelta(minutes=1)), width)
    lanes = chart.lanes[:LANES_MOST]
    bottom = len(lanes) * LANE + 6
    rows = _key(lanes, width, with_now=chart.now is not None)
    parts = [
        f'<svg class="drawn {name}" viewBox="0 0 {width} {bottom + AXIS + KEY * len(rows)}" role="img" '
        f'aria-labelledby="{name}-title {name}-about">',
        f'<title id="{name}-title">{escape(chart.title)}</title>',
        f'<desc id="{name}-about">{escape(chart.description)}</desc>',
        *_axis(scale, bottom, ZoneInfo(zone)),
    ]
    if chart.now is not None:
        x = scale.x(chart.now)
        parts.append(f'<line class="now" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}"/>')
    for number, lane in enumerate(lanes):
        parts += _lane(lane, scale, number * LANE)
    for number, row in enumerate(rows):
        parts += _key_row(row, bottom + AXIS + KEY * (number + 0.5))
    return "".join((*parts, "</svg>"))


def _axis(scale: _Scale, bottom: float, zone: ZoneInfo) -> Iterator[str]:
    """Lines at round instants, and their labels: the day once it has changed, else the time."""
    room = max(int((scale.width - 2 * EDGE) / TICK), 2)
    step = next((step for step in STEPS if scale.span / step <= room), STEPS[-1])
    first = scale.start.astimezone(zone)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + -(-(first - midnight) // step) * step
    day = first.date() if scale.span < timedelta(days=2) else None
    while at <= scale.start + scale.span:
        x = scale.x(at)
        label = f"{at:%H:%M}" if at.date() == day else f"{at.day} {at:%b}"
        label = f"{at:%H:%M}" if step < timedelta(days=1) and (at.hour or at.minute) else label
        anchor = "start" if x < TICK / 3 else "end" if x > scale.width - TICK / 3 else "middle"
        x_label = {"start": EDGE / 2, "end": scale.width - EDGE / 2}.get(anchor, x)
        yield f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{bottom}"/>'
        yield f'<text class="axis" x="{x_label:.1f}" y="{bottom + 16}" text-anchor="{anchor}">{label}</text>'
        at += step


def _lane(lane: ChartLane, scale: _Scale, top: float) -> Iterator[str]:
    """A title, a note at the right (unless the last band says it), and the track."""
    last = lane.bands[-1] if lane.bands else None
    says_note = last is not None and last.label == lane.note and _fits(last, scale.x(last.end) - scale.x(last.start))
    middle = top + TRACK
    letters = int((scale.width - 2 * EDGE) / LETTER)
    note = "" if says_note else _cut(lane.note, letters - min(len(lane.title), letters // 2) - 2)
    title = _cut(lane.title, letters - len(note) - 2)
    yield f'<text class="lane" x="{EDGE}" y="{top + 15}">{escape(title)}</text>'
    if note:
        kind = "note unheld" if last is not None and last.thin else "note"
        yield f'<text class="{kind}" x="{scale.width - EDGE}" y="{top + 15}" text-anchor="end">{escape(note)}</text>'
    ends = scale.width - EDGE
    yield f'<line class="track" x1="{EDGE}" x2="{ends}" y1="{middle}" y2="{middle}"/>'
    drawn_to = -1.0
    for band in lane.bands:
        begins, ends = max(scale.x(band.start), drawn_to), scale.x(band.end)
        if ends > drawn_to + 0.5:
            yield from _band(band, begins, ends, middle)
            drawn_to = ends
    for sign in MarkSign:
        yield from _marks([mark for mark in lane.marks if mark.sign is sign], sign, scale, middle)


def _band(band: ChartBand, begins: float, ends: float, middle: float) -> Iterator[str]:
    width = max(ends - begins, 2.0)
    if band.thin:
        yield f'<line class="wait {band.tone}" x1="{begins:.1f}" x2="{ends:.1f}" y1="{middle}" y2="{middle}"/>'
        return
    top = middle - BAR / 2
    yield f'<rect class="band {band.tone}" x="{begins:.1f}" y="{top}" width="{width:.1f}" height="{BAR}" rx="3"/>'
    if _fits(band, width):
        yield f'<text class="on" x="{begins + 12:.1f}" y="{middle + 4}">{escape(band.label)}</text>'


def _fits(band: ChartBand, width: float) -> bool:
    """Whether a band has room for its label."""
    return bool(band.label) and len(band.label) * LETTER + 18 <= width


def _marks(marks: Iterable[ChartMark], sign: MarkSign, scale: _Scale, middle: float) -> Iterator[str]:
    """Marks of one sign, those without room between them as one."""
    together: list[tuple[float, int]] = []
    for mark in sorted(marks, key=lambda mark: mark.at):
        x = scale.x(mark.at)
        if together and x - together[-1][0] < APART:
            together[-1] = together[-1][0], together[-1][1] + 1
        else:
            together.append((x, 1))
    for x, count in together:
        yield _mark(sign, x, middle, count)


def _mark(sign: MarkSign, x: float, y: float, count: int = 1) -> str:
    """One mark: a shape, and how many it stands for."""
    many = count > 1
    number = f'<text class="count" x="0" y="3.5" text-anchor="middle">{min(count, 99)}</text>' if many else ""
    match sign:
        case MarkSign.PAGE:
            shape = f'<circle class="dot" r="{8 if many else 5}"/>{number}'
        case MarkSign.ACCEPTED:
            shape = '<circle class="dot" r="7.5"/><path class="line" d="M-3.4 .2 -1 2.8 3.6 -2.6"/>'
        case MarkSign.PASSED:
            shape = '<circle class="ring" r="6"/><path class="cross" d="M-2.4 -2.4 2.4 2.4M-2.4 2.4 2.4 -2.4"/>'
        case MarkSign.UPDATE:
            half = 7.5 if many else 5
            shape = f'<rect class="dot" x="{-half}" y="{-half}" width="{2 * half}" height="{2 * half}" rx="2"/>{number}'
        case MarkSign.PROMISED:
            shape = '<rect class="ring" x="-5" y="-5" width="10" height="10" rx="2"/>'
    return f'<g class="mark {sign.name.lower()}" transform="translate({x:.1f} {y})">{shape}</g>'


def _key(lanes: Iterable[ChartLane], width: float, *, with_now: bool) -> list[list[tuple[MarkSign | None, float]]]:
    """What the shapes mean, of those that are drawn (None: the line of now): rows of signs, each at its place."""
    used = {mark.sign for lane in lanes for mark in lane.marks}
    signs: list[MarkSign | None] = [sign for sign in MarkSign if sign in used]
    rows: list[list[tuple[MarkSign | None, float]]] = [[]]
    x = KEY_FROM
    for sign in (*signs, *([None] if with_now else [])):
        ends = x + 12 + len(sign.value if sign else NOW) * LETTER
        if ends > width and rows[-1]:
            rows.append([])
            ends, x = ends - x + KEY_FROM, KEY_FROM
        rows[-1].append((sign, x))
        x = ends + 17
    return rows


def _key_row(row: Iterable[tuple[MarkSign | None, float]], y: float) -> Iterator[str]:
    for sign, x in row:
        yield _mark(sign, x, y) if sign else f'<path class="now" d="M{x:.1f} {y - 7}V{y + 7}"/>'
        yield f'<text class="axis" x="{x + 12:.1f}" y="{y + 4}">{sign.value if sign else NOW}</text>'


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: max(letters - 1, 0)].rstrip() + "…"
