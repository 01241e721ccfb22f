"""Recommend what to deploy, by the benchmark's table: the fastest setting that is still the same model."""

from __future__ import annotations

from pathlib import Path

from asv import cli, files
from asv.benchmark import recommendation, recommendation_text


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--table", type=Path, required=True, help="JSON of tabulate_benchmarks.py")
    parser.add_argument("--max-latency-ms", type=float, help="of a batch; no limit unless given")
    parser.add_argument("--max-memory-mb", type=float, help="peak of the process; no limit unless given")
    parser.add_argument("--engines", nargs="*", help="labels or names of engines that may be recommended; all")
    parser.add_argument("--output", type=Path, required=True, help="recommendation; .md and .json are put behind it")
    options = parser.parse_args()
    limits = recommendation.Limits(options.max_latency_ms, options.max_memory_mb, options.engines)
    found = recommendation.recommend(files.read_json(options.table), limits)
    files.write_json(f"{options.output}.json", found)
    files.write_text(f"{options.output}.md", recommendation_text.text(found))


if __name__ == "__main__":
    cli.run(main)
