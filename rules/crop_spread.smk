# features of every random seed -> their embeddings, by the rules of lengths.smk -> how far the EER depends on the crops.
# Only when it is asked for.


rule tabulate_spread:
    """Compare the accuracy of crops at places of every random seed."""
    input:
        settings=gathered_seeds,
        network=path_of(rules.trace_network.output.sidecar),
        fit=path_of(rules.check_features.output[0]),
        trials=TRIALS[:1],
        cohort=COHORT,
    output:
        multiext("results/crop_spread", md=".md", json=".json"),
    log:
        "logs/tabulate_spread.log",
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("tabulate_spread.py"),
        code=stage_code("tabulate_spread.py"),
        versions=stage_versions("tabulate_spread.py"),
        options=setting(spread.options(config)),
    # The table is what the user waits for: it goes to the terminal, too.
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --settings {input.settings:q} --network {input.network:q}"
        " --fit {input.fit:q} --trials {input.trials:q} --cohort {input.cohort:q} {params.options}"
        " --markdown {output.md:q} --json {output.json:q} > {log:q} 2>&1 && cat {output.md:q}"


rule crop_spread:
    """Tell how far the EER depends on which parts of the utterances are heard: its spread over random seeds."""
    input:
        collect(rules.tabulate_spread.output),
    localrule: True
