"""Stands in for every stage script: its outputs say what it was given, so that the right content is known.

It takes part in the run as the real ones do (``asv.runs``, ``asv.files``), reads every file and folder among its words,
and writes the rule, its other words and digests of what it read, itself included, to each output. ``fault.json`` in the
working folder makes it fail in a chosen way.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from asv import cli, files, receipts, runs
from asv.dataset import shards, tree


def content(word):
    """What a word of the command line stands for: digests of a file's or folder's bytes, or the word itself."""
    path = Path(word)
    if word and os.path.isdir(word):  # of a word too long for a name, False
        return [[str(p.relative_to(path)), files.digest(p)] for p in receipts._members(path)]
    return files.digest(path) if os.path.isfile(word) else word


def wavs(words):
    """What ``extract_features`` reads: names and bytes of its shard's files."""
    roots = [words[words.index("--root") + 1]]
    if roots == ["work/demo/wav"]:  # no tree, but what stands in for the demo's
        return content(roots[0])
    shard = words[words.index("--shard") + 1]
    found = shards.shard_files(tree.find_speakers(roots), shard)
    runs.require_wavs(shards.stamp(found))
    return [[file.path, files.digest(Path(file.root, file.path))] for file in found]


def write(path, text):
    if Path(path).suffix:
        files.write_text(path, text)
    else:  # a folder, which others may look into
        with files.atomic_folder(path) as folder:
            (folder / "artefact.json").write_text(text)


def wait():
    """Before anything is read ("wait"), or with all of it read and nothing written ("hold")."""
    while Path("fault.json").exists():
        Path("waiting").touch()
        time.sleep(0.05)


def fail(mode):
    if mode == "fail":
        sys.exit("error: as wished")
    if mode == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "an output")
    if mode == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == "orphan":  # the run is killed, and this script lives on for a while
        run = int(Path("snakemake.pid").read_text())
        os.kill(run, signal.SIGKILL)
        time.sleep(float(os.environ.get("ORPHAN_SECONDS", "1.5")))


def main():
    words = sys.argv[1:]
    at = words.index("--job")
    job = words[at + 1]
    words = words[:at] + words[at + 2 :]
    runs.begin(job)
    fault = json.loads(Path("fault.json").read_text()) if Path("fault.json").exists() else {}
    mode = fault.get("mode") if fault.get("rule") == job.split(":")[0] and fault.get("part", "") in job else None
    if mode == "wait":
        wait()
    outputs = runs._current._outputs
    extra = wavs(words) if job.startswith("extract_features:") else []
    told = [content(word) for word in words if word not in outputs and word not in ("wavs",)]
    text = json.dumps([job, files.digest(__file__), told, extra], indent=0)
    if mode == "hold":
        wait()
    fail(mode)
    for number, path in enumerate(outputs):
        if number and mode == "half":
            sys.exit("error: as wished, half-way")
        write(path, f"{hashlib.sha256(text.encode()).hexdigest()} {Path(path).name}\n{text}\n")
    if mode == "late":
        sys.exit("error: as wished, at the end")


if __name__ == "__main__":
    cli.run(main)
