"""Measure how the workflow scales on this machine; each part prints Markdown tables. docs/scale.md shows them.

  tree    1,080 to 150,120 short wavs: finding what is stale; what one changed file makes run again
  whole   the whole chain over 150,120 wavs of 8.2 s; 10 minutes
  chain   features and inference on one core, on two, ...
  stage   the inference stage as a whole against the time inside the engine; memory against the number of utterances
  scores  scoring alone: 580,000 trials of 145,000 utterances, 10,000,000 of 1,000,000

All data are generated in a temporary folder: up to 15 GB, see TMPDIR. Keep the machine otherwise idle.
"""

from __future__ import annotations

import re
import shutil
import time
from functools import partial
from statistics import median

import numpy as np
from generate import (
    SECONDS,
    VOICES,
    scoring_inputs,
    trial_list,
    utterance_names,
    wav_tree,
    write_wav,
)
from shared import (
    SHAPE,
    THREADS,
    compile_engine,
    jobs,
    labels,
    main,
    make_torchscript,
    measured,
    run,
    script_command,
    table,
    workflow,
)

from asv import cli
from asv.dataset.shards import shard_of
from asv.snakefile import feature_sets
from asv.snakefile.config import check

SHARDS = 64
ANSWER = "results/eer_bs32.txt"


def disk_bytes(folder):
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def megabytes(count):
    return f"{count / 1e6:.0f}"


def after_a_change(shard):
    """Jobs that a change in a shard makes run again."""
    return sorted(
        [f"extract_features {shard}", f"infer {shard}", "copy_answer", "merge_manifests", "score", "write_answer"]
    )


def ran(folder, since):
    """Names of the jobs that ran since a time, with their shard."""
    shards = ((rule, re.search(r"[0-9]+-of-[0-9]+", log)) for rule, log in jobs(folder, since))
    return sorted(f"{rule} {shard[0]}" if shard else rule for rule, shard in shards)


def shard_name(utterance, shards=SHARDS):
    return f"{shard_of(utterance.split('/')[0], shards)}-of-{shards}"


def make_project(folder, speakers, settings, trials=0, seconds=SECONDS, shards=SHARDS):
    """A folder with a data set of generated wavs and the configuration; returns the ids of its utterances."""
    folder.mkdir()
    names = utterance_names(speakers)
    wav_tree(folder / "wavs", names, seconds)
    data = "root: wavs"
    if trials:
        trial_list(folder / "trials.txt", names, trials)
        data += ", trials: [trials.txt]"
    settings = f"dataset: {{{data}}}\nshards: {shards}\nscoring: {{centroid: {{enabled: false}}}}\n{settings}"
    (folder / "config.yaml").write_text(settings)
    return names


def plan(place, *options):
    """A call that runs nothing: seconds and peak memory, the medians of three."""
    facts = [workflow(place, *options, "--", ANSWER) for _ in range(3)]
    return f"{median(f['seconds'] for f in facts):.1f} / {megabytes(median(f['peak_bytes'] for f in facts))}"


def change(place, shard):
    """Run after a change in a shard; returns seconds, raises where other jobs run than follow from it."""
    since = time.time()
    seconds = workflow(place, "--", ANSWER)["seconds"]
    if ran(place, since) != after_a_change(shard):
        raise SystemExit(f"{ran(place, since)} ran instead of {after_a_change(shard)}")
    return seconds


def replace(wav, seconds=SECONDS):
    wav.unlink()  # it is a link to one of few files
    write_wav(wav, VOICES, seconds)


def tree(folder, sizes=(9, 84, 1251)):
    """Speakers of 120 utterances each. Crops are short, too: finding what is stale does not depend on them."""
    rows = []
    for speakers in sizes:
        place, seconds = folder / str(speakers), 0.5
        names = make_project(place, speakers, "features: {frames: 20}\n", trials=5000, seconds=seconds)
        plans = [plan(place, "-n")]
        workflow(place, "--", ANSWER)
        plans += [plan(place, "-n"), plan(place)]
        replace(place / "wavs" / names[0], seconds)
        plans.append(plan(place, "-n"))
        change(place, shard_name(names[0]))
        shutil.copytree((place / "wavs" / names[0]).parent, place / "wavs" / "newcomer" / "v0000")
        plans.append(plan(place, "-n"))
        change(place, shard_name("newcomer"))
        rows.append((f"{len(names):,}", speakers, len(jobs(place)), *plans))
        shutil.rmtree(place)
    columns = ("`-n`, nothing made", "`-n`, all made", "run, all made", "`-n`, a wav replaced", "`-n`, a new speaker")
    table(("wavs (seconds / peak MB)", "speakers", "jobs", *columns), rows)


def whole(folder, speakers=1251, trials=580_000):
    """With the demo's network."""
    place = folder / "whole"
    names = make_project(place, speakers, "", trials)
    facts = workflow(place, "--", ANSWER)
    spent = {}
    for (rule, _), (start, end) in jobs(place).items():
        spent.setdefault(rule, []).append(end - start)
    table(
        (f"{len(names):,} wavs, {trials:,} trials", "jobs", "seconds of all", "longest"),
        [(rule, len(seconds), sum(seconds), max(seconds)) for rule, seconds in spent.items()],
    )
    replace(place / "wavs" / names[0])
    again = change(place, shard_name(names[0]))
    disk = (
        f"{part} {disk_bytes(place / part) / 1e9:.3g} GB" for part in ("work/features", "work/embeddings", "results")
    )
    print(f"Whole chain {facts['seconds']:.0f} s, after one wav was replaced {again:.0f} s; {', '.join(disk)};")
    print(f"largest process {megabytes(facts['peak_bytes'])} MB.\n", flush=True)


def chain(folder):
    rows = []
    cases = (("demo, C = 24, f32", "demo", "f32", 167, 32, 16), ("C = 512, bf16", "demo-c512", "bf16", 9, 8, 8))
    for name, archive, precision, speakers, batch, shards in cases:
        if f"openvino-{precision}" not in labels():
            continue
        place = folder / archive
        settings = f"checkpoint: {{archive: {archive}}}\nprecision: {precision}\n"
        names = make_project(place, speakers, settings, shards=shards)
        used = sorted({shard_name(name, shards) for name in names})
        key = feature_sets.of_config(check({})).key
        stages = {
            "features": [f"work/features/{key}/{shard}/features.npy" for shard in used],
            "embeddings": [f"work/embeddings/openvino-{precision}/bs{batch}/{shard}.npy" for shard in used],
        }
        workflow(place, "--", f"work/engines/openvino-{precision}/bs{batch}")
        alone = {}
        for cores in range(1, THREADS + 1):
            seconds = {}
            for stage, targets in stages.items():
                shutil.rmtree(place / "work" / stage, ignore_errors=True)
                seconds[stage] = workflow(place, "--", *targets, cores=cores)["seconds"]
            alone = alone or seconds
            both, alone_both = sum(seconds.values()), sum(alone.values())
            cells = [cell for stage in stages for cell in (seconds[stage], alone[stage] / seconds[stage])]
            rate = len(names) / both
            rows.append((f"{name}, {len(names):,} in {len(used)} shards", cores, *cells, alone_both / both, rate))
    header = ("network, utterances", "cores", "features s", "times", "inference s", "times", "both, times", "utt/s")
    table(header, rows)
    starts = (median(run(name, "--help")[0] for _ in range(3)) for name in ("extract_features.py", "infer.py"))
    idle = median(workflow(place, "--", "work/checkpoint/checkpoint.pt")["seconds"] for _ in range(3))
    print("Start-up: a job of features {:.1f} s, of inference {:.1f} s before its engine".format(*starts), end="")
    print(f"; a call of Snakemake {idle:.1f} s.\n", flush=True)


def write_features(path, count):
    features = np.lib.format.open_memmap(path, "w+", np.float32, (count, *SHAPE))
    random = np.random.default_rng(0)
    for start in range(0, count, 1000):
        features[start : start + 1000] = random.random((1000, *SHAPE), np.float32)


def seconds_of(word, output):
    """Seconds that infer.py tells of: ``inference``, ``engine``."""
    return float(re.search(rf"{word} ([0-9.]+) s", output)[1])


def stage(folder, batch=8):
    """With the fastest engine, beside which the rest weighs most."""
    small, large, label = 2000, 20_000, labels()[-1]
    for count in (small, large):
        write_features(folder / f"{count}.npy", count)
    rows = []
    networks = ("demo, C = 24", None, (small, large)), ("C = 128", 128, (small, large)), ("C = 512", 512, (small,))
    for name, channels, sizes in networks:
        place = folder / str(channels)
        artefact = compile_engine(make_torchscript(place, channels), place / label, label, batch)
        for count in sizes:
            inputs = "--artefact", artefact, "--features", folder / f"{count}.npy", "--threads", THREADS
            outputs = "--output", place / "e.npy", "--sidecar", place / "e.json"
            output, facts = measured(script_command("infer.py", *inputs, *outputs))
            wall, loop, engine = facts["seconds"], seconds_of("inference", output), seconds_of("engine", output)
            memory = megabytes(facts["peak_bytes"]), megabytes(facts["anonymous_bytes"])
            overhead = f"{100 * (loop / engine - 1):.1f} %"
            rows.append((name, f"{count:,}", wall, wall - loop, loop, engine, overhead, *memory))
    columns = ("utterances", "wall s", "start s", "loop s", "engine s", "loop over engine", "peak MB", "anonymous MB")
    table((f"infer.py, {label}, batch {batch}, {THREADS} threads", *columns), rows)


def scores(folder, sizes=((1251, 116, 580_000), (8000, 125, 10_000_000))):
    rows = []
    for speakers, utterances, trials in sizes:
        place = folder / str(trials)
        place.mkdir()
        arguments = scoring_inputs(place, speakers, utterances, trials, SHARDS)
        inputs = disk_bytes(place)
        for name, extra in (
            ("no intervals", ["--bootstrap-replicates", 0]),
            ("as shipped: 1000 replicates", []),
            (f"and AS-norm, a cohort of {speakers:,} speakers", ["--cohort", place / "cohort.txt"]),
        ):
            facts = measured(script_command("score.py", *arguments, "--no-centroid", *extra))[1]
            written = disk_bytes(place) - inputs
            cells = facts["seconds"], facts["cpu_seconds"], facts["peak_bytes"] / 1e9, inputs / 1e9, written / 1e9
            rows.append((f"{trials:,} of {speakers * utterances:,}, {name}", *cells))
    table(("score.py, trials of utterances", "wall s", "CPU s", "peak GB", "reads GB", "writes GB"), rows)


PARTS = {"tree": tree, "whole": whole, "chain": chain, "stage": stage, "scores": scores}

if __name__ == "__main__":
    cli.run(partial(main, __doc__, PARTS))
