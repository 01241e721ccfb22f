# wav -> checked utterances and log-mel features, one job a shard.

FEATURE_OPTIONS = " ".join(
    [
        options_of(config["dataset"], "resample", "channels", "min_duration", "max_duration"),
        options_of(
            config["features"],
            "sample_rate",
            "n_fft",
            "win_length",
            "hop_length",
            "n_mels",
            "f_min",
            "f_max",
            "floor",
            "frames",
            "crops",
            "seed",
            "short",
        ),
    ]
)


def shard_stamp(wildcards):
    """Digest of paths, sizes and times of a shard's wavs: 150,000 wavs as inputs would take minutes (docs/architecture.md)."""
    return "" if DEMO_DATA else checked(lambda: dataset.stamp(dataset.shard_files(TREE, wildcards.shard)))


def root_options(wildcards, output):
    """Not compared: a data set that moves, with its times kept, makes nothing stale."""
    return shlex.join(part for root in dataset_roots() for part in ("--root", root))


rule extract_features:
    input:
        corpus=[DEMO_WAVS] if DEMO_DATA else [],
    output:
        features=(lambda f: f if config["features"]["keep"] else temp(f))("work/features/{shard}/features.npy"),
        manifest="work/features/{shard}/manifest.tsv",
        rejected="work/features/{shard}/rejected.tsv",
        sidecar="work/features/{shard}/features.json",
    log:
        "logs/extract_features/{shard}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        python=python,
        script=script("extract_features.py"),
        code=stage_code("extract_features.py"),
        versions=versions("torch", "torchaudio", "soundfile"),
        stamp=shard_stamp,
        roots=root_options,
        options=FEATURE_OPTIONS,
    shell:
        "{params.python:q} {params.script:q} {params.roots} --shard {wildcards.shard} {params.options}"
        " --threads {threads} --output {output.features:q} --manifest {output.manifest:q}"
        " --rejected {output.rejected:q} --sidecar {output.sidecar:q} > {log:q} 2>&1"


rule merge_manifests:
    input:
        manifests=collect("work/features/{shard}/manifest.tsv", shard=SHARDS),
        rejected=collect("work/features/{shard}/rejected.tsv", shard=SHARDS),
    output:
        utterances="results/utterances.tsv",
        rejected="results/rejected.tsv",
    log:
        "logs/merge_manifests.log",
    conda:
        "../envs/cpu.yaml"
    params:
        python=python,
        script=script("merge_manifests.py"),
        code=stage_code("merge_manifests.py"),
        on_bad_audio=config["dataset"]["on_bad_audio"],
    shell:
        "{params.python:q} {params.script:q} --manifest {input.manifests:q} --rejected {input.rejected:q}"
        " --on-bad-audio {params.on_bad_audio} --utterances-output {output.utterances:q}"
        " --rejected-output {output.rejected:q} > {log:q} 2>&1"
