import os

import pytest


@pytest.fixture(scope="session")
def builds(tmp_path_factory):
    """A folder for compiled cores: tests that run the same core compile it once, in any process."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder /= "builds"
    folder.mkdir(exist_ok=True)
    return folder
