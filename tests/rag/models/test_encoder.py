import os
import warnings
from typing import Protocol

import numpy as np
import pytest

from citewire.index.embedding import Vectors
from citewire.rag.models.encoder import OnnxEncoder
from citewire.rag.models.model_files import locate_model
from citewire.rag.settings import read_settings

SENTENCES = """\
The bridge over the Vire opened in 1894.
Who met Park Jin in Seoul on Thursday?
Kipchoge ran the marathon in under two hours in Vienna.
A spacewalk lasted twelve minutes.
The ministers did not agree on the price of gas.
Zürich's café owners are naïve, says José Muñoz.
Ebola: two drugs proved effective in a trial in Congo.
The aircraft overshot the runway in heavy rain.
No.
The Liberals lost their majority but stayed in power.
Rescue workers found thirty-nine bodies under the rubble of the tower block.
$1.5 million was paid to 12 victims.
北京で会議が開かれた。
The satellite was launched on the third attempt, officials in Pyongyang said late on Tuesday.
Talks with the government in New Delhi were set for Friday; the defence secretary was to join.
It rained.
What did the spokesman say about the weapons?
Leonov, the first man to walk in space, has died in Moscow at the age of 85.
👩‍🚀 Astronauts wave.
He said: “We shall see.” She said nothing.
""".splitlines()


class Reference(Protocol):
    def encode(self, sentences: list[str], *, normalize_embeddings: bool) -> Vectors: ...


@pytest.fixture(scope="module")
def reference() -> Reference:
    """sentence-transformers, on the weights that our model was exported from."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sentence_transformers import SentenceTransformer

        return SentenceTransformer(
            str(locate_model(read_settings(os.environ).encoder)), device="cpu"
        )


def cosines(ours: Vectors, theirs: Vectors) -> np.ndarray:
    return (ours * theirs).sum(axis=1)


def test_vectors_are_those_of_sentence_transformers(
    encoder: OnnxEncoder, reference: Reference
) -> None:
    theirs = reference.encode(SENTENCES, normalize_embeddings=True)
    near = cosines(encoder.encode_passages(SENTENCES), theirs)
    assert near.mean() > 0.98
    assert near.min() > 0.95


def test_a_text_is_cut_where_sentence_transformers_cuts_it(
    encoder: OnnxEncoder, reference: Reference
) -> None:
    long = " ".join(SENTENCES[:3]) + " and so on" * 500
    theirs = reference.encode([long], normalize_embeddings=True)
    assert cosines(encoder.encode_passages([long]), theirs)[0] > 0.98


def test_vectors_have_length_one(encoder: OnnxEncoder) -> None:
    lengths = np.linalg.norm(encoder.encode_passages(SENTENCES), axis=1)
    assert lengths == pytest.approx(np.ones(20), abs=1e-5)


def test_vectors_are_float32_in_the_order_of_the_texts(encoder: OnnxEncoder) -> None:
    vectors = encoder.encode_passages(SENTENCES)
    alone = np.stack([encoder.encode_question(sentence) for sentence in SENTENCES])
    assert (vectors.dtype, vectors.shape) == (np.float32, (20, encoder.dimension))
    assert ((vectors @ alone.T).argmax(axis=1) == np.arange(20)).all()


def test_the_company_of_other_texts_does_not_matter(encoder: OnnxEncoder) -> None:
    alone = np.concatenate([encoder.encode_passages([sentence]) for sentence in SENTENCES])
    assert np.array_equal(encoder.encode_passages(SENTENCES), alone)


def test_the_same_text_has_the_same_vector(encoder: OnnxEncoder) -> None:
    one, again = (encoder.encode_question("Who met Park Jin?") for _ in range(2))
    assert np.array_equal(one, again)


def test_no_texts_have_no_vectors(encoder: OnnxEncoder) -> None:
    assert encoder.encode_passages([]).shape == (0, encoder.dimension)


def test_a_question_is_nearest_to_the_sentence_that_answers_it(encoder: OnnxEncoder) -> None:
    near = encoder.encode_passages(SENTENCES) @ encoder.encode_question(
        "When was the bridge built?"
    )
    assert near.argmax() == 0
