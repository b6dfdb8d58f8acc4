import pytest


@pytest.fixture(scope="session")
def builds(tmp_path_factory):
    """A folder for compiled cores: tests that run the same core compile it once."""
    return tmp_path_factory.mktemp("builds")
