"""What was measured, as a picture: an SVG that is readable on a light and on a dark page."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.benchmark.figures import ONE_SESSION, RASA, SESSIONS, STEADFAST, Figures

WIDTH, HEIGHT = 460, 360
LEFT, RIGHT, TOP, BOTTOM = 62, 24, 70, 48
COLUMNS = 2

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #333 }
.title { font-size: 15px; font-weight: 600 }
.grid { stroke: #ccc; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.rasa .line { stroke: #b3411a } .rasa .dot { fill: #b3411a }
.steadfast .line { stroke: #1763b6 } .steadfast .dot { fill: #1763b6 }
.sessions { stroke-dasharray: 6 4 }
.page { fill: #fff }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .grid { stroke: #444 } .page { fill: #111 }
  .rasa .line { stroke: #ff9a6b } .rasa .dot { fill: #ff9a6b }
  .steadfast .line { stroke: #6db3ff } .steadfast .dot { fill: #6db3ff }
}
"""
LINES = (
    (RASA, ONE_SESSION, "Rasa, one session"),
    (RASA, SESSIONS, "Rasa, sessions of 10"),
    (STEADFAST, ONE_SESSION, "Steadfast, one session"),
    (STEADFAST, SESSIONS, "Steadfast, sessions of 10"),
)


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis.

    Attributes:
        low: The value at its beginning.
        high: The value at its end.
        begin: Pixel of `low`.
        end: Pixel of `high`.
    """

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Returns the pixel of a value."""
        part = math.log(value / self.low) / math.log(self.high / self.low)
        return round(self.begin + part * (self.end - self.begin), 1)

    def powers(self) -> Iterator[float]:
        """Yields the powers of ten on it."""
        for exponent in range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1):
            yield 10.0**exponent


def plot(measured: list[Figures]) -> str:
    """Draws a panel for each store: milliseconds of a turn's store work over the turns of its history."""
    rows = math.ceil(len(measured) / COLUMNS)
    width, height = WIDTH * min(COLUMNS, len(measured)), HEIGHT * rows
    panels = "".join(
        f'<g transform="translate({WIDTH * (index % COLUMNS)} {HEIGHT * (index // COLUMNS)})">{_panel(figures)}</g>'
        for index, figures in enumerate(measured)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img"><title>Store work of a turn, Rasa and Steadfast</title><style>{STYLE}</style>'
        f'<rect class="page" width="{width}" height="{height}"/>{panels}</svg>\n'
    )


def _panel(figures: Figures) -> str:
    values = [value for point in figures.points for value in point.known.values()]
    turns = [point.turns for point in figures.points]
    across = Axis(min(turns), max(turns), LEFT, WIDTH - RIGHT)
    low, high = 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(math.log10(max(values)))
    up = Axis(low, high, HEIGHT - BOTTOM, TOP)
    title = f"{figures.store}: store work of a turn, milliseconds"
    parts = [f'<text class="title" x="{LEFT}" y="22">{escape(title)}</text>']
    for index, (name, shape, label) in enumerate(LINES):
        x, y = LEFT + index // 2 * 180, 42 + index % 2 * 16
        key = f'<line class="line {_dashes(shape)}" x1="{x}" x2="{x + 24}" y1="{y}" y2="{y}"/>'
        parts.append(f'<g class="{name}">{key}<text x="{x + 30}" y="{y + 4}">{label}</text></g>')
    for value in up.powers():
        level = up.at(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{level}" y2="{level}"/>')
        parts.append(f'<text text-anchor="end" x="{LEFT - 8}" y="{level + 4}">{value:g}</text>')
    for size in sorted(set(turns)):
        place = across.at(size)
        parts.append(f'<line class="grid" x1="{place}" x2="{place}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
        parts.append(f'<text text-anchor="middle" x="{place}" y="{HEIGHT - BOTTOM + 18}">{size}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text text-anchor="middle" x="{middle}" y="{HEIGHT - 10}">turns in the history</text>')
    for name, shape, label in LINES:
        points = [(across.at(point.turns), up.at(point.known[name])) for point in figures.shape(shape)]
        path = " ".join(f"{x},{y}" for x, y in points)
        dots = "".join(f'<circle class="dot" cx="{x}" cy="{y}" r="3"/>' for x, y in points)
        parts.append(
            f'<g class="{name}"><title>{label}</title>'
            f'<polyline class="line {_dashes(shape)}" points="{path}"/>{dots}</g>'
        )
    return "\n".join(parts)


def _dashes(shape: str) -> str:
    return "sessions" if shape == SESSIONS else ""
