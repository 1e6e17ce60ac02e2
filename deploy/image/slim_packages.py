"""Leave out of an environment what serving never loads. Called while the image is built.

`python slim_packages.py /opt/murmur` removes the parts below and debug information, compiles the
rest, and fails where a part is not there any more, so that a new version of a library is looked at.
"""

import compileall
import ctypes
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

LEFT_OUT: Final = (
    # Arrow Flight speaks over a network; headers and sources are for compilers.
    "pyarrow/libarrow_flight.so*",
    "pyarrow/libarrow_python_flight.so*",
    "pyarrow/_flight*",
    "pyarrow/_substrait*",
    "pyarrow/include",
    "pyarrow/src",
    "pyarrow/tests",
    # The Python binding holds the whole engine; the shared library beside it is for C programs.
    "onnxruntime/capi/libonnxruntime.so*",
    "onnxruntime/transformers",
    "onnxruntime/quantization",
    "onnxruntime/tools",
    "onnxruntime/datasets",
    # CPython uses the C backend.
    "zstandard/_cffi*",
    # Only `from_pretrained` would ask a hub, and Murmur never does.
    "hf_xet*",
    "huggingface_hub*",
    # Nothing highlights source code.
    "pygments/lexers/[a-z]*.py",
    "pyarrow/includes",
    "numpy/f2py",
    "numpy/_core/tests",
    "numpy/_core/include",
    "numpy/tests",
    "numpy/*/tests",
    "yoyo/tests",
    "regex/tests",
    "*/tests",
)
"""Patterns below site-packages; each one must find something."""

_FOR_COMPILERS: Final = frozenset(
    {".a", ".c", ".cpp", ".h", ".hpp", ".pxd", ".pxi", ".pyi", ".pyx"}
)
"""Files of these kinds are read when something is built or type-checked."""

_DOUBLES: Final = "pyarrow/lib*.so*"
"""The wheel holds a library once for each of its names."""

_DEBUG_SECTION: Final = b".debug_info"
"""Its name stands in each library that carries what only a debugger reads."""


def site_packages(environment: Path) -> Path:
    """Return the folder of an environment that holds its packages."""
    (folder,) = environment.glob("lib/python3.*/site-packages")
    return folder


def unwanted(packages: Path) -> Iterator[Path]:
    """Yield what is left out; raise `SystemExit` for a pattern that finds nothing."""
    for pattern in LEFT_OUT:
        found = list(packages.glob(pattern))
        if not found:
            raise SystemExit(f"{pattern} finds nothing: look at what the library holds now")
        yield from found


def drop_debug_information(packages: Path) -> None:
    """Take what only a debugger reads out of extension modules, by `strip` of binutils.

    Libraries that a wheel bundles (`NAME.libs`) are left alone: their layout was edited when the
    wheel was made.
    """
    strip = shutil.which("strip")
    if strip is None:
        raise SystemExit("strip is missing: apt-get install binutils")
    for path in sorted(packages.rglob("*.so")):
        bundled = any(folder.name.endswith(".libs") for folder in path.parents)
        if not bundled and not path.is_symlink() and _DEBUG_SECTION in path.read_bytes():
            subprocess.run([strip, "--strip-debug", path], check=True)
            # It raises `OSError` for one that was damaged.
            ctypes.CDLL(str(path))


def slim(environment: Path) -> None:
    """Remove what is not wanted, keep doubles once, and compile what stays."""
    packages = site_packages(environment)
    for path in list(unwanted(packages)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    first: dict[bytes, Path] = {}
    for path in sorted(packages.glob(_DOUBLES), key=lambda path: len(path.name), reverse=True):
        if path.is_symlink():
            continue
        kept = first.setdefault(path.read_bytes(), path)
        if kept != path:
            path.unlink()
            path.symlink_to(kept.name)
    for path in list(packages.rglob("*")):
        if path.suffix in _FOR_COMPILERS and path.is_file():
            path.unlink()
    drop_debug_information(packages)
    for cache in packages.rglob("__pycache__"):
        shutil.rmtree(cache)
    # By hash and never checked: the same sources give the same image.
    compileall.compile_dir(
        packages,
        quiet=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        stripdir=str(environment.parent),
        prependdir="/opt",
    )


if __name__ == "__main__":
    slim(Path(sys.argv[1]))
