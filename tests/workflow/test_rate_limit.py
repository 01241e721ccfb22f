"""Snakemake does not keep looking for jobs while others run."""

import pytest
from walk.walk import Project, stand_in_code


@pytest.mark.parametrize(("limit", "said"), [([], False), (["--max-jobs-per-timespan", "50/2s"], True)])
def test_snakemake_does_not_look_for_jobs_by_the_clock(tmp_path, limit, said):
    """With a limit of jobs per second it starts a timer after each look, and another one when that ends."""
    project = Project(tmp_path / "project", stand_in_code(tmp_path / "code"))
    status, output = project.call("results/eer_bs4.txt", "--verbose", *limit)
    assert status == 0, output
    assert ("Submitting maximum 50 job(s) over 2" in output) == said
    assert ("Submitting maximum" in output) == said
