"""Which features a configuration asks for: contract, overrides and crops. Each set has a key, under which it lies.

Networks whose contracts are equal share their features, and whoever switches to another network and back again finds
the former ones still there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import engines
from ..errors import InputError
from ..features.contract import Contract
from ..features.contract_file import read as read_contract
from ..network import families
from ..network.brought import onnx_model, own_contract, sherpa
from . import inputs
from .words import options_of

WHOLE = "whole"  # frames of whole utterances
# Settings of `features` that override the contract's value; null: none.
OVERRIDES = ("sample_rate", "n_fft", "win_length", "hop_length", "n_mels", "f_min", "f_max", "floor")
ANY_LENGTH = ("onnxruntime", "openvino", "torchscript")  # engines that take any number of frames
MEAN_FRAMES = 830  # of VoxCeleb1's utterances, 8.3 s
AUDIO = ("resample", "channels", "min_duration", "max_duration")  # settings of `dataset` that change samples


@dataclass(frozen=True)
class FeatureSet:
    """Features of one kind.

    Attributes:
        contract: how they are made of samples.
        crops: the settings ``frames`` (a number, or ``whole``), ``crops``, ``placement``, ``seed`` and ``short``.
        audio: the settings of the data set that change samples.
    """

    contract: Contract
    crops: Mapping[str, Any]
    audio: Mapping[str, Any]

    @property
    def key(self) -> str:
        """Eight hexadecimal digits, equal for equal features."""
        parts = [self.contract.to_mapping(), dict(self.crops), dict(self.audio)]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]

    @property
    def frames(self) -> int | None:
        """Frames of a crop; None for whole utterances."""
        return None if self.crops["frames"] == WHOLE else self.crops["frames"]

    @property
    def shape(self) -> list[int | str]:
        """Bands, and frames or ``whole``."""
        return [self.contract.n_mels, self.crops["frames"]]

    @property
    def bytes_per_utterance(self) -> int:
        """Size of an utterance's features, float32; of whole utterances about that of VoxCeleb1's."""
        return self.crops["crops"] * self.contract.n_mels * (self.frames or MEAN_FRAMES) * 4

    @property
    def options(self) -> str:
        """Options of ``extract_features.py``."""
        chosen = {**self.audio, **self.crops, "contract": self._contract}
        return options_of(chosen, *chosen)

    @property
    def options_of_check(self) -> str:
        """Options of ``check_features.py``."""
        audio = {name: self.audio[name] for name in ("resample", "channels")}
        return options_of({**audio, "contract": self._contract}, *audio, "contract")

    @property
    def options_of_export(self) -> str:
        """Options of ``export_onnx.py``."""
        return options_of({"frames": self.crops["frames"], "contract": self._contract}, "frames", "contract")

    @property
    def _contract(self) -> str:
        return json.dumps(self.contract.to_mapping(), sort_keys=True)

    def shape_for(self, engine: str, batch: int) -> list[int | str]:
        """Words of ``compile_engine.py --shape``: bands, and frames or ``whole``.

        Raises:
            InputError: where whole utterances are asked for of a batch size or engine that cannot have them.
        """
        if self.frames is None and (batch != 1 or engines.parse(engine)[0] not in ANY_LENGTH):
            raise InputError(
                f"features.frames: whole utterances have lengths of their own, so they run one by one on "
                f"{' or '.join(ANY_LENGTH)}; ask for results/eer_bs1.txt instead of batch size {batch} on {engine}"
            )
        return self.shape

    def with_crops(self, frames: int | str, crops: int) -> FeatureSet:
        """The same with other crops."""
        return replace(self, crops={**self.crops, "frames": frames, "crops": crops})

    def with_seed(self, seed: int) -> FeatureSet:
        """The same with other places of the crops."""
        return replace(self, crops={**self.crops, "seed": seed})


def overrides(config: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the contract that the configuration overrides."""
    return {name: config["features"][name] for name in OVERRIDES if config["features"][name] is not None}


def _stated(config: Mapping[str, Any]) -> Contract:
    """The contract of the network, without overrides."""
    network = config["network"]
    if network["family"] not in families.BROUGHT:
        if network["contract"] is not None:
            brought = " or ".join(families.BROUGHT)
            raise InputError(
                f"network.contract: is for a graph of your own (network.family: {brought}); the family "
                f"{network['family']} has its contract. Single values of it are overridden in features"
            )
        return families.module(network["family"]).CONTRACT
    return stated_of_brought(config)[0]


def stated_option(config: Mapping[str, Any]) -> str:
    """The option ``--contract``, of the network, without overrides; errors as of :func:`contract_of`."""
    return options_of({"contract": json.dumps(_stated(config).to_mapping(), sort_keys=True)}, "contract")


def stated_of_brought(config: Mapping[str, Any]) -> tuple[Contract, str]:
    """The contract of a graph that the user brings, and whose it is, in words: that of a file, or by its metadata.

    Raises:
        InputError: where there is none, or where the metadata disagree with it.
    """
    network, path = config["network"], inputs.brought_onnx(config)
    metadata = {} if path is None else onnx_model.metadata(path)
    if network["contract"] is not None:
        if not Path(network["contract"]).is_file():
            raise inputs.missing("network.contract", network["contract"])
        contract, whose = read_contract(network["contract"]), Path(network["contract"]).name
        own_contract.check(metadata, contract, path, network["contract"])
        sherpa.check(metadata, contract, path, network["contract"])
        return contract, whose
    if path is not None:
        if own := own_contract.read(metadata, path):
            return own, "the file itself"
        return sherpa.contract_of(metadata, path)
    remedy = "; metadata are read of a file or folder on this machine alone" if network["family"] == "onnx" else ""
    raise InputError(
        f"network.contract: network.family: {network['family']} needs one, a file that says how its features are made "
        f"(docs/bring-your-own.md){remedy}"
    )


def contract_of(config: Mapping[str, Any]) -> Contract:
    """The contract of a configuration.

    Raises:
        InputError: where a contract is missing or wrong, or where overrides do not fit it; the message begins with the
            setting.
    """
    stated, values = _stated(config), overrides(config)
    try:
        return stated.overridden(**values)
    except InputError as error:
        faults = str(error).splitlines()[1:] or [str(error)]
        raise InputError("features." + "; ".join(fault.strip() for fault in faults)) from None


def of_config(config: Mapping[str, Any]) -> FeatureSet:
    """The features that a checked configuration asks for; errors as of :func:`contract_of`."""
    features, dataset = config["features"], config["dataset"]
    crops = {name: features[name] for name in ("frames", "crops", "placement", "seed", "short")}
    return FeatureSet(contract_of(config), crops, {name: dataset[name] for name in AUDIO})


def faults(config: Mapping[str, Any]) -> list[str]:
    """What of a configuration's features does not go together; messages begin with a setting."""
    features = config["features"]
    found = []
    if features["crops"] > 1 and features["placement"] == "start":
        found.append(f"features.placement: start takes one crop, and features.crops is {features['crops']}")
    if features["crops"] > 1 and features["frames"] == WHOLE:
        found.append(f"features.frames: whole utterances have no crops, and features.crops is {features['crops']}")
    try:
        contract_of(config)
    except InputError as error:
        found.append(str(error))
    return found
