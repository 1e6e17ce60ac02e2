"""What is well and what is not, as pure functions of what was measured."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from deploy.doctor.finding import Finding, note, well, wrong
from deploy.installation.encoding import WHAT_TO_DO, is_right_encoding
from schemas.process.process_list import SINK, ProcessSpec

PYTHONS: Final = ((3, 11), (3, 12), (3, 13))
LEAST_POSTGRES: Final = 150_000
"""As `server_version_num` counts: 15."""
LEAST_REDIS: Final = (6, 2)

FULL_SHARE: Final = 0.95
NEARLY_FULL_SHARE: Final = 0.85

CLOCK_NOTE: Final = timedelta(seconds=2)
CLOCK_WRONG: Final = timedelta(seconds=30)
"""A tweet from the future is refused when it is minutes ahead; leases and windows need less."""

EXPIRES_SOON: Final = timedelta(days=21)


def judge_python(version: tuple[int, int]) -> Finding:
    """Judge the interpreter."""
    told = ".".join(map(str, version))
    if version in PYTHONS:
        return well("python", f"Python {told}")
    return wrong("python", f"Python {told}", "use Python 3.11, 3.12 or 3.13")


def judge_disk(place: str, used_bytes: int, free_bytes: int) -> Finding:
    """Judge how full a disk is; `free_bytes` are those that this user may take."""
    used = used_bytes / max(1, used_bytes + free_bytes)
    told = f"{place}: {used:.0%} used, {free_bytes / 1e9:.1f} GB free"
    if used >= FULL_SHARE:
        return wrong("disk", told, "make room: what is full stops Kafka, PostgreSQL and the stream")
    if used >= NEARLY_FULL_SHARE:
        return note("disk", told, "make room, or shorten the retention (MURMUR_…_RETENTION_HOURS)")
    return well("disk", told)


def judge_clock(ahead: timedelta) -> Finding:
    """Judge how far this machine's clock is ahead of PostgreSQL's."""
    told = f"{abs(ahead.total_seconds()):.1f} s {'ahead of' if ahead > timedelta() else 'behind'}"
    told += " PostgreSQL's"
    if abs(ahead) >= CLOCK_WRONG:
        return wrong("clock", told, "set both machines by NTP")
    if abs(ahead) >= CLOCK_NOTE:
        return note("clock", told, "set both machines by NTP")
    return well("clock", told)


def judge_postgres_version(number: int) -> Finding:
    """Judge PostgreSQL's `server_version_num`."""
    told = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number < LEAST_POSTGRES:
        return wrong("postgres", told, "use PostgreSQL 15 or later")
    return well("postgres", told)


def judge_encoding(encoding: str) -> Finding:
    """Judge the encoding of the database: tweets are not ASCII."""
    if is_right_encoding(encoding):
        return well("postgres", "the database is in UTF8")
    return wrong(
        "postgres",
        f"the database is in {encoding}: most tweets are refused and become dead letters",
        WHAT_TO_DO,
    )


def judge_redis_version(told: str, policy: str) -> list[Finding]:
    """Judge the version that Redis names, and what it does when its memory is full."""
    numbers = tuple(int(part) for part in told.split(".")[:2] if part.isdigit())
    findings = [
        well("redis", f"speaks Redis {told}")
        if numbers >= LEAST_REDIS
        else wrong("redis", f"speaks Redis {told}", "use Redis 6.2 or later, or Valkey")
    ]
    if policy == "noeviction":
        findings.append(
            note(
                "redis",
                "refuses writes when its memory is full (maxmemory-policy noeviction)",
                "set a policy such as allkeys-lru where Murmur does not share it",
            )
        )
    return findings


def judge_rights_on_tables(
    lacking: Collection[str], processes: Collection[ProcessSpec], *, may_create: bool
) -> list[Finding]:
    """Judge which tables this role may not change, and whether it may make new ones.

    With `processes` it is judged for these: the sink has to make tables.
    """
    findings = (
        [
            wrong(
                "permissions",
                f"PostgreSQL: may not read and change {', '.join(sorted(lacking))}",
                "GRANT SELECT, INSERT, UPDATE, DELETE on all tables of the schema to this role",
            )
        ]
        if lacking
        else [well("permissions", "PostgreSQL: may read and change every table")]
    )
    if may_create:
        return findings
    if SINK in processes:
        findings.append(
            wrong(
                "permissions",
                "PostgreSQL: may not make tables, and the sink makes one for each run and day",
                "let the sink connect as the role that owns the tables",
            )
        )
    elif not processes:
        findings.append(
            note(
                "permissions",
                "PostgreSQL: may not make tables",
                "enough for score, watch, serve and stream; init, the sink, prune and runs make "
                "and drop tables: they need the role that owns them",
            )
        )
    return findings


def judge_certificate(what: str, left: timedelta) -> Finding:
    """Judge how long a certificate is still good."""
    if left <= timedelta():
        return wrong("certificates", f"{what} has expired", "have it renewed")
    told = f"{what} is good for {left.days} days"
    if left < EXPIRES_SOON:
        return note("certificates", told, "have it renewed before")
    return well("certificates", told)
