"""The geometry of charts: round axes, bars inside the frame, labels side by side."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoices import formats
from webapp import charts
from webapp.charts import HEIGHT, STEPS, WIDTH, Chart

MINOR = st.integers(-(10**13), 10**15)
MONTHS = ["déc.", "janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept."]


def plain(value: int, step: int) -> str:
    return str(value)


@st.composite
def drawn(draw: st.DrawFn) -> Chart:
    count = draw(st.integers(1, 24))
    values = st.lists(MINOR, min_size=count, max_size=count)
    series = draw(st.lists(values, min_size=1, max_size=2))
    labels = draw(st.lists(st.text("mois.", max_size=6), min_size=count, max_size=count))
    return charts.chart(series, ["Series"] * len(series), labels, plain)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 0, [0]),
        (0, 1, [0, 1]),
        (0, 4997, [0, 1000, 2000, 3000, 4000, 5000]),
        (0, 96214, [0, 20000, 40000, 60000, 80000, 100000]),
        (-4997, 4997, [-5000, 0, 5000]),
        (-3, 0, [-3, -2, -1, 0]),
    ],
)
def test_an_axis_has_round_steps(low: int, high: int, ticks: list[int]) -> None:
    assert charts.axis(low, high) == ticks


@given(st.integers(-(10**15), 0), st.integers(0, 10**15))
def test_an_axis_reaches_all_values_in_few_round_steps(low: int, high: int) -> None:
    ticks = charts.axis(low, high)
    step = charts.nice_step(low, high)

    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 0 in ticks
    assert len(ticks) <= STEPS + 1
    assert str(step).rstrip("0") in ("1", "2", "5")
    assert {after - before for before, after in itertools.pairwise(ticks)} <= {step}


@given(drawn())
def test_bars_stay_inside_the_frame_and_beside_each_other(chart: Chart) -> None:
    for bar in chart.bars:
        assert chart.left <= bar.x
        assert bar.x + bar.width <= chart.right
        assert chart.top - 0.01 <= bar.y
        assert bar.y + bar.height <= chart.bottom + 0.02
    placed = sorted(chart.bars, key=lambda bar: bar.x)
    for one, other in itertools.pairwise(placed):
        assert one.x + one.width <= other.x + 0.02


@given(drawn())
def test_a_bar_is_as_high_as_its_value_is_great(chart: Chart) -> None:
    span = max(chart.ticks[-1].value - chart.ticks[0].value, 1)
    for bar in chart.bars:
        wanted = abs(bar.value) * (chart.bottom - chart.top) / span
        assert bar.height == pytest.approx(wanted, abs=0.02)
        # It stands on zero, or hangs from it.
        end = bar.y + bar.height if bar.value > 0 else bar.y
        assert end == pytest.approx(chart.zero, abs=0.02)


@given(drawn())
def test_points_are_where_bars_end(chart: Chart) -> None:
    ends = {
        (bar.series, bar.at): bar.y if bar.value > 0 else bar.y + bar.height for bar in chart.bars
    }
    for number, line in enumerate(chart.lines):
        for point in line:
            assert 0 <= point.x <= WIDTH
            assert point.y == pytest.approx(ends.get((number, point.at), chart.zero), abs=0.02)


@given(drawn())
def test_labels_never_overlap_nor_leave_the_drawing(chart: Chart) -> None:
    widths = [len(label.words) * charts.LETTER for label in chart.labels]
    edges = [
        (label.x - width / 2, label.x + width / 2)
        for label, width in zip(chart.labels, widths, strict=True)
    ]
    for (_, ends), (begins, _) in itertools.pairwise(edges):
        assert ends <= begins + 0.02
    assert all(begins >= -0.02 and ends <= WIDTH + 0.02 for begins, ends in edges)
    for tick in chart.ticks:
        assert 0 <= tick.y <= HEIGHT
        assert len(tick.words) * charts.LETTER <= chart.left


def test_the_last_month_is_always_named() -> None:
    for count in range(1, len(MONTHS) + 1):
        labels = MONTHS[:count]
        chart = charts.chart([[1] * count], ["One"], labels, plain)
        assert chart.labels[-1].words == labels[-1]


def test_one_month_alone_has_one_bar_of_a_sensible_width() -> None:
    chart = charts.chart([[4997]], ["Credit"], ["nov."], plain)
    (bar,) = chart.bars
    assert bar.width <= charts.WIDEST
    assert [label.words for label in chart.labels] == ["nov."]


def test_where_all_is_zero_there_are_no_bars_and_one_tick() -> None:
    chart = charts.chart([[0, 0]], ["Credit"], ["oct.", "nov."], plain)
    assert chart.bars == ()
    assert [tick.value for tick in chart.ticks] == [0]
    assert chart.zero == chart.bottom


def test_a_month_of_cancelling_statements_hangs_from_zero() -> None:
    chart = charts.chart([[5000, -5000]], ["Credit"], ["oct.", "nov."], plain)
    up, down = chart.bars
    assert up.y + up.height == down.y == chart.zero
    assert up.height == down.height


def test_series_must_be_as_long_as_the_labels() -> None:
    with pytest.raises(ValueError, match="each label"):
        charts.chart([[1, 2]], ["One"], ["nov."], plain)


@pytest.mark.parametrize(
    ("minor", "step", "currency", "words"),
    [
        (100000, 20000, "EUR", "1\u202f000\xa0€"),
        (50, 10, "EUR", "0,50\xa0€"),
        (80000, 20000, "JPY", "80\u202f000\xa0JPY"),
        (400000, 100000, "BHD", "400\xa0BHD"),
        (1500, 500, "BHD", "1,500\xa0BHD"),
        (0, 0, "EUR", "0\xa0€"),
        (-5000, 5000, "EUR", "-50\xa0€"),
    ],
)
def test_an_axis_of_money_has_decimals_only_where_it_needs_them(
    minor: int, step: int, currency: str, words: str
) -> None:
    assert formats.axis_amount(minor, step, currency, "fr") == words


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=7))
def test_a_funnels_bars_are_parts_of_the_whole(counts: list[int]) -> None:
    lengths = charts.funnel(counts, sum(counts))
    assert all(0 <= length <= WIDTH for length in lengths)
    assert sum(lengths) == pytest.approx(WIDTH if sum(counts) else 0, abs=0.1)
