"""Check a whole data directory: the catalogue, the vector index and the models.

The source of truth is the catalogue's articles, passages and vectors. Everything else is derived
from it and can be built again: the lexical index, the vector index. Damage to the truth is a loss,
which is reported by the articles' ids.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from citewire.index.catalogue.checker import CheckReport, check_catalogue
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.seal import Witness
from citewire.index.data_directory import DataDirectory
from citewire.index.errors import (
    ArchiveDamaged,
    CitewireError,
    NoArchive,
    VectorServerAway,
)
from citewire.index.vectors.backend import Backend
from citewire.index.vectors.backends import open_backend
from citewire.index.vectors.checks import check_index
from citewire.index.vectors.manifest import (
    FOLDER_PREFIX,
    MANIFEST,
    Generation,
    hash_files,
    read_manifest,
)
from citewire.rag.errors import ModelRejected
from citewire.rag.models.model_files import prepare_model
from citewire.rag.settings import Settings


class Damage(StrEnum):
    """The part that is damaged, worst first; each finding names its remedy."""

    TRUTH = "truth"
    DERIVED = "derived"
    SERVER = "server"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault and its remedy; `articles` are the ids of the articles that it concerns."""

    damage: Damage
    what: str
    remedy: str
    articles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The number of sound articles and passages, all faults, and the parts that were repaired."""

    articles: int
    passages: int
    findings: tuple[Finding, ...]
    repaired: tuple[str, ...] = ()

    @property
    def worst(self) -> Damage | None:
        """The worst damage, None without any."""
        found = {finding.damage for finding in self.findings}
        return next((damage for damage in Damage if damage in found), None)


RESTORE = (
    "restore the data directory from a backup, or index the articles into a new one; `--repair`"
    " keeps every sound article and sets the damaged file aside"
)
RESTORE_LOST = (
    "restore the data directory from a backup, or move away what is left of it and index the"
    " articles into a new one"
)
REINDEX = (
    "restore the data directory from a backup, or run `citewire doctor --repair` and index again"
    " what was changed last"
)
REBUILD = "`citewire doctor --repair` builds it again, without encoding any text"
START = "start the server, or unset CITEWIRE_CHROMA_URL and index again"
FOLLOW_MESSAGE = "the message says what to do"
RESET_ENCODER = "set CITEWIRE_ENCODER to the archive's encoder"


def diagnose(settings: Settings) -> Diagnosis:
    """Check everything.

    Raises:
        NotUsable: there is nothing to check, or another process owns the data directory.
    """
    with own_directory(settings) as directory:
        return check_directory(directory, settings)


@contextmanager
def own_directory(settings: Settings) -> Iterator[DataDirectory]:
    """Own the data directory; raise NoArchive when it has nothing to check."""
    directory = DataDirectory(settings.data, command="doctor")
    held = (directory.catalogue, directory.vectors)
    left = Witness(directory.catalogue).find_traces()
    if not left and not any(path.exists() for path in held):
        raise NoArchive(f"{directory.path}: nothing is indexed here; nothing to check")
    with directory:
        yield directory


def check_directory(directory: DataDirectory, settings: Settings) -> Diagnosis:
    """Check everything in an owned directory."""
    report = examine_catalogue(directory.catalogue)
    with open_backend(settings.chroma) as backend:
        findings = [
            *list_catalogue_findings(directory.catalogue, report),
            *list_vector_findings(directory, report, backend),
            *list_model_findings(settings, report),
        ]
    return Diagnosis(len(report.sound), report.passages, tuple(findings))


def examine_catalogue(file: Path) -> CheckReport:
    """Check the catalogue's file; a missing one is a fault."""
    return check_catalogue(file) if file.is_file() else CheckReport(faults=["is gone"])


def list_catalogue_findings(file: Path, report: CheckReport) -> Iterator[Finding]:
    """Yield the faults of the catalogue."""
    if report.encoder is None:
        what = f"{file}: {'; '.join(report.faults)}"
        yield Finding(Damage.TRUTH, what, RESTORE if file.exists() else RESTORE_LOST)
        return
    if report.forgotten:
        what = f"{file}: the last {report.forgotten} changes that were acknowledged are lost"
        yield Finding(Damage.TRUTH, what, REINDEX)
    if report.lost:
        what = f"{file}: {len(report.lost)} articles are damaged"
        yield Finding(Damage.TRUTH, what, RESTORE, tuple(report.lost))
    elif report.faults:
        yield Finding(Damage.DERIVED, f"{file}: {'; '.join(report.faults)}", REBUILD)


def list_vector_findings(
    directory: DataDirectory, report: CheckReport, backend: Backend
) -> Iterator[Finding]:
    """Yield the faults of the vector index: its manifest, its files, orphaned generations."""
    if report.encoder is None:
        return
    manifest = directory.vectors / MANIFEST
    generation = read_manifest(manifest)
    if generation is None:
        if manifest.exists() or report.sound:
            yield Finding(Damage.DERIVED, f"{manifest}: is no manifest", REBUILD)
        return
    folder = directory.vectors / generation.folder
    if generation.rows and not is_intact(folder, generation):
        yield Finding(Damage.DERIVED, f"{folder}: its files are not those built", REBUILD)
    elif not is_of_catalogue(generation, directory.catalogue, report.encoder):
        yield Finding(Damage.DERIVED, f"{folder}: does not show this catalogue", REBUILD)
    elif not report.lost and not report.faults:
        # Only with a sound catalogue can the index's rows be compared.
        yield from compare_rows(directory, report.encoder, backend)
    for other in sorted(directory.vectors.glob(f"{FOLDER_PREFIX}*")):
        if other != folder:
            yield Finding(Damage.DERIVED, f"{other}: belongs to no index", REBUILD)


def is_intact(folder: Path, generation: Generation) -> bool:
    """Say whether the generation's files are those that were built."""
    try:
        return hash_files(folder) == generation.files
    except OSError:
        return False


def is_of_catalogue(generation: Generation, file: Path, encoder: str) -> bool:
    """Say whether the generation was built from this catalogue, in a state that it has had."""
    try:
        with closing(open_catalogue(file, "own", encoder=encoder)) as catalogue:
            state = catalogue.state()
            left = catalogue.count_passages_through(generation.last_passage)
    except ArchiveDamaged:
        # The catalogue's own findings report it.
        return True
    return (
        generation.archive_id == state.archive_id
        and generation.version <= state.version
        and left <= generation.rows
    )


def compare_rows(directory: DataDirectory, encoder: str, backend: Backend) -> Iterator[Finding]:
    """Yield the differences between the index's rows and the catalogue's passages."""
    with closing(open_catalogue(directory.catalogue, "own", encoder=encoder)) as catalogue:
        try:
            for what in check_index(directory.vectors, catalogue, backend):
                yield Finding(Damage.DERIVED, what, REBUILD)
        except VectorServerAway as error:
            yield Finding(Damage.SERVER, str(error), START)


def list_model_findings(settings: Settings, report: CheckReport) -> Iterator[Finding]:
    """Yield the models whose files are not the recorded ones, or that do not fit the archive."""
    encoder = None
    try:
        encoder = prepare_model("encoder", settings.encoder, settings.cache).identity
    except ModelRejected as error:
        yield Finding(Damage.MODEL, str(error), FOLLOW_MESSAGE)
    try:
        prepare_model("reader", settings.reader, settings.cache)
    except CitewireError as error:
        yield Finding(Damage.MODEL, str(error), FOLLOW_MESSAGE)
    if None not in (encoder, report.encoder) and encoder != report.encoder:
        what = f"the archive was indexed with {report.encoder}, configured is {encoder}"
        yield Finding(Damage.MODEL, what, RESET_ENCODER)
