"""Go: what a file says by itself."""

from __future__ import annotations

import pytest
from switchyard_context.facts import FileFacts
from switchyard_context.reading import read_facts


def read(text: str) -> FileFacts:
    return read_facts("a.go", text.encode())


def imported(facts: FileFacts) -> dict[str, list[str]]:
    """Module → the names used of it."""
    return {item.module: sorted(name for name, _ in item.names) for item in facts.imports}


def own_names(body: str, head: str = "") -> list[str]:
    """What a function of this body takes from the other files of its package."""
    return imported(read(f"package p\n{head}\nfunc outer() {{\n{body}\n}}\n")).get(".", [])


def test_definitions_carry_their_headers_and_bodies() -> None:
    facts = read(
        "package p\n\nconst Limit, _ = 3, 4\n\nvar (\n\tA = []int{\n\t\t1,\n\t}\n\tB int\n)\n\ntype S[T any] struct {\n"
        "\tx T\n}\n\ntype (\n\tI interface {\n\t\tM()\n\t}\n\tN = map[string]int\n)\n\n"
        "func F(\n\ta int,\n) (b struct{ x int }, err error) {\n\ttype inner int\n\treturn\n}\n\n"
        "func (s *S[T]) M() {}\nfunc (N) Bare() int\n"
    )
    found = [(d.name, d.kind, d.first_line, d.header_line, d.last_line) for d in facts.definitions]
    assert found == [
        ("Limit", "constant", 3, 3, 3),
        ("A", "constant", 6, 6, 8),
        ("B", "constant", 9, 9, 9),
        ("S", "class", 12, 12, 14),
        ("I", "type", 17, 17, 19),
        ("N", "type", 20, 20, 20),
        ("F", "function", 23, 25, 28),
        ("S.M", "method", 30, 30, 30),
        ("N.Bare", "method", 31, 31, 31),
    ]


def test_lines_are_right_after_comments_and_strings_of_several_lines() -> None:
    facts = read("/* a\n b */\npackage p\n\nvar a = `x\ny\n// z`\n\nfunc f() { /* {\n */ }\n\n// }\nvar b = '\"'\n")
    assert [(d.name, d.first_line, d.last_line) for d in facts.definitions] == [
        ("a", 5, 7),
        ("f", 9, 10),
        ("b", 13, 13),
    ]


def test_build_constraints_are_attributes_as_written() -> None:
    facts = read(
        "// Copyright\n\n//go:build linux && !cgo\n// +build linux\n\n/*\nPackage p.\n*/\npackage p\n\n//go:build no\n"
    )
    assert facts.package == "p"
    assert facts.attributes == ("//go:build linux && !cgo", "// +build linux")


def test_an_import_carries_the_names_used_of_it() -> None:
    facts = read(
        'package p\n\nimport "fmt"\nimport (\n\tlog "x.org/zap"\n\t"x.org/yaml/v3"\n\t"gopkg.in/ini.v1"\n'
        '\t_ "x.org/db"\n\t. "x.org/dsl"\n)\n\nvar L log.Logger = log.New(fmt.Sprint(yaml.Node{Kind: 1}.Kind), '
        "ini.\n\tLoad)\nvar _ = Describe(lower)\n"
    )
    assert imported(facts) == {
        ".": ["Describe", "lower"],
        "fmt": ["Sprint"],
        "x.org/zap": ["Logger", "New"],
        "x.org/yaml/v3": ["Node"],
        "gopkg.in/ini.v1": ["Load"],
        "x.org/db": ["init"],
        "x.org/dsl": ["Describe"],
    }
    assert [item.line for item in facts.imports] == [1, 3, 5, 6, 7, 8, 9]


def test_a_package_may_have_another_name_than_its_path() -> None:
    facts = read('package p\n\nimport "x.org/go-toml"\n\nvar _ = toml.Parse(toml.Strict)\n')
    assert [item.names for item in facts.imports if item.module != "."] == [(("Parse", "toml"), ("Strict", "toml"))]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a := 1; _ = a", []),
        ("a := a + 1; _ = a", ["a"]),
        ("{ a := 1; _ = a }; _ = a", ["a"]),
        ("_ = a; a := 1; _ = a", ["a"]),
        ("a, b := g(); _, _ = a, b", ["g"]),
        ("a,\nb := 1, 2\n_, _ = a, b", []),
        ("var a, b int = b, 1; _ = a", ["b"]),
        ("var (\na = 1\nb = a\n)\n_ = b", []),
        ("const a = b; _ = a", ["b"]),
        ("type a struct{ next *a }; var _ a", []),
        ("type a[T any, U b] struct{ x T; y U }", ["any", "b"]),
        ("if a, err := g(); err != nil { _ = a } else if b := a; b { _ = err } else { _ = b }; _ = a", ["a", "g"]),
        ("if a == (b{c: 1}) { d() }", ["a", "b", "d"]),
        ("for i := 0; i < n; i++ { _ = i }; _ = i", ["i", "n"]),
        ("for k, v := range k { _ = v }", ["k"]),
        ("for k := range []a{{b: 1}, {b: c}} { _ = k }", ["a", "c"]),
        ("for k = range m {}", ["k", "m"]),
        ("for range 3 { a() }", ["a"]),
        ("for { break }", []),
        ("switch a := g().(type) { case b: _ = a; c := 1; case d: _ = c; default: e() }", ["b", "c", "d", "e", "g"]),
        ("switch { case a: }", ["a"]),
        ("switch x := a; x { case b, c: fallthrough; case interface{ M() d }: }", ["a", "b", "c", "d"]),
        ("select { case v, ok := <-a: _, _ = v, ok; case b <- c: _ = v; default: }", ["a", "b", "c", "v"]),
        ("loop:\nfor { continue loop; goto end }\nend:", []),
        ("g(func(a int, b ...string) (c error) { _, _, c = a, b, d; return }, a)", ["a", "d", "g"]),
        ("_ = func(a, b) c { return d{} }", ["a", "b", "c", "d"]),
        ("_ = func(a []b, c [n]d, e map[f]g, h chan<- i) {}", ["b", "d", "f", "g", "i", "n"]),
        ("defer func() { recover(); a() }()", ["a"]),
        ("return", []),
        ("return a", ["a"]),
        ("x.a.b(c).d[e].f = g", ["c", "e", "g", "x"]),
        ("a.\n\tb().\n\t// with care\n\tc()", ["a"]),
        ("_ = a{b: c, d: {e: f}}", ["a", "c", "f"]),
        ("_ = map[a]b{c: d, e.f: {g: h}}", ["a", "b", "c", "d", "e", "h"]),
        ("_ = map[a]b{{c: d}: {e: f}}", ["a", "b", "d", "f"]),
        ("_ = map[a][]int{b: {c: d}}", ["a", "b", "c", "d"]),
        ("_ = [...]string{a: b}", ["a", "b"]),
        ("_ = []map[string]int{{a: b}}", ["a", "b"]),
        ("_ = struct{ a, b c; d; *e; f.g; h[i] }{a: j}", ["c", "d", "e", "f", "h", "i", "j"]),
        ("_ = table{a: b}", ["a", "b"]),
        ("_ = record{a: b}", ["b"]),
        ("_ = g[a, []b](c)", ["a", "b", "c", "g"]),
        ("_ = x.(a); _ = x.([]b)", ["a", "b", "x"]),
        ("_ = any(a).(interface{ ~int | b; M(c d) e })", ["a", "any", "b", "d", "e"]),
        ("var _ interface {\n\ta\n\tb.c\n}", ["a", "b"]),
        ("_ = min(len(a), nil, true)", ["a", "min"]),
        ("_ = `a ${b}` + \"c // d\" + string('e') /* f */ + 0x1p-2i // g", []),
        ("a := 1\n_ = ü(a, 名)", ["ü", "名"]),
        ("_ = a[b:c:d]", ["a", "b", "c", "d"]),
        ("x := <-a\n*b = c\nd++\ne()", ["a", "b", "c", "d", "e"]),
        ("outer()", []),
    ],
)
def test_names_declared_in_a_function_are_not_the_packages(body: str, expected: list[str]) -> None:
    head = "type table map[string]int\ntype record struct{ a int }\n"
    assert own_names(body, head) == expected


@pytest.mark.parametrize(
    ("declaration", "expected"),
    [
        ("func g(a, b c) (d e) { return a(b, d) }", ["c", "e"]),
        ("func g(a, *b, ...c) (d, e)", ["a", "b", "c", "d", "e"]),
        ("func g[K a, V interface{ b }, S ~[]E, E any](k K, v V) map[K]S { var _ E; return nil }", ["a", "any", "b"]),
        ("func (r *T) m(a b) { _ = r; _ = a }", ["T", "b"]),
        ("func (T) m() {}", ["T"]),
        ("func (r T[K, V]) m(k K) V { var _ a }", ["T", "a"]),
        ("type X[\n\tP a,\n] struct{ p P }", ["a"]),
        ("type X [N]a", ["N", "a"]),
        ("type X func(a b, c ...d) (e, f)", ["b", "d", "e", "f"]),
        ('type X struct {\n\ta, b c `json:"a"`\n\t*D\n\tE[f] "tag"\n\tg [2]h\n\ti func(j) k\n}', list("DEcfhjk")),
        ("var x, y = a, func() b { z := c; return z }()", ["a", "b", "c"]),
        ("const (\n\tA = iota + a\n\tB\n)", ["a"]),
        ("var x = y\nvar y = z", ["z"]),
    ],
)
def test_declarations_take_names_from_their_package(declaration: str, expected: list[str]) -> None:
    assert imported(read(f"package p\n\n{declaration}\n")).get(".", []) == expected


@pytest.mark.parametrize(
    "broken",
    [
        "func b() {\n\tif x {\n\t\tg(\n}\n",
        "func b( {\n",
        "}}}\n",
        "var ) = 3\n",
        "<<<<<<< HEAD\n",
        "type T struct {\n\t3\n",
    ],
)
def test_a_file_with_a_syntax_error_still_says_the_rest(broken: str) -> None:
    facts = read(
        f'package p\n\nimport "x.org/a"\n\nfunc First() {{ a.One() }}\n\n{broken}\nfunc Last() {{ a.Two(h) }}\n'
    )
    assert {"First", "Last"} <= {definition.name for definition in facts.definitions}
    assert imported(facts)["x.org/a"] == ["One", "Two"]
    assert "h" in imported(facts)["."]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"package",
        b"package p\nimport",
        b'package p\nvar x = "\\',
        b"package p\nfunc (",
        b"package p\nvar x = " + b"(" * 50_000,
        b"package p\nvar x = T" + b"{" * 50_000,
        b"package p\nfunc f() " + b"{" * 50_000 + b"}" * 50_000,
        b"package p\nvar x " + b"[]" * 50_000 + b"int",
        b"package p\nvar s = `" + b"a" * 200_000 + b"\n",
        b"package p\nvar x = a." + b"/" * 5_000 + b"\n(",
        b"package p\n" + b"var x = (\n" * 20_000,
        b"package p\n" + b"func f(a [\n" * 20_000,
        b"package p\n" + b"func (t T) m() {\n" * 20_000,
        b"package p /* never closed",
        b"\xff\xfe\xfa package p\nvar \xc3\x28 = 1\n",
    ],
)
def test_what_is_not_go_is_read_to_its_end(content: bytes) -> None:
    assert read_facts("a.go", content).problem == ""


def test_bytes_that_are_not_text_leave_the_rest_readable() -> None:
    facts = read_facts("a.go", b'package p\r\n\r\n// \xe9\xff\r\nimport "x.org/a"\r\n\r\nvar S = a.B + "\xe9"\r\n')
    assert imported(facts) == {"x.org/a": ["B"]}
    assert [definition.name for definition in facts.definitions] == ["S"]


def test_a_function_whose_body_is_broken_is_still_defined() -> None:
    facts = read("package p\n\nfunc (t *T) Broken(a int) {\n\tg(\n}\n\nfunc Next() {}\n")
    assert [(d.name, d.kind, d.first_line) for d in facts.definitions] == [
        ("T.Broken", "method", 3),
        ("Next", "function", 7),
    ]
