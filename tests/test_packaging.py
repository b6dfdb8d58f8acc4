"""What pyproject.toml says of the packages is what is there, and is what is installed."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS = sorted(
    init.parent.relative_to(ROOT)
    for top in ("hw", "model", "sim", "train")
    for init in (ROOT / top).rglob("__init__.py")
)


def test_every_package_is_listed():
    listed = PROJECT["tool"]["setuptools"]["packages"]
    assert sorted(listed) == [".".join(("ranvier", *folder.parts)) for folder in FOLDERS]


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_package_says_that_it_is_typed(folder):
    assert (ROOT / folder / "py.typed").is_file()


@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_every_package_refuses_its_bare_name(folder):
    assert 'if "." not in __name__:' in (ROOT / folder / "__init__.py").read_text()


def test_data_files_have_a_place_in_the_package():
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["ranvier.sim"]
    others = {
        path.name for path in (ROOT / "sim").iterdir()
        if path.is_file() and path.suffix != ".py" and path.name != "py.typed"
    }
    matched = {path.name for pattern in patterns for path in (ROOT / "sim").glob(pattern)}
    assert others <= matched


def test_the_installed_version_is_the_projects():
    assert version("ranvier") == PROJECT["project"]["version"]


def test_the_changelog_names_the_version():
    assert f"## [{PROJECT['project']['version']}]" in (ROOT / "CHANGELOG.md").read_text()
