"""Which models served: promotions, what the settings named between them, and the first one."""

from datetime import UTC, datetime, timedelta

from retrain.promotion.promote import SERVED_BEFORE
from retrain.promotion.promotions import Promotion
from retrain.promotion.served_models import ModelTurn, served_models
from schemas.model_events import ModelPromoted, PromotedModel

START = datetime(2026, 5, 1, tzinfo=UTC)


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def turn(hour: float, name: str) -> ModelTurn:
    return ModelTurn(at(hour), name * 64, name, "1")


def promotion(number: int, hour: float, name: str, why: str = "better") -> Promotion:
    model = PromotedModel(
        name=name, version="1", sha256=name * 64, cleaning="1", address=f"file:///{name}"
    )
    event = ModelPromoted(
        promotion_id=f"{number:016}", models=(model,), decision=why, promoted_at=at(hour)
    )
    return Promotion(number=number, event=event, published_at=None)


def told(
    turns: list[ModelTurn], history: list[Promotion]
) -> list[tuple[str, float | None, str | None]]:
    return [
        (
            each.name,
            None if each.since is None else (each.since - START) / timedelta(hours=1),
            each.promotion.event.decision if each.promotion else None,
        )
        for each in served_models(turns, history)
    ]


FIRST = promotion(1, 20, "a", SERVED_BEFORE)
SECOND = promotion(2, 20, "b")


def test_the_first_model_serves_since_its_first_tweet_and_not_since_the_first_promotion() -> None:
    turns = [turn(1, "a"), turn(20.1, "b")]
    assert told(turns, [SECOND, FIRST]) == [("b", 20, "better"), ("a", 1, SERVED_BEFORE)]
    assert told([], [SECOND, FIRST]) == [("b", 20, "better"), ("a", None, SERVED_BEFORE)]


def test_a_model_that_the_settings_name_has_its_place_and_so_has_the_way_back() -> None:
    turns = [turn(1, "a"), turn(20.1, "b"), turn(30, "c"), turn(40, "b"), turn(50.1, "d")]
    history = [promotion(3, 50, "d"), SECOND, FIRST]
    assert told(turns, history) == [
        ("d", 50, "better"),
        ("b", 40, None),
        ("c", 30, None),
        ("b", 20, "better"),
        ("a", 1, SERVED_BEFORE),
    ]


def test_without_promotions_the_turns_tell_all() -> None:
    assert told([turn(1, "a"), turn(2, "a"), turn(3, "b"), turn(4, "a")], []) == [
        ("a", 4, None),
        ("b", 3, None),
        ("a", 1, None),
    ]


def test_before_the_model_that_the_first_promotion_replaced_others_may_have_served() -> None:
    turns = [turn(1, "z"), turn(5, "a")]
    assert told(turns, [SECOND, FIRST]) == [
        ("b", 20, "better"),
        ("a", 5, SERVED_BEFORE),
        ("z", 1, None),
    ]


def test_clocks_that_differ_by_seconds_make_no_further_turn() -> None:
    assert told([turn(1, "a"), turn(19.999, "b")], [SECOND, FIRST])[0] == ("b", 20, "better")
