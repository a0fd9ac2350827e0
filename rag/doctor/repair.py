"""Repair a data directory: build again what is derived, and keep every sound article."""

import shutil
from contextlib import closing

from citewire.index.catalogue.checker import CheckReport
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.salvage import replace_catalogue
from citewire.index.data_directory import DataDirectory
from citewire.index.system.crash_points import pass_crash_point
from citewire.index.vectors.backend import Backend
from citewire.index.vectors.backends import open_backend
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.doctor.diagnosis import (
    Damage,
    Diagnosis,
    check_directory,
    examine_catalogue,
    own_directory,
)
from citewire.rag.settings import Settings


def repair(settings: Settings) -> Diagnosis:
    """Check everything, then build derived data again and drop the articles that are lost.

    The findings of the diagnosis are the losses, by name, and the damage that cannot be repaired
    here. Raises as `diagnose` does.
    """
    with own_directory(settings) as directory:
        before = check_directory(directory, settings)
        found = {finding.damage for finding in before.findings}
        if found <= {Damage.MODEL, Damage.SERVER}:
            return before
        report = examine_catalogue(directory.catalogue)
        with open_backend(settings.chroma) as backend:
            repaired = rebuild(directory, report, backend)
        if not repaired:
            return before
        after = check_directory(directory, settings)
        lost = [finding for finding in before.findings if finding.damage is Damage.TRUTH]
        return Diagnosis(after.articles, after.passages, (*lost, *after.findings), repaired)


def rebuild(directory: DataDirectory, report: CheckReport, backend: Backend) -> tuple[str, ...]:
    """Replace a damaged catalogue and rebuild the vector index; return the repaired parts.

    Nothing can be repaired where the catalogue does not name its encoder.
    """
    if report.encoder is None:
        return ()
    repaired = []
    if report.lost or report.faults:
        aside = replace_catalogue(directory.catalogue, report)
        repaired.append(f"the catalogue, of {len(report.sound)} sound articles; was {aside}")
    shutil.rmtree(directory.vectors, ignore_errors=True)
    pass_crash_point("repair: index removed")
    with closing(open_catalogue(directory.catalogue, "own", encoder=report.encoder)) as catalogue:
        index = VectorIndex(directory.vectors, catalogue, backend)
        index.rebuild()
        index.close()
    return (*repaired, "the vector index")
