"""Whether an exported model may become a bundle: a pure decision over measured figures."""

from typing import Final

from msgspec import Struct

from schemas.failures import Failure

LARGEST_LOGIT_DIFFERENCE: Final = 1e-4
LARGEST_RECALL_LOSS: Final = 0.005
FEWEST_SAME_LABELS: Final = 0.97
LARGEST_COST_RATIO: Final = 1.05
"""No higher than the last bundle's; two measurements of one bundle differ by up to 5 %."""
LARGEST_BUNDLE_BYTES: Final = 30_000_000
_ROUNDED: Final = 2e-6
"""What two figures of six decimals may be off."""


class ExportRefused(Failure):
    """The model broke a rule of the gate; no bundle was written."""


class Cost(Struct, frozen=True, kw_only=True):
    """CPU a tweet, measured in turns in one run. `ratio` is the median of the turns' ratios."""

    against: str
    cpu_us: float
    cpu_us_against: float
    ratio: float


class GateFigures(Struct, frozen=True, kw_only=True):
    """What was measured of an exported model, on the texts of its validation split.

    `logit_difference` is the largest between PyTorch and the unquantised ONNX. `same_labels` is
    the share of `texts` to which the quantised model gives the unquantised one's label.
    `recall_of_a_text` is what one text of the rarest label is worth in macro-recall.
    `labels_by_batch` of `texts_by_batch` got one label alone and another among 32. No `cost`: it
    was not to be compared.
    """

    texts: int
    logit_difference: float
    macro_recall_fp32: float
    macro_recall_int8: float
    same_labels: float
    recall_of_a_text: float
    texts_by_batch: int
    labels_by_batch: int
    size_bytes: int
    cost: Cost | None


def refusals(figures: GateFigures) -> list[str]:
    """Return a line for each rule that the model breaks, with both figures; none: it may pass.

    With so few texts that a single one would break a rule, one may differ.
    """
    broken = []
    most_recall_loss = max(LARGEST_RECALL_LOSS, figures.recall_of_a_text)
    fewest_same_labels = min(FEWEST_SAME_LABELS, 1 - 1 / figures.texts)
    # Each is written so that NaN is refused too.
    if not figures.logit_difference <= LARGEST_LOGIT_DIFFERENCE:
        broken.append(
            f"the ONNX model's logits differ from PyTorch's by {figures.logit_difference:.1e}, "
            f"at most {LARGEST_LOGIT_DIFFERENCE:.0e}"
        )
    loss = figures.macro_recall_fp32 - figures.macro_recall_int8
    if not loss <= most_recall_loss + _ROUNDED:
        broken.append(
            f"int8 has macro-recall {figures.macro_recall_int8:.4f}, "
            f"fp32 {figures.macro_recall_fp32:.4f}: at most {most_recall_loss:.3g} lower"
        )
    if not figures.same_labels >= fewest_same_labels - _ROUNDED:
        broken.append(
            f"int8 gives {figures.same_labels:.2%} of the texts the label that fp32 gives, "
            f"at least {fewest_same_labels:.2%} (a model that learned too little is unsure of "
            "many: more epochs or more labelled texts help)"
        )
    if figures.labels_by_batch:
        broken.append(
            f"{figures.labels_by_batch} of {figures.texts_by_batch} texts get one label alone and "
            "another in a batch of 32, at most 0"
        )
    if figures.size_bytes > LARGEST_BUNDLE_BYTES:
        broken.append(
            f"the bundle has {figures.size_bytes / 1e6:.1f} MB, "
            f"at most {LARGEST_BUNDLE_BYTES / 1e6:.0f}"
        )
    cost = figures.cost
    if cost is not None and not cost.ratio <= LARGEST_COST_RATIO:
        broken.append(
            f"a tweet costs {cost.cpu_us:.0f} µs of CPU, {cost.against} {cost.cpu_us_against:.0f}: "
            f"{cost.ratio:.2f} times as much, at most {LARGEST_COST_RATIO}"
        )
    return broken
