"""The pictures: what they show, that no text lies on other text, and that two runs write the same bytes."""

import json
import xml.etree.ElementTree as ElementTree
from statistics import NormalDist

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from support.pictures import LONG, assert_legible
from support.scripts import assert_one_error, run_script
from support.synthetic import make_project
from support.workflow import Workflow

from asv import files
from asv.report import benchmark_figures, figure, score_figures
from asv.scoring import metrics

ENGINES = ("torchscript-f32", "openvino-f32", "openvino-bf16")
SIZES = (1, 4, 8, 16, 32, 64)
MEASURED = ("throughput", "throughput_low", "throughput_high", "async_throughput", "latency_mean_ms", "latency_p90_ms")


def trial_scores(separation=2.5, count=400, seed=0):
    """float64 scores and bool targets ``(count,)``, cosines."""
    rng = np.random.default_rng(seed)
    targets = np.arange(count) % 2 == 0
    return rng.normal(np.where(targets, separation, 0), 1) / 10, targets


def result_of(scores_of, demo=False, **extra):
    """A result as write_answer.py writes it, as far as pictures need it."""
    return {
        "dataset": {"demo": demo},
        "network": {
            "demo": "small, trained on synthetic voices" if demo else None,
            "fit": {"verdict": "fits", "ignored": False},
        },
        "engine": {"name": "openvino", "precision": "f32", "batch_size": 4},
        "scoring": {"as_norm": None},
        "protocols": {name: metrics.summary(*scores) for name, scores in scores_of.items()},
        **extra,
    }


def curves_of(scores_of):
    priors = [str(prior) for prior in metrics.PRIORS]
    return {name: score_figures.det_curve(metrics.error_rates(*s), priors) for name, s in scores_of.items()}


def row_of(engine, size, speed=100.0, gate="PASS"):
    throughput = speed * (1 + np.log2(size) / 10)
    latency = 1000 * size / throughput
    numbers = (throughput, throughput * 0.97, throughput * 1.02, throughput * 1.3, latency, latency * 1.1)
    known = {"engine": engine, "batch_size": size, "status": "ok", "stand_in": None, "gate": gate}
    limit = 0.999 if engine.endswith("bf16") else 0.9999
    return {**known, **dict(zip(MEASURED, numbers)), "min_cosine_limit": limit}


def unsupported(engine, size):
    known = {"engine": engine, "batch_size": size, "status": "unsupported", "stand_in": None, "gate": None}
    return {**known, **dict.fromkeys(MEASURED)}


def table_of(rows, demo=True, cpu="A Processor"):
    return {"machine": {"cpu": cpu, "threads": 2}, "rows": rows, "demo": demo}


def usual_table(**options):
    return table_of([row_of(e, size, 100 * (1 + i)) for i, e in enumerate(ENGINES) for size in SIZES], **options)


def cosines_of(engines=ENGINES[1:], sizes=SIZES):
    rng = np.random.default_rng(0)
    return {(e, size): 1 - 10 ** rng.normal(-12 + 7 * i, 0.4, 50) for i, e in enumerate(engines) for size in sizes}


SCORE_SETS = {
    "one list": {"demo": trial_scores()},
    "six lists": {f"list_{i}": trial_scores(2 + i / 3, seed=i) for i in range(6)},
    "a long name": {LONG: trial_scores()},
    "perfect": {"perfect": trial_scores(30)},
    "reversed": {"reversed": trial_scores(-3)},
    "two trials": {"two": (np.array([0.5, 0.1]), np.array([True, False]))},
    "equal scores": {"equal": (np.full(4, 0.5), np.array([True, False, True, False]))},
    "many": {"many": trial_scores(3.5, 400_000)},
    "none": {},
}


@pytest.mark.parametrize("demo", [False, True])
@pytest.mark.parametrize("name", SCORE_SETS)
def test_text_of_score_pictures_is_legible(name, demo, monkeypatch):
    scores_of = SCORE_SETS[name]
    result = result_of(scores_of, demo)
    det = score_figures.det_figure(result, curves_of(scores_of))
    for drawn in (det, score_figures.histogram_figure(result, scores_of)):
        texts = assert_legible(drawn, monkeypatch)
        assert any(text.startswith("DEMO: synthetic voices") for text in texts) == demo


TABLES = {
    "usual": usual_table(),
    "own words": usual_table(demo="synthetic voices; an untrained network of full size, whose accuracy means nothing"),
    "real": usual_table(demo=False, cpu="A Processor With A Very Long Name " * 5),
    "failed gate": table_of([row_of("torchscript-f32", 4), row_of("openvino-bf16", 4, 200, "FAIL")]),
    "undecided": table_of([row_of(e, 4, 200, g) for e, g in zip(ENGINES, ("reference", "PASS", "UNDECIDED"))]),
    "one size": table_of([row_of(engine, 4) for engine in ENGINES]),
    "neighbouring sizes": table_of([row_of("openvino-f32", size) for size in (48, 64, 96, 128)]),
    "partly unsupported": table_of([*usual_table()["rows"][:6], *(unsupported("openvino-bf16", s) for s in SIZES)]),
    "unsupported": table_of([unsupported("openvino-bf16", size) for size in SIZES]),
    "no percentile": table_of([{**row_of("torch_aie-fp16", 8), "latency_p90_ms": None, "async_throughput": None}]),
}


@pytest.mark.parametrize("name", TABLES)
def test_text_of_benchmark_pictures_is_legible(name, monkeypatch):
    table = TABLES[name]
    for drawn in (benchmark_figures.throughput_figure(table), benchmark_figures.latency_figure(table)):
        texts = assert_legible(drawn, monkeypatch)
        assert any(text.startswith("DEMO") for text in texts) == bool(table["demo"])
        assert ("fails the accuracy gate" in texts) == (name == "failed gate")
        assert ("undecided by the gate" in texts) == (name == "undecided")
        assert any("Not supported" in text for text in texts) == ("unsupported" in name)
        for row in table["rows"]:
            assert str(row["batch_size"]) in texts


@pytest.mark.parametrize(
    "cosines",
    [cosines_of(), cosines_of(sizes=[4]), cosines_of(ENGINES[1:2]), {("openvino-f32", 4): np.ones(3)}, {}],
    ids=["usual", "one size", "one engine", "equal", "none"],
)
@pytest.mark.parametrize("judged", [False, True])
def test_text_of_the_agreement_is_legible(cosines, judged, monkeypatch):
    table = usual_table()
    for row in table["rows"] if not judged else ():
        row["min_cosine_limit"] = None
    drawn = benchmark_figures.agreement_figure(table, cosines)
    texts = assert_legible(drawn, monkeypatch)
    assert any(text.startswith("DEMO") for text in texts)
    assert any("accuracy_gate.min_cosine" in text for text in texts) == bool(judged and cosines)


def test_every_precision_has_its_own_minimum_cosine_in_the_picture():
    lines = benchmark_figures.agreement_figure(usual_table(), cosines_of()).axes[0].lines
    limits = {round(float(line.get_xdata()[0]), 6) for line in lines if line.get_color() == "black"}
    assert limits == {1e-4, 1e-3}


def test_the_check_of_overlaps_has_teeth(monkeypatch):
    for place in ((0.5, 0.5), (0.99, 0.2)):
        drawn = benchmark_figures.throughput_figure(usual_table())
        drawn.text(0.5, 0.5, "one of two")
        drawn.text(*place, "the other of two")
        with pytest.raises(AssertionError, match=r"lies on|leaves the picture"):
            assert_legible(drawn, monkeypatch)


def test_deviate_axes_by_hand():
    """The middle of the axes is 50 %, and distances are those of the normal deviate."""
    axes = Figure().subplots()
    score_figures.set_deviate_axes(axes, 0.001, 0.999)
    deviate = NormalDist().inv_cdf
    for rate in (0.001, 0.0228, 0.1587, 0.5, 0.9):
        expected = (deviate(rate) - deviate(0.001)) / (deviate(0.999) - deviate(0.001))
        for column in (0, 1):
            pixel = axes.transData.transform((rate, rate))
            assert axes.transAxes.inverted().transform(pixel)[column] == pytest.approx(expected, abs=1e-9)
    assert axes.transAxes.inverted().transform(axes.transData.transform((0.5, 0.5))) == pytest.approx([0.5, 0.5])


def test_normal_scores_give_a_straight_det_curve():
    scores, targets = trial_scores(2.0, 1_000_000)
    false_accept, miss = score_figures.visible_points(metrics.error_rates(scores, targets))
    inner = (false_accept > 0.01) & (miss > 0.01)
    deviates = np.array([[NormalDist().inv_cdf(rate) for rate in rates[inner]] for rates in (false_accept, miss)])
    np.testing.assert_allclose(deviates.sum(axis=0), -2.0, atol=0.02)  # equal variances: slope -1, offset d'
    assert len(miss) < 10_000  # of a million points, those that can be told apart


def test_min_dcf_point_has_the_least_cost():
    scores, targets = trial_scores()
    rates = metrics.error_rates(scores, targets)
    for prior in (0.01, 0.05, 0.5):
        false_accept, miss = metrics.min_dcf_point(rates, prior)
        costs = [prior * m + (1 - prior) * f for f, m in zip(rates.false_accept, rates.miss)]
        assert prior * miss + (1 - prior) * false_accept == min(costs)


def test_operating_points_are_on_the_picture():
    scores_of = {"demo": trial_scores()}
    result, curves = result_of(scores_of), curves_of(scores_of)
    axes = score_figures.det_figure(result, curves).axes[0]
    points = [tuple(line.get_xydata()[0]) for line in axes.lines if len(line.get_xydata()) == 1]
    eer = result["protocols"]["demo"]["eer"]
    costs = list(curves["demo"].min_dcf.values())
    assert costs[0][0] == 0  # has no place on these axes, and is drawn on their edge
    assert points == [(eer, eer), (axes.get_xlim()[0], costs[0][1]), costs[1]]


@pytest.mark.parametrize("span", [(-0.3, 0.9), (0.0, 1e-9), (-250.0, 4000.0), (0.5, 0.5)])
def test_bins_hold_every_score(span):
    scores = np.linspace(*span, 1000)
    edges = score_figures.bins(*score_figures.extremes([scores]))
    assert np.histogram(scores, edges)[0].sum() == len(scores)
    assert 1 <= len(edges) - 1 <= 62
    assert edges[1] - edges[0] > 1e-6  # no noise of the last digits


def test_axes_have_units():
    scores_of = {"demo": trial_scores()}
    result = result_of(scores_of)
    normalised = {**result, "scoring": {"as_norm": {"top": 300}}}
    figures = (
        score_figures.det_figure(result, curves_of(scores_of)),
        score_figures.histogram_figure(result, scores_of),
        score_figures.histogram_figure(normalised, scores_of),
        benchmark_figures.throughput_figure(usual_table()),
        benchmark_figures.latency_figure(usual_table()),
    )
    for drawn in figures:
        for axes in drawn.axes:
            assert "(" in axes.get_xlabel()
            assert "(" in axes.get_ylabel()
    assert "standard deviations" in figures[2].axes[0].get_xlabel()
    assert "(no unit" in benchmark_figures.agreement_figure(usual_table(), cosines_of()).axes[0].get_xlabel()


def test_an_engine_has_one_colour_in_all_pictures():
    table = usual_table()
    lines = {
        line.get_color() for c in benchmark_figures.throughput_figure(table).axes[0].containers for line in c.lines[:1]
    }
    assert lines == {figure.line_style(index)["color"] for index in range(3)}
    only_last = benchmark_figures.agreement_figure(table, cosines_of(ENGINES[2:]))
    colours = {line.get_color() for line in only_last.axes[0].lines}
    assert colours == {figure.line_style(2)["color"], "black"}  # black is the limit of the gate


# The scripts


def assert_pictures(*paths):
    for path in paths:
        svg = ElementTree.parse(path).getroot()
        assert svg.tag == "{http://www.w3.org/2000/svg}svg"
        assert "Date" not in path.read_text()
        with Image.open(path.with_suffix(".png")) as image:
            image.verify()
            assert min(image.size) > 400


def write_scores(folder, scores_of, demo=False):
    """The outputs of score.py in a folder; returns the options that plot_scores.py needs for them."""
    for name, (scores, targets) in scores_of.items():
        rows = (("id1/a#b/'1.wav", "id2/c/2.wav", int(t), repr(float(s))) for s, t in zip(scores, targets))
        files.write_table(folder / "scores" / f"{name}.tsv", ("enrolment", "test", "target", "score"), rows)
    (folder / "scores").mkdir(exist_ok=True, parents=True)
    (folder / "scores" / ".snakemake_timestamp").touch()
    files.write_json(folder / "result.json", result_of(scores_of, demo))
    return ["--scores", folder / "scores", "--result", folder / "result.json"]


def outputs(folder, *names):
    """Options for outputs, and the paths."""
    paths = [folder / f"{name}.svg" for name in names]
    return [part for name, path in zip(names, paths) for part in (f"--{name}-output", path)], paths


def test_plot_scores_twice(tmp_path):
    given = write_scores(tmp_path, {"b": trial_scores(), "a": trial_scores(1)}, demo=True)
    contents = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        options, paths = outputs(folder, "det", "histogram")
        assert run_script("plot_scores.py", *given, *options) == (0, "")
        assert_pictures(*paths)
        contents.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert list(contents[0]) == ["det.png", "det.svg", "histogram.png", "histogram.svg"]
    assert contents[0] == contents[1]


def test_drawing_leaves_the_settings_of_others_alone():
    with mpl.rc_context({"font.size": 7}):
        before = dict(mpl.rcParams)
        drawn = benchmark_figures.throughput_figure(usual_table())
        assert dict(mpl.rcParams) == before
    assert drawn.axes[0].xaxis.label.get_size() == figure.STYLE["font.size"]


def test_plot_scores_refuses_tables_of_another_run(tmp_path):
    given = write_scores(tmp_path, {"a": trial_scores()})
    (tmp_path / "scores" / "a.tsv").rename(tmp_path / "scores" / "b.tsv")
    options, _ = outputs(tmp_path, "det", "histogram")
    assert_one_error(run_script("plot_scores.py", *given, *options), "b.tsv", "run score again")


def write_benchmarks(folder, table, cosines):
    """The files that plot_benchmarks.py reads; returns its options for them."""
    files.write_json(folder / "benchmarks.json", table)
    paths = []
    for (engine, size), values in cosines.items():
        paths.append(folder / engine / f"agreement_bs{size}.tsv")
        rows = ((f"u{i}", repr(float(value)), "0.1") for i, value in enumerate(values))
        files.write_table(paths[-1], ("utterance", "cosine", "max_abs_difference"), rows)
    return ["--benchmarks", folder / "benchmarks.json", "--agreement", *paths]


def test_plot_benchmarks_twice(tmp_path):
    given = write_benchmarks(tmp_path, usual_table(), cosines_of())
    contents = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        options, paths = outputs(folder, "throughput", "latency", "agreement")
        assert run_script("plot_benchmarks.py", *given, *options) == (0, "")
        assert_pictures(*paths)
        contents.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert contents[0] == contents[1]


def test_plot_benchmarks_refuses_other_tables(tmp_path):
    given = write_benchmarks(tmp_path, usual_table(), {})
    options, _ = outputs(tmp_path, "throughput", "latency", "agreement")
    given[3:3] = [tmp_path / "eer_bs4.json"]
    assert_one_error(run_script("plot_benchmarks.py", *given, *options), "eer_bs4.json", "agreement_bs<N>.tsv")


def test_a_readers_matplotlibrc_changes_nothing(tmp_path, monkeypatch):
    given = write_scores(tmp_path, {"a": trial_scores()})
    contents = []
    for rc in ("", "font.size: 20\nsavefig.dpi: 30\naxes.facecolor: red\n"):
        (tmp_path / "matplotlibrc").write_text(rc)
        monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path))
        options, paths = outputs(tmp_path, "det", "histogram")
        assert run_script("plot_scores.py", *given, *options) == (0, "")
        contents.append([path.with_suffix(suffix).read_bytes() for path in paths for suffix in (".svg", ".png")])
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_pictures_and_report_of_a_run(tmp_path):
    """A changed trial list makes its scores and pictures stale; the report holds picture, caption and methods."""
    workflow = make_project(Workflow(tmp_path), speakers=3)
    target = "results/openvino-f32/det_bs4.svg"
    assert "plot_scores bs4" in workflow.jobs(target)
    assert_pictures(tmp_path / target, tmp_path / "results/openvino-f32/histogram_bs4.svg")
    assert workflow.jobs(target) == []
    lines = (tmp_path / "trials.txt").read_text().splitlines(keepends=True)
    (tmp_path / "trials.txt").write_text("".join(lines[:-1]))
    assert workflow.jobs(target) == ["plot_scores bs4", "score bs4", "write_answer bs4"]
    workflow.run(target, "--report", "report.html")
    report = (tmp_path / "report.html").read_text()
    for part in ("Doddington", json.dumps("DET curve"), "det_bs4.svg;base64"):
        assert part in report
    for part in ("How the numbers were made", "of 1000 draws of speakers", "minCllr is"):
        assert part in report
    assert "DEMO" not in report
