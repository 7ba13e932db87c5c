"""A plain line chart as PNG: panels below one another over the same time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tests.soak.judgement import Point

WIDTH, PANEL_HEIGHT = 1200, 350
LEFT, RIGHT, TOP, BOTTOM = 70, 260, 54, 40
INK, GRID, PAPER = "#222222", "#dddddd", "#ffffff"
COLOURS = ("#7f7f7f", "#1f77b4", "#d62728", "#ff7f0e", "#2ca02c", "#9467bd")
TICKS = 6


@dataclass(frozen=True)
class Panel:
    """One diagram: a line for each name, every line with its own colour in all panels."""

    title: str
    lines: Mapping[str, Sequence[Point]]


def draw_chart(panels: Sequence[Panel], marks: Mapping[str, float], path: Path) -> None:
    """Write the panels; `marks` are named moments, in seconds."""
    image = Image.new("RGB", (WIDTH, PANEL_HEIGHT * len(panels)), PAPER)
    pen = ImageDraw.Draw(image)
    lines = [line for panel in panels for line in panel.lines.values()]
    last = max((at for line in lines for at, _ in line), default=1)
    for index, panel in enumerate(panels):
        _Axes(pen, index * PANEL_HEIGHT, last or 1).draw(panel, marks)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "PNG", optimize=True)


class _Axes:
    def __init__(self, pen: ImageDraw.ImageDraw, top: int, last: float) -> None:
        self._pen = pen
        self._top, self._bottom = top + TOP, top + PANEL_HEIGHT - BOTTOM
        self._last = last
        self._highest = 1.0
        self._font = ImageFont.load_default(14)

    def draw(self, panel: Panel, marks: Mapping[str, float]) -> None:
        self._text(LEFT, self._top - 42, panel.title)
        values = [value for line in panel.lines.values() for _, value in line]
        step = nice_step(max(values, default=1) or 1)
        self._highest = step * math.ceil((max(values, default=1) or 1) / step)
        for number in range(round(self._highest / step) + 1):
            y = self._y(number * step)
            self._pen.line((LEFT, y, WIDTH - RIGHT, y), GRID)
            self._text(LEFT - 8, y, f"{number * step:g}", "rm")
        self._times()
        for name, at in marks.items():
            self._pen.line((self._x(at), self._top, self._x(at), self._bottom), "#999999")
            self._text(self._x(at) + 3, self._top - 8, name, "lm", "#666666")
        self._lines(panel.lines)

    def _times(self) -> None:
        step = nice_step(self._last / 60)
        for number in range(int(self._last / 60 / step) + 1):
            x = self._x(number * step * 60)
            self._pen.line((x, self._bottom, x, self._bottom + 4), INK)
            self._text(x, self._bottom + 16, f"{number * step:g} min", "mm")

    def _lines(self, lines: Mapping[str, Sequence[Point]]) -> None:
        for place, (name, points) in enumerate(lines.items()):
            colour = COLOURS[place % len(COLOURS)]
            self._pen.line([(self._x(at), self._y(value)) for at, value in points], colour, 2)
            y, ends = self._top + 10 + place * 22, f": {points[-1][1]:.0f}" if points else ": none"
            self._pen.line((WIDTH - RIGHT + 14, y, WIDTH - RIGHT + 40, y), colour, 4)
            self._text(WIDTH - RIGHT + 48, y, f"{name}{ends} at the end", "lm")

    def _x(self, seconds: float) -> float:
        return LEFT + seconds / self._last * (WIDTH - RIGHT - LEFT)

    def _y(self, value: float) -> float:
        return self._bottom - value / self._highest * (self._bottom - self._top)

    def _text(self, x: float, y: float, text: str, anchor: str = "la", ink: str = INK) -> None:
        self._pen.text((x, y), text, ink, self._font, anchor)


def nice_step(highest: float) -> float:
    """Return 1, 2 or 5 times a power of ten, so that about six steps reach `highest`."""
    raw = highest / TICKS
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
