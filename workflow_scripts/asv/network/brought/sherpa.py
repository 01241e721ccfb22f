"""The metadata that sherpa-onnx's export scripts write: of which toolkit a network is, and some facts of its features.

``framework`` names the toolkit, whose own contract counts: the metadata do not fix the features, and sherpa-onnx's own
front end is not the one that the networks were trained with. The other entries are checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...errors import InputError
from ...features.contract import Contract
from .. import families

FAMILIES = {"wespeaker": "wespeaker", "3d-speaker": "3dspeaker", "nemo": "nemo"}  # by framework
SHOWN = 60


def contract_of(metadata: Mapping[str, str], source: object) -> tuple[Contract, str]:
    """The contract of the toolkit, and whose it is in words; it agrees with the other entries.

    Raises:
        InputError: where no toolkit that is known is named, or where entries disagree.
    """
    framework = metadata.get("framework")
    if framework not in FAMILIES:
        found = "has no metadata 'framework'" if framework is None else f"names the framework {framework[:SHOWN]!r}"
        raise InputError(
            f"network.contract: {source} {found} ({', '.join(FAMILIES)} are known), so nothing tells how its features "
            "are made; write a contract file and name it here (docs/bring-your-own.md)"
        )
    family = FAMILIES[framework]
    contract = families.module(family).CONTRACT
    check(metadata, contract, source, f"the contract of {family}")
    return contract, f"{family}, as its metadata say"


def check(metadata: Mapping[str, str], contract: Contract, source: object, whose: str) -> None:
    """Compare the entries with a contract; ``whose`` names it.

    Raises:
        InputError: that names what disagrees, in both.
    """
    if "framework" not in metadata:  # not sherpa-onnx's: the same names may mean something else
        return
    if faults := list(_faults(metadata, contract)):
        raise InputError(
            f"network.contract: the metadata of {source} disagree with {whose}: {'; '.join(faults)}. Correct the "
            "contract; where the metadata are wrong, write them anew or remove 'framework' from them"
        )


def _faults(metadata: Mapping[str, str], contract: Contract) -> Iterator[str]:
    milliseconds = contract.sample_rate / 1000
    told: dict[str, dict[str, tuple[str, object, object]]] = {
        "normalize_samples": {
            "0": ("scale", contract.scale, 32768.0),
            "1": ("scale", contract.scale, 1.0),
        },
        "feature_normalize_type": {
            "global-mean": ("subtract_mean", contract.subtract_mean, True),
            "per_feature": ("deviation", contract.deviation != "none", True),
        },
        "window_type": {name: ("window", contract.window, name) for name in ("hann", "hamming", "povey")},
    }
    for name, meanings in told.items():
        if (value := metadata.get(name)) in meanings:
            field, own, expected = meanings[value]
            if own != expected:
                yield f"{name} is {value}, and the contract's {field} is {contract.to_mapping()[field]}"
    numbers = {
        "sample_rate": ("sample_rate", contract.sample_rate, 1.0),
        "feat_dim": ("n_mels", contract.n_mels, 1.0),
        "window_size_ms": ("win_length", contract.win_length, milliseconds),
        "window_stride_ms": ("hop_length", contract.hop_length, milliseconds),
    }
    for name, (field, own, factor) in numbers.items():
        if name in metadata and _number(metadata[name], factor) != own:
            yield f"{name} is {metadata[name][:SHOWN]}, and the contract's {field} is {own}"


def _number(text: str, factor: float) -> float | None:
    try:
        return float(text) * factor
    except ValueError:
        return None


def check_embedding(metadata: Mapping[str, str], size: int, source: object) -> None:
    """Compare ``output_dim`` with the numbers of an embedding; InputError where they differ."""
    if "framework" in metadata and "output_dim" in metadata and _number(metadata["output_dim"], 1.0) != size:
        raise InputError(
            f"{source}: its metadata say output_dim {metadata['output_dim'][:SHOWN]}, and the output has {size} "
            "numbers; set network.output to the embedding's"
        )
