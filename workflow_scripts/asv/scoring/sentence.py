"""A sentence for a paper or a ticket: what was measured, of what, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import caveats
from ..trials.protocols import CENTROID, CENTROID_LEAVE_ONE_OUT
from . import answer_network
from .words import percent, score_name

CENTROIDS = {
    CENTROID_LEAVE_ONE_OUT: "of every utterance against every speaker's centroid, leave-one-out",
    CENTROID: "of every utterance against every speaker's centroid, its own included",
}


def dataset(result: Mapping[str, Any]) -> str:
    """Which recordings were used: folders, speakers, utterances, hours."""
    used = result["utterances"]
    size = f"{used['speakers']:,} speakers, {used['used']:,} utterances, {used['seconds'] / 3600:.2f} hours"
    return f"{', '.join(map(str, result['dataset']['root']))}: {size}"


def _of_protocol(name, protocol):
    low, high = protocol["eer_interval"]["low"], protocol["eer_interval"]["high"]
    interval = "no interval" if low is None else f"95 % interval {100 * low:.3f} to {100 * high:.3f} %"
    trials = protocol["targets"] + protocol["nontargets"]
    costs = ", ".join(f"minDCF {cost:.4f} at p = {prior}" for prior, cost in protocol["min_dcf"].items())
    skipped = f", {protocol['skipped']:,} more skipped" if protocol.get("skipped") else ""
    what = CENTROIDS.get(name) or f"on {name} (md5 {protocol['md5'][:8]})"
    return f"EER {percent(protocol['eer'])} ({interval}), {costs}, {what}, {trials:,} trials{skipped}"


def of_result(result: Mapping[str, Any]) -> str:
    """The sentence, from a :class:`asv.scoring.result.Result`; without a place and a date: two runs write the same."""
    lists = {name: protocol for name, protocol in result["protocols"].items() if name not in CENTROIDS}
    chosen = lists or dict([next(iter(result["protocols"].items()))])
    figures = "; ".join(_of_protocol(name, protocol) for name, protocol in chosen.items())
    engine, network = result["engine"], result["network"]
    score = score_name(result["scoring"]) if lists else "cosine"
    crops = answer_network.crops(result["features"], engine)
    crops = "whole utterances" if result["features"]["shape"][1] is None else f"crops: {crops}"
    notes = "; ".join(caveats.of_result(result))
    return (
        f"{figures}; scores: {score}; {answer_network.short(network)}, checkpoint {network['source']} (SHA-256 "
        f"{network['checkpoint_sha256'][:12]}), on {engine['name']} in {engine['precision']}; {crops}; data: "
        f"{dataset(result)}{f' [{notes}]' if notes else ''}."
    )
