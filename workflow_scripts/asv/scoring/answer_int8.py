"""What the answer says of a network in int8: what runs, how it was calibrated, and how far its embeddings moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def rows(engine: Mapping[str, Any]) -> dict[str, str]:
    """Rows of the answer; none where nothing was quantised."""
    record = engine.get("quantisation")
    return {"layers": engine["layers"], "quantised": _quantised(record)} if record else {}


def _quantised(record):
    of = record["calibration"]
    parts = [f"calibrated with {of['utterances']:,} utterances of {of['source']}"]
    if of["rejected"]:
        parts.append(f"{of['rejected']:,} more were rejected")
    if of["evaluation_data"]:
        parts.append(f"{of['evaluation_data']:,} of them ARE EVALUATED HERE, so it may flatter")
    back = sum(layer["reason"] == "sensitive" for layer in record["layers"])
    parts.append(f"{100 * record['int8_work']:.0f} % of the layers' work in int8")
    if back:
        parts.append(f"{back} sensitive layers back in float")
    parts.append(f"mean cosine with float32 on them {record['mean_cosine']:.4f}")
    if not record["met"]:
        parts.append(f"BELOW the {record['min_mean_cosine']} that quantisation.min_mean_cosine asks for")
    return "; ".join(parts)
