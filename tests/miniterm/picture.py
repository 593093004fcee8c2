# SPDX-License-Identifier: GPL-2.0-only
"""A terminal's screen as an SVG picture, from tmux's capture with colours."""
from __future__ import annotations

import re
from html import escape
from typing import NamedTuple

COLORS = ["#2e3436", "#cc0000", "#4e9a06", "#c4a000", "#3465a4", "#75507b",
          "#06989a", "#d3d7cf"]
FOREGROUND, BACKGROUND = "#d3d7cf", "#1d1f21"
CELL_W, CELL_H, FONT = 8.4, 18, 14


class Style(NamedTuple):
    fg: str = FOREGROUND
    bg: str = BACKGROUND
    bold: bool = False
    dim: bool = False
    underline: bool = False
    reverse: bool = False

    def with_code(self, code: int) -> "Style":
        """The style after one number of an SGR sequence."""
        if code == 0:
            return Style()
        flags = {1: ("bold", True), 2: ("dim", True), 4: ("underline", True),
                 7: ("reverse", True), 22: ("bold", False),
                 24: ("underline", False), 27: ("reverse", False),
                 39: ("fg", FOREGROUND), 49: ("bg", BACKGROUND)}
        if code in flags:
            return self._replace(**dict([flags[code]]))
        if 30 <= code <= 37:
            return self._replace(fg=COLORS[code - 30])
        if 40 <= code <= 47:
            return self._replace(bg=COLORS[code - 40])
        return self


def runs(line: str, style: Style) -> tuple[list[tuple[str, Style]], Style]:
    """A captured line as pieces of one style each, and the style at its end."""
    out = []
    for part in re.split(r"(\033\[[0-9;]*m)", line):
        if part.startswith("\033["):
            for code in part[2:-1].split(";"):
                style = style.with_code(int(code or 0))
        elif part:
            out.append((part, style))
    return out, style


def svg_run(text: str, style: Style, x: int, y: int) -> str:
    fg, bg = style.fg, style.bg
    if style.reverse:
        fg, bg = bg, fg
    left, top = x * CELL_W, y * CELL_H
    out = ""
    if bg != BACKGROUND:
        out += (f'<rect x="{left:.1f}" y="{top}" fill="{bg}" '
                f'width="{len(text) * CELL_W:.1f}" height="{CELL_H}"/>')
    if text.strip():
        extra = ' font-weight="bold"' if style.bold else ""
        extra += ' opacity="0.6"' if style.dim else ""
        extra += ' text-decoration="underline"' if style.underline else ""
        out += (f'<text x="{left:.1f}" y="{top + FONT}" fill="{fg}"{extra} '
                f'textLength="{len(text) * CELL_W:.1f}">{escape(text)}'
                f'</text>')
    return out


def to_svg(capture: str, width: int) -> str:
    """The picture of what `tmux capture-pane -e -N` gave."""
    style = Style()
    body = []
    lines = capture.split("\n")
    while lines and not lines[-1]:
        lines.pop()
    for y, line in enumerate(lines):
        pieces, style = runs(line, style)
        x = 0
        for text, piece in pieces:
            body.append(svg_run(text, piece, x, y))
            x += len(text)
    w, h = width * CELL_W, len(lines) * CELL_H
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:.0f}" '
            f'height="{h}" viewBox="0 0 {w:.1f} {h}" xml:space="preserve" '
            f'font-family="DejaVu Sans Mono, monospace" '
            f'font-size="{FONT}">\n<rect width="100%" height="100%" '
            f'fill="{BACKGROUND}"/>\n' + "\n".join(b for b in body if b) +
            "\n</svg>\n")
