import pytest

from ranvier.sim.noise.answers import worst_text


@pytest.mark.parametrize(("least", "text"), [
    ([0.95, 0.7, 0.3], "95.0 to 30.0 %"), ([0.95], "95.0 %"), ([None, None], "")])
def test_the_worst_instance_of_the_first_and_the_last_level(least, text):
    levels = [{"spread": share if share is None else {"least": share}} for share in least]
    assert worst_text(levels) == text
