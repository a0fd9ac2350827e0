import json

from citewire.rag.doctor import REBUILD, Damage, Diagnosis, Finding
from citewire.service.cli.render_diagnosis import as_json, as_text

GOOD = Diagnosis(18, 42, ())
LOST = Finding(Damage.TRUTH, "catalogue: 1 articles are damaged", "restore it", ("a\x1b.md",))
OLD = Finding(Damage.DERIVED, "vectors: is no manifest", REBUILD)


def test_good_is_said_in_one_word() -> None:
    assert as_text(GOOD).splitlines() == ["18 articles in 42 passages are sound", "good"]


def test_every_lost_article_has_a_line_that_no_terminal_obeys() -> None:
    assert as_text(Diagnosis(17, 40, (OLD, LOST), ("the vector index",))).splitlines() == [
        "17 articles in 40 passages are sound",
        "made again: the vector index",
        f"derived damage: vectors: is no manifest; {REBUILD}",
        "truth damage: catalogue: 1 articles are damaged; restore it",
        "- a�.md",
    ]


def test_programs_are_told_the_worst_damage() -> None:
    states = [json.loads(as_json(each))["state"] for each in (GOOD, Diagnosis(1, 1, (OLD, LOST)))]
    assert states == ["good", "truth"]
