"""Open an exported network with ONNX Runtime."""

import os
from pathlib import Path

import onnxruntime

from rag.errors import ModelRejected


def open_session(network: Path) -> onnxruntime.InferenceSession:
    """Open the network for the CPU, with a thread for each core that this process may use."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = available_cores()
    options.log_severity_level = 3
    # An idle session must not keep a core busy waiting for work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(network), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's errors share no narrower base class.
        raise ModelRejected(f"{network}: cannot be loaded: {error}") from error


def available_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
