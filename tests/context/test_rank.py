"""From a text to files: every kind of evidence brings the file that it speaks for to the top."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from switchyard_context.rank import rank_files

from tests.context.conftest import Project

FILES: Mapping[str, str | bytes] = {
    "pkg/__init__.py": "from pkg.tables import Table\n",
    "pkg/tables.py": "class Table:\n    def read(self): ...\n",
    "pkg/rates.py": "def convert_rate(amount):\n    return amount\n",
    "pkg/render.py": "from pkg.tables import Table\n\n\ndef draw(table: Table): ...\n",
    "pkg/cli/main.py": "def main():\n    '''Parse the command line.'''\n",
    "pkg/web/main.py": "def serve():\n    '''Answer over HTTP.'''\n",
    **{f"pkg/filler_{number}.py": f"def filler_{number}():\n    return {number}\n" for number in range(12)},
    "tests/test_rates.py": "from pkg.rates import convert_rate\n\n\ndef test_convert_rate_of_money(): ...\n",
}


@pytest.fixture
def sample(project: Project) -> Project:
    return project.commit(FILES)


def best(project: Project, text: str, cache: Path | None = None) -> str:
    return rank_files(project.codebase(None, cache), text)[0].path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("`convert_rate` rounds down", "pkg/rates.py"),
        ("Drawing fails\nTables can't be drawn", "pkg/render.py"),
        ("Crash when reading: `pkg.tables.Table.read` raises", "pkg/tables.py"),
        ("See pkg/web/main.py", "pkg/web/main.py"),
        ("Answers over HTTP hang in `pkg.web.main`", "pkg/web/main.py"),
        ('File "/home/me/site-packages/pkg/cli/main.py", line 1, in main\nValueError', "pkg/cli/main.py"),
        ("parsing a command line", "pkg/cli/main.py"),
        ("https://github.com/o/r/blob/main/pkg/rates.py#L3 is wrong", "pkg/rates.py"),
    ],
)
def test_the_file_that_a_text_speaks_of_comes_first(sample: Project, text: str, path: str) -> None:
    assert best(sample, text) == path


def test_tests_come_after_all_other_files(sample: Project) -> None:
    paths = [item.path for item in rank_files(sample.codebase(), "test convert_rate of money")]
    assert paths[0] == "pkg/rates.py"
    assert paths[-1] == "tests/test_rates.py"


def test_a_test_that_the_text_names_by_path_is_meant(sample: Project) -> None:
    assert best(sample, "tests/test_rates.py is flaky") == "tests/test_rates.py"


def test_past_commits_that_resemble_the_text_point_to_what_they_touched(sample: Project) -> None:
    sample.write({"pkg/filler_7.py": "def filler_7():\n    return 8\n"})
    sample.git("commit", "-qam", "Escape quotation marks for spreadsheets")
    found = rank_files(sample.codebase(), "Spreadsheets need escaped quotation marks")[0]
    assert found.path == "pkg/filler_7.py"
    assert "changed by commits that resemble the text" in found.reasons


def test_a_text_that_says_nothing_finds_nothing(sample: Project) -> None:
    assert rank_files(sample.codebase(), " \n") == []


def test_an_empty_tree_has_no_files_to_rank(project: Project) -> None:
    assert rank_files(project.commit({"README": ""}).codebase(), "anything") == []


def test_the_order_is_the_same_cold_warm_and_in_another_clone(sample: Project, tmp_path: Path) -> None:
    text = "filler tables and rates in main"
    cold = rank_files(sample.codebase(None, tmp_path / "cache"), text)
    assert rank_files(sample.codebase(None, tmp_path / "cache"), text) == cold
    sample.git("clone", "-q", "--bare", ".", str(tmp_path / "bare"))
    assert rank_files(Project(tmp_path / "bare").codebase(), text) == cold


def test_a_text_of_megabytes_is_ranked(sample: Project) -> None:
    assert best(sample, "convert_rate fails\n" + "log line 1234 of nothing\n" * 200_000) == "pkg/rates.py"


@pytest.mark.parametrize("noise", ["a" * 3_000_000, "\n" * 200_000, "<!--" * 40_000, "a/" * 100_000, "a." * 100_000])
def test_no_text_takes_quadratic_time(sample: Project, noise: str) -> None:
    assert best(sample, f"convert_rate fails\n{noise}") == "pkg/rates.py"
