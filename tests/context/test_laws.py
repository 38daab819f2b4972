"""Laws of the graph and of a selection, over small random repositories that mix the languages."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from switchyard_context import (
    Codebase,
    Request,
    count_tokens,
    open_codebase,
    open_source,
    render_markdown,
    render_paths,
    select,
)

from .conftest import Project

LAWS = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
NAMES = ["cart", "money", "order", "rates"]
WORDS = st.lists(st.sampled_from([*NAMES, "total", "add", "`Money`", "src/cart.ts", "README.md", "fails"]), max_size=5)
LINKS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=8)
LENGTHS = st.lists(st.integers(0, 60), min_size=len(NAMES), max_size=len(NAMES))
BUDGETS = st.integers(1, 6000)


def files_of(links: list[tuple[str, str]], lengths: list[int]) -> dict[str, str]:
    """The same modules in every language, importing one another alike."""
    files = {
        "README.md": "# Shop\n",
        "pyproject.toml": "[project]\nname = 'shop'\n",
        "go/go.mod": "module example.org/shop\n",
        "rust/Cargo.toml": "[package]\nname = 'shop'\n",
        "rust/src/lib.rs": "".join(f"pub mod {name};\n" for name in NAMES),
        "tests/test_cart.py": "from shop.cart import add_cart\n\n\ndef test_add():\n    assert add_cart()\n",
        "src/cart.test.ts": "import { addCart } from './cart'\n",
    }
    for name, length in zip(NAMES, lengths, strict=True):
        needs = sorted({other for one, other in links if one == name and other != name})
        big = name.capitalize()
        files[f"shop/{name}.py"] = (
            "".join(f"from shop.{other} import add_{other}\n" for other in needs)
            + f"\n\ndef add_{name}(total=0):\n{'    total += 1' * bool(length)}\n"
            + "    total += 1\n" * length
            + f"    return total\n\n\nclass {big}:\n    def total(self):\n        return 1\n"
        )
        files[f"src/{name}.ts"] = (
            "".join(f"import {{ add{other.capitalize()} }} from './{other}'\n" for other in needs)
            + f"export function add{big}() {{\n{'  run()' * bool(length)}\n}}\n"
            + f"export interface {big} {{ total: number }}\n"
        )
        files[f"go/{name}/{name}.go"] = (
            f"package {name}\n\n"
            + "".join(f'import "example.org/shop/{other}"\n' for other in needs)
            + f"\nfunc Add{big}() int {{\n\treturn 1"
            + "".join(f" + {other}.Add{other.capitalize()}()" for other in needs)
            + "\n}\n"
        )
        files[f"rust/src/{name}.rs"] = (
            "".join(f"use crate::{other}::add_{other};\n" for other in needs) + f"pub fn add_{name}() -> i32 {{ 1 }}\n"
        )
        files[f"java/src/main/java/shop/{big}.java"] = (
            "package shop;\n\n"
            + f"class {big} {{\n"
            + "".join(f"    {other.capitalize()} {other};\n" for other in needs)
            + "}\n"
        )
    return files


@contextmanager
def project_of(files: Mapping[str, str]) -> Iterator[Project]:
    with tempfile.TemporaryDirectory() as folder:
        made = Project(Path(folder) / "a repository")
        made.root.mkdir()
        made.git("init", "--quiet", "--initial-branch=main", ".")
        yield made.commit(files)


def pairs(codebase: Codebase) -> set[tuple[str, str, str]]:
    return {(edge.importer, edge.imported, edge.kind) for edge in codebase.graph.edges()}


@LAWS
@given(LINKS, LENGTHS, WORDS, st.sets(st.sampled_from(NAMES), max_size=2), BUDGETS, st.integers(0, 3000))
def test_a_larger_budget_keeps_every_file_and_none_is_exceeded(
    links: list[tuple[str, str]], lengths: list[int], words: list[str], seeds: set[str], small: int, more: int
) -> None:
    with project_of(files_of(links, lengths)) as project:
        codebase = project.codebase()
        targets = [f"shop/{name}.py" for name in sorted(seeds)] + [f"go/{name}/{name}.go" for name in sorted(seeds)]
        text = " ".join(words) or ("" if targets else "total")
        chosen: set[str] = set()
        for budget in (small, small + 1, small + more, 2 * small + more, 20_000):
            found = select(codebase, Request(text=text, targets=targets, budget_tokens=budget))
            assert count_tokens(render_markdown(found)) <= found.tokens <= budget
            assert chosen <= {item.path for item in found.files}
            chosen = {item.path for item in found.files}


@LAWS
@given(LINKS, LENGTHS, WORDS, BUDGETS)
def test_the_same_request_gives_the_same_bytes_whatever_the_cache_holds(
    links: list[tuple[str, str]], lengths: list[int], words: list[str], budget: int
) -> None:
    with project_of(files_of(links, lengths)) as project, tempfile.TemporaryDirectory() as cache:
        request = Request(text=" ".join(words), seeds=["src/cart.ts"], budget_tokens=budget)
        answers = set()
        for place in (None, Path(cache), Path(cache)):
            found = select(open_codebase(open_source(project.root, "HEAD"), place), request)
            answers.add((str(found.as_json()), render_markdown(found), render_paths(found)))
        assert len(answers) == 1


@LAWS
@given(LINKS, LENGTHS)
def test_both_ends_of_every_edge_are_files_of_the_revision(links: list[tuple[str, str]], lengths: list[int]) -> None:
    with project_of(files_of(links, lengths)) as project:
        project.commit({"shop/cart.py": ""})
        for revision in ("HEAD", "HEAD~1", None):
            paths = project.source(revision).paths
            graph = project.graph(revision)
            assert {path for edge in graph.edges() for path in (edge.importer, edge.imported)} <= paths
            assert set(graph.files) <= paths


@LAWS
@given(LINKS, LENGTHS, st.sampled_from(["shop/cart.py", "src/cart.ts", "go/cart/cart.go"]))
def test_renaming_a_file_that_nobody_imports_keeps_the_graph(
    links: list[tuple[str, str]], lengths: list[int], path: str
) -> None:
    files = files_of([(one, other) for one, other in links if other != "cart"], lengths)
    del files["tests/test_cart.py"], files["src/cart.test.ts"]
    new = path.replace("cart.", "renamed.")
    moved = {new if name == path else name: text for name, text in files.items()}
    with project_of(files) as before, project_of(moved) as after:
        expected = {tuple(new if part == path else part for part in pair) for pair in pairs(before.codebase())}
        assert pairs(after.codebase()) == expected


@LAWS
@given(LINKS, LENGTHS)
def test_moving_the_tree_into_a_folder_keeps_the_graph(links: list[tuple[str, str]], lengths: list[int]) -> None:
    files = {path: text for path, text in files_of(links, lengths).items() if not path.endswith(".py")}
    with project_of(files) as before, project_of({f"top/{path}": text for path, text in files.items()}) as after:
        expected = {(f"top/{one}", f"top/{other}", kind) for one, other, kind in pairs(before.codebase())}
        assert pairs(after.codebase()) == expected
