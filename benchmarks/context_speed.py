"""How fast `switchyard context` answers on trees of a thousand files and more, beside its peers in the same run.

    python -m benchmarks.context_speed [--size N]… [--repository PATH]… [--peer-folder DIR] [--no-peers]

A tree is made of the files of the repositories given, committed as they are and, where they are too few, again with a
comment added, so that no file's content is there twice; without repositories, of generated Python and TypeScript.

cold: nothing is kept. warm: the same query again. update: what a query costs above a warm one after one file was
edited. Each is a whole process, from its start to its end; of warm ones and updates the median of five. `cpu_s` adds up
all processes of a query. Memory is the greatest sum of the resident sets of a query's processes, seen every 20 ms.

Peers are Aider's repository map (`aider-chat`) and dependency-cruiser, installed into the peer folder from PyPI and npm
where they are not there yet; one that can't be installed is named under `missing`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

SIZES = (1000,)
PEERS = Path(__file__).parents[1] / ".cache" / "peers"
ROUNDS = 5
_TEXT = "parse_header drops the last value when a Reader is closed early; see load_config in core/settings"
_COMMENTS = {
    ".py": "#", ".pyi": "#", ".ts": "//", ".tsx": "//", ".js": "//", ".jsx": "//", ".mjs": "//", ".cjs": "//",
    ".go": "//", ".rs": "//", ".java": "//",
}  # fmt: skip
_LOOK_EVERY_S = 0.02
_PEER_TIMEOUT_S = 1800.0
_AIDER_MAP = """
import sys
from aider.io import InputOutput
from aider.models import Model
from aider.repomap import RepoMap
root, *files = sys.stdin.read().split("\\0")
found = RepoMap(map_tokens=4096, root=root, main_model=Model("gpt-4o"), io=InputOutput(yes=True))
print(len(found.get_repo_map([], files) or ""))
"""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--size", type=int, action="append", help="source files; may be repeated (default: 1000)")
    parser.add_argument("--repository", type=Path, action="append", default=[], help="where files come from")
    parser.add_argument("--peer-folder", type=Path, default=PEERS, help="where peers are installed")
    parser.add_argument("--no-peers", action="store_true")
    options = parser.parse_args(argv)
    figures = measure(options.size or SIZES, options.repository, options.peer_folder, peers=not options.no_peers)
    machine = {"system": platform.platform(), "cpus": os.cpu_count(), "date": time.strftime("%Y-%m-%d")}
    json.dump({"schema": "switchyard.bench.context/1", "machine": machine, "trees": figures}, sys.stdout, indent=2)
    print()
    return 0


def measure(
    sizes: Sequence[int] = SIZES,
    repositories: Sequence[Path] = (),
    peer_folder: Path = PEERS,
    *,
    peers: bool = True,
) -> list[dict[str, Any]]:
    """The figures of each size."""
    with tempfile.TemporaryDirectory(prefix="switchyard-bench-") as folder:
        installed = install_peers(peer_folder) if peers else {}
        return [_measure_tree(Path(folder) / str(size), size, repositories, installed) for size in sizes]


def _measure_tree(tree: Path, size: int, repositories: Sequence[Path], peers: dict[str, Path | str]) -> dict[str, Any]:
    sources = make_tree(tree, size, repositories)
    load_before = os.getloadavg()[0]
    query = (sys.executable, "-m", "switchyard.cli.main", "context", "--text", _TEXT, "--repo", str(tree))
    cold = run(query, tree)
    warm = _median(run(query, tree) for _ in range(ROUNDS))
    edited = _median(_edit_and_run(tree, sources, number, query) for number in range(ROUNDS))
    figures = {
        "files": len(sources),
        "megabytes": round(sum((tree / path).stat().st_size for path in sources) / 1e6, 1),
        "load_average": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "cold": cold.as_json(),
        "warm": warm.as_json(),
        "update": {"wall_s": round(edited.wall_s - warm.wall_s, 3), "cpu_s": round(edited.cpu_s - warm.cpu_s, 3)},
        "peers": {name: _run_peer(name, place, tree, sources, cold) for name, place in peers.items()},
    }
    shutil.rmtree(tree)
    return figures


@dataclass(frozen=True)
class Cost:
    """What one command took."""

    wall_s: float
    cpu_s: float
    memory_mb: float

    def as_json(self) -> dict[str, float]:
        return {name: round(value, 3) for name, value in vars(self).items()}


def run(argv: Sequence[str], cwd: Path, stdin: bytes = b"", env: dict[str, str] | None = None) -> Cost:
    """Run a command that has to succeed, and add up what it and its children took."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as told:
        given.write(stdin)
        given.seek(0)
        start = time.perf_counter()
        process = subprocess.Popen(argv, cwd=cwd, stdin=given, stdout=subprocess.DEVNULL, stderr=told, env=env)
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        peak.stop()
        told.seek(0)
        if process.returncode:
            raise RuntimeError(f"{argv[0]} ended with {process.returncode}: {told.read().decode()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, max(peak.kilobytes, usage.ru_maxrss) / 1024)


class _Peak(threading.Thread):
    """Adds up the resident memory of a process and all under it, again and again."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._done = threading.Event()
        self.kilobytes = 0
        self.start()

    def run(self) -> None:
        while not self._done.wait(_LOOK_EVERY_S):
            self.kilobytes = max(self.kilobytes, sum(_resident(pid) for pid in _family(self._pid)))

    def stop(self) -> None:
        self._done.set()
        self.join()


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))
    except OSError:
        return


def _resident(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def _median(costs: Iterator[Cost]) -> Cost:
    found = list(costs)
    return Cost(*(median(getattr(cost, name) for cost in found) for name in ("wall_s", "cpu_s", "memory_mb")))


def _edit_and_run(tree: Path, sources: Sequence[str], number: int, query: Sequence[str]) -> Cost:
    """Another file each time; a function is added, which others could import."""
    path = sources[(number + 1) * len(sources) // (ROUNDS + 2)]
    text = f"\ndef added_{number}():\n    return {number}\n" if path.endswith((".py", ".pyi")) else f"\n// {number}\n"
    with (tree / path).open("a") as file:
        file.write(text)
    return run(query, tree)


def make_tree(tree: Path, size: int, repositories: Sequence[Path]) -> list[str]:
    """Write a repository of so many source files and commit it; their paths, sorted."""
    tree.mkdir(parents=True)
    sources = sorted(_fill(tree, size, repositories) if repositories else _generate(tree, size))
    for arguments in (("init", "--quiet", "."), ("add", "--all", "--force"), ("commit", "--quiet", "-m", "A tree")):
        _git(tree, *arguments)
    return sources


def _fill(tree: Path, size: int, repositories: Sequence[Path]) -> Iterator[str]:
    written, copies = 0, 0
    while written < size:
        before = written
        for repository in repositories:
            top = tree / (repository.name if not copies else f"{repository.name}-{copies}")
            _export(repository, top)
            for file in sorted(top.rglob("*")):
                comment = _COMMENTS.get(file.suffix)
                if file.is_symlink() or file.name in (".gitattributes", ".gitignore") or (comment and written == size):
                    file.unlink()
                elif comment and file.is_file():
                    written += 1
                    if copies:
                        file.write_bytes(file.read_bytes() + f"\n{comment} copy {copies}\n".encode())
                    yield str(file.relative_to(tree))
        if written == before:
            raise RuntimeError("the repositories hold no source files")
        copies += 1


def _export(repository: Path, folder: Path) -> None:
    folder.mkdir()
    archive = subprocess.Popen(
        ("git", "-C", str(repository), "-c", "safe.directory=*", "archive", "HEAD"), stdout=subprocess.PIPE
    )
    subprocess.run(("tar", "-x", "-C", str(folder)), stdin=archive.stdout, check=True)
    if archive.wait():
        raise RuntimeError(f"{repository} can't be exported")


def _generate(tree: Path, size: int) -> Iterator[str]:
    """Packages of twenty modules; each imports the one before it and one of the package before."""
    for number in range(size):
        package, module = divmod(number, 20)
        is_python = package % 2 == 0
        path = f"{'py' if is_python else 'ts'}/p{package}/m{module}.{'py' if is_python else 'ts'}"
        file = tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((_python if is_python else _typescript)(package, module))
        yield path


def _python(package: int, module: int) -> str:
    imports = [f"from .m{module - 1} import run_{module - 1}" if module else "import os"]
    imports += [f"from py.p{package - 2}.m{module} import Reader{module}"] if package else []
    bodies = [
        f"def step_{n}(value, header_{n}=None):\n    total = value + {n}\n    return [total, header_{n}, os_path_{n}]\n"
        for n in range(30)
    ]
    reader = f"class Reader{module}:\n    def load_config(self, path):\n        return run_{module}(path)\n"
    return "\n\n".join([*imports, f"def run_{module}(path):\n    return path\n", reader, *bodies])


def _typescript(package: int, module: int) -> str:
    imports = [f"import {{ run{module - 1} }} from './m{module - 1}'" if module else "import * as fs from 'fs'"]
    imports += [f"import type {{ Reader{module} }} from '../p{package - 2}/m{module}'"] if package > 1 else []
    bodies = [
        f"export function step{n}(value: number, header{n}?: string) {{\n  return [value + {n}, header{n}];\n}}\n"
        for n in range(30)
    ]
    head = f"export const run{module} = (path: string) => path;\nexport interface Reader{module} {{ path: string }}\n"
    return "\n\n".join([*imports, head, *bodies])


def install_peers(folder: Path) -> dict[str, Path | str]:
    """Where each peer is, or why it is not."""
    folder.mkdir(parents=True, exist_ok=True)
    return {"aider": _install_aider(folder / "aider"), "dependency-cruiser": _install_cruiser(folder / "cruiser")}


def _install_aider(folder: Path) -> Path | str:
    python = folder / "bin" / "python"
    if (folder / ".ready").exists():
        return python
    problem = _try((sys.executable, "-m", "venv", str(folder))) or _try(
        (str(python), "-m", "pip", "install", "-q", "aider-chat")
    )
    if not problem:
        (folder / ".ready").touch()
    return problem or python


def _install_cruiser(folder: Path) -> Path | str:
    program = folder / "node_modules" / ".bin" / "depcruise"
    if program.exists():
        return program
    if shutil.which("npm") is None:
        return "npm is not on this machine"
    folder.mkdir(parents=True, exist_ok=True)
    return (
        _try(("npm", "install", "--silent", "--prefix", str(folder), "dependency-cruiser", "typescript@5")) or program
    )


def _try(argv: Sequence[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_PEER_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if done.returncode == 0 else (done.stderr.strip() or f"exit {done.returncode}")[-500:]


def _run_peer(name: str, place: Path | str, tree: Path, sources: Sequence[str], ours: Cost) -> dict[str, Any]:
    """A peer's cold run; the ratio says how many times as long as ours it took."""
    if isinstance(place, str):
        return {"missing": place}
    try:
        if name == "aider":
            given = "\0".join((str(tree), *(str(tree / path) for path in sources))).encode()
            cost = run((str(place), "-c", _AIDER_MAP), tree, given)
        else:
            cost = run((str(place), "--no-config", "--output-type", "json", "."), tree)
    except (OSError, RuntimeError) as error:
        return {"missing": str(error)[-500:]}
    return {**cost.as_json(), "times_our_cold": round(cost.wall_s / ours.wall_s, 1)}


def _git(folder: Path, *arguments: str) -> None:
    who = (
        "-c",
        "user.name=Bench",
        "-c",
        "user.email=bench@example.org",
        "-c",
        "core.autocrlf=false",
        "-c",
        "gc.auto=0",
    )
    subprocess.run(("git", *who, *arguments), cwd=folder, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
