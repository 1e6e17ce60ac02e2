"""Confidence as an estimate of accuracy (CBPE: NannyML's confidence-based performance estimation).

A calibrated model that says 0.8 is right 8 times in 10: so the mean confidence estimates the
accuracy, without labels. It is a signal and no figure. It holds only while the calibration does,
which is what a drift may break: on the test set of 2017 it said .690 where .684 was true, but was
off by .06 to .11 for the recall of single labels. Audits give the figure.

>>> estimated_accuracy(WindowCounts(by_label={"calm": 4}, confidence_micros=2_800_000))
0.7
"""

from retrain.drift.window import WindowCounts


def estimated_accuracy(counts: WindowCounts) -> float:
    """Return the mean confidence; raise `ZeroDivisionError` where no tweet was judged."""
    return counts.confidence_micros / 1_000_000 / counts.judged
