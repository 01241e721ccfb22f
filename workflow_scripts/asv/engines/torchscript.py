"""The traced network itself, run by PyTorch on the CPU in float32: the accuracy reference."""

from __future__ import annotations

import shutil

from ..errors import InputError

PACKAGES = ("torch",)
PRECISIONS = ("f32",)
ARTEFACT = "network.torchscript.pt"


def compile_artefact(torchscript, folder, *, batch_size, shape, precision, options, device):
    """Nothing to compile: TorchScript runs as it is, at any batch size."""
    if options:
        raise InputError(f"engines.torchscript.options: none are known, got {', '.join(options)}")
    shutil.copyfile(torchscript, folder / ARTEFACT)
    return {"artefact": ARTEFACT}


def load(folder, *, batch_size, shape, precision, threads, options, device):
    return Session(folder / ARTEFACT, threads)


class Session:
    def __init__(self, path, threads):
        import torch

        torch.set_num_threads(threads)
        self._torch = torch
        self._network = torch.jit.load(str(path), map_location="cpu").eval()
        self.facts = {"precision": "f32", "precision_from": "engine", "threads": torch.get_num_threads()}

    def run(self, batch):
        with self._torch.inference_mode():
            output = self._network(self._torch.from_numpy(batch))
        return (output if self._torch.is_tensor(output) else output[0]).numpy()

    def close(self):
        """Nothing is held but memory."""
