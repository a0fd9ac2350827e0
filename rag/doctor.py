"""Check a data directory whole, and make again what is derived.

The truth is the catalogue's articles, passages and vectors. Everything else can be made of it
again: the lexical index, the vector index. What is wrong with the truth is lost, and named.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from citewire.index.catalogue.checker import CheckReport, check_catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.salvage import replace_catalogue
from citewire.index.catalogue.seal import Witness
from citewire.index.data_directory import DataDirectory
from citewire.index.errors import (
    ArchiveDamaged,
    CitewireError,
    NoArchive,
    VectorServerAway,
)
from citewire.index.system.crash_points import reached
from citewire.index.vectors.backend import Backend
from citewire.index.vectors.backends import open_backend
from citewire.index.vectors.checks import check_index
from citewire.index.vectors.manifest import (
    FOLDER_PREFIX,
    MANIFEST,
    Generation,
    index_files,
    read_manifest,
)
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.errors import ModelRejected
from citewire.rag.models.model_files import prepare_model
from citewire.rag.settings import Settings


class Damage(StrEnum):
    """What is damaged, and so what can be done: see the remedy of each finding."""

    TRUTH = "truth"
    DERIVED = "derived"
    SERVER = "server"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong; `articles` are the ids of those that it concerns."""

    damage: Damage
    what: str
    remedy: str
    articles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a data directory holds that is sound, all that is wrong, and what was repaired."""

    articles: int
    passages: int
    findings: tuple[Finding, ...]
    repaired: tuple[str, ...] = ()

    @property
    def worst(self) -> Damage | None:
        """The worst damage, None when all is good."""
        found = {finding.damage for finding in self.findings}
        return next((damage for damage in Damage if damage in found), None)


RESTORE = (
    "restore the data directory from a backup, or index the articles into a new one; `--repair`"
    " keeps every sound article and sets the damaged file aside"
)
START = "start it, or unset CITEWIRE_CHROMA_URL and index again"
RESTORE_LOST = (
    "restore the data directory from a backup, or move away what is left of it and index the"
    " articles anew"
)
REINDEX = (
    "restore the data directory from a backup, or `citewire doctor --repair` and index again what"
    " was changed last"
)
REBUILD = "`citewire doctor --repair` makes it again, without encoding anything"


def diagnose(settings: Settings) -> Diagnosis:
    """Check everything; raises NotUsable when nothing is there or another process owns it."""
    with owned(settings) as directory:
        return diagnosis(directory, settings)


def repair(settings: Settings) -> Diagnosis:
    """Check everything, then make again what is derived and drop what is lost.

    What the diagnosis still finds is what was lost, named, or what nothing here can mend.
    """
    with owned(settings) as directory:
        before = diagnosis(directory, settings)
        found = {finding.damage for finding in before.findings}
        if found <= {Damage.MODEL, Damage.SERVER}:
            return before
        sound = check_file(directory)
        if sound.encoder is None:
            return before
        with open_backend(settings.chroma) as backend:
            repaired = mend(directory, sound, backend)
        after = diagnosis(directory, settings)
        lost = [finding for finding in before.findings if finding.damage is Damage.TRUTH]
        return Diagnosis(after.articles, after.passages, (*lost, *after.findings), repaired)


def mend(directory: DataDirectory, sound: CheckReport, backend: Backend) -> tuple[str, ...]:
    """Make again what can be made again, of an archive that says its encoder; return what."""
    assert sound.encoder is not None
    repaired = []
    if sound.lost or sound.faults:
        aside = replace_catalogue(directory.catalogue, sound)
        repaired.append(f"the catalogue, of {len(sound.sound)} sound articles; was {aside}")
    shutil.rmtree(directory.vectors, ignore_errors=True)
    reached("repair: index removed")
    with closing(open_catalogue(directory.catalogue, "own", encoder=sound.encoder)) as catalogue:
        index = VectorIndex(directory.vectors, catalogue, backend)
        index.rebuild()
        index.close()
    return (*repaired, "the vector index")


class owned:  # noqa: N801  # reads as what it is in a with statement
    """The data directory, owned, when there is anything in it to check."""

    def __init__(self, settings: Settings) -> None:
        self._directory = DataDirectory(settings.data, command="doctor")

    def __enter__(self) -> DataDirectory:
        held = (self._directory.catalogue, self._directory.vectors)
        left = Witness(self._directory.catalogue).find_traces()
        if not left and not any(path.exists() for path in held):
            raise NoArchive(f"{self._directory.path}: nothing is indexed here; nothing to check")
        return self._directory.__enter__()

    def __exit__(self, *what: object) -> None:
        self._directory.__exit__(None, None, None)


def diagnosis(directory: DataDirectory, settings: Settings) -> Diagnosis:
    """Check everything in an owned directory."""
    sound = check_file(directory)
    with open_backend(settings.chroma) as backend:
        findings = [
            *catalogue_findings(directory.catalogue, sound),
            *vector_findings(directory, sound, backend),
            *model_findings(settings, sound),
        ]
    return Diagnosis(len(sound.sound), sound.passages, tuple(findings))


def check_file(directory: DataDirectory) -> CheckReport:
    """Examine the catalogue, where there is one."""
    if not directory.catalogue.is_file():
        return CheckReport(faults=["is gone"])
    return check_catalogue(directory.catalogue)


def catalogue_findings(file: Path, sound: CheckReport) -> Iterator[Finding]:
    """Say what is wrong with the catalogue."""
    if sound.encoder is None:
        what = f"{file}: {'; '.join(sound.faults)}"
        yield Finding(Damage.TRUTH, what, RESTORE if file.exists() else RESTORE_LOST)
        return
    if sound.forgotten:
        what = f"{file}: the last {sound.forgotten} changes that were acknowledged are lost"
        yield Finding(Damage.TRUTH, what, REINDEX)
    if sound.lost:
        what = f"{file}: {len(sound.lost)} articles are damaged"
        yield Finding(Damage.TRUTH, what, RESTORE, tuple(sound.lost))
    elif sound.faults:
        yield Finding(Damage.DERIVED, f"{file}: {'; '.join(sound.faults)}", REBUILD)


def vector_findings(
    directory: DataDirectory, sound: CheckReport, backend: Backend
) -> Iterator[Finding]:
    """Say what is wrong with the vector index: its manifest, its files, what is left over."""
    if sound.encoder is None:
        return
    manifest = directory.vectors / MANIFEST
    generation = read_manifest(manifest)
    if generation is None:
        if manifest.exists() or sound.sound:
            yield Finding(Damage.DERIVED, f"{manifest}: is no manifest", REBUILD)
        return
    yield from generation_findings(directory, generation, sound, backend)
    for other in sorted(directory.vectors.glob(f"{FOLDER_PREFIX}*")):
        if other.name != generation.folder:
            yield Finding(Damage.DERIVED, f"{other}: belongs to no index", REBUILD)


def generation_findings(
    directory: DataDirectory, generation: Generation, sound: CheckReport, backend: Backend
) -> Iterator[Finding]:
    """Say what is wrong with the current generation of the vector index."""
    assert sound.encoder is not None
    folder = directory.vectors / generation.folder
    if generation.rows and not is_intact(generation, folder):
        yield Finding(Damage.DERIVED, f"{folder}: its files are not those built", REBUILD)
    elif not shows_catalogue(generation, directory.catalogue, sound.encoder):
        yield Finding(Damage.DERIVED, f"{folder}: does not show this catalogue", REBUILD)
    elif not sound.lost and not sound.faults:
        # Its passages and vectors can be compared only with sound ones.
        opened = open_catalogue(directory.catalogue, "own", encoder=sound.encoder)
        with closing(opened) as catalogue:
            try:
                for what in check_index(directory.vectors, catalogue, backend):
                    yield Finding(Damage.DERIVED, what, REBUILD)
            except VectorServerAway as error:
                yield Finding(Damage.SERVER, str(error), START)


def is_intact(generation: Generation, folder: Path) -> bool:
    """Say whether the generation's files are those that were built."""
    try:
        return index_files(folder) == generation.files
    except OSError:
        return False


def shows_catalogue(generation: Generation, file: Path, encoder: str) -> bool:
    """Say whether a generation is of the catalogue in the file, and of no later state of it."""
    try:
        with closing(open_catalogue(file, "own", encoder=encoder)) as catalogue:
            state = catalogue.state()
            left = catalogue.count_passages_through(generation.last_passage)
    except ArchiveDamaged:
        # Named by what examined the catalogue.
        return True
    return generation.shows(state) and left <= generation.rows


def model_findings(settings: Settings, sound: CheckReport) -> Iterator[Finding]:
    """Say which model's files are not the recorded ones, or not those the archive needs."""
    encoder = None
    try:
        encoder = prepare_model("encoder", settings.encoder, settings.cache).identity
    except ModelRejected as error:
        yield Finding(Damage.MODEL, str(error), "see the message")
    try:
        prepare_model("reader", settings.reader, settings.cache)
    except CitewireError as error:
        yield Finding(Damage.MODEL, str(error), "see the message")
    if None not in (encoder, sound.encoder) and encoder != sound.encoder:
        what = f"the archive was indexed with {sound.encoder}, configured is {encoder}"
        yield Finding(Damage.MODEL, what, "set CITEWIRE_ENCODER back")
