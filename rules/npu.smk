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
