# The Ascend NPU: its toolchain looked at, and embeddings in the form of the original guide.


rule npu_doctor:
    log:
        "logs/npu_doctor.log",
    localrule: True
    conda:
        "../envs/npu.yaml"
    params:
        script=script("npu_doctor.py"),
        python=python,
        host=sys.executable,
        engines=npu_settings,
    # The picture is what the user waits for: it goes to the terminal, too.
    shell:
        "{params.host:q} {params.script:q} --engines {params.engines:q} --python {params.python:q} 2>&1"
        " | tee {log:q}"


rule export_bin:
    input:
        embeddings=collect("work/embeddings/{{engine}}/bs{{batch}}/{shard}.npy", shard=SHARDS),
        manifests=collect("work/features/{shard}/manifest.tsv", shard=SHARDS),
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
