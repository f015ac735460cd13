"""Horizontal grouped bars as SVG, coloured by the page's style sheet so that they follow its light or dark mode."""

from __future__ import annotations

from html import escape

from flight_delays.results import Row

WIDTH = 760
LABEL_WIDTH = 220
VALUE_WIDTH = 90
BAR_HEIGHT = 18
BAR_GAP = 3
GROUP_GAP = 20


def grouped_bars(rows: list[Row], contenders: list[str], description: str) -> str:
    """One group of bars per row, one bar per contender that has a value; each bar carries its value."""
    longest = max(value for row in rows for value in row.values.values() if value is not None)
    scale = (WIDTH - LABEL_WIDTH - VALUE_WIDTH) / longest
    parts, top = [], 0.0
    for row in rows:
        shown = [(name, value) for name in contenders if (value := row.values.get(name)) is not None]
        height = len(shown) * (BAR_HEIGHT + BAR_GAP) - BAR_GAP
        parts.append(f'<text class="group{" total" * row.is_total}" x="{LABEL_WIDTH - 14}" y="{top + height / 2:.1f}">'
                     f"{escape(row.title)}</text>")
        for name, value in shown:
            parts.append(_bar(name, row.text(name), value * scale, top))
            top += BAR_HEIGHT + BAR_GAP
        top += GROUP_GAP
    bottom = top - GROUP_GAP
    axis = f'<line class="axis" x1="{LABEL_WIDTH}" x2="{LABEL_WIDTH}" y1="-4" y2="{bottom + 4:.0f}"/>'
    return (f'<svg viewBox="0 -6 {WIDTH} {bottom + 12:.0f}" role="img" aria-label="{escape(description)}">'
            f"{''.join(parts)}{axis}</svg>")


def _bar(name: str, text: str, length: float, top: float) -> str:
    middle = top + BAR_HEIGHT / 2
    size = f'width="{max(length, 1):.1f}" height="{BAR_HEIGHT}"'
    title = f"<title>{name}: {escape(text)}</title>"
    return (f'<rect class="{name}" x="{LABEL_WIDTH}" y="{top}" {size} rx="2">{title}</rect>'
            f'<text class="value" x="{LABEL_WIDTH + length + 8:.1f}" y="{middle:.1f}">{escape(text)}</text>')
