"""What the full demo found, as `murmur demo --full --json` prints it."""

from msgspec import Struct

from deploy.demo.full.stored_scores import Accuracy
from deploy.demo.verification import Check
from retrain.promotion.promotion_gate import GateRule


class FullDemoResult(Struct, frozen=True, kw_only=True):
    """What happened, in its order, and how right the models were.

    `ok` says that every check holds. `alarm` is the first one that fired, so many hours of the
    tweets' time after the change. `decisions` are the policy's sentences. `rules` are those of the
    gate, which saw both models' answers to the same frozen audits. `longest_wait_s` is from receipt
    to score, within five seconds of the swap.
    `usual`: the first model before the change; `changed_before` and `changed_after`: the first and
    the promoted model, each on the tweets that it scored after the change. None of the last were
    learned from. `total_s` has starting the stack in it. `home` is where it still runs, if it does.
    """

    ok: bool
    run: str
    checks: list[Check]
    alarm: str
    hours_after_change: float
    decisions: list[str]
    audits: int
    rules: list[GateRule]
    longest_wait_s: float | None
    usual: Accuracy
    changed_before: Accuracy
    changed_after: Accuracy
    alarm_s: float
    job_s: float
    swap_s: float
    total_s: float
    home: str | None
