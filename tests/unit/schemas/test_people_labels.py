"""Audits are a uniform sample that every process draws alike."""

from schemas.people_labels import AUDIT_RANKS, audit_rank


def test_a_rank_never_changes() -> None:
    assert (audit_rank("1"), audit_rank("20")) == (1014729422620734396, 463856757118551574)


def test_ranks_are_uniform() -> None:
    tenths = [0] * 10
    for number in range(10_000):
        tenths[10 * audit_rank(str(number)) // AUDIT_RANKS] += 1
    assert all(850 < count < 1_150 for count in tenths)
