"""Importing torchaudio where its binary extension does not load.

PyPI's torchaudio wheel carries CUDA extensions and fails to import beside a CPU-only torch (``libc10_cuda.so`` is
missing), although the transforms used here are pure Python. Then, and only then, a stand-in takes the place of
``torchaudio._extension``. Seen with torchaudio 2.11.0 beside torch 2.13.0+cpu.
"""

from __future__ import annotations

import sys
import types
from typing import Any


def load_torchaudio() -> types.ModuleType:
    """Return the ``torchaudio`` module with ``functional`` and ``transforms`` ready for use."""
    try:
        import torchaudio

        return torchaudio
    except OSError:  # raised by the dynamic loader; a missing package is an ImportError and goes through
        for name in [name for name in sys.modules if name.split(".")[0] == "torchaudio"]:
            del sys.modules[name]
    extension: Any = types.ModuleType("torchaudio._extension")
    extension._IS_TORCHAUDIO_EXT_AVAILABLE = False
    extension._IS_ALIGN_AVAILABLE = False
    extension._check_cuda_version = lambda: None
    extension.fail_if_no_align = lambda function: function
    sys.modules["torchaudio._extension"] = extension
    import torchaudio

    return torchaudio
