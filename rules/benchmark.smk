# artefact -> throughput and latency; with agreement and answers -> one table, and the gate.


# Measurements take all cores, so that nothing else of the workflow runs beside them; on NPUs an equal share for each
# device, so that only benchmarks on other devices do.
rule measure_machine:
    """Measure the machine's peak of matrix multiplication."""
    output:
        "work/benchmarks/machine.json",
    log:
        "logs/measure_machine.log",
    conda:
        "../envs/cpu.yaml"
    threads: workflow.cores
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("measure_machine.py"),
        code=stage_code("measure_machine.py"),
        versions=stage_versions("measure_machine.py"),
        machine=machine_and_threads,
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --threads {threads} --output {output:q} > {log:q} 2>&1"


rule benchmark_engine:
    """Measure throughput, latency and memory of an engine."""
    input:
        ARTEFACT,
    output:
        "work/benchmarks/{engine}/bs{batch}.json",
    log:
        "logs/benchmark_engine/{engine}_bs{batch}.log",
    conda:
        engine_environment
    threads: benchmark_threads
    resources:
        npu=devices_of_job,
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        command=engine_command,
        script=script("benchmark_engine.py"),
        code=engine_code("benchmark_engine.py"),
        versions=engine_versions,
        options=engine_options,
        devices=engine_devices,
        settings=setting(options.options_of(config["benchmark"], "seconds", "count", "runs")),
        machine=measured_machine,
    shell:
        "({params.command} {params.script:q} --job {params.job:q} --artefact {input:q} --options {params.options:q}"
        " --threads {threads} {params.devices} {params.settings} --output {output:q}) > {log:q} 2>&1"


rule tabulate_benchmarks:
    """Put speed and accuracy of all engines into one table."""
    input:
        benchmarks=benchmark_files(rules.benchmark_engine.output[0]),
        artefacts=benchmark_files(ARTEFACT),
        results=benchmark_files(rules.write_answer.output.json),
        agreements=benchmark_files(rules.compare_engine.output.summary, reference=False),
        machine=path_of(rules.measure_machine.output[0]),
    output:
        multiext("results/benchmarks", tsv=".tsv", md=".md", json=".json", txt=".txt"),
    log:
        "logs/tabulate_benchmarks.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("tabulate_benchmarks.py"),
        code=stage_code("tabulate_benchmarks.py"),
        rows=benchmark_rows,
        unsupported=unsupported_rows,
        reference=REFERENCE,
        output=lambda wildcards, output: os.path.splitext(output.json)[0],
    # What is looked for first is what the user waits for: it goes to the terminal, too.
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --rows {params.rows:q} --unsupported {params.unsupported:q} --reference {params.reference}"
        " --benchmarks {input.benchmarks:q} --artefacts {input.artefacts:q} --results {input.results:q}"
        " --agreements {input.agreements:q} --machine {input.machine:q} --output {params.output:q} > {log:q} 2>&1 && cat {output.txt:q}"


rule check_gate:
    """Fail where an engine does not pass the accuracy gate."""
    input:
        path_of(rules.tabulate_benchmarks.output.json),
    output:
        "results/accuracy_gate.txt",
    log:
        "logs/check_gate.log",
    localrule: True
    conda:
        "../envs/cpu.yaml"
    params:
        key=KEYS.param(),
        job=KEYS.job_name,
        python=python,
        script=script("check_gate.py"),
        code=stage_code("check_gate.py"),
        undecided=setting(gates.of_undecided(config)),
    # What the gate says is what the user waits for: it goes to the terminal, too.
    shell:
        "{params.python:q} {params.script:q} --job {params.job:q} --table {input:q} {params.undecided} --output {output:q}"
        " > {log:q} 2>&1 && cat {output:q}"
