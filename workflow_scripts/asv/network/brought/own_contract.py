"""The contract in the metadata of an ONNX file that this workflow has exported (:mod:`asv.network.onnx_export`)."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import InputError
from ...features.contract import Contract

KEY = "feature_contract"


def read(metadata: Mapping[str, str], source: object) -> Contract | None:
    """The contract, or None where the metadata hold none.

    Raises:
        InputError: where what stands there is no contract.
    """
    if KEY not in metadata:
        return None
    return Contract.from_json(metadata[KEY], f"{source}: {KEY} of its metadata")


def check(metadata: Mapping[str, str], contract: Contract, source: object, whose: str) -> None:
    """Compare it with another contract, which ``whose`` names; InputError where both are there and differ."""
    own = read(metadata, source)
    if own is not None and (found := contract.differences(own)):
        raise InputError(
            f"network.contract: {whose} disagrees with the metadata of {source}: {'; '.join(found)}. Correct it, or "
            "set network.contract: null, which takes what the file says"
        )
