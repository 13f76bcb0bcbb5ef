"""The figures as a picture: bars of pushes per CPU-second, in SVG, for light and dark pages."""

from html import escape

from measure.bench.comparison import OURS, REFERENCE, Figures, ratio
from measure.bench.job import Case
from measure.bench.table import TITLES, ordered, rounded

_WIDTH = 760
_NAMES = 150
_ROW, _BAR, _TITLE, _GAP = 22, 14, 30, 14
_LABELS = 170
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.l{fill:#57606a}"
    ".bar{fill:#afb8c1}.ours{fill:#0969da}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.l{fill:#8d96a0}.bar{fill:#57606a}.ours{fill:#58a6ff}}"
)


def picture(found: Figures) -> str:
    """One scale for all cases, so that bars compare across them."""
    longest = max(figure.per_cpu_s for figure in found.values())
    parts, y = [_text(0, 16, "Pushes per CPU-second of the sender's process", "t")], 26
    for case in Case:
        parts.append(_text(0, y + 20, TITLES[case], "t"))
        y += _TITLE
        for sender in ordered(found, case):
            rate = found[sender, case].per_cpu_s
            length = max(1, round((_WIDTH - _NAMES - _LABELS) * rate / longest))
            style = "bar ours" if sender == OURS else "bar"
            parts += [
                _text(0, y + 12, sender, ""),
                f'<rect class="{style}" x="{_NAMES}" y="{y + 1}" width="{length}" height="{_BAR}" rx="2"/>',
                _text(_NAMES + length + 6, y + 12, _label(found, sender, case, rate), "l"),
            ]
            y += _ROW
        y += _GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}"'
        ' role="img" aria-label="Pushes per CPU-second of each sender">'
    )
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def _label(found: Figures, sender: str, case: Case, rate: float) -> str:
    of_reference = ratio(found, sender, case, REFERENCE)
    if sender == REFERENCE or of_reference is None:
        return rounded(rate)
    return f"{rounded(rate)} ({of_reference:.2g} of h2load)"


def _text(x: int, y: int, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x}" y="{y}">{escape(text)}</text>'
