"""Bundles in MLflow's registry: every version stays, aliases say what each is for."""

import re
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from model_server.bundle import CARD, MANIFEST, RefusedBundle, open_bundle
from retrain.tracking import mlflow_explained, open_client, start_run, tracking_uri
from schemas.atomic_folder import put_in_place, unfinished_beside
from schemas.failures import Failure

_FOLDER: Final = "bundle"
_SHA256: Final = "bundle_sha256"


class Registered(Struct, frozen=True, kw_only=True):
    """A bundle in the registry. `registry_version` counts the bundles of this name from 1."""

    name: str
    registry_version: str
    aliases: list[str]
    sha256: str
    folder: str


def parse_reference(text: str) -> tuple[str, str]:
    """Return name and alias of `NAME@ALIAS`; raise `ValueError` for another form."""
    match = re.fullmatch(r"([^@/:]+)@([^@/:]+)", text)
    if match is None:
        raise ValueError(f"{text!r} is not NAME@ALIAS")
    if re.fullmatch(r"latest|v[0-9]+", match[2], re.IGNORECASE):
        raise ValueError(f"{text!r} is not NAME@ALIAS: MLflow keeps {match[2]!r} for itself")
    return match[1], match[2]


def log_bundle(home: Path, folder: Path, *, name: str | None, aliases: list[str]) -> Registered:
    """Copy a bundle to the registry as a new version, and move the aliases to it.

    Copied are its manifest, the files for which that vouches, and its card. The aliases move last,
    when all of it is there. Raises `RefusedBundle` for a folder that is no sound bundle,
    `MlflowRefused`, and `ValueError` for a name or alias by which nothing could be fetched.
    """
    bundle = open_bundle(folder)
    name = name or bundle.manifest.name
    for alias in aliases:
        parse_reference(f"{name}@{alias}")
    sha256 = bundle.identity.sha256
    run_name = f"{name} {bundle.manifest.version}"
    with start_run(home, run_name, kind="bundle").under_way() as run:
        run.parameters({"labels": ",".join(bundle.manifest.labels), "sha256": sha256})
        for file in (MANIFEST, *bundle.manifest.files, CARD):
            if (folder / file).is_file():
                run.client.log_artifact(run.run_id, str(folder / file), _FOLDER)
        _ensure_name(run.client, name)
        version = run.client.create_model_version(
            name,
            source=f"{run.client.get_run(run.run_id).info.artifact_uri}/{_FOLDER}",
            run_id=run.run_id,
            tags={_SHA256: sha256, "bundle_version": bundle.manifest.version},
        )
        for alias in aliases:
            run.client.set_registered_model_alias(name, alias, version.version)
    return Registered(
        name=name,
        registry_version=str(version.version),
        aliases=aliases,
        sha256=sha256,
        folder=str(folder),
    )


def fetch_bundle(home: Path, name: str, alias: str, out: Path) -> Registered:
    """Write the bundle that an alias names to a folder, whole or not at all.

    The hash of every file but the card is checked, and that it is the bundle which was logged.
    Raises `MlflowRefused` where there is none, `RefusedBundle` where it is damaged, and `Failure`
    where the place is taken.
    """
    if out.exists():
        raise Failure(f"{out} already exists: name another folder or remove it")
    with unfinished_beside(out) as work:
        with mlflow_explained():
            client = open_client(home)
            from mlflow.artifacts import download_artifacts

            version = client.get_model_version_by_alias(name, alias)
            fetched = Path(
                download_artifacts(
                    artifact_uri=client.get_model_version_download_uri(name, version.version),
                    dst_path=str(work),
                    tracking_uri=tracking_uri(home),
                )
            )
        bundle = open_bundle(fetched)
        logged = version.tags.get(_SHA256)
        if logged != bundle.identity.sha256:
            raise RefusedBundle(
                f"{name}@{alias} has SHA-256 {bundle.identity.sha256}, "
                f"{logged or 'something that is not a bundle'} was logged"
            )
        put_in_place(fetched, out)
    return Registered(
        name=name,
        registry_version=str(version.version),
        aliases=sorted(version.aliases),
        sha256=bundle.identity.sha256,
        folder=str(out),
    )


def _ensure_name(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
