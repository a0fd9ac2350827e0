import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from citewire.index.system.files import sha256
from citewire.rag.errors import ModelRejected
from citewire.rag.models.model_files import (
    EXPORT_VERSION,
    PACKAGED,
    compute_export_key,
    hash_sources,
    load_ready_model,
    locate_model,
    lock_exports,
    prepare_model,
    verify_packaged,
)
from citewire.rag.settings import DEFAULT_ENCODER, SHIPPED_READER

ROOT = Path(__file__).parents[3]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a ready reader: small files with their hashes."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model_int8.onnx").write_bytes(b"network")
    (folder / "tokenizer.json").write_bytes(b"tokens")
    manifest = {
        "identity": "reader:made-up",
        "max_tokens": 384,
        "sha256": {name: sha256(folder / name) for name in ("model_int8.onnx", "tokenizer.json")},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED_READER, tmp_path / "reader"))


def test_the_shipped_reader_is_what_it_claims_to_be() -> None:
    assert prepare_model("reader", str(SHIPPED_READER), Path("unused")).number("max_tokens") == 384


@pytest.mark.parametrize("name", ["model_int8.onnx", "tokenizer.json"])
def test_one_changed_byte_is_noticed(shipped: Path, name: str) -> None:
    content = bytearray((shipped / name).read_bytes())
    content[len(content) // 2] ^= 1
    (shipped / name).write_bytes(content)
    with pytest.raises(ModelRejected, match=f"{name}: not the recorded file"):
        prepare_model("reader", str(shipped), Path("unused"))


@pytest.mark.parametrize("name", ["model_int8.onnx", "tokenizer.json"])
def test_a_missing_file_is_named(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(ModelRejected, match=name):
        load_ready_model("reader", model)


@pytest.mark.parametrize("manifest", ["", "{", "[]", "{}", '{"sha256": {}}', "\ud800"])
def test_a_broken_manifest_is_no_model(model: Path, manifest: str) -> None:
    (model / "manifest.json").write_bytes(manifest.encode("utf-8", "surrogatepass"))
    with pytest.raises(ModelRejected, match=r"manifest\.json: not a manifest"):
        load_ready_model("reader", model)


def test_a_fact_that_is_missing_is_named(model: Path) -> None:
    with pytest.raises(ModelRejected, match="no number 'dimension'"):
        load_ready_model("reader", model).number("dimension")


def test_a_sound_model_has_its_facts(model: Path) -> None:
    ready = load_ready_model("reader", model)
    assert (ready.identity, ready.number("max_tokens")) == ("reader:made-up", 384)


def test_a_model_of_the_other_kind_is_rejected(model: Path) -> None:
    with pytest.raises(ModelRejected, match="exported as reader, not as encoder"):
        prepare_model("encoder", str(model), Path("unused"))


def test_a_folder_without_weights_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ModelRejected, match=r"has no model\.safetensors"):
        prepare_model("reader", str(tmp_path), tmp_path / "cache")


def test_pickled_weights_are_not_loaded(tmp_path: Path) -> None:
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelRejected, match="other formats are not loaded"):
        prepare_model("reader", str(tmp_path), tmp_path / "cache")


@pytest.mark.parametrize("name", ["/no/such/folder", "../nothing", "a b", "a/b/c"])
def test_a_path_to_nothing_is_rejected_by_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModelRejected, match=f"^{name}: no such folder"):
        prepare_model("reader", name, tmp_path)


def test_an_unknown_name_is_rejected_without_the_hub() -> None:
    script = "from pathlib import Path; from citewire.rag.models.model_files import *\n"
    script += "from citewire.rag.errors import *\n"
    script += "try: prepare_model('reader', 'nobody/nothing', Path('unused'))\n"
    script += "except ModelRejected as error: print(error)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / ".src"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("nobody/nothing: no such folder, and the Hugging Face hub")


def test_the_packaged_encoder_is_the_published_one() -> None:
    weights = locate_model(DEFAULT_ENCODER) / "model.safetensors"
    verify_packaged(DEFAULT_ENCODER, weights)
    assert sha256(weights) == PACKAGED[DEFAULT_ENCODER][2]


def test_other_weights_in_the_package_are_rejected(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"other weights")
    with pytest.raises(ModelRejected, match="not the published weights of all-MiniLM-L6-v2"):
        verify_packaged(DEFAULT_ENCODER, weights)


@pytest.fixture
def broken_weights(tmp_path: Path) -> Path:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"no weights")
    (folder / "config.json").write_text('{"model_type": "bert"}')
    return folder


def test_weights_that_cannot_be_exported_leave_nothing_behind(
    broken_weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(ModelRejected, match="broken: cannot be exported as a reader: "):
        prepare_model("reader", str(broken_weights), tmp_path / "cache")
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["lock"]


def test_an_export_is_announced_since_it_takes_long(
    broken_weights: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ModelRejected):
        prepare_model("reader", str(broken_weights), tmp_path / "cache")
    assert caplog.messages == ["Preparing the reader for this machine, once …"]


def test_a_model_that_another_process_is_exporting_is_waited_for(
    broken_weights: Path, model: Path, tmp_path: Path
) -> None:
    cache, name = tmp_path / "cache", str(broken_weights)
    target = cache / f"reader-{compute_export_key(name, broken_weights)}-v{EXPORT_VERSION}"
    with ThreadPoolExecutor(1) as pool:
        with lock_exports(cache):
            waiting = pool.submit(prepare_model, "reader", name, cache)
            # It would fail at once if it began to export these weights itself.
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
            shutil.copytree(model, target)
        assert waiting.result(timeout=60).identity == "reader:made-up"


def test_a_cache_that_cannot_be_written_is_named(broken_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelRejected, match="file"):
        prepare_model("reader", str(broken_weights), tmp_path / "file" / "cache")


@pytest.mark.parametrize("changed", ["tokenizer.json", "1_Pooling/config.json"])
def test_models_that_share_only_their_weights_have_different_digests(
    tmp_path: Path, changed: str
) -> None:
    (tmp_path / "1_Pooling").mkdir()
    for name in ("model.safetensors", "tokenizer.json", "1_Pooling/config.json"):
        (tmp_path / name).write_text("first")
    first = hash_sources(tmp_path)
    (tmp_path / changed).write_text("second")
    assert hash_sources(tmp_path) != first
