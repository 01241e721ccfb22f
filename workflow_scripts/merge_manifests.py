"""Merge the tables of all shards for people, and judge the files left out.

With --on-bad-audio fail, any rejected file ends the run here, as does a data set without one usable file. Snakemake
removes the outputs of a job that fails, so the whole table is then written beside its place, as <name>.failed.tsv.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, zip_longest
from pathlib import Path

from asv import cli
from asv.errors import InputError
from asv.features import manifest

EXAMPLES = 5


def listing(rejected):
    """Lines with the number of files of each reason, and a few of them: the first of each reason first."""
    of_reason = {}
    for row in rejected:
        of_reason.setdefault(row.reason, []).append(row)
    counts = [f"\n  {len(rows):,} {reason}" for reason, rows in sorted(of_reason.items())]
    turns = zip_longest(*(rows[:EXAMPLES] for _, rows in sorted(of_reason.items())))
    examples = list(filter(None, chain.from_iterable(turns)))[:EXAMPLES]
    return "".join([*counts, "\nsuch as", *(f"\n  {row.file}: {row.reason}: {row.detail}" for row in examples)])


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--manifest", type=Path, nargs="+", required=True, help="manifests of the shards")
    parser.add_argument(
        "--rejected", type=Path, nargs="+", required=True, help="tables of rejected files of the shards"
    )
    parser.add_argument("--on-bad-audio", choices=("reject", "fail"), default="reject")
    parser.add_argument("--utterances-output", type=Path, required=True, help="merged manifest, sorted by utterance")
    parser.add_argument("--rejected-output", type=Path, required=True, help="merged table of rejected files")
    options = parser.parse_args()
    if_failed = options.rejected_output.with_suffix(".failed.tsv")
    used = [row for table in options.manifest for row in manifest.read_utterances(table)]
    rejected = [row for table in options.rejected for row in manifest.read_rejected(table)]
    rejected.sort(key=lambda row: row.utterance)
    if not used or (rejected and options.on_bad_audio == "fail"):
        manifest.write_rejected(if_failed, rejected)
        verdict = f"{len(rejected)} files cannot be used, and dataset.on_bad_audio is fail"
        if not used:
            verdict = f"none of the {len(rejected)} files can be used"
        raise InputError(f"{verdict}:{listing(rejected)}\nthe whole table: {if_failed} (docs/audio.md)")
    manifest.write_utterances(options.utterances_output, sorted(used, key=lambda row: row.utterance))
    manifest.write_rejected(options.rejected_output, rejected)
    if_failed.unlink(missing_ok=True)
    print(f"{len(used) + len(rejected)} found, {len(used)} used, {len(rejected)} rejected")
    for counts in (Counter(row.reason for row in rejected), manifest.count_notes(used)):
        print("".join(f"  {count} {name}\n" for name, count in sorted(counts.items())), end="")


if __name__ == "__main__":
    cli.run(main)
