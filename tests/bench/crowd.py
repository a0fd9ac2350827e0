"""Fill an archive up with synthetic articles: `crowd.py DIR --into NEW --texts SQUAD.json.gz`.

DIR is a data directory of articles that a model encoded (`citewire index`). A copy of it is
filled up to `--passages` with the paragraphs of a SQuAD file and with synthetic vectors, as
`synthetic.py` makes them: near each other and near no question. So the questions about the real
articles keep their answers, which are searched among as many passages as a large archive has.
"""

import argparse
import os
import shutil
from dataclasses import replace
from pathlib import Path

from synthetic import NearCentres, fill, read_squad

from citewire.index.data_directory import DataDirectory
from citewire.rag.settings import read_settings
from citewire.rag.wiring import open_owned_archive


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path, help="a data directory of real articles")
    parser.add_argument("--into", type=Path, required=True, help="a folder that does not exist")
    parser.add_argument("--texts", type=Path, required=True, help="a SQuAD file, .json.gz")
    parser.add_argument("--passages", type=int, default=100_000)
    options = parser.parse_args()
    # Locked, so that no other process changes it while it is copied.
    with DataDirectory(options.directory, command="bench"):
        shutil.copytree(options.directory, options.into)
    settings = replace(read_settings(os.environ), data=options.into)
    paragraphs, _ = read_squad(options.texts)
    with open_owned_archive(settings, command="bench", create=False) as opened:
        archive = opened.archive
        with archive.reading() as snapshot:
            missing = options.passages - snapshot.size.passages
        fill(archive, missing, paragraphs, NearCentres(max(missing // 100, 1)))
        archive.compact()
        with archive.reading() as snapshot:
            size = snapshot.size
    print(f"{options.into}: {size.articles:,} articles, {size.passages:,} passages")


if __name__ == "__main__":
    main()
