# embeddings -> scores, numbers and facts -> answer; agreement with the reference.
SCORES = "results/{engine}/scores_bs{batch}"


rule score:
    """Score all trials of an engine, and compute error rates and their intervals."""
    input:
        embeddings=collect(rules.infer.output.embeddings, shard=SHARDS, allow_missing=True),
        manifests=collect(rules.extract_features.output.manifest, features=FEATURE_SET.key, shard=SHARDS),
        rejected=collect(rules.extract_features.output.rejected, features=FEATURE_SET.key, shard=SHARDS),
        # Not read: nothing is scored before dataset.on_bad_audio has judged.
        judged=path_of(rules.merge_manifests.output.rejected),
        features=collect(rules.extract_features.output.sidecar, features=FEATURE_SET.key, shard=SHARDS[0]),
        trials=TRIALS,
        cohort=COHORT,
    output:
        protocols="work/protocols/{engine}/bs{batch}.json",
        scores=directory(SCORES),
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
        options=setting(options.of_scoring(config)),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --embeddings {input.embeddings:q}"
        " --manifest {input.manifests:q} --rejected {input.rejected:q} --features {input.features:q}"
        " --trials {input.trials:q} --cohort {input.cohort:q} {params.options}"
        " --output {output.protocols:q} --scores {output.scores:q} > {log:q} 2>&1"


rule write_answer:
    """Write the answer for people and for programs, a stage of its own: other words cost no other scoring."""
    input:
        protocols=path_of(rules.score.output.protocols),
        sidecars=collect(rules.infer.output.sidecar, shard=SHARDS, allow_missing=True),
        runs=collect(rules.infer.output.run, shard=SHARDS, allow_missing=True),
        features=collect(rules.extract_features.output.sidecar, features=FEATURE_SET.key, shard=SHARDS[0]),
        artefact=ARTEFACT,
        network=path_of(rules.trace_network.output.sidecar),
        fit=path_of(rules.check_features.output[0]),
    output:
        text="results/{engine}/eer_bs{batch}.txt",
        json="results/{engine}/eer_bs{batch}.json",
        run="results/{engine}/eer_bs{batch}.run.json",
    log:
        "logs/write_answer/{engine}_bs{batch}.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("write_answer.py"),
        code=stage_code("write_answer.py"),
        versions=stage_versions("write_answer.py"),
        options=setting(options.of_answer(config)),
        roots=roots,
        source=lambda wildcards, output: config["checkpoint"]["archive"],
        layout=setting(LAYOUT),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --protocols {input.protocols:q}"
        " --sidecar {input.sidecars:q} --runs {input.runs:q} --features {input.features:q} --artefact {input.artefact:q}/artefact.json"
        " --network {input.network:q} --fit {input.fit:q} --root {params.roots:q} --source {params.source:q} --layout={params.layout:q}"
        " {params.options} --text {output.text:q} --json {output.json:q} --run {output.run:q} > {log:q} 2>&1"


rule copy_answer:
    """Copy the configured engine's answer to results/."""
    input:
        text=collect(rules.write_answer.output.text, engine=ENGINE, allow_missing=True),
        json=collect(rules.write_answer.output.json, engine=ENGINE, allow_missing=True),
        run=collect(rules.write_answer.output.run, engine=ENGINE, allow_missing=True),
    output:
        text=report(
            "results/eer_bs{batch}.txt",
            category="Accuracy",
            subcategory="Answers",
            labels={"batch size": "{batch}", "answer": "whole"},
            caption="../report/answer.rst",
        ),
        json="results/eer_bs{batch}.json",
        run="results/eer_bs{batch}.run.json",
    log:
        "logs/copy_answer/bs{batch}.log",
    localrule: True
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
    """Compare embeddings and error rates of an engine with those of the reference."""
    input:
        embeddings=collect(rules.infer.output.embeddings, shard=SHARDS, allow_missing=True),
        reference=collect(rules.infer.output.embeddings, engine=REFERENCE, shard=SHARDS, allow_missing=True),
        manifests=collect(rules.extract_features.output.manifest, features=FEATURE_SET.key, shard=SHARDS),
        scores=SCORES,
        reference_scores=collect(SCORES, engine=REFERENCE, allow_missing=True),
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
        gate=engine_gate,
        bootstrap=setting(options.of_bootstrap(config)),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --embeddings {input.embeddings:q} --reference {input.reference:q}"
        " --manifest {input.manifests:q} --scores {input.scores:q} --reference-scores {input.reference_scores:q}"
        " {params.bootstrap} {params.gate} --table {output.table:q} --output {output.summary:q} > {log:q} 2>&1"
