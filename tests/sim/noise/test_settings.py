import pytest

from ranvier.sim.noise import NoiseConfig
from ranvier.sim.noise.kinds import KINDS
from ranvier.sim.noise.settings import COMMON


def test_kinds_have_their_default_levels():
    settings = NoiseConfig(kinds="all")
    assert settings.levels == {name: kind.levels for name, kind in KINDS.items()}
    assert settings.kinds == tuple(KINDS)
    assert NoiseConfig(**settings.to_dict()) == settings


def test_three_kinds_are_studied_where_none_are_named():
    assert NoiseConfig().kinds == ("input_jitter", "event_loss", "weight_flips")
    assert NoiseConfig() == NoiseConfig(kinds=["weight_flips", "event_loss", "input_jitter"])
    assert [name for name, levels in NoiseConfig().levels.items() if levels] == list(COMMON)


def test_named_kinds_have_the_given_levels():
    settings = NoiseConfig(levels={"event_loss": [0.1, 1], "input_jitter": []}, instances=3,
                           strikes=7, mutants=9)
    assert settings.levels["event_loss"] == (0.1, 1.0)
    assert (settings.strikes, settings.mutants) == (7, 9)
    assert settings.levels["input_jitter"] == ()
    assert settings.levels["weight_flips"] == KINDS["weight_flips"].levels
    assert NoiseConfig(**settings.to_dict()) == settings


def test_a_fault_map_is_kept():
    settings = NoiseConfig(kinds=["weight_map"], levels={"weight_map": [2]}, fault_map="map.csv")
    assert settings.to_dict()["fault_map"] == "map.csv"
    assert NoiseConfig(**settings.to_dict()) == settings


def test_a_rate_of_upsets_is_kept():
    settings = NoiseConfig(faults=10, fit_per_mbit=75)
    assert NoiseConfig().fit_per_mbit is None
    assert settings.to_dict()["fit_per_mbit"] == 75
    assert NoiseConfig(**settings.to_dict()) == settings


def test_only_the_kinds_that_are_asked_for_are_studied():
    settings = NoiseConfig(kinds=["stalls", "event_loss"], levels={"stalls": [0.5]})
    assert settings.kinds == ("event_loss", "stalls")
    assert {name: levels for name, levels in settings.levels.items() if levels} == {
        "event_loss": KINDS["event_loss"].levels, "stalls": (0.5,)}
    assert NoiseConfig(**settings.to_dict()) == settings


@pytest.mark.parametrize(("values", "message"), [
    ({"levels": {"gamma_rays": [1]}}, "Noise levels must be of input_jitter, event_loss, .*"
                                      ", not 'gamma_rays'"),
    ({"kinds": ["gamma_rays"]}, "Noise kinds must be of input_jitter, .*, not 'gamma_rays'"),
    ({"kinds": "event_loss"}, "Noise kinds must be a list of names or 'all', not 'event_loss'"),
    ({"kinds": ["all"]}, "Noise kinds must be of input_jitter, .*, not 'all'"),
    ({"levels": {"stalls": [0.1]}}, "Noise levels must be of kinds that are studied, not 'stalls'"),
    ({"kinds": ["event_loss"], "levels": {"stalls": [0.1]}},
     "Noise levels must be of kinds that are studied, not 'stalls'"),
    ({"levels": dict.fromkeys(COMMON, ())}, "Noise levels must leave at least one kind, not none"),
    ({"levels": {"event_loss": [0.1, 0.1]}},
     r"Noise levels.event_loss\[1\] must be above 0.1, the one before, not 0.1"),
    ({"levels": {"event_loss": [2]}}, r"Noise levels.event_loss\[0\] must be from .* not 2"),
    ({"levels": {"event_loss": [True]}}, r"event_loss\[0\] must be a finite number, not True"),
    ({"levels": {"event_loss": [float("nan")]}}, r"event_loss\[0\] must be a finite number"),
    ({"levels": {"event_loss": ["1"]}}, r"event_loss\[0\] must be a finite number, not '1'"),
    ({"fit_per_mbit": 0}, "Noise fit_per_mbit must be a finite number above 0, not 0"),
    ({"fit_per_mbit": -2.0}, "Noise fit_per_mbit must be a finite number above 0, not -2.0"),
    ({"fit_per_mbit": float("inf")}, "Noise fit_per_mbit must be a finite number above 0, not inf"),
    ({"fit_per_mbit": float("nan")}, "Noise fit_per_mbit must be a finite number above 0, not nan"),
    ({"fit_per_mbit": True}, "Noise fit_per_mbit must be a finite number above 0, not True"),
    ({"fit_per_mbit": 75}, "Noise faults must be at least 1 with fit_per_mbit, not 0"),
    ({"instances": 0}, "Noise instances must be a whole number of at least 1, not 0"),
    ({"replays": -1}, "Noise replays must be a whole number of at least 0, not -1"),
    ({"strikes": -1}, "Noise strikes must be a whole number of at least 0, not -1"),
    ({"mutants": -1}, "Noise mutants must be a whole number of at least 0, not -1"),
    ({"replays": 1.5}, "Noise replays must be a whole number of at least 0, not 1.5"),
])
def test_bad_settings_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        NoiseConfig(**values)
