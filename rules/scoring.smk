# embeddings -> scores, EER.


rule score:
    input:
        embeddings=collect("work/embeddings/{{engine}}/bs{{batch}}/{shard}.npy", shard=SHARDS),
        sidecars=collect("work/embeddings/{{engine}}/bs{{batch}}/{shard}.json", shard=SHARDS),
        manifests=collect("work/features/{shard}/manifest.tsv", shard=SHARDS),
        rejected=collect("work/features/{shard}/rejected.tsv", shard=SHARDS),
        # The verdict of dataset.on_bad_audio.
        checked="results/rejected.tsv",
        features=f"work/features/{SHARDS[0]}/features.json",
        artefact="work/engines/{engine}/bs{batch}",
        network="work/network/ecapa_tdnn.json",
        trials=TRIALS,
        cohort=COHORT,
    output:
        text="results/{engine}/eer_bs{batch}.txt",
        json="results/{engine}/eer_bs{batch}.json",
        scores=directory("results/{engine}/scores_bs{batch}"),
    log:
        "logs/score/{engine}_bs{batch}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("score.py"),
        code=stage_code("score.py"),
        versions=stage_versions("score.py"),
        options=SCORING_OPTIONS,
        roots=roots,
        layout=lambda wildcards: LAYOUT,
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --embeddings {input.embeddings:q} --sidecar {input.sidecars:q}"
        " --manifest {input.manifests:q} --rejected {input.rejected:q} --features {input.features:q}"
        " --artefact {input.artefact:q}/artefact.json --network {input.network:q} --trials {input.trials:q}"
        " --cohort {input.cohort:q}"
        " --root {params.roots:q} --layout={params.layout:q} {params.options} --text {output.text:q}"
        " --json {output.json:q} --scores {output.scores:q} > {log:q} 2>&1"


rule copy_answer:
    input:
        text=f"results/{ENGINE}/eer_bs{{batch}}.txt",
        json=f"results/{ENGINE}/eer_bs{{batch}}.json",
    output:
        text="results/eer_bs{batch}.txt",
        json="results/eer_bs{batch}.json",
    log:
        "logs/copy_answer/bs{batch}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("copy_answer.py"),
        code=stage_code("copy_answer.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --input {input:q} --output {output:q} > {log:q} 2>&1"
