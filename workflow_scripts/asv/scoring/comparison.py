"""What the scripts share that compare settings of the features: options, trials, and what is said of the network."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import files
from ..network import feature_fit
from . import length_trials, mean_choice
from .embeddings import Data
from .lengths import Setting
from .protocols import Draws, Settings


def add_options(parser: argparse.ArgumentParser, positive: Callable[[str], int]) -> None:
    """Options of the network, of what is demo, and of scoring; ``positive`` is the command line's type of that name."""
    parser.add_argument("--network", type=Path, required=True, help="JSON of trace_network.py")
    parser.add_argument("--fit", type=Path, required=True, help="JSON of check_features.py")
    parser.add_argument(
        "--on-misfit", choices=("warn", "fail", "ignore"), default="warn", help="features that do not fit"
    )
    parser.add_argument("--overridden", nargs="*", default=[], help="settings that override values of the contract")
    parser.add_argument("--demo-data", action="store_true", help="say that the data set is the demo's")
    parser.add_argument("--demo-checkpoint", default="", help="say that the checkpoint is the demo's, and of what kind")
    parser.add_argument("--trials", type=Path, nargs="*", default=[], help="trial list; without one, centroids")
    parser.add_argument(
        "--on-missing-trial", choices=("fail", "skip"), default="fail", help="trials of unknown utterances"
    )
    parser.add_argument("--subtract-mean", choices=mean_choice.MEANS, default="none", help="whose mean is subtracted")
    parser.add_argument("--cohort", type=Path, nargs="?", help="utterances, one per line: scores are AS-normalised")
    parser.add_argument("--as-norm-top", type=positive, default=300, help="how many of the cohort's speakers")
    parser.add_argument("--bootstrap-replicates", type=int, default=1000, help="0: no confidence intervals")
    parser.add_argument("--bootstrap-seed", type=int, default=0, help="of the draws of speakers")
    parser.add_argument("--no-centroid", action="store_true", help="do not fall back on the centroid protocol")
    parser.add_argument("--centroid-max-duration", type=float, default=19.0, help="seconds; longer are left out there")
    parser.add_argument("--centroid-max-scores", type=int, default=20_000_000, help="above it, no centroid protocol")


def scoring(options: argparse.Namespace) -> Settings:
    """How trials are scored."""
    return Settings(
        on_missing=options.on_missing_trial,
        top=options.as_norm_top,
        draws=Draws(options.bootstrap_replicates, options.bootstrap_seed),
        centroid=not options.no_centroid,
        max_duration=options.centroid_max_duration,
        max_scores=options.centroid_max_scores,
    )


def trials_of(options: argparse.Namespace, data: Data, first: Setting, settings: Settings) -> length_trials.Trials:
    """The trials of the first list, or without one those of the centroids.

    Args:
        options: of the command line.
        data: of any setting.
        first: the setting whose lack of an utterance is a fault, or skipped.
        settings: of :func:`scoring`.
    """
    if options.trials:
        return length_trials.of_list(options.trials[0], data, first.row_of, first.rejected, settings)
    return length_trials.of_centroids(data, settings)


def about(options: argparse.Namespace, engine: dict[str, Any]) -> dict[str, Any]:
    """What :func:`asv.caveats.of_result` asks; features that do not fit may be refused here.

    Args:
        options: of the command line.
        engine: of infer.py.
    """
    verdict = files.read_json(options.fit)
    feature_fit.require(verdict, options.on_misfit)
    network = {
        **files.read_json(options.network),
        "demo": options.demo_checkpoint or None,
        "fit": {**verdict, "ignored": options.on_misfit == "ignore"},
    }
    return {"dataset": {"demo": options.demo_data}, "network": network, "engine": engine}
