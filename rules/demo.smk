# The built-in demo: a corpus of synthetic voices, and checkpoints for it.


rule demo_corpus:
    output:
        wavs=directory(DEMO_WAVS),
        trials=DEMO_TRIALS,
    log:
        "logs/demo_corpus.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("demo_corpus.py"),
        code=stage_code("demo_corpus.py"),
        versions=stage_versions("demo_corpus.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --output {output.wavs:q} --trials {output.trials:q} > {log:q} 2>&1"


# Trains the shipped demo/checkpoint.zip anew, beside it: the shipped one stays until somebody copies this over it.
rule demo_checkpoint:
    output:
        "work/demo/checkpoint.zip",
    log:
        "logs/demo_checkpoint.log",
    conda:
        "../envs/cpu.yaml"
    threads: 2
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("demo_checkpoint.py"),
        code=stage_code("demo_checkpoint.py"),
        versions=stage_versions("demo_checkpoint.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --threads {threads} --output {output:q} > {log:q} 2>&1"


# The real architecture without the real weights.
rule demo_untrained_checkpoint:
    output:
        "work/demo/checkpoint_c512.zip",
    log:
        "logs/demo_untrained_checkpoint.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("demo_checkpoint.py"),
        code=stage_code("demo_checkpoint.py"),
        versions=stage_versions("demo_checkpoint.py"),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --untrained --channels 512 --output {output:q} > {log:q} 2>&1"
