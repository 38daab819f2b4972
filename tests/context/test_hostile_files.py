"""Whatever a repository holds under a source file's name, the graph of the rest is unharmed."""

from __future__ import annotations

import pytest
from switchyard_context.workers import Job, finish, parse, start

from .conftest import Project

HOSTILE: dict[str, bytes] = {
    "nul.py": b"import a\0\n" * 10,
    "latin.py": b"# \xe9\xff\nimport good\nname = '\xe9'\n",
    "wide.py": "import good\n".encode("utf-16"),
    "marked.py": b"\xef\xbb\xbfimport good\n",
    "dos.py": b"import good\r\nclass A:\r\n    pass\r\n",
    "mac.py": b"import good\rimport good\r",
    "long.py": b"x = '" + b"a" * 100_000 + b"'\nimport good\n",
    "deep.py": b"x = " + b"(" * 20_000 + b")" * 20_000 + b"\nimport good\n",
    "broken.py": b"def f(:\n  class\nimport good\n}}}}",
    "empty.py": b"",
    "blank.py": b"\n\n\n",
    "big.py": (b"x = [" + b"1, " * 40 + b"]\n") * 40_000 + b"import good\n",
    "deep.ts": b"const x = " + b"[" * 20_000 + b"]" * 20_000 + b";\nimport './good'\n",
    "broken.tsx": b"<<<<<<< HEAD\nimport './good'\n=======\n>>>>>>>\n",
    "stream.ts": b"\x47\x00" * 5000,
    "package.json": b"{not json",
    "tsconfig.json": b'{"extends": 3, "compilerOptions": {"paths": [1], "baseUrl": {}}, "references": ["x"]}',
    "pyproject.toml": b"[tool\n",
    "setup.cfg": b"[[[\n=",
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_hostile_file_does_no_harm(project: Project, name: str) -> None:
    project.write(
        {
            "good.py": "import other\n",
            "other.py": "",
            "good.ts": "import './more'\n",
            "more.ts": "",
            name: HOSTILE[name],
        }
    )
    edges = set(project.edges())
    assert {("good.py", "other.py"), ("good.ts", "more.ts")} <= edges
    assert project.select(seeds=[name]).files[0].path == name


@pytest.mark.parametrize("name", ["latin.py", "wide.py", "marked.py", "dos.py", "long.py", "deep.py", "big.py"])
def test_odd_bytes_do_not_hide_an_import(project: Project, name: str) -> None:
    project.write({"good.py": "", name: HOSTILE[name]})
    assert (name, "good.py") in project.edges()


def test_names_with_line_breaks_blanks_and_odd_bytes_are_files_like_others(project: Project) -> None:
    (project.root / "caf\udce9.py").write_bytes(b"import good\n")
    project.commit({"good.py": "", "a b/new\nline.py": "from . import x\n", "a b/x.py": ""})
    edges = set(project.edges())
    assert ("a b/new\nline.py", "a b/x.py") in edges
    assert ("caf\udce9.py", "good.py") in edges


def test_a_file_that_ends_its_parser_costs_that_file_alone() -> None:
    jobs: list[Job] = [(f"f{number}.py", b"import os\n" * 50_000) for number in range(4)]
    worker = start(jobs)
    worker.process.kill()
    facts = list(finish(worker))
    assert len(facts) == 4
    assert [bool(item.problem) for item in facts].count(True) == 1
    assert all(len(item.imports) == 50_000 for item in facts if not item.problem)


def test_processes_give_what_one_process_gives() -> None:
    jobs: list[Job] = [(f"f{n}.py", f"import m{n}\n".encode() * (n * 500)) for n in range(1, 30)]
    assert sum(len(content) for _, content in jobs) > 1_000_000
    assert [len(item.imports) for item in parse(jobs)] == [n * 500 for n in range(1, 30)]
