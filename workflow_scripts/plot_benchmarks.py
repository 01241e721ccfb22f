"""Draw throughput and latency against the batch size, and the agreement of embeddings with the reference's.

Written as SVG and PNG beside each other: the options name the SVG. Two runs write the same bytes.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from asv import cli, files
from asv.errors import InputError
from asv.report import benchmark_figures, figure


def engine_and_batch(path):
    """``(engine, batch size)`` of ``<engine>/agreement_bs<N>.tsv``."""
    match = re.fullmatch(r"agreement_bs(\d+)\.tsv", path.name)
    if not match:
        raise InputError(f"{path}: not the name of a table of compare_engine.py, <engine>/agreement_bs<N>.tsv")
    return path.resolve().parent.name, int(match[1])


def read_cosines(paths):
    """``(engine, batch size)`` to float64 ``(utterances,)``."""
    tables = {engine_and_batch(path): files.read_table(path) for path in paths}
    return {key: np.array([row["cosine"] for row in rows], float) for key, rows in tables.items()}


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--benchmarks", type=Path, required=True, help="benchmarks.json")
    parser.add_argument("--agreement", type=Path, nargs="*", default=[], help="tables <engine>/agreement_bs<N>.tsv")
    parser.add_argument("--throughput-output", type=Path, required=True, help="SVG of the throughput")
    parser.add_argument("--latency-output", type=Path, required=True, help="SVG of the latency")
    parser.add_argument("--agreement-output", type=Path, required=True, help="SVG of the agreement")
    options = parser.parse_args()
    table = files.read_json(options.benchmarks)
    agreement = benchmark_figures.agreement_figure(table, read_cosines(options.agreement))
    figure.save_both(benchmark_figures.throughput_figure(table), options.throughput_output)
    figure.save_both(benchmark_figures.latency_figure(table), options.latency_output)
    figure.save_both(agreement, options.agreement_output)


if __name__ == "__main__":
    cli.run(main)
