# The NPU engines: a look at their toolchains and devices. What their jobs need stands in rules/engines.smk.


# A job that fails ends in Snakemake's words about it, not in the picture that the user waits for. So the job succeeds, and
# the end of the run shows the picture and ends with the doctor's exit code. Snakemake calls no `onsuccess` of a module:
# there the job itself shows the picture, and fails.
rule npu_doctor:
    """Show what there is of the NPU engines' toolchains and devices on this machine."""
    log:
        "logs/npu_doctor.log",
    localrule: True
    conda:
        "../envs/npu.yaml"
    params:
        host=sys.executable,
        script=script("npu_doctor.py"),
        engines=lambda wildcards: npus.used(config),
        python=python,
        end=(
            f"""bash -c 'echo "$ASV_RUN $1" > {ending.DOCTORS_FINDING}'"""
            if SNAKEMAKE.is_main_snakefile
            else """bash -c 'cat "$0"; exit "$1"'"""
        ),
    shell:
        "{params.host:q} {params.script:q} --engines {params.engines:q} --python {params.python:q} > {log:q} 2>&1"
        " && code=0 || code=$?; {params.end} {log:q} $code"
