"""The words of command lines that settings become. Functions of a checked configuration; they start nothing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from .. import engines
from ..network import families
from . import feature_sets, inputs
from .inputs import Config
from .words import options_of

# NPU engines have a toolchain of their own, and devices: settings that say where a job runs, not what it computes.
PLACEMENT = ("python", "env_scripts", "devices")


def of_network(config: Config) -> str:
    """Options of the script that makes the network: ``trace_network.py``, or ``bring_network.py`` for brought graphs.

    Whole utterances are traced as crops are, for any number of frames, but the reference's outputs are of two lengths.
    """
    network, frames = config["network"], config["features"]["frames"]
    family = ["--family", network["family"]]
    if network["family"] in families.BROUGHT:
        contract, whose = feature_sets.contract_of(config), feature_sets.stated_of_brought(config)[1]
        words = ["--contract", json.dumps(contract.to_mapping(), sort_keys=True), "--contract-from", whose]
        graph = {"graph_input": network["input"], "graph_output": network["output"], "layout": network["layout"]}
        return " ".join([shlex.join([*family, "--frames", str(frames), *words]), options_of(graph, *graph)])
    words = ["--frames", str(frames), "--n-mels", str(feature_sets.contract_of(config).n_mels)]
    outputs = ["--outputs", *network["outputs"]]
    return " ".join([shlex.join([*outputs, *family, *words]), options_of(config["checkpoint"], "weights")])


def of_unzip(config: Config) -> str:
    """Options of ``unzip_checkpoint.py``."""
    return " ".join([shlex.join(["--family", config["network"]["family"]]), options_of(config["checkpoint"], "sha256")])


def averaging(config: Config) -> str:
    """How embeddings of several crops are averaged: the family's rule."""
    family = config["network"]["family"]
    return "unit" if family in families.BROUGHT else families.module(family).OUTPUT.averaging


def of_crops(config: Config, crops: int) -> str:
    """Options of ``infer.py``: how many crops of an utterance there are, and how their embeddings are averaged."""
    return f"--crops {crops} --averaging {averaging(config)}"


def of_recommendation(config: Config) -> str:
    """Options of ``recommend.py``."""
    limits = config["recommend"]
    chosen = [] if limits["engines"] is None else ["--engines", *limits["engines"]]
    return f"{options_of(limits, 'max_latency_ms', 'max_memory_mb')} {shlex.join(chosen)}".strip()


def of_bundle(config: Config, audio: Mapping[str, Any]) -> str:
    """Options of ``make_bundle.py``; ``audio`` are the settings of the data set that change samples."""
    words = shlex.join(["--audio", json.dumps(dict(audio), sort_keys=True), "--averaging", averaging(config)])
    return f"{options_of(config['bundle'], 'goal')} {words} {of_bootstrap(config)}"


def of_bootstrap(config: Config) -> str:
    """Options of all that draw bootstrap replicates."""
    bootstrap = config["scoring"]["bootstrap"]
    return f"--bootstrap-replicates {bootstrap['replicates']} --bootstrap-seed {bootstrap['seed']}"


def of_scoring(config: Config) -> str:
    """Options of ``score.py``."""
    return f"{options_of(config['scoring'], 'format')} {of_trials(config)}"


def of_trials(config: Config) -> str:
    """Options of all that score: which trials, and how."""
    scoring = config["scoring"]
    centroid = scoring["centroid"]
    return " ".join(
        [
            options_of(scoring, "on_missing_trial", "subtract_mean"),
            of_bootstrap(config),
            f"--as-norm-top {scoring['as_norm']['top']}" if scoring["as_norm"]["cohort"] is not None else "",
            "" if centroid["enabled"] else "--no-centroid",
            f"--centroid-max-duration {centroid['max_duration']}",
            f"--centroid-max-scores {centroid['max_scores']}",
        ]
    )


def of_answer(config: Config) -> str:
    """Options of ``write_answer.py``: what of the inputs is the demo's, and what of the contract is overridden."""
    checkpoint = inputs.DEMO_CHECKPOINTS.get(config["checkpoint"]["archive"], "")
    words = ["--demo-checkpoint", checkpoint, "--on-misfit", config["network"]["on_misfit"]]
    if inputs.is_demo(config):
        words += ["--demo-data"]
    return shlex.join([*words, "--overridden", *feature_sets.overrides(config)])


def of_shape(shape: list[int | str]) -> str:
    """Bands and frames of the network's input, as all scripts take them."""
    bands, frames = shape
    return f"--shape {bands} {frames}"


def of_quantisation(config: Config, shape: list[int | str]) -> str:
    """Options of ``quantise_network.py`` and ``quantise_onnx.py``; the shape is that of the features."""
    return f"{of_shape(shape)} {options_of(config['quantisation'], 'min_mean_cosine')}"


def engine_settings(config: Config, label: str) -> Config:
    """Settings of the engine of a label such as ``openvino-bf16``; empty for one that has none."""
    return config["engines"].get(engines.parse(label)[0], {})


def of_engine(config: Config, label: str) -> str:
    """The options that an engine gets, JSON."""
    settings = engine_settings(config, label)
    options = {name: value for name, value in settings.items() if name not in PLACEMENT}
    return json.dumps(settings.get("options", options), sort_keys=True)


def of_devices(config: Config, label: str) -> str:
    """Options that name an engine's devices; empty for one without."""
    devices = engine_settings(config, label).get("devices")
    return shlex.join(["--devices", *map(str, devices)]) if devices else ""
