"""Run an exported network with ONNX Runtime, on all cores."""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state
from tokenizers import Encoding

from citewire.rag.cancellation import Cancellation, Cancelled, get_cancellation
from citewire.rag.errors import ModelRejected

# Tokens: 19 of 20 windows are shorter. A longer one allocates memory that the others never need,
# and a session keeps its arena at the largest size, so it is shrunk after such a run.
ORDINARY_TOKENS = 192
SHRINK_ARENA = ("memory.enable_memory_arena_shrinkage", "cpu:0")

# All of ONNX Runtime's errors, which have no base class of their own, and C++ exceptions.
RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    RuntimeError,
    *(
        error
        for error in vars(onnxruntime_pybind11_state).values()
        if isinstance(error, type) and issubclass(error, Exception)
    ),
)


class Network:
    """A network that turns one tokenized text into outputs; safe for threads to share.

    Texts run one by one, never as a batch: dynamic int8 quantization scales activations by the
    largest of a batch, so a text's result would depend on the other texts. Each run takes
    one core, and there is one run per core at a time, without padding.

    Raises:
        ModelRejected: the file cannot be loaded, or the network lacks one of `outputs`.
    """

    def __init__(self, file: Path, outputs: Sequence[str]) -> None:
        self._outputs = list(outputs)
        self._session = open_session(file)
        self._inputs = {item.name for item in self._session.get_inputs()}
        if not set(outputs) <= {item.name for item in self._session.get_outputs()}:
            raise ModelRejected(f"{file}: is another kind of model: no {', '.join(outputs)}")
        self._threads = ThreadPoolExecutor(count_cores(), thread_name_prefix="network")

    def run(self, encoding: Encoding) -> list[NDArray[np.float32]]:
        """Return the outputs of one text, in the order in which they were named.

        Raises:
            Cancelled: the current work was cancelled, before or during the run.
        """
        return self._run(get_cancellation(), encoding)

    def run_each(self, encodings: Sequence[Encoding]) -> list[list[NDArray[np.float32]]]:
        """Return the outputs of each text; raises as `run` does."""
        # Context variables do not reach other threads, so the cancellation is passed on.
        return list(self._threads.map(partial(self._run, get_cancellation()), encodings))

    def _run(self, cancellation: Cancellation, encoding: Encoding) -> list[NDArray[np.float32]]:
        given: Mapping[str, Any] = {
            "input_ids": encoding.ids,
            "attention_mask": encoding.attention_mask,
            "token_type_ids": encoding.type_ids,
        }
        feed = {name: np.array([given[name]], np.int64) for name in self._inputs}
        options = onnxruntime.RunOptions()
        if len(encoding) > ORDINARY_TOKENS:
            options.add_run_config_entry(*SHRINK_ARENA)
        with cancellation.stopping(partial(setattr, options, "terminate", True)):
            try:
                outputs = self._session.run(self._outputs, feed, options)
            except RUNTIME_ERRORS as error:
                if cancellation.cancelled:
                    raise Cancelled("the network was stopped") from error
                raise
        return [output[0] for output in outputs]


def open_session(network: Path) -> onnxruntime.InferenceSession:
    """Open the network, with one CPU core for each run."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(network), options, providers=["CPUExecutionProvider"]
        )
    except RUNTIME_ERRORS as error:
        raise ModelRejected(f"{network}: cannot be loaded: {error}") from error


def count_cores() -> int:
    """Return the number of cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
