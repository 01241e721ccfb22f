"""Measure what reads the tables of 10,000,000 scores: compare_engine.py and plot_scores.py. docs/scale.md shows it.

All data are generated in a temporary folder: 3 GB, see TMPDIR.
"""

from __future__ import annotations

from functools import partial

from generate import comparison_inputs
from shared import main, measured, script_command, table

from asv import cli

SHARDS = 64


def tables(folder, speakers=8000, utterances=125, trials=10_000_000, replicates=5):
    """Few replicates of the bootstrap: each of them takes as much memory as a thousand do."""
    compare, plot = comparison_inputs(folder, speakers, utterances, trials, SHARDS)
    rows = []
    for name, command in (
        (f"compare_engine.py, {replicates} replicates", ["compare_engine.py", *compare]),
        ("plot_scores.py", ["plot_scores.py", *plot]),
    ):
        draws = ["--bootstrap-replicates", replicates] if "compare" in name else []
        facts = measured(script_command(*command, *draws))[1]
        rows.append((name, facts["seconds"], facts["cpu_seconds"], facts["peak_bytes"] / 1e9))
    table((f"{trials:,} trials of {speakers * utterances:,}", "wall s", "CPU s", "peak GB"), rows)


if __name__ == "__main__":
    cli.run(partial(main, __doc__, {"tables": tables}))
