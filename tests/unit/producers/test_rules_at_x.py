"""How many rules X has, as a gauge: unknown until X says it, and kept while X does not answer."""

import math
from collections.abc import Iterator

from prometheus_client import CollectorRegistry

from producers.live.rules_at_x import RulesGauge
from schemas.failures import Failure


def test_it_is_unknown_until_x_says_it_and_stays_where_x_does_not_answer() -> None:
    registry = CollectorRegistry()
    answers: Iterator[int | Failure] = iter([7, Failure("X cannot be reached"), 5])

    def count() -> int:
        answer = next(answers)
        if isinstance(answer, Failure):
            raise answer
        return answer

    gauge = RulesGauge(registry, count)

    def shown() -> float:
        return registry.get_sample_value("murmur_stream_rules_at_x") or 0.0

    assert math.isnan(shown())
    seen = []
    for _ in range(3):
        gauge.look()
        seen.append(shown())
    assert seen == [7, 7, 5]
