"""Merge the tables of all shards for people, and judge the files left out.

With --on-bad-audio fail, any rejected file ends the run here, as does a data set without one usable file. Snakemake
removes the outputs of a job that fails, so the whole table is then written beside its place, as <name>.failed.tsv.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from asv import cli
from asv.errors import InputError
from asv.features import manifest
from asv.features.rejections import fault


def parse_arguments():
    parser = cli.parser(__doc__)
    parser.add_argument("--manifest", type=Path, nargs="+", required=True, help="manifests of the shards")
    parser.add_argument(
        "--rejected", type=Path, nargs="+", required=True, help="tables of rejected files of the shards"
    )
    parser.add_argument("--on-bad-audio", choices=("reject", "fail"), default="reject")
    parser.add_argument("--utterances-output", type=Path, required=True, help="merged manifest, sorted by utterance")
    parser.add_argument("--rejected-output", type=Path, required=True, help="merged table of rejected files")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if_failed = options.rejected_output.with_suffix(".failed.tsv")
    used = [row for table in options.manifest for row in manifest.read_utterances(table)]
    rejected = [row for table in options.rejected for row in manifest.read_rejected(table)]
    rejected.sort(key=lambda row: row.utterance)
    if reason := fault(len(used), rejected, options.on_bad_audio):
        manifest.write_rejected(if_failed, rejected)
        raise InputError(f"{reason}\nthe whole table: {if_failed} (docs/audio.md)")
    manifest.write_utterances(options.utterances_output, sorted(used, key=lambda row: row.utterance))
    manifest.write_rejected(options.rejected_output, rejected)
    if_failed.unlink(missing_ok=True)
    print(f"{len(used) + len(rejected)} found, {len(used)} used, {len(rejected)} rejected")
    for counts in (Counter(row.reason for row in rejected), manifest.count_notes(used)):
        print("".join(f"  {count} {name}\n" for name, count in sorted(counts.items())), end="")


if __name__ == "__main__":
    cli.run(main)
