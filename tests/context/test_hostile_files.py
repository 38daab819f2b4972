"""Whatever a repository holds under a source file's name, the graph of the rest is unharmed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from switchyard_context import build_graph
from switchyard_context.facts import unpack_facts
from switchyard_context.workers import finish, parse, start

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
    "huge.py": b"import good\n" + b"value = [1, 2, 3]  # some more\n" * 170_000,
    "too_big.ts": b"export const x = 1;\n" * 450_000,
    "brackets.py": b"x = " + b"[" * 100_000 + b"\nimport good\n",
    "brackets.ts": b"const x = " + b"{a:" * 100_000,
    "minified.js": b"import './good';" + b"var a=function(b){return b+1};" * 4_000,
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


def test_a_file_that_ends_its_parser_costs_that_file_alone(project: Project) -> None:
    project.write({f"f{number}.py": b"import os\n" * 50_000 for number in range(4)})
    source = project.source()
    worker = start(source, list(source.blobs))
    worker.process.send_signal(signal.SIGSEGV)
    found = list(finish(source, worker))
    facts = {item.path: unpack_facts(item.row.facts) for item in found}
    assert list(facts) == list(source.blobs)
    assert [item.problem for item in facts.values()].count("ends the parser (SIGSEGV); skipped") == 1
    assert all(len(item.imports) == 50_000 for item in facts.values() if not item.problem)
    assert all(item.is_final for item in found)


def test_a_run_that_is_killed_leaves_no_file_and_no_process(project: Project, tmp_path: Path) -> None:
    project.write({f"f{number}.py": b"import os\n" * 50_000 for number in range(120)})
    passing = tmp_path / "passing"
    passing.mkdir()
    code = (
        "import sys; from pathlib import Path; from switchyard_context import open_source; "
        "from switchyard_context.workers import start; source = open_source(Path(sys.argv[1])); "
        "worker = start(source, list(source.blobs)); print(worker.process.pid, flush=True); sys.stdin.read()"
    )
    argv = (sys.executable, "-c", code, str(project.root))
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(passing)}
    ) as run:
        assert run.stdout is not None
        worker = int(run.stdout.readline())
        run.kill()
    assert list(passing.iterdir()) == []
    for _ in range(50):
        if not _is_running(worker):
            break
        time.sleep(0.1)
    assert not _is_running(worker)


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_file_that_takes_too_long_is_said_to(project: Project) -> None:
    source = project.write({"a.py": b"import os\n" * 50_000, "b.py": "import os\n"}).source()
    worker = start(source, ["a.py", "b.py"])
    # What the timer of the process sends to it.
    worker.process.send_signal(signal.SIGPROF)
    problems = {item.path: unpack_facts(item.row.facts).problem for item in finish(source, worker)}
    assert problems == {"a.py": "takes too long to parse; skipped", "b.py": ""}


def test_a_parser_that_can_not_run_at_all_is_not_asked_again_and_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = project.write({f"{number}.py": "" for number in range(20)}).source()
    monkeypatch.setattr("sys.executable", "/bin/false")
    found = list(finish(source, start(source, list(source.blobs))))
    assert {unpack_facts(item.row.facts).problem for item in found} == {"the parser could not be run"}
    assert [item.path for item in found] == list(source.blobs)
    assert not any(item.is_final for item in found)


def test_a_parser_that_was_killed_is_given_another_try_by_the_next_run(project: Project) -> None:
    source = project.write({"a.py": b"import os\n" * 50_000}).source()
    worker = start(source, ["a.py"])
    worker.process.kill()
    assert [item.is_final for item in finish(source, worker)] == [False]


def test_a_file_that_changed_since_it_was_listed_is_not_kept_under_its_old_id(project: Project, tmp_path: Path) -> None:
    source = project.write({"a.py": "import b\n", "b.py": "", "c.py": ""}).source()
    project.write({"a.py": "import c\n"})
    assert [edge.imported for edge in build_graph(source, tmp_path / "cache").edges()] == ["c.py"]
    project.write({"a.py": "import b\n"})
    assert [edge.imported for edge in project.graph(cache=tmp_path / "cache").edges()] == ["b.py"]


@pytest.mark.parametrize("count", [30, 120])
def test_processes_share_the_work_and_lose_nothing(project: Project, count: int) -> None:
    project.commit({f"f{n:03}.py": f"import m{n}\n".encode() * (n + 1) for n in range(count)})
    for source in (project.source(), project.source("HEAD")):
        found = {item.path: item for group in parse(source, list(source.blobs)) for item in group}
        assert [len(unpack_facts(found[path].row.facts).imports) for path in source.blobs] == list(range(1, count + 1))
        assert all(item.is_final for item in found.values())
