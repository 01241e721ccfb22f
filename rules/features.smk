# wav -> checked utterances and features, one job per shard; {features} is the key of their contract and crops.
FEATURES = "work/features/{features}/{shard}/features.npy"


rule extract_features:
    """Check a shard's audio files and compute the features of its utterances."""
    input:
        corpus=[DEMO_WAVS] if inputs.is_demo(config) else [],
    output:
        features=FEATURES if config["features"]["keep"] else temp(FEATURES),
        lengths="work/features/{features}/{shard}/lengths.npy",
        manifest="work/features/{features}/{shard}/manifest.tsv",
        rejected="work/features/{features}/{shard}/rejected.tsv",
        sidecar="work/features/{features}/{shard}/features.json",
    log:
        "logs/extract_features/{features}/{shard}.log",
    priority: FEATURES_PRIORITY
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("extract_features.py"),
        code=stage_code("extract_features.py"),
        versions=stage_versions("extract_features.py"),
        stamp=shard_stamp,
        roots=feature_roots,
        layout=layout_setting,
        shared_speakers=lambda wildcards, output: config["dataset"]["shared_speakers"],
        options=feature_options,
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --root {params.roots:q} --layout={params.layout:q}"
        " --shared-speakers {params.shared_speakers} --shard {wildcards.shard} {params.options}"
        " --threads {threads} --output {output.features:q} --lengths {output.lengths:q} --manifest {output.manifest:q}"
        " --rejected {output.rejected:q} --sidecar {output.sidecar:q} > {log:q} 2>&1"


rule merge_manifests:
    """Merge the tables of all shards, and judge by dataset.on_bad_audio."""
    input:
        manifests=collect(rules.extract_features.output.manifest, features=FEATURE_SET.key, shard=SHARDS),
        rejected=collect(rules.extract_features.output.rejected, features=FEATURE_SET.key, shard=SHARDS),
    output:
        utterances="results/utterances.tsv",
        rejected="results/rejected.tsv",
    log:
        "logs/merge_manifests.log",
    priority: FEATURES_PRIORITY
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("merge_manifests.py"),
        code=stage_code("merge_manifests.py"),
        judged=setting(options.options_of(config["dataset"], "on_bad_audio")),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --manifest {input.manifests:q} --rejected {input.rejected:q}"
        " {params.judged} --utterances-output {output.utterances:q}"
        " --rejected-output {output.rejected:q} > {log:q} 2>&1"
