"""The geometry of charts: from numbers to places on a drawing. It knows neither colours nor what
is shown. Values are integers (minor units of money, or counts) and stay so; places are in the units
of the drawing, whose text is ten of them high: a phone shows it about as it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 280, 200
TOP, BOTTOM, RIGHT = 24, 180, 274
# The widest that a letter or digit is on average, and the least room between two labels.
LETTER, GAP = 6.5, 6
# Steps of an axis, and how wide a bar grows.
STEPS, WIDEST = 5, 22
# A row of a funnel: words above, and the bar below them.
ROW, ROW_BAR = 34, 12


@dataclass(frozen=True, slots=True)
class Tick:
    value: int
    y: float
    words: str


@dataclass(frozen=True, slots=True)
class Label:
    """Words below the axis, their middle at `x`."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One value of one series: it stands on zero, or hangs from it."""

    series: int
    at: int
    value: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Point:
    at: int
    value: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """`left` is where the axis begins, `zero` how far down nothing lies; `bars` and `lines` show
    the same values, and a drawing has one of them. `legend` has the left end of each name."""

    left: float
    zero: float
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    bars: tuple[Bar, ...]
    lines: tuple[tuple[Point, ...], ...]
    legend: tuple[Label, ...]

    width, height, top, bottom, right = WIDTH, HEIGHT, TOP, BOTTOM, RIGHT


def chart(
    series: Sequence[Sequence[int]],
    names: Sequence[str],
    labels: Sequence[str],
    in_words: Callable[[int, int], str],
) -> Chart:
    """Of one or more series of values, one for each label. `in_words` says a value on the axis,
    given its step too: a step of whole units needs no decimals. ValueError for series that are not
    as long as the labels."""
    if any(len(values) != len(labels) for values in series):
        raise ValueError("every series needs a value for each label")
    values = axis(min(0, *map(min, series)), max(0, *map(max, series)))
    step = values[1] - values[0] if len(values) > 1 else 0
    words = [in_words(value, step) for value in values]
    left = min(_width_of(words) + GAP, WIDTH / 2)
    low, high = values[0], max(values[-1], values[0] + 1)

    def y(value: int) -> float:
        return round(TOP + (high - value) * (BOTTOM - TOP) / (high - low), 2)

    ticks = (Tick(value, y(value), said) for value, said in zip(values, words, strict=True))
    return Chart(
        left,
        y(0),
        tuple(ticks),
        thinned(labels, left),
        tuple(_bars(series, left, y)),
        tuple(_line(one, left, y) for one in series),
        _legend(names),
    )


def axis(low: int, high: int) -> list[int]:
    """Round values from `low` or below to `high` or above, zero among them, at most STEPS apart.
    Where all is zero there is nothing else."""
    step = nice_step(low, high)
    return list(range(low // step * step, -(-high // step) * step + 1, step))


def nice_step(low: int, high: int) -> int:
    """1, 2 or 5 times a power of ten: the least with which STEPS of them reach."""
    ten = 1
    while True:
        for step in (ten, 2 * ten, 5 * ten):
            if -(-high // step) - low // step <= STEPS:
                return step
        ten *= 10


def thinned(labels: Sequence[str], left: float) -> tuple[Label, ...]:
    """As many labels as stand side by side, the last one always among them."""
    if not labels:
        return ()
    slot, widest = (RIGHT - left) / len(labels), _width_of(labels)
    # The last one is moved inwards where it would leave the drawing.
    moved = max(0.0, widest / 2 - slot / 2 - (WIDTH - RIGHT))
    every = 1
    while every * slot < widest + GAP + moved and every < len(labels):
        every += 1
    shown = range((len(labels) - 1) % every, len(labels), every)
    return tuple(
        Label(round(min(left + slot * (at + 0.5), WIDTH - widest / 2), 2), labels[at])
        for at in shown
    )


def funnel(values: Sequence[int], whole: int) -> list[float]:
    """The length of each row's bar: the whole is as long as the drawing is wide."""
    return [round(value * WIDTH / whole, 2) if whole else 0.0 for value in values]


def _bars(series: Sequence[Sequence[int]], left: float, y: Callable[[int], float]) -> Sequence[Bar]:
    count = len(series[0])
    slot = (RIGHT - left) / max(count, 1)
    width = min(slot * 0.8 / len(series), WIDEST)
    return [
        Bar(
            number,
            at,
            value,
            round(left + slot * (at + 0.5) + width * (number - len(series) / 2), 2),
            min(y(value), y(0)),
            round(width * 0.92, 2),
            round(abs(y(value) - y(0)), 2),
        )
        for number, values in enumerate(series)
        for at, value in enumerate(values)
        if value
    ]


def _line(values: Sequence[int], left: float, y: Callable[[int], float]) -> tuple[Point, ...]:
    slot = (RIGHT - left) / max(len(values), 1)
    return tuple(
        Point(at, value, round(left + slot * (at + 0.5), 2), y(value))
        for at, value in enumerate(values)
    )


def _legend(names: Sequence[str]) -> tuple[Label, ...]:
    """One after the other, each behind the sample of its bars."""
    found, x = [], 0.0
    for name in names:
        found.append(Label(x, name))
        x += 16 + _width_of([name]) + 2 * GAP
    return tuple(found)


def _width_of(words: Sequence[str]) -> float:
    return max((len(word) * LETTER for word in words), default=0.0)
