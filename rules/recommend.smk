# table of benchmarks -> what to deploy, and a folder to deploy it from.


rule choose_setting:
    """Choose among the measured rows that pass the accuracy gate."""
    input:
        path_of(rules.tabulate_benchmarks.output.json),
    output:
        multiext("results/recommendation", md=".md", json=".json"),
    log:
        "logs/choose_setting.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("recommend.py"),
        code=stage_code("recommend.py"),
        options=setting(options.of_recommendation(config)),
        output=lambda wildcards, output: os.path.splitext(output.json)[0],
    # The recommendation is what the user waits for: it goes to the terminal, too.
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --table {input:q} {params.options}"
        " --output {params.output:q} > {log:q} 2>&1 && cat {output.md:q}"


rule plot_recommendation:
    """Draw throughput against the increase of the EER."""
    input:
        path_of(rules.choose_setting.output.json),
    output:
        svg="results/recommendation.svg",
        png="results/recommendation.png",
    log:
        "logs/plot_recommendation.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("plot_recommendation.py"),
        code=stage_code("plot_recommendation.py"),
        versions=stage_versions("plot_recommendation.py"),
        options=setting(options.options_of(config["accuracy_gate"], "max_eer_increase")),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --recommendation {input:q} {params.options}"
        " --output {output.svg:q} > {log:q} 2>&1"


rule recommend:
    """Recommend what to deploy: the fastest setting that is still the same model."""
    input:
        collect(rules.choose_setting.output),
        collect(rules.plot_recommendation.output),
    localrule: True


rule make_bundle:
    """Gather the recommended artefact, its features' contract, thresholds, and an example that scores two recordings."""
    input:
        recommendation=path_of(rules.choose_setting.output.json),
        artefacts=benchmark_files(ARTEFACT),
        answers=benchmark_files(rules.write_answer.output.json),
        scores=benchmark_files(SCORES),
        features=collect(rules.extract_features.output.sidecar, features=FEATURE_SET.key, shard=SHARDS[0]),
    output:
        directory("results/bundle"),
    log:
        "logs/make_bundle.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("make_bundle.py"),
        code=stage_code("make_bundle.py"),
        versions=stage_versions("make_bundle.py"),
        options=setting(options.of_bundle(config, FEATURE_SET.audio)),
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --recommendation {input.recommendation:q}"
        " --artefacts {input.artefacts:q} --answers {input.answers:q} --scores {input.scores:q} --features {input.features:q}"
        " {params.options} --output {output:q} > {log:q} 2>&1"


rule bundle:
    """Make a folder to deploy, results/bundle."""
    input:
        path_of(rules.make_bundle.output[0]),
    localrule: True
