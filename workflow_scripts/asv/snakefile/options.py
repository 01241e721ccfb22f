"""The words of command lines that settings become. Functions of a checked configuration; they start nothing."""

from __future__ import annotations

import json
import shlex

from .. import engines
from ..network import families
from . import feature_sets, inputs
from .inputs import Config

# NPU engines have a toolchain of their own, and devices: settings that say where a job runs, not what it computes.
PLACEMENT = ("python", "env_scripts", "devices")


def options_of(settings: Config, *names: str) -> str:
    """Command-line options of settings: ``{"n_fft": 400}`` to ``--n-fft 400``; null settings are left out."""
    chosen = {name: settings[name] for name in sorted(names) if settings[name] is not None}
    return shlex.join(part for name, value in chosen.items() for part in (f"--{name.replace('_', '-')}", str(value)))


def of_trace(config: Config) -> str:
    """Options of ``trace_network.py``; whole utterances are traced as crops are, for any number of frames."""
    frames = config["features"]["frames"]
    words = [] if frames == feature_sets.WHOLE else ["--frames", str(frames)]
    return " ".join(
        [
            shlex.join(["--family", config["network"]["family"], *words]),
            options_of(config["checkpoint"], "weights"),
        ]
    )


def averaging(config: Config) -> str:
    """How embeddings of several crops are averaged: the family's rule."""
    family = config["network"]["family"]
    return "unit" if family in feature_sets.BROUGHT else families.module(family).OUTPUT.averaging


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
