# The built-in demo: a corpus of synthetic voices, and checkpoints for it.
DEMO_WAVS, DEMO_TRIALS = "work/demo/wav", "work/demo/demo_trials.txt"


rule demo_corpus:
    """Make the corpus of synthetic voices and its trial list."""
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


rule demo_checkpoint:
    """Train the network of the shipped demo/checkpoint.zip anew, into work/; the shipped file stays as it is."""
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


rule demo_untrained_checkpoint:
    """Make a checkpoint of the full size with random weights, which is for timing only."""
    output:
        "work/demo/checkpoint_c512.zip",
    log:
        "logs/demo_untrained_checkpoint.log",
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
        "{params.python:q} {params.script:q} --job {params.job:q} --untrained --channels 512 --threads {threads} --output {output:q} > {log:q} 2>&1"


#: The checkpoints that `checkpoint.archive` knows by name; the first one is shipped.
DEMO_ARCHIVES = {
    "demo": os.path.relpath(SCRIPTS.parent / "demo" / "checkpoint.zip"),
    "demo-c512": path_of(rules.demo_untrained_checkpoint.output[0]),
}
