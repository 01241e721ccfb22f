"""The grid of lengths: which settings there are, and which cannot be had."""

import pytest

from asv.errors import InputError
from asv.snakefile import feature_sets, lengths
from asv.snakefile.config import check


def configured(**settings):
    config = check(settings)
    return config, feature_sets.of_config(config)


def test_every_setting_has_features_of_its_own_and_shares_those_of_the_answers():
    config, own = configured(accuracy_by_length={"frames": [100, 200], "crops": [1, 3]})
    grid = lengths.grid(config, own)
    assert list(grid) == ["whole", "100x1", "100x3", "200x1", "200x3"]
    assert lengths.keys(config, own) == [found.key for found in grid.values()]
    assert len(set(lengths.keys(config, own))) == 5
    assert grid["200x1"].key == own.key
    for name, features in (("100x3", {"frames": 100, "crops": 3}), ("whole", {"frames": "whole"})):
        assert grid[name].key == configured(features=features)[1].key


def test_the_answers_own_crops_are_no_part_of_the_grid():
    """Whole utterances have one crop, also where the answers have more."""
    config, own = configured(features={"crops": 5}, accuracy_by_length={"frames": [100], "crops": [1]})
    assert lengths.grid(config, own)["whole"].key == configured(features={"frames": "whole"})[1].key


def test_crops_from_the_start_are_single_ones():
    config, own = configured(features={"placement": "start"}, accuracy_by_length={"frames": [100], "crops": [3, 1]})
    assert list(lengths.grid(config, own)) == ["whole", "100x1"]
    assert lengths.left_out(config) == [3]
    assert lengths.options(config).endswith(" --left-out 3")


def test_a_grid_without_a_setting_is_an_error_only_where_it_is_asked_for():
    config, own = configured(features={"placement": "start"}, accuracy_by_length={"crops": [3, 5]})
    assert list(lengths.grid(config, own)) == ["whole"]
    with pytest.raises(InputError, match=r"accuracy_by_length\.crops: has no 1, and features\.placement: start"):
        lengths.keys(config, own)


def test_options_are_those_of_the_configuration():
    config, _ = configured(accuracy_gate={"max_eer_increase": 0.004}, scoring={"bootstrap": {"replicates": 50}})
    words = lengths.options(config).split()
    assert words[words.index("--max-eer-increase") + 1] == "0.004"
    assert words[words.index("--bootstrap-replicates") + 1] == "50"
    assert "--demo-data" in words
    assert "--left-out" not in words
