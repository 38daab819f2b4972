"""All gates together: each says something of every change, whatever its bytes are."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gates.static.changes import a_file, added, inspect
from switchyard.config import parse_config
from switchyard.gates.change import ChangedFile
from switchyard.gates.static import Rules

GATES = ["secrets", "dependencies", "licences", "content", "workflows", "files", "surface"]
NAMES = [
    "a.py", "a.ts", "a.go", "a.rs", "A.java", "pyproject.toml", "requirements.txt", "setup.cfg", "setup.py", "Pipfile",
    "package.json", "go.mod", "Cargo.toml", "pom.xml", "build.gradle", "libs.versions.toml", "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml", "uv.lock", "poetry.lock", "Cargo.lock", "go.sum", "Pipfile.lock", "requirements.lock",
    "LICENSE", ".github/workflows/x.yml", "a\nb", "\udcff", "x.png",
]  # fmt: skip
SCRAPS = st.sampled_from(
    [b"{", b"[", b'"', b"'", b"= ", b": ", b"\n", b"\r", b"a", b"packages", b"dependencies", b"import ", b"eval(",
     b"\xff\xfe", b"<a>", b"-----BEGIN RSA PRIVATE KEY-----", b"password", b"package", b"resolution", b"source",
     b"name", b"[project]\n", b"1"]
)  # fmt: skip
CONTENTS = st.none() | st.binary(max_size=200) | st.lists(SCRAPS, max_size=30).map(b"".join)
MODES = st.sampled_from(["100644", "100755", "120000", "160000"])


@st.composite
def files(draw: st.DrawFn) -> ChangedFile:
    path = draw(st.sampled_from(NAMES) | st.text(min_size=1, max_size=12))
    return a_file(path, draw(CONTENTS), draw(CONTENTS), draw(MODES), draw(MODES))


@settings(max_examples=60, deadline=None)
@given(st.lists(files(), max_size=3))
def test_no_bytes_and_no_names_make_a_gate_fail_to_answer(changed: list[ChangedFile]) -> None:
    results = inspect(*changed)
    assert list(results) == GATES
    assert all(result.reason for result in results.values())


def test_an_ordinary_change_passes_every_gate() -> None:
    code = added("src/a.py", "def add(a: int, b: int) -> int:\n    return a + b\n")
    test = added("tests/test_a.py", "from a import add\n\ndef test_sums() -> None:\n    assert add(1, 2) == 3\n")
    assert {result.outcome for result in inspect(code, test).values()} <= {"passed", "not_applicable"}


def test_rules_come_from_the_configuration_and_the_task() -> None:
    text = "[review]\nescalate_paths = ['a/**']\nescalate_content = ['X']\n[gates]\nmax_file_kb = 7\n"
    assert Rules.of(parse_config(text, Path("switchyard.toml")), ["tests"]) == Rules(
        ("a/**",), ("X",), 7, frozenset({"tests"})
    )
