"""Checking and completing an installation."""

from dataclasses import dataclass

from deploy.installation.encoding import encoding_fault, refuse_other_encoding
from deploy.installation.migrations import apply_migrations, missing_migrations
from deploy.installation.ownership import (
    foreign_prefix,
    foreign_sentence,
    own_database,
    refuse_foreign,
)
from deploy.installation.topics import TopicInstaller
from schemas.failures import Failure
from schemas.setting_views import Installation


@dataclass(frozen=True)
class InstallationReport:
    """What was found or done. `missing` is empty after `install`; `made` before it."""

    missing_topics: tuple[str, ...] = ()
    missing_migrations: tuple[str, ...] = ()
    made_topics: tuple[str, ...] = ()
    applied_migrations: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is missing and everything is as the settings say."""
        return not (self.missing_topics or self.missing_migrations or self.differing or self.wrong)


def check_installation(wanted: Installation) -> InstallationReport:
    """Compare servers and settings; change nothing."""
    topics = TopicInstaller(wanted.cluster, wanted.layout).report()
    prefix = wanted.cluster.names.prefix
    other = foreign_prefix(wanted.postgres, prefix)
    foreign = () if other is None else (foreign_sentence(other, prefix),)
    encoding = encoding_fault(wanted.postgres)
    return InstallationReport(
        missing_topics=tuple(spec.name for spec in topics.missing),
        missing_migrations=tuple(missing_migrations(wanted.postgres)),
        differing=topics.differing,
        wrong=(*topics.wrong, *foreign, *(() if encoding is None else (encoding,))),
    )


def install(wanted: Installation, *, alter: bool = False) -> InstallationReport:
    """Make what is missing; existing topics are changed only with `alter`.

    May be repeated, and may be run by several at once. Raises `Failure` for an existing topic
    that would lose data (its cleanup policy is another), and for a database that is not in UTF-8
    or belongs to an installation with another topic prefix, before anything is made.
    """
    prefix = wanted.cluster.names.prefix
    refuse_other_encoding(wanted.postgres)
    refuse_foreign(wanted.postgres, prefix)
    installer = TopicInstaller(wanted.cluster, wanted.layout)
    if alter:
        installer.alter()
    before = installer.report()
    if before.wrong:
        raise Failure(
            f"{'; '.join(before.wrong)}: `murmur init --alter` changes it, or set "
            "MURMUR_TOPIC_PREFIX to use other topics"
        )
    applied = apply_migrations(wanted.postgres)
    own_database(wanted.postgres, prefix)
    installer.make(before.missing)
    return InstallationReport(
        made_topics=tuple(spec.name for spec in before.missing),
        applied_migrations=tuple(applied),
        differing=before.differing,
    )
