# The NPU engines: a look at their toolchains and devices. What their jobs need stands in rules/engines.smk.


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
    # The picture is what the user waits for: it goes to the terminal, too.
    shell:
        "{params.host:q} {params.script:q} --engines {params.engines:q} --python {params.python:q} 2>&1"
        " | tee {log:q}"
