"""Merge the tables of all shards for people, and judge the files left out.

With --on-bad-audio fail, any rejected file ends the run here; all of them are listed.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from asv import cli, manifest
from asv.errors import InputError


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
    used = [row for table in options.manifest for row in manifest.read_utterances(table)]
    rejected = [row for table in options.rejected for row in manifest.read_rejected(table)]
    reasons = Counter(row.reason for row in rejected)
    summary = f"{len(used) + len(rejected)} found, {len(used)} used, {len(rejected)} rejected"
    summary += "".join(f"\n  {count} {reason}" for reason, count in sorted(reasons.items()))
    print(summary)
    listing = "".join(f"\n  {row.file}: {row.reason}: {row.detail}" for row in rejected)
    if rejected and options.on_bad_audio == "fail":
        raise InputError(f"{len(rejected)} files cannot be used, and dataset.on_bad_audio is fail:{listing}")
    if not used:
        raise InputError(f"none of the {len(rejected)} files can be used:{listing}")
    manifest.write_utterances(options.utterances_output, sorted(used, key=lambda row: row.utterance))
    manifest.write_rejected(options.rejected_output, sorted(rejected, key=lambda row: row.utterance))


if __name__ == "__main__":
    cli.run(main)
