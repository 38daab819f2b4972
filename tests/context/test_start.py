"""What a query that finds everything in the cache does not pay for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.context.conftest import Project

_QUERY = """
import sys
from pathlib import Path
from switchyard_context import Request, open_codebase, open_source, select
codebase = open_codebase(open_source(Path(sys.argv[1])), Path(sys.argv[2]))
print(len(select(codebase, Request(text="Round the exchange rates")).files))
print(*sys.modules)
"""


def test_a_warm_query_imports_no_reader_and_no_resolver(project: Project, tmp_path: Path) -> None:
    project.commit({"app/rates.py": "import os\n\ndef rate() -> int:\n    return 1\n", "app/main.go": "package main\n"})
    argv = (sys.executable, "-c", _QUERY, str(project.root), str(tmp_path / "cache"))
    cold, warm = (subprocess.run(argv, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert warm.splitlines()[0] == cold.splitlines()[0] != "0"
    assert "switchyard_context.languages.python_resolution" in cold.split()
    told = {"contract", "table", "asking"}
    loaded = {name.rpartition(".")[2] for name in warm.split() if name.startswith("switchyard_context.languages.")}
    assert loaded <= told
    assert "tree_sitter" not in warm.split()
