"""Hard negatives are similar paragraphs without the answer."""

from citewire.rag.evaluation.squad import Gold, SquadExample
from citewire.rag.training.distillation.negatives import SHORTEST_PARAGRAPH, mine_negatives


def test_negatives_look_alike_and_lack_the_answer() -> None:
    filler = "The town council met for hours and talked. " * 5
    gold = f"The bridge over the Vire opened in 1894. {filler}"
    near = f"The bridge over the Vire was painted green. {filler}"
    also = f"In 1894 the bridge over the Vire opened, says a plaque. {filler}"
    far = f"Loaves of rye are sold on Mill Lane. {filler}"
    golds = (Gold("1894", gold.index("1894")),)
    asked = SquadExample("1", "When did the bridge over the Vire open?", gold, golds, (gold,))
    assert min(map(len, (gold, near, also, far))) >= SHORTEST_PARAGRAPH
    assert mine_negatives([asked], [gold, near, also, far], 1, seed=1) == [[near]]
