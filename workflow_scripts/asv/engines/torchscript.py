"""The traced network itself, run by PyTorch on the CPU in float32: the accuracy reference."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from ..engine_interface import CompileFacts, Job, SessionFacts
from ..errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PACKAGES = ("torch",)
PRECISIONS = ("f32",)
ARTEFACT = "network.torchscript.pt"


def compile_artefact(network: Path, folder: Path, job: Job) -> CompileFacts:
    """Nothing to compile: TorchScript runs as it is, at any batch size."""
    if job.options:
        raise InputError(f"engines.torchscript.options: none are known, got {', '.join(job.options)}")
    shutil.copyfile(network, folder / ARTEFACT)
    return {"artefact": ARTEFACT}


def load(folder: Path, job: Job) -> Session:
    return Session(folder / ARTEFACT, job.threads)


class Session:
    """TorchScript that runs as it is, at any batch size."""

    def __init__(self, path: Path, threads: int) -> None:
        import torch

        torch.set_num_threads(threads)
        self._torch = torch
        self._network = torch.jit.load(str(path), map_location="cpu").eval()
        self.facts: SessionFacts = {
            "precision": "f32",
            "precision_from": "engine",
            "threads": torch.get_num_threads(),
        }

    def run(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with self._torch.inference_mode():
            output = self._network(self._torch.from_numpy(batch))
        return (output if self._torch.is_tensor(output) else output[0]).numpy()

    def close(self) -> None:
        """Nothing is held but memory."""
