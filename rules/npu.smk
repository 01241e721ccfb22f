# The Ascend NPU: its toolchain looked at, and embeddings in the form of the original guide.


# What the doctor of this run found: the run's token and an exit code.
DOCTORS_FINDING = ".snakemake/npu_doctor.code"


# A job that fails ends in Snakemake's words about it, not in the picture that the user waits for. So the job succeeds, and
# the end of the run shows the picture and ends with the doctor's exit code. Snakemake calls no `onsuccess` of a module:
# there the job itself shows the picture, and fails.
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
        end=(
            f"""bash -c 'echo "$ASV_RUN $1" > {DOCTORS_FINDING}'"""
            if workflow.modifier.is_main_snakefile()
            else """bash -c 'cat "$0"; exit "$1"'"""
        ),
    shell:
        "{params.host:q} {params.script:q} --engines {params.engines:q} --python {params.python:q} > {log:q} 2>&1"
        " && code=0 || code=$?; {params.end} {log:q} $code"


onsuccess:
    if Path(DOCTORS_FINDING).is_file():
        token, code = Path(DOCTORS_FINDING).read_text().split()
        if token == os.environ[runs.VARIABLE]:
            print(Path("logs/npu_doctor.log").read_text(), end="", flush=True)
            sys.exit(int(code))


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
