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
from deploy.installation.tell_again import tell_again, untold_promotion
from deploy.installation.topics import TopicInstaller
from schemas.failures import Failure
from schemas.setting_views import Installation
from schemas.topics import DECISIONS, MODELS_PROMOTED


@dataclass(frozen=True)
class InstallationReport:
    """What was found or done. `missing` is empty after `install`; `made` before it.

    `untold` says what PostgreSQL has in use and Kafka does not know; `told_again` that it was told.
    """

    missing_topics: tuple[str, ...] = ()
    missing_migrations: tuple[str, ...] = ()
    made_topics: tuple[str, ...] = ()
    applied_migrations: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    told_again: bool = False
    wrong: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is missing and everything is as the settings say."""
        return not (
            self.missing_topics
            or self.missing_migrations
            or self.differing
            or self.untold
            or self.wrong
        )


def check_installation(wanted: Installation) -> InstallationReport:
    """Compare servers and settings; change nothing."""
    topics = TopicInstaller(wanted.cluster, wanted.layout).report()
    prefix = wanted.cluster.names.prefix
    other = foreign_prefix(wanted.postgres, prefix)
    foreign = () if other is None else (foreign_sentence(other, prefix),)
    encoding = encoding_fault(wanted.postgres)
    untold = None if topics.missing else untold_promotion(wanted.postgres, wanted.cluster)
    return InstallationReport(
        missing_topics=tuple(spec.name for spec in topics.missing),
        missing_migrations=tuple(missing_migrations(wanted.postgres)),
        differing=topics.differing,
        untold=() if untold is None else (untold,),
        wrong=(*topics.wrong, *foreign, *(() if encoding is None else (encoding,))),
    )


def install(wanted: Installation, *, alter: bool = False) -> InstallationReport:
    """Make what is missing; existing topics are changed only with `alter`.

    May be repeated, and may be run by several at once. What is in use is told again to topics that
    are new, or that do not hold the last promotion. Raises `Failure` for an existing topic
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
    names = wanted.cluster.names
    compacted = {names.topic(topic) for topic in (MODELS_PROMOTED, DECISIONS)}
    is_new = not compacted.isdisjoint(spec.name for spec in before.missing)
    tells = is_new or untold_promotion(wanted.postgres, wanted.cluster) is not None
    told_again = tells and tell_again(wanted.postgres, wanted.cluster)
    return InstallationReport(
        made_topics=tuple(spec.name for spec in before.missing),
        applied_migrations=tuple(applied),
        differing=before.differing,
        told_again=told_again,
    )
