"""Java: what files say by themselves."""

from __future__ import annotations

import pytest
from switchyard_context.reading import read_facts


def test_definitions_carry_their_annotations_headers_and_bodies() -> None:
    facts = read_facts(
        "Outer.java",
        b"package a.b;\n@Deprecated\npublic class Outer<T>\n    extends Base {\n  static final int ONE = 1, TWO = 2;\n"
        b"  int changing;\n  Outer() {}\n  void m(\n      int a) {\n    class Local { void f() {} }\n  }\n"
        b"  Object o = new Object() { void hidden() {} };\n  interface In { int K = 1; void f(); }\n"
        b"  enum Colour { RED { void g() {} }, BLUE; void h() {} }\n  record Pair(int a, int b) { Pair { } }\n"
        b"  @interface Mark { int value() default 1; }\n}\nclass Second {}\n",
    )
    found = [(d.name, d.kind, d.first_line, d.header_line, d.last_line) for d in facts.definitions]
    assert facts.package == "a.b"
    assert found == [
        ("Outer", "class", 2, 4, 17),
        ("Outer.ONE", "constant", 5, 5, 5),
        ("Outer.TWO", "constant", 5, 5, 5),
        ("Outer.Outer", "method", 7, 7, 7),
        ("Outer.m", "method", 8, 9, 11),
        ("Outer.In", "type", 13, 13, 13),
        ("Outer.In.K", "constant", 13, 13, 13),
        ("Outer.In.f", "method", 13, 13, 13),
        ("Outer.Colour", "class", 14, 14, 14),
        ("Outer.Colour.RED", "constant", 14, 14, 14),
        ("Outer.Colour.BLUE", "constant", 14, 14, 14),
        ("Outer.Colour.h", "method", 14, 14, 14),
        ("Outer.Pair", "class", 15, 15, 15),
        ("Outer.Pair.Pair", "method", 15, 15, 15),
        ("Outer.Mark", "type", 16, 16, 16),
        ("Outer.Mark.value", "method", 16, 16, 16),
        ("Second", "class", 18, 18, 18),
    ]


def test_imports_are_kept_as_written_and_names_used_stand_at_their_first_line() -> None:
    facts = read_facts(
        "A.java",
        b"package p;\nimport a.b.C;\nimport a.b.*;\nimport static a.D.make;\nimport a.D.Inner;\n"
        b"class A<T> extends Base {\n  C c; T t; Peer p; Map.Entry e; A self;\n  int n = Tool.run(x.y.Far.go());\n}\n",
    )
    found = [(item.line, item.module, item.names, item.is_public) for item in facts.imports]
    assert found == [
        (2, "a.b", (("C", "C"),), False),
        (3, "a.b", (("*", "*"),), False),
        (4, "a.D", (("make", "make"),), False),
        (5, "a.D", (("Inner", "Inner"),), False),
        (6, ".", (("Base", "A"),), True),
        (7, ".", (("Peer", "Peer"), ("Map.Entry", "Entry")), False),
        (8, ".", (("Tool", ""), ("x.y.Far", "")), False),
    ]


def test_a_file_with_a_syntax_error_still_says_what_it_imports_and_names() -> None:
    facts = read_facts("A.java", b"import a.B;\nclass A {\n  void m( { Peer.go(; }\n}\nclass C { Other o; }\n}}}")
    assert ("a", (("B", "B"),)) in [(item.module, item.names) for item in facts.imports]
    assert {"Peer", "Other"} <= {name for item in facts.imports for name, _ in item.names}


@pytest.mark.parametrize(
    "source",
    [
        b"class A { int a = " + b"(" * 20_000 + b"1" + b")" * 20_000 + b"; }\nclass End {}",
        b"class A { " + b"a." * 20_000 + b"B c; }\nclass End {}",
        b"class A { int a = " + b"a." * 20_000 + b"B.c; }\nclass End {}",
        b"class A { " + b"@A(" * 5_000 + b")" * 5_000 + b" int a; }\nclass End {}",
        b"class A {" * 2_000 + b"}" * 2_000 + b"\nclass End {}",
    ],
    ids=["parentheses", "type path", "value path", "annotations", "classes"],
)
def test_depth_does_not_stop_the_reader(source: bytes) -> None:
    facts = read_facts("A.java", source)
    assert facts.definitions[0].name == "A"
    assert max(item.depth for item in facts.definitions) < 100
    assert not facts.problem


def test_bytes_that_are_no_text_hide_nothing() -> None:
    facts = read_facts("A.java", b'// \xe9\xff\nimport a.B;\nclass A { String s = "\xff"; P\xff q; Peer p; }\n')
    assert next(item.module for item in facts.imports) == "a"
    assert "Peer" in {name for item in facts.imports for name, _ in item.names}
    assert read_facts("B.java", b"\xca\xfe\xba\xbe\0\0\0").problem
