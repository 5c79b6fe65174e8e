"""The small charts of the Dagster UI: an SVG picture in an asset's metadata.

Dagster shows Markdown on the asset's page if it has fewer than a thousand characters, and hides it
behind a link if it has more; it drops SVG elements but keeps pictures in data URLs. No library
writes so little, so these few shapes are drawn here: whole numbers, relative paths.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby, pairwise

SHOWN_BELOW = 1000
BLUE, ORANGE, PURPLE, GREY = "#3b8fd1", "#e08e0b", "#b0629b", "#76808c"
"""Legible on white and on black, and distinct to the colour-blind."""

_ESCAPED = {"<": "%3C", ">": "%3E", "#": "%23", "%": "%25"}
_WIDTH, _LEFT, _TOP, _FLOOR = 300, 27, 11, 66

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Curve:
    """Values from left to right; None is a gap."""

    name: str
    values: Values
    colour: str = BLUE


@dataclass(frozen=True, slots=True)
class Chart:
    """Values at equal steps from left to right."""

    title: str
    ends: tuple[str, str]
    """Labels of the first and the last step."""
    ticks: Sequence[tuple[float, str]]
    """Values on the vertical axis and their labels, in ascending order."""
    steps: int
    curves: Sequence[Curve] = ()
    bars: Values = ()
    band: tuple[Values, Values] | None = None

    def markdown(self) -> str:
        """The chart as an image in a data URL."""
        url = "".join(_ESCAPED.get(sign, sign) for sign in self.svg())
        return f"![{self.title}](<data:image/svg+xml,{url}>)"

    def svg(self) -> str:
        """The chart as a document; in single quotes, because they need no escape in a URL."""
        parts = [*self._frame(), *self._band(), *self._bars(), *map(self._curve, self.curves)]
        head = f"viewBox='0 0 {_WIDTH} 76' width='600' fill='{GREY}'"
        font = "font-family='sans-serif' font-size='5.5'"
        text = f"<svg xmlns='http://www.w3.org/2000/svg' {head} {font}>{''.join(parts)}</svg>"
        return text.replace('"', "'")

    def _x(self, place: int) -> int:
        return _LEFT + round((_WIDTH - _LEFT) * (place + 0.5) / self.steps)

    def _y(self, value: float) -> int:
        low, high = self.ticks[0][0], self.ticks[-1][0]
        share = min(1.0, max(0.0, (value - low) / (high - low)))
        return round(_FLOOR - (_FLOOR - _TOP) * share)

    def _frame(self) -> list[str]:
        keys = "".join(
            f' <tspan fill="{curve.colour}">{escape(curve.name)}</tspan>'
            for curve in self.curves
            if curve.name
        )
        grid = "".join(f"M{_LEFT} {self._y(value)}H{_WIDTH}" for value, _ in self.ticks)
        return [
            f'<text y="5">{escape(self.title)}{keys}</text>',
            f'<path d="{grid}" stroke="{GREY}" opacity=".3" stroke-width=".5"/>',
            *(
                f'<text y="{self._y(value) + 2}">{escape(name)}</text>'
                for value, name in self.ticks
                if name
            ),
            f'<text x="{_LEFT}" y="74">{escape(self.ends[0])}</text>',
            f'<text x="{_WIDTH}" y="74" text-anchor="end">{escape(self.ends[1])}</text>',
        ]

    def _band(self) -> list[str]:
        if self.band is None:
            return []
        known = [
            (n, low, high)
            for n, (low, high) in enumerate(zip(*self.band, strict=True))
            if low is not None and high is not None
        ]
        edge = [(n, high) for n, _, high in known] + [(n, low) for n, low, _ in reversed(known)]
        return [f'<path d="{self._path(edge)}" fill="{BLUE}" opacity=".3"/>'] if edge else []

    def _bars(self) -> list[str]:
        width = max(1, self._x(1) - self._x(0) - 2)
        tall = [(n, _FLOOR - self._y(value)) for n, value in enumerate(self.bars) if value]
        path = "".join(f"M{self._x(n)} {_FLOOR}v-{height}" for n, height in tall if height)
        return [f'<path d="{path}" stroke="{BLUE}" stroke-width="{width}"/>'] if path else []

    def _curve(self, curve: Curve) -> str:
        groups = groupby(enumerate(curve.values), key=lambda point: point[1] is None)
        path = "".join(self._path(list(points)) for is_gap, points in groups if not is_gap)
        return f'<path d="{path}" fill="none" stroke="{curve.colour}"/>'

    def _path(self, points: Iterable[tuple[int, float | None]]) -> str:
        """Relative moves, level ones joined: they are most of the thousand characters."""
        places = [(self._x(n), self._y(value)) for n, value in points if value is not None]
        moves, level = [], 0
        for (from_x, from_y), (x, y) in pairwise(places):
            if y == from_y:
                level += x - from_x
                continue
            moves += [f"h{level}"] if level else []
            moves.append(f"l{x - from_x}{'' if y < from_y else ' '}{y - from_y}")
            level = 0
        # a lone point is drawn as a short dash
        end = f"h{level or 3}" if level or not moves else ""
        return f"M{places[0][0]} {places[0][1]}{''.join(moves)}{end}"
