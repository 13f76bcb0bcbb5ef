"""The bills as a picture: a bar for each send, by service, beside others' prices; SVG, light and dark."""

from collections.abc import Iterator, Sequence
from html import escape

from measure.cost import prices
from measure.cost.bill import Service
from measure.cost.figures import Send
from measure.cost.prices import MILLION

_WIDTH = 760
_NAMES = 160
_ROW, _BAR, _TOP = 26, 16, 64
_LABELS = 80
_SERVICES = (Service.DYNAMODB, Service.LAMBDA, Service.SQS, Service.LOGS, Service.API)
_COLOURS = dict(zip(_SERVICES, ("#0969da", "#fb8f44", "#bf3989", "#8250df", "#1a7f37"), strict=True))
_OTHERS = (("SNS", prices.SNS_PUSH), ("End User Messaging", prices.END_USER_MESSAGING_PUSH))
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-weight:600}.l{fill:#57606a}.other{fill:#afb8c1}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.l{fill:#8d96a0}.other{fill:#57606a}}"
)


def picture(sends: Sequence[Send]) -> str:
    """One scale for all."""
    longest = max([*(one.per_million.dollars for one in sends), *(price * MILLION for _, price in _OTHERS)])
    scale = (_WIDTH - _NAMES - _LABELS) / longest
    parts = [_text(0, 16, "Dollars for a million recipients, without bytes out", "t"), *_legend()]
    y = _TOP
    for send in sends:
        parts += [_text(0, y + 13, f"{send.share} {send.recipients:,}", ""), *_bar(send, y, scale)]
        y += _ROW
    for name, price in _OTHERS:
        width = price * MILLION * scale
        parts += [
            _text(0, y + 13, name, ""),
            _rectangle(_NAMES, y, width, 'class="other"'),
            _text(_NAMES + width + 6, y + 13, f"{price * MILLION:.2f}", "l"),
        ]
        y += _ROW
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}"'
        ' role="img" aria-label="Dollars for a million recipients">'
    )
    return "\n".join([head, f"<style>{_STYLE}</style>", *parts, "</svg>", ""])


def _bar(send: Send, y: float, scale: float) -> Iterator[str]:
    x: float = _NAMES
    by_service = send.per_million.by_service()
    for service in _SERVICES:
        width = by_service.get(service, 0.0) * scale
        yield _rectangle(x, y, width, f'fill="{_COLOURS[service]}"')
        x += width
    yield _text(x + 6, y + 13, f"{send.per_million.dollars:.4f}", "l")


def _legend() -> Iterator[str]:
    x = 0
    for service in _SERVICES:
        yield f'<rect x="{x}" y="30" width="10" height="10" fill="{_COLOURS[service]}"/>'
        yield _text(x + 15, 39, service.value, "l")
        x += 40 + 7 * len(service.value)


def _rectangle(x: float, y: float, width: float, style: str) -> str:
    return f'<rect {style} x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}"/>'


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y}">{escape(text)}</text>'
