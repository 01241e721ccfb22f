# Params functions of the stages that load an engine, and which engines are measured. No rules here.
from asv.snakefile import benchmarks, gates, npus

SNAKEMAKE.set_default_resource("npu", npus.device_count(config))  # as many jobs at once as there are devices
versions_of_engine = functools.cache(engines.versions)


def engine_code(name, *others):
    """Params function: digest of the code that a script runs, of the job's engine, and of others."""
    return lambda wildcards: reasons.Reason(
        "code", code_digest(SCRIPTS / name, *map(engines.source, (engines.parse(wildcards.engine)[0], *others)))
    )


def engine_options(wildcards):
    """Params function: options of the job's engine, JSON."""
    return reasons.Reason("settings", options.of_engine(config, wildcards.engine))


def network_to_compile(label):
    """Files of the network as an engine reads it, what lies beside it last; none where it reads the network itself."""
    name, _ = engines.parse(label)
    if engines.is_quantised(label):
        if engines.reads(name, engines.OPENVINO):
            made = rules.quantise_network.output
            return [made.network, made.weights, made.record]
        return [rules.quantise_onnx.output.network, rules.quantise_onnx.output.record]
    if engines.needs_conversion(name, networks.suffix(config)):
        return [rules.convert_network.output.network, rules.convert_network.output.weights]
    return [rules.export_onnx.output[0]] if engines.needs_export(name, networks.suffix(config)) else []


def exported_for_engine(wildcards):
    """Input function: the network as the job's engine reads it, where that is not the network itself."""
    return [path_of(path) for path in network_to_compile(wildcards.engine)[:1]]


def beside_exported(wildcards):
    """Input function: what lies beside it, and is read with it."""
    return [path_of(path) for path in network_to_compile(wildcards.engine)[1:]]


def reference_for_engine(wildcards):
    """Input function: what the reference makes of the inputs by which the job's engine is checked."""
    made = (
        rules.reference_outputs.output[0]
        if engines.is_quantised(wildcards.engine)
        else rules.trace_network.output.reference
    )
    return path_of(made)


def engine_gate(wildcards):
    """Params function: options of what the accuracy gate accepts of the job's engine."""
    return reasons.Reason("settings", gates.of_engine(config, wildcards.engine))


def engine_command(wildcards, output):
    """Shell words that end in the interpreter of the job's engine."""
    return npus.command(config, wildcards.engine, python(wildcards, output))


def engine_environment(wildcards):
    """The conda environment of the job's engine."""
    return "../envs/npu.yaml" if engines.is_npu(engines.parse(wildcards.engine)[0]) else "../envs/cpu.yaml"


def engine_devices(wildcards, output):
    """Options that name the engine's devices."""
    return options.of_devices(config, wildcards.engine)


def compiler_devices(wildcards, output):
    """The same, of the devices that the engine's compiler needs."""
    name, _ = engines.parse(wildcards.engine)
    return engine_devices(wildcards, output) if engines.compiles_on_device(name) else ""


def devices_of_compiler(wildcards):
    """Devices that compiling takes: the resource ``npu``."""
    return int(engines.compiles_on_device(engines.parse(wildcards.engine)[0]))


def devices_of_job(wildcards):
    """Devices that a job takes: the resource ``npu``."""
    return npus.devices_of_job(config, wildcards.engine)


def benchmark_threads(wildcards):
    """All cores, so that nothing runs beside a benchmark, or an equal share of them for each device."""
    return npus.benchmark_threads(config, wildcards.engine, workflow.cores)


def machine_and_threads(wildcards):
    """What a measurement depends on besides: the processor, where jobs run here, and all cores."""
    return benchmarks.measured_on(SNAKEMAKE, workflow.cores)


def measured_machine(wildcards):
    """The same with the threads of an engine's measurement."""
    return benchmarks.measured_on(SNAKEMAKE, benchmark_threads(wildcards))


@functools.cache
def toolchain_versions(name):
    """Versions in an NPU engine's toolchain; unknown until Snakemake has made a conda environment."""
    found = config["engines"][name]
    if npus.is_unknown(found, SNAKEMAKE.uses_conda):
        return {}
    return checked(npus.versions, name, found, sys.executable)


def versions_of(label):
    """Versions of the packages that the engine of a label depends on."""
    name = engines.parse(label)[0]
    return toolchain_versions(name) if engines.is_npu(name) else versions_of_engine(name)


def engine_versions(wildcards):
    """Params function: versions of the packages that the job's engine depends on."""
    return reasons.versions(versions_of(wildcards.engine))


def compiler_versions(wildcards):
    """Params function: those that compiling depends on.

    An artefact may be compiled on one host and run on another, where a compiler's Python and wheels need not be.
    """
    found = versions_of(wildcards.engine)
    if engines.carries_outputs(engines.parse(wildcards.engine)[0]):
        found = {package: version for package, version in found.items() if package in npus.COMPILER}
    return reasons.versions(found)


@functools.cache
def unsupported(label):
    """Why this machine cannot run an engine and precision, or None. Asked only where benchmarks are wanted."""
    return checked(benchmarks.unsupported, config, label, SNAKEMAKE, sys.executable)


def benchmark_files(pattern, reference=True, batches=None):
    """Input function: a file for every engine and batch size to be measured, with or without the reference's."""

    def files(wildcards):
        pairs = benchmarks.pairs(config, unsupported, reference, batches)
        return [path for label, batch in pairs for path in collect(pattern, engine=label, batch=batch)]

    return files


def benchmark_rows(wildcards):
    """Rows of the table, engine:batch size."""
    return benchmarks.rows(config, unsupported)


def unsupported_rows(wildcards):
    """Rows of what this machine cannot run, engine:batch size:why."""
    return benchmarks.unsupported_rows(config, unsupported)
