"""What a run says last."""

import pytest

from asv.snakefile.ending import answers, lines

OWN, ENGINES = "results/eer_bs4.txt", "results/openvino-f32/eer_bs4.txt"


@pytest.mark.parametrize(
    ("asked", "made", "told"),
    [
        ([OWN], [ENGINES, OWN, "results/eer_bs4.json", "work/x.npy"], [OWN]),
        ([ENGINES], [ENGINES], [ENGINES]),
        (["results/benchmarks.tsv"], [ENGINES, "results/benchmarks.tsv"], [ENGINES]),  # on the way to something else
        (["sub/" + OWN], ["sub/" + OWN], ["sub/" + OWN]),
        ([OWN], [], []),  # nothing to be done
        (["results/utterances.tsv"], ["results/utterances.tsv"], []),
        ([], ["results/outdated/x/eer_bs4.txt", "results/eer_bs4.txt.bak"], []),
    ],
)
def test_answers_that_were_asked_for_come_before_others(asked, made, told):
    assert answers(asked, made) == told


def test_a_line_has_the_file_and_its_first_line(tmp_path):
    path = tmp_path / "eer_bs4.txt"
    path.write_text("EER 5.000 %   list, 960 trials\n\nmore\n", encoding="utf-8")
    assert lines([str(path)]) == [f"{path}: EER 5.000 %   list, 960 trials"]
