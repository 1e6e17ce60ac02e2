"""Whether somebody may label what somebody else has labelled. Pure."""

from collections.abc import Collection

from schemas.people_labels import LabelOrigin


def is_locked(
    origin: LabelOrigin,
    others: Collection[str],
    *,
    overrules: bool,
    second_opinion: bool = False,
) -> bool:
    """Tell whether a label is refused, given who else has given one for the same reason.

    A correction of somebody else's is left to who may overrule. Audits are a vote: a second one is
    given where it was asked for, and nobody overrules it.
    """
    if not others:
        return False
    return not (overrules if origin is LabelOrigin.CORRECTION else second_opinion)
