# embeddings -> scores, numbers and facts -> answer.


rule score:
    input:
        embeddings=collect(rules.infer.output.embeddings, shard=SHARDS, allow_missing=True),
        manifests=collect(rules.extract_features.output.manifest, shard=SHARDS),
        rejected=collect(rules.extract_features.output.rejected, shard=SHARDS),
        # The verdict of dataset.on_bad_audio.
        checked=rules.merge_manifests.output.rejected,
        features=collect(rules.extract_features.output.sidecar, shard=SHARDS[0]),
        trials=TRIALS,
        cohort=COHORT,
    output:
        protocols="work/protocols/{engine}/bs{batch}.json",
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
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --embeddings {input.embeddings:q}"
        " --manifest {input.manifests:q} --rejected {input.rejected:q} --features {input.features:q}"
        " --trials {input.trials:q} --cohort {input.cohort:q} {params.options}"
        " --output {output.protocols:q} --scores {output.scores:q} > {log:q} 2>&1"


# A stage of its own, so that other words do not cost another scoring.
rule write_answer:
    input:
        protocols=rules.score.output.protocols,
        sidecars=collect(rules.infer.output.sidecar, shard=SHARDS, allow_missing=True),
        features=collect(rules.extract_features.output.sidecar, shard=SHARDS[0]),
        artefact=rules.compile_engine.output[0],
        network=rules.trace_network.output.sidecar,
    output:
        text="results/{engine}/eer_bs{batch}.txt",
        json="results/{engine}/eer_bs{batch}.json",
    log:
        "logs/write_answer/{engine}_bs{batch}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("write_answer.py"),
        code=stage_code("write_answer.py"),
        versions=stage_versions("write_answer.py"),
        options=ANSWER_OPTIONS,
        roots=roots,
        layout=lambda wildcards: LAYOUT,
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --protocols {input.protocols:q}"
        " --sidecar {input.sidecars:q} --features {input.features:q} --artefact {input.artefact:q}/artefact.json"
        " --network {input.network:q} --root {params.roots:q} --layout={params.layout:q} {params.options}"
        " --text {output.text:q} --json {output.json:q} > {log:q} 2>&1"


rule copy_answer:
    input:
        text=collect(rules.write_answer.output.text, engine=ENGINE, allow_missing=True),
        json=collect(rules.write_answer.output.json, engine=ENGINE, allow_missing=True),
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


rule compare_engine:
    input:
        embeddings=collect("work/embeddings/{{engine}}/bs{{batch}}/{shard}.npy", shard=SHARDS),
        reference=collect(f"work/embeddings/{engines.REFERENCE}/bs{{{{batch}}}}/{{shard}}.npy", shard=SHARDS),
        manifests=collect("work/features/{shard}/manifest.tsv", shard=SHARDS),
        scores="results/{engine}/scores_bs{batch}",
        reference_scores=f"results/{engines.REFERENCE}/scores_bs{{batch}}",
    output:
        table="results/{engine}/agreement_bs{batch}.tsv",
        summary="results/{engine}/agreement_bs{batch}.json",
    log:
        "logs/compare_engine/{engine}_bs{batch}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("compare_engine.py"),
        code=stage_code("compare_engine.py"),
        versions=stage_versions("compare_engine.py"),
        gate=options_of(config["accuracy_gate"], "min_cosine", "max_eer_increase"),
        bootstrap=BOOTSTRAP_OPTIONS,
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --embeddings {input.embeddings:q} --reference {input.reference:q}"
        " --manifest {input.manifests:q} --scores {input.scores:q} --reference-scores {input.reference_scores:q}"
        " {params.bootstrap} {params.gate} --table {output.table:q} --output {output.summary:q} > {log:q} 2>&1"
