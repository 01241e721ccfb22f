"""What the answer says of the network and its features: which they are, whether they fit, and what is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..network import families
from ..network.feature_fit import sentence

AVERAGED = {
    "unit": "embeddings of unit length averaged, and again of unit length",
    "raw": "embeddings averaged as they are",
    "unit_sum": "embeddings of unit length averaged",
}


def _called(network):
    if network["family"] in families.BROUGHT:
        return [f"{network['file']} (family {network['family']}, a graph of your own)"]
    title = families.module(network["family"]).TITLE
    return [f"{title} (family {network['family']})", f"C = {network['channels']}"]


def short(network: Mapping[str, Any]) -> str:
    """Family and width."""
    return ", ".join(_called(network))


def places_are_drawn(made: Mapping[str, Any]) -> bool:
    """Whether another random seed would hear other parts of the utterances."""
    return made["shape"][1] is not None and made["placement"] == "digest"


def described(network: Mapping[str, Any]) -> str:
    """Family, size and training."""
    parts = _called(network)
    if network["parameters"] is not None:
        parts.append(f"{network['parameters']:,} parameters")
    parts.append(f"embeddings of {network['embedding']}")
    if network["step"] is not None:
        parts.append(f"step {network['step']}")
    if network["speakers"] is not None:
        heard = f" ({network['training_set']})" if network["training_set"] else ""
        parts.append(f"{network['speakers']:,} training speakers{heard}")
    return ", ".join(parts)


def features(network: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """Whose contract, its key, and what of it is overridden."""
    own = f"{made['n_mels']} mel bands by the contract of {network.get('contract_from') or network['family']}"
    if changed := [f"{name} {made[name]:g}" for name in made["overridden"]]:
        own += f", OVERRIDDEN: {', '.join(changed)}"
    return f"{own} (key {made['contract']})"


def crops(made: Mapping[str, Any], engine: Mapping[str, Any]) -> str:
    """What of an utterance is heard."""
    frames = made["shape"][1]
    if frames is None:
        return "none: whole utterances"
    seconds = frames * made["hop_length"] / made["sample_rate"]
    placed = {
        "digest": f"places drawn with random seed {made['seed']}",
        "even": "evenly placed",
        "start": "from the start",
    }[made["placement"]]
    several = "" if made["crops"] == 1 else f"; {AVERAGED[engine['averaging']]}"
    return f"{made['crops']} per utterance of {frames} frames ({seconds:.2f} s), {placed}{several}"


def fit(network: Mapping[str, Any]) -> str:
    """Whether the features belong to the network."""
    return sentence(network["fit"])


def published(network: Mapping[str, Any]) -> dict[str, str]:
    """Rows of what the checkpoint's authors published of it, where it is a known file."""
    known = network["published"]
    if not known:
        return {}
    rows = [f"{known['file']}, {known['licence']}; trained on {known['training']}"]
    for figures in known["figures"]:
        rates = ", ".join(f"{name.upper()} {figures[name]} %" for name in "oeh" if figures[name] is not None)
        rows.append(f"EER {rates} on VoxCeleb1's cleaned lists ({figures['protocol']})")
    if known["note"]:
        rows.append(known["note"])
    return {"published": "; ".join(rows)}
