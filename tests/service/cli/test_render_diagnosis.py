import json

from citewire.rag.doctor.diagnosis import REBUILD, Damage, Diagnosis, Finding
from citewire.service.cli.render_diagnosis import format_json, render_diagnosis

GOOD = Diagnosis(18, 42, ())
LOST = Finding(Damage.TRUTH, "catalogue: 1 articles are damaged", "restore it", ("a\x1b.md",))
OLD = Finding(Damage.DERIVED, "vectors: is no manifest", REBUILD)


def test_good_is_said_in_one_word() -> None:
    assert render_diagnosis(GOOD).splitlines() == ["18 articles in 42 passages are sound", "good"]


def test_every_lost_article_has_a_line_that_no_terminal_obeys() -> None:
    assert render_diagnosis(Diagnosis(17, 40, (OLD, LOST), ("the vector index",))).splitlines() == [
        "17 articles in 40 passages are sound",
        "rebuilt: the vector index",
        f"derived damage: vectors: is no manifest; {REBUILD}",
        "truth damage: catalogue: 1 articles are damaged; restore it",
        "- a�.md",
    ]


def test_programs_are_told_the_worst_damage() -> None:
    states = [
        json.loads(format_json(each))["state"] for each in (GOOD, Diagnosis(1, 1, (OLD, LOST)))
    ]
    assert states == ["good", "truth"]
