"""Whether another checkout makes the same features, embeddings and scores, byte by byte.

    python measurements/same.py ../former-checkout --config 'dataset={root: /data/vox1, trials: [veri_test.txt]}'

Both checkouts run the same target in temporary folders. The exit code is 1 where a file differs or lacks on one side.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
COMPARED = ("work/features/**/features.npy", "work/features/**/*.tsv", "work/embeddings/**/*.npy")
COMPARED += ("results/*/scores_bs*/*",)
KEY = re.compile(r"(?<=work/features/)[0-9a-f]{8}/")  # of the features; checkouts may make it in other ways


def run(checkout, folder, target, config):
    """Make the target with a checkout's workflow; returns the compared files by name."""
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        str(checkout / "Snakefile"),
        "--directory",
        str(folder),
    ]
    command += ["--cores", "all", target, *(["--config", *config] if config else [])]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {checkout}: {target} was not made:\n{done.stderr[-3000:]}")
    found = (path for pattern in COMPARED for path in folder.glob(pattern) if path.name[0] != ".")
    return {KEY.sub("", str(path.relative_to(folder))): path.read_bytes() for path in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="folder of the other checkout")
    parser.add_argument("--target", default="results/eer_bs4.txt")
    parser.add_argument("--config", nargs="*", default=[], help="settings, as for snakemake; paths absolute")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        ours = run(HERE, Path(one), options.target, options.config)
        theirs = run(options.other.resolve(), Path(two), options.target, options.config)
    different = sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))
    for name in sorted({*ours, *theirs}):
        print("differs  " if name in different else "same     ", name, len(ours.get(name, b"")), "bytes")
    print(f"{len(ours)} files here, {len(theirs)} there, {len(different)} differ")
    sys.exit(bool(different) or not ours)


if __name__ == "__main__":
    main()
