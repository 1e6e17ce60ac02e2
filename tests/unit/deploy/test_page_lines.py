"""Lines of signals stay within their plot, and rates are those of the clock."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from deploy.page.charts import HEIGHT, WIDTH
from deploy.page.lines import line_plot
from deploy.page.rates import Rates

VALUES = st.floats(-1e9, 1e9)
START = datetime(2026, 11, 28, tzinfo=UTC)


@given(values=st.lists(VALUES, min_size=1, max_size=30), data=st.data())
def test_a_line_stays_within_its_plot_and_leaves_out_what_is_not_known(
    values: list[float], data: st.DataObject
) -> None:
    count = len(values)
    expected = data.draw(st.lists(st.none() | VALUES, min_size=count, max_size=count))
    plot = line_plot(values, expected)
    points = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", plot.line + plot.expected)
    assert len(points) == count + sum(each is not None for each in expected)
    for x, y in points:
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT
    assert plot.low <= min(values) <= max(values) <= plot.high


def test_without_values_there_is_no_line() -> None:
    assert line_plot([], []).line == ""


def test_a_rate_is_known_from_the_second_look_on() -> None:
    rates = Rates()
    assert rates.note("lag", 100, START) is None
    assert rates.note("lag", 90, START + timedelta(seconds=1)) is None, "too soon to tell"
    assert rates.note("lag", 50, START + timedelta(seconds=5)) == 10.0
    assert rates.note("lag", 40, START + timedelta(seconds=6)) == 10.0, "the last that is known"
    assert rates.note("lag", 100, START + timedelta(seconds=10)) == -10.0
    assert rates.note("lag", 0, START + timedelta(hours=1)) is None, "nobody looked meanwhile"
