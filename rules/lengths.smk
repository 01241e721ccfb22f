# features of every setting of the grid -> its embeddings, by the reference -> what a static shape costs, one table.
# Only when it is asked for; features of settings are those of rules/features.smk, so answers share them.


# Embeddings do not depend on the batch size, and whole utterances run one by one: so do all.
rule compile_length:
    """Make the network ready for one number of frames, or any, on the engine that compares lengths."""
    input:
        path_of(rules.trace_network.output.network),
    output:
        directory("work/lengths/engines/{engine}/{frames}"),
    log:
        "logs/compile_length/{engine}_{frames}.log",
    priority: 1
    conda:
        engine_environment
    threads: config["threads"]
    resources:
        npu=devices_of_job,
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        command=engine_command,
        script=script("compile_engine.py"),
        code=engine_code("compile_engine.py", engines.parse(LENGTHS_ENGINE)[0]),
        versions=compiler_versions,
        options=engine_options,
        devices=engine_devices,
        shape=length_shape,
    shell:
        "({params.command} {params.script:q} --job {params.job:q} --network {input:q} --engine {wildcards.engine}"
        " --batch-size 1 {params.shape} --options {params.options:q} --threads {threads} {params.devices}"
        " --output {output:q}) > {log:q} 2>&1"


rule infer_length:
    """Compute the embeddings of a shard's utterances for one setting of frames and crops."""
    input:
        artefact=length_artefact,
        features=path_of(rules.extract_features.output.features),
        lengths=path_of(rules.extract_features.output.lengths),
    output:
        embeddings="work/lengths/{features}/{engine}/{shard}.npy",
        sidecar="work/lengths/{features}/{engine}/{shard}.json",
    log:
        "logs/infer_length/{features}_{engine}/{shard}.log",
    priority: 1
    conda:
        engine_environment
    threads: config["threads"]
    resources:
        npu=devices_of_job,
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        command=engine_command,
        script=script("infer.py"),
        code=engine_code("infer.py"),
        versions=engine_versions,
        options=engine_options,
        devices=engine_devices,
        crops=length_crops,
    shell:
        "({params.command} {params.script:q} --job {params.job:q} --artefact {input.artefact:q} --features {input.features:q}"
        " --lengths {input.lengths:q} {params.crops} --options {params.options:q} --threads {threads} {params.devices}"
        " --output {output.embeddings:q} --sidecar {output.sidecar:q}) > {log:q} 2>&1"


rule gather_embeddings:
    """Put the embeddings of a setting's shards together, and judge by dataset.on_bad_audio."""
    input:
        embeddings=collect(rules.infer_length.output.embeddings, shard=SHARDS, allow_missing=True),
        sidecars=collect(rules.infer_length.output.sidecar, shard=SHARDS, allow_missing=True),
        manifests=collect(rules.extract_features.output.manifest, shard=SHARDS, allow_missing=True),
        rejected=collect(rules.extract_features.output.rejected, shard=SHARDS, allow_missing=True),
        lengths=collect(rules.extract_features.output.lengths, shard=SHARDS, allow_missing=True),
        features=collect(rules.extract_features.output.sidecar, shard=SHARDS[0], allow_missing=True),
    output:
        directory("work/lengths/{features}/{engine}/gathered"),
    log:
        "logs/gather_embeddings/{features}_{engine}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("gather_embeddings.py"),
        code=stage_code("gather_embeddings.py"),
        versions=stage_versions("gather_embeddings.py"),
        judged=setting(options.options_of(config["dataset"], "on_bad_audio")),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --embeddings {input.embeddings:q} --sidecar {input.sidecars:q}"
        " --manifest {input.manifests:q} --rejected {input.rejected:q} --lengths {input.lengths:q}"
        " --features {input.features:q} {params.judged} --output {output:q} > {log:q} 2>&1"


rule tabulate_lengths:
    """Compare the accuracy of every setting of frames and crops with that of whole utterances."""
    input:
        settings=gathered_settings,
        network=path_of(rules.trace_network.output.sidecar),
        fit=path_of(rules.check_features.output[0]),
        trials=TRIALS[:1],
        cohort=COHORT,
    output:
        multiext("results/accuracy_by_length", tsv=".tsv", md=".md", json=".json"),
    log:
        "logs/tabulate_lengths.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("tabulate_lengths.py"),
        code=stage_code("tabulate_lengths.py"),
        versions=stage_versions("tabulate_lengths.py"),
        options=setting(lengths.options(config)),
        output=lambda wildcards, output: os.path.splitext(output.json)[0],
    # The table is what the user waits for: it goes to the terminal, too.
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --settings {input.settings:q} --network {input.network:q}"
        " --fit {input.fit:q} --trials {input.trials:q} --cohort {input.cohort:q} {params.options}"
        " --output {params.output:q} > {log:q} 2>&1 && cat {output.md:q}"


rule plot_lengths:
    """Draw what every setting of frames and crops costs in accuracy."""
    input:
        path_of(rules.tabulate_lengths.output.json),
    output:
        svg="results/accuracy_by_length.svg",
        png="results/accuracy_by_length.png",
    log:
        "logs/plot_lengths.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("plot_lengths.py"),
        code=stage_code("plot_lengths.py"),
        versions=stage_versions("plot_lengths.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --table {input:q} --output {output.svg:q} > {log:q} 2>&1"


rule accuracy_by_length:
    """Tell what the static shape costs: the accuracy of crops beside that of whole utterances."""
    input:
        collect(rules.tabulate_lengths.output),
        collect(rules.plot_lengths.output),
    localrule: True
