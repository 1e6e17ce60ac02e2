"""Decisions in PostgreSQL: those that were fitted, and which one each run uses."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from psycopg2.extensions import cursor

from schemas.decisions import Decision, NamedDecision, canonical_json, decision_of_json, named
from schemas.failures import Failure
from schemas.run_changes import touch_runs

_COLUMNS = "decision_id, decision::text, created_at, in_use, used_at"


class UnknownDecision(Failure):
    """No stored decision has this id, or several begin with it."""


class StoredDecision(Struct, frozen=True, kw_only=True):
    """A decision as it is kept.

    `in_use`: scoring was told to use it. `used_at` is when it was first used or applied to rows;
    rows may name it from then on.
    """

    id: str
    decision: Decision
    created_at: datetime
    in_use: bool
    used_at: datetime | None


def store_decision(cur: cursor, decision: Decision) -> NamedDecision:
    """Keep a decision and return it with its id; one that is kept already stays as it is."""
    kept = named(decision)
    cur.execute(
        "INSERT INTO decisions (decision_id, run, decision) VALUES (%s, %s, %s)"
        " ON CONFLICT (decision_id) DO NOTHING",
        (kept.id, decision.run, canonical_json(decision).decode()),
    )
    return kept


def find_decision(cur: cursor, id_: str) -> StoredDecision:
    """Return the decision whose id begins so; raise `UnknownDecision` unless there is one."""
    cur.execute(
        f"SELECT {_COLUMNS} FROM decisions WHERE starts_with(decision_id, %s)"  # noqa: S608
        " ORDER BY decision_id LIMIT 2",
        (id_,),
    )
    found = [_stored(row) for row in cur]
    if len(found) != 1:
        what = "several decisions begin" if found else "no decision begins"
        raise UnknownDecision(f"{what} with {id_!r}: `murmur decisions list` shows them")
    return found[0]


def decision_in_use(cur: cursor, run: str) -> StoredDecision | None:
    """Return the decision that a run uses."""
    cur.execute(
        f"SELECT {_COLUMNS} FROM decisions WHERE run = %s AND in_use",  # noqa: S608  constants
        (run,),
    )
    row = cur.fetchone()
    return None if row is None else _stored(row)


def named_in_use(cur: cursor, run: str) -> tuple[str, str] | None:
    """Return id and model hash of the decision that a run uses, without the decision itself."""
    cur.execute(
        "SELECT decision_id, decision ->> 'model_sha256' FROM decisions WHERE run = %s AND in_use",
        (run,),
    )
    row = cur.fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def list_decisions(cur: cursor, run: str | None) -> list[StoredDecision]:
    """Return the decisions of a run, or of all, newest first."""
    cur.execute(
        f"SELECT {_COLUMNS} FROM decisions WHERE %(run)s::text IS NULL OR run = %(run)s"  # noqa: S608
        " ORDER BY created_at DESC, decision_id",
        {"run": run},
    )
    return [_stored(row) for row in cur]


def mark_in_use(cur: cursor, run: str, id_: str | None) -> None:
    """Note which decision a run uses from now on, or that it uses none.

    Until the commit nobody else can note another: whoever publishes it meanwhile does so in the
    order of the commits.
    """
    cur.execute("LOCK TABLE decisions IN SHARE ROW EXCLUSIVE MODE")
    cur.execute(
        "UPDATE decisions SET in_use = false"
        " WHERE run = %s AND in_use AND decision_id IS DISTINCT FROM %s",
        (run, id_),
    )
    cur.execute(
        "UPDATE decisions SET in_use = true, used_at = coalesce(used_at, now())"
        " WHERE decision_id = %s AND run = %s",
        (id_, run),
    )
    # Figures name the decision in use.
    touch_runs(cur, [run])


def note_used(cur: cursor, id_: str) -> None:
    """Note that rows may name a decision."""
    cur.execute(
        "UPDATE decisions SET used_at = now() WHERE decision_id = %s AND used_at IS NULL", (id_,)
    )


def delete_unused(cur: cursor, id_: str) -> bool:
    """Delete a decision that no row can name; tell whether it was deleted."""
    cur.execute("DELETE FROM decisions WHERE decision_id = %s AND used_at IS NULL", (id_,))
    return cur.rowcount == 1


def _stored(row: tuple[Any, ...]) -> StoredDecision:
    id_, content, created_at, in_use, used_at = row
    try:
        decision = decision_of_json(content)
    except msgspec.ValidationError as error:
        raise Failure(f"decision {id_} of the table decisions does not fit: {error}") from error
    return StoredDecision(
        id=id_, decision=decision, created_at=created_at, in_use=in_use, used_at=used_at
    )
