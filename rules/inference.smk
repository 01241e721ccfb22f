# network -> engine artefact, one per batch size -> embeddings, one job per shard.
ARTEFACT = "work/engines/{engine}/bs{batch}"


rule compile_engine:
    """Compile the network for an engine, precision and batch size, and compare it with the reference."""
    input:
        network=path_of(rules.trace_network.output.network),
        exported=exported_for_engine,
        reference=reference_for_engine,
        beside=beside_exported,
    output:
        directory(ARTEFACT),
    log:
        "logs/compile_engine/{engine}_bs{batch}.log",
    priority: 1
    conda:
        engine_environment
    threads: config["threads"]
    resources:
        npu=devices_of_compiler,
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        command=engine_command,
        script=script("compile_engine.py"),
        code=engine_code("compile_engine.py"),
        versions=compiler_versions,
        options=engine_options,
        devices=compiler_devices,
        shape=artefact_shape,
        contract=setting(feature_sets.stated_option(config)),
    shell:
        "({params.command} {params.script:q} --job {params.job:q} --network {input.network:q} --exported {input.exported:q}"
        " --reference {input.reference:q} --engine {wildcards.engine} --batch-size {wildcards.batch} {params.shape} {params.contract} --options {params.options:q} --threads {threads} {params.devices}"
        " --output {output:q}) > {log:q} 2>&1"


rule infer:
    """Compute the embeddings of a shard's utterances."""
    input:
        artefact=ARTEFACT,
        features=collect(FEATURES, features=FEATURE_SET.key, allow_missing=True),
        lengths=collect(rules.extract_features.output.lengths, features=FEATURE_SET.key, allow_missing=True),
    output:
        embeddings="work/embeddings/{engine}/bs{batch}/{shard}.npy",
        sidecar="work/embeddings/{engine}/bs{batch}/{shard}.json",
        run="work/embeddings/{engine}/bs{batch}/{shard}.run.json",
    log:
        "logs/infer/{engine}_bs{batch}/{shard}.log",
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
        crops=setting(options.of_crops(config, config["features"]["crops"])),
    shell:
        "({params.command} {params.script:q} --job {params.job:q} --artefact {input.artefact:q} --features {input.features:q}"
        " --lengths {input.lengths:q} {params.crops} --options {params.options:q} --threads {threads} {params.devices}"
        " --output {output.embeddings:q} --sidecar {output.sidecar:q} --run {output.run:q}) > {log:q} 2>&1"


rule export_bin:
    """Write embeddings and labels as the files that the original guide's tools read."""
    input:
        embeddings=collect(rules.infer.output.embeddings, shard=SHARDS, allow_missing=True),
        manifests=collect(rules.extract_features.output.manifest, features=FEATURE_SET.key, shard=SHARDS),
    output:
        embeddings=directory("results/{engine}/bin_bs{batch}/output_bs{batch}"),
        labels=directory("results/{engine}/bin_bs{batch}/speaker"),
    log:
        "logs/export_bin/{engine}_bs{batch}.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("export_bin.py"),
        code=stage_code("export_bin.py"),
        versions=stage_versions("export_bin.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --embeddings {input.embeddings:q} --manifest {input.manifests:q}"
        " --output {output.embeddings:q} --labels {output.labels:q} > {log:q} 2>&1"
