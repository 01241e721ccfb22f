"""Figures that the authors of the original guides published, as reference rows: not measured here."""

from __future__ import annotations

from typing import Any

CHANNELS = 512  # of their network
BATCH_SIZES = (1, 4, 8, 16, 32, 64)

# Crops per second by batch size, of the network with C = 512.
THROUGHPUT = {
    "torch_aie, Ascend 310P3 (10 frames)": (894.42, 2674.66, 3686.86, 692.30, 1358.16, 2645.42),
    "torch_aie, Ascend 310P3": (449.19, 877.49, 904.00, 881.03, 863.79, 774.43),
    "ATC, Ascend 310P3": (981, 1654, 1461, 1302, 1211, 1238),
    "NVIDIA T4": (485, 705, 798, 771, 829, 847),
}
SOURCE = (
    "Published by the authors of the ModelZoo-PyTorch guides for Ecapa_Tdnn, not measured here; C = 512, 200 frames "
    "unless said, attention map among the outputs. No EER was published; ROC-AUC against speaker centroids: 0.9856 and "
    "0.9865 with 10 frames, 0.99905 and 0.99909 with 200, 0.9991 by ATC."
)


def rows() -> list[dict[str, Any]]:
    """A dictionary for each source and batch size."""
    return [
        {"system": system, "batch_size": batch, "throughput": float(value)}
        for system, values in THROUGHPUT.items()
        for batch, value in zip(BATCH_SIZES, values)
    ]
