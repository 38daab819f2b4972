"""Which faults come of a line, in five languages: each labelled line has those below it, and no other has any."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchyard.gates.mutation import Mutant, is_readable, mutants_of
from switchyard.gates.mutation.generation import still_parses
from switchyard.gates.sources import statements_of

CORPUS = Path(__file__).parent / "corpus"
PATHS = {"python": "a.py", "typescript": "a.ts", "go": "a.go", "java": "A.java", "rust": "a.rs"}


def labelled(language: str) -> tuple[bytes, dict[int, list[str]]]:
    """The source without its labels, and what each line should give."""
    source: list[str] = []
    wanted: dict[int, list[str]] = {}
    for line in (CORPUS / f"{language}.txt").read_text(encoding="utf-8").split("\n"):
        if line.lstrip().startswith("#> "):
            wanted.setdefault(len(source), []).append(line.lstrip().removeprefix("#> "))
        else:
            source.append(line)
    return "\n".join(source).encode(), wanted


def told(mutant: Mutant) -> str:
    return f"{mutant.operator}: {mutant.before} => {mutant.after}".rstrip()


def found(path: str, source: str) -> list[str]:
    return [told(mutant) for mutant in mutants_of(path, source.encode(), range(1, 100))]


@pytest.mark.parametrize("language", PATHS)
def test_each_line_gives_the_faults_that_it_is_labelled_with(language: str) -> None:
    source, wanted = labelled(language)
    mutants = mutants_of(PATHS[language], source, range(1, source.count(b"\n") + 2))
    given: dict[int, list[str]] = {}
    for mutant in mutants:
        given.setdefault(mutant.line, []).append(told(mutant))
    assert given == wanted
    assert len(mutants) > 20
    assert all(still_parses(mutant, source) for mutant in mutants)


def test_only_changed_lines_get_faults() -> None:
    source, wanted = labelled("python")
    line = next(iter(wanted))
    assert {mutant.line for mutant in mutants_of("a.py", source, [line])} == {line}
    assert mutants_of("a.py", source, []) == []


def test_a_fault_changes_its_place_and_nothing_else() -> None:
    source = "é = 1\nif a < é:\n    f()\n".encode()
    boundary = next(mutant for mutant in mutants_of("a.py", source, [2]) if mutant.operator == "boundary")
    assert boundary.put_into(source) == "é = 1\nif a <= é:\n    f()\n".encode()


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a.py", "def f(:\n    return 1 < 2\n"),
        ("a.go", "package a\n\nfunc f( {\n\treturn 1 < 2\n"),
        ("a.txt", "1 < 2"),
        ("a.py", ""),
        ("a.d.ts", "declare const a: 1 | 2;\n"),
    ],
)
def test_what_cannot_be_read_gets_no_faults(path: str, source: str) -> None:
    assert found(path, source) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("a.py", "def f(a, b):\n    _logger.debug('%s', a + 1)\n    warnings.warn('x', 2)\n"),
        ("a.py", "if __name__ == '__main__':\n    main(1)\n"),
        ("a.py", "x = 'a' + b\ny = [1.5e3] + z\nDELAY_S = 3\ny = f(timeout=4)\n"),
        ("a.ts", "const x: Array<1 | 2> = a as 3;\nconst y = `a${b}` + c;\n"),
        ("a.go", "package a\n\nvar timeout = 3\n\nfunc f() { panic(fmt.Sprint(1 + 2)) }\n"),
        ("A.java", 'class A { void f() { LOG.debug(1 + 2); String s = "a" + b; } }\n'),
        ("a.rs", "#[cfg(test)]\nmod tests { fn f() -> i32 { 1 + 2 } }\n"),
    ],
)
def test_what_tells_names_or_waits_is_left_alone(path: str, source: str) -> None:
    assert found(path, source) == []


def test_a_call_that_is_taken_out_stays_compiled_where_it_must() -> None:
    source = b"package a\n\nfunc f() {\n\tg(x)\n}\n"
    (mutant,) = mutants_of("a.go", source, [4])
    assert mutant.put_into(source) == b"package a\n\nfunc f() {\n\tif false { g(x) }\n}\n"
    assert mutant.after == ""


def test_bytes_that_are_no_text_pass_through() -> None:
    source = b"def f(a):\n    return g(b'\xff') < 'caf\xe9'\n"
    for mutant in mutants_of("a.py", source, [2]):
        assert mutant.put_into(source).count(b"\xff") == 1
        mutant.before.encode()


@pytest.mark.timeout(20)
def test_source_nested_as_deep_as_can_be_takes_no_time() -> None:
    deep = "x = " + "(" * 20_000 + "1" + ")" * 20_000 + "\n"
    assert found("a.py", deep) == []
    assert not is_readable("a.py", deep.encode())
    assert statements_of("a.py", deep.encode()).run == {1}
