"""Java: where imports and names lead."""

from __future__ import annotations

import pytest
from switchyard_context.languages.table import JAVA

from .conftest import Project

MAIN = "src/main/java/com/acme"


def _edges(project: Project, files: dict[str, str]) -> set[str]:
    """What `User.java` of the importer's package leads to, written short."""
    project.write({f"{MAIN}/{path}": text for path, text in files.items()})
    return {b.removeprefix(f"{MAIN}/") for (a, b) in project.edges() if a == f"{MAIN}/User.java"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("import com.acme.util.Tool; class User {}", {"util/Tool.java"}),
        ("import com.acme.util.Tool.Part; class User {}", {"util/Tool.java"}),
        ("import com.acme.util.Aside; class User {}", {"util/Tool.java"}),
        ("import com.acme.util.*; class User {}", set()),
        ("import com.acme.util.*; class User { Tool t; }", {"util/Tool.java"}),
        ("import com.acme.util.*; class User { Aside t; }", {"util/Tool.java"}),
        ("import com.acme.util.Tool.*; class User { Part p; }", {"util/Tool.java"}),
        ("import static com.acme.util.Tool.make; class User {}", {"util/Tool.java"}),
        ("import static com.acme.util.Tool.*; class User {}", {"util/Tool.java"}),
        ("class User { Peer p; }", {"Peer.java"}),
        ("class User extends Peer {}", {"Peer.java"}),
        ("class User { Object o = Peer.make(); }", {"Peer.java"}),
        ("class User { Object o = Peer.LIMIT.size(); }", {"Peer.java"}),
        ("class User { Object o = Peer::make; }", {"Peer.java"}),
        ("class User { Object o = Peer.class; }", {"Peer.java"}),
        ("class User { Object o = new Peer[3]; }", {"Peer.java"}),
        ("class User<P extends Peer> { }", {"Peer.java"}),
        ("class User { java.util.List<? super Peer> l; }", {"Peer.java"}),
        ("class User { void m() throws Peer { try { } catch (Mark | Peer e) { } } }", {"Peer.java", "Mark.java"}),
        ("@Mark class User { @Mark int a; }", {"Mark.java"}),
        ("class User { boolean b(Object o) { return o instanceof Peer p; } }", {"Peer.java"}),
        ("class User { int i = com.acme.util.Tool.make(); }", {"util/Tool.java"}),
        ("class User { com.acme.util.Tool.Part p; }", {"util/Tool.java"}),
        ("class User { Object o = (com.acme.util.Tool[]) null; }", {"util/Tool.java"}),
        ("class User { Hidden h; }", {"Peer.java"}),
        ("class User<Peer> { Peer p; }", set()),
        ("class User { static class Peer {} static class Sub extends Peer {} }", set()),
        ("class User { class Peer {} Peer p; }", set()),
        ("import org.other.Peer; class User { Peer p; }", set()),
        ('class User { /** {@link Peer} */ int a; /* Peer */ String s = "Peer"; }', set()),
        ("class User { int Peer() { return this.Peer; } }", set()),
        ("class User { Integer i; }", {"Integer.java"}),
        ("import com.acme.util.*; class User { String s; }", {"util/String.java"}),
        ("class User extends Child { Deep d; }", {"Child.java", "Peer.java"}),
        ("class User { Child.Deep d; }", {"Child.java", "Peer.java"}),
        ("import com.acme.util.Heir; class User { Heir.Part p; }", {"util/Heir.java", "util/Tool.java"}),
        ("import com.acme.util.Heir; class User extends Heir { Part p; }", {"util/Heir.java", "util/Tool.java"}),
        ("class User { boolean b(Object o) { return o instanceof Pair(Peer a); } }", {"Pair.java", "Peer.java"}),
    ],
)
def test_a_name_leads_to_the_file_that_declares_it(project: Project, body: str, expected: set[str]) -> None:
    files = {
        "Peer.java": "package com.acme;\nclass Peer { static class Deep {} }\nclass Hidden {}\n",
        "Child.java": "package com.acme;\nclass Child extends Peer {}\n",
        "Mark.java": "package com.acme;\n@interface Mark {}\n",
        "Integer.java": "package com.acme;\nclass Integer {}\n",
        "util/Tool.java": "package com.acme.util;\nclass Tool { class Part {} static int make() { return 1; } }\n"
        "class Aside {}\n",
        "util/Heir.java": "package com.acme.util;\npublic class Heir extends Tool {}\n",
        "Pair.java": "package com.acme;\nrecord Pair(Object a) {}\n",
        "util/String.java": "package com.acme.util;\nclass String {}\n",
    }
    assert _edges(project, {**files, "User.java": "package com.acme;\n" + body + "\n"}) == expected
    assert project.unresolved() == []


def test_a_static_import_of_an_inherited_member_has_an_edge_to_who_declares_it_as_well(project: Project) -> None:
    project.write(
        {
            f"{MAIN}/Child.java": "package com.acme;\nclass Child extends Base {}\n",
            f"{MAIN}/Base.java": "package com.acme;\nclass Base implements Root {}\n",
            f"{MAIN}/Root.java": "package com.acme;\ninterface Root { static int make() { return 1; } }\n",
            f"{MAIN}/Own.java": "package com.acme;\nimport static com.acme.Child.make;\nclass Own {}\n",
        }
    )
    edges = {(e.imported.rpartition("/")[2], e.kind) for e in project.graph().imports_of(f"{MAIN}/Own.java")}
    assert edges == {("Child.java", "import"), ("Root.java", "reexport")}


def test_supertypes_in_a_circle_end(project: Project) -> None:
    project.write(
        {
            "A.java": "import static p.A.x;\nclass A extends B { Nowhere n; }\n",
            "B.java": "class B extends A { class B extends B {} }\n",
        }
    )
    assert ("A.java", "B.java") in project.edges()


def test_tests_share_the_package_of_the_sources_and_the_sources_do_not_see_them(project: Project) -> None:
    test = MAIN.replace("main", "test")
    project.write(
        {
            f"{MAIN}/Thing.java": "package com.acme;\nclass Thing { ThingTest t; }\n",
            f"{test}/ThingTest.java": "package com.acme;\nclass ThingTest { Thing t; Fixture f; }\n",
            f"{test}/Fixture.java": "package com.acme;\nclass Fixture {}\n",
        }
    )
    assert set(project.edges()) == {
        (f"{test}/ThingTest.java", f"{MAIN}/Thing.java"),
        (f"{test}/ThingTest.java", f"{test}/Fixture.java"),
    }
    assert project.unresolved() == [(f"{MAIN}/Thing.java", "ThingTest")]


@pytest.mark.parametrize(
    "builds",
    [
        {
            "app/pom.xml": "<project><parent><artifactId>top</artifactId></parent><artifactId>app</artifactId>"
            "<dependencies><dependency><artifactId>second-library</artifactId></dependency></dependencies></project>",
            "first/pom.xml": "<project><artifactId>first-library</artifactId></project>",
            "second/pom.xml": "<project><artifactId>second-library</artifactId></project>",
        },
        {
            "app/build.gradle": "dependencies { implementation project(':second') }",
            "first/build.gradle": "",
            "second/build.gradle": "",
        },
        {
            "app/build.gradle.kts": 'dependencies { api(project(":second")) }',
            "first/build.gradle.kts": "",
            "second/build.gradle.kts": "",
        },
        {
            "app/app.gradle.kts": "dependencies { api(projects.second) }",
            "first/first.gradle.kts": "",
            "second/second.gradle.kts": "",
        },
    ],
)
def test_of_two_modules_with_one_class_the_own_then_the_one_depended_on_is_meant(
    project: Project, builds: dict[str, str]
) -> None:
    source = "src/main/java/com/acme"
    project.write(builds)
    for module in ("first", "second"):
        project.write(
            {
                f"{module}/{source}/Twin.java": "package com.acme;\nclass Twin {}\n",
                f"{module}/{source}/Near.java": "package com.acme;\nclass Near { Twin t; }\n",
            }
        )
    project.write({f"app/{source}/App.java": "package com.acme;\nclass App { Twin t; }\n"})
    assert set(project.edges()) == {
        (f"first/{source}/Near.java", f"first/{source}/Twin.java"),
        (f"second/{source}/Near.java", f"second/{source}/Twin.java"),
        (f"app/{source}/App.java", f"second/{source}/Twin.java"),
    }


def test_a_module_inherits_what_its_parent_depends_on_and_not_what_it_only_manages(project: Project) -> None:
    source = "src/main/java/com/acme"
    parent = "<parent><artifactId>top</artifactId></parent>"
    project.write(
        {
            "pom.xml": "<project><artifactId>top</artifactId><dependencyManagement><dependencies><dependency>"
            "<artifactId>first</artifactId></dependency></dependencies></dependencyManagement><dependencies>"
            "<dependency><artifactId>second</artifactId></dependency></dependencies></project>",
            "app/pom.xml": f"<project>{parent}<artifactId>app</artifactId></project>",
            f"app/{source}/App.java": "package com.acme;\nclass App { Twin t; }\n",
        }
    )
    for name in ("first", "second"):
        project.write(
            {
                f"{name}/pom.xml": f"<project>{parent}<artifactId>{name}</artifactId></project>",
                f"{name}/{source}/Twin.java": "package com.acme;\nclass Twin {}\n",
            }
        )
    assert set(project.edges()) == {(f"app/{source}/App.java", f"second/{source}/Twin.java")}


def test_where_nothing_tells_two_classes_apart_both_are_meant(project: Project) -> None:
    project.write(
        {
            "a/src/main/java/p/Twin.java": "package p;\nclass Twin {}\n",
            "b/src/main/java/p/Twin.java": "package p;\nclass Twin {}\n",
            "c/src/main/java/q/App.java": "package q;\nimport p.Twin;\nclass App {}\n",
        }
    )
    assert {imported for _, imported in project.edges()} == {
        "a/src/main/java/p/Twin.java",
        "b/src/main/java/p/Twin.java",
    }


def test_outside_of_the_usual_folders_the_package_clause_says_where_a_root_is(project: Project) -> None:
    project.write(
        {
            "code/com/acme/util/Tool.java": "package com.acme.util;\nclass Tool {}\n",
            "samples/util/Tool.java": "package util;\nclass Tool {}\n",
            "code/com/acme/App.java": "package com.acme;\nimport com.acme.util.Tool;\nclass App { Peer p; }\n",
            "code/com/acme/Peer.java": "package com.acme;\nclass Peer {}\n",
            "samples/Loose.java": "import util.Tool;\nclass Loose {}\n",
        }
    )
    assert set(project.edges()) == {
        ("code/com/acme/App.java", "code/com/acme/util/Tool.java"),
        ("code/com/acme/App.java", "code/com/acme/Peer.java"),
        ("samples/Loose.java", "samples/util/Tool.java"),
    }


def test_a_package_called_test_is_no_test_folder(project: Project) -> None:
    project.write(
        {
            "code/a/test/Kit.java": "package a.test;\npublic class Kit {}\n",
            "code/a/App.java": "package a;\nimport a.test.Kit;\nclass App {}\n",
        }
    )
    assert set(project.edges()) == {("code/a/App.java", "code/a/test/Kit.java")}


def test_a_file_whose_folder_does_not_match_its_package_still_sees_its_neighbours(project: Project) -> None:
    project.write(
        {
            "data/One.java": "package far.away;\nclass One { Two t; }\n",
            "data/Two.java": "package far.away;\nclass Two {}\nclass Third {}\n",
            "data/Fourth.java": "package far.away;\nclass Fourth { Third t; }\n",
        }
    )
    assert set(project.edges()) == {("data/One.java", "data/Two.java"), ("data/Fourth.java", "data/Two.java")}


def test_files_without_a_package_see_those_of_their_folder_and_their_module_alone(project: Project) -> None:
    project.write(
        {
            "a/src/main/java/Tool.java": "class Tool {}\n",
            "a/src/test/java/Use.java": "class Use { Tool t; }\n",
            "b/src/main/java/Use.java": "class Use { Tool t; }\n",
            "scripts/One.java": "class One { Two t; Tool u; }\n",
            "scripts/Two.java": "class Two {}\n",
        }
    )
    assert set(project.edges()) == {
        ("a/src/test/java/Use.java", "a/src/main/java/Tool.java"),
        ("scripts/One.java", "scripts/Two.java"),
    }


def test_package_and_module_descriptions_have_edges_too(project: Project) -> None:
    project.write(
        {
            f"{MAIN}/package-info.java": "@Mark\npackage com.acme;\n",
            f"{MAIN}/Mark.java": "package com.acme;\n@interface Mark {}\n",
            f"{MAIN}/Impl.java": "package com.acme;\nclass Impl implements Service {}\n",
            f"{MAIN}/Service.java": "package com.acme;\ninterface Service {}\n",
            "src/main/java/module-info.java": "module com.acme { uses com.acme.Service;\n"
            "  provides com.acme.Service with com.acme.Impl; exports com.acme; }\n",
        }
    )
    assert set(project.edges()) == {
        (f"{MAIN}/package-info.java", f"{MAIN}/Mark.java"),
        (f"{MAIN}/Impl.java", f"{MAIN}/Service.java"),
        ("src/main/java/module-info.java", f"{MAIN}/Service.java"),
        ("src/main/java/module-info.java", f"{MAIN}/Impl.java"),
    }


def test_what_looks_local_and_is_not_there_is_listed_and_nothing_else(project: Project) -> None:
    project.write(
        {
            f"{MAIN}/A.java": "package com.acme;\nimport com.acme.Gone;\nimport com.acme.deep.Lost;\n"
            "import static com.acme.Missing.make;\nimport com.other.Thing;\n"
            "import java.util.List;\nimport org.acme.X;\nclass A extends B {\n"
            "  Generated g; com.acme.Vanished v; String s; List l; Thing t; int n = Unclear.go() + CONSTANT.x; }\n",
            f"{MAIN}/B.java": "package com.acme;\nclass B {}\n",
            f"{MAIN}/Lost.java": "package com.acme;\nimport com.acme.nowhere.*;\nclass Lost { Away a; }\n",
            f"{MAIN}/Open.java": "package com.acme;\nimport java.util.*;\nclass Open { Map m; }\n",
            f"{MAIN}/Heir.java": "package com.acme;\nimport org.lib.Base;\nclass Heir extends Base { Member m; }\n",
        }
    )
    assert project.unresolved() == [
        (f"{MAIN}/A.java", "com.acme.Gone"),
        (f"{MAIN}/A.java", "com.acme.deep.Lost"),
        (f"{MAIN}/A.java", "com.acme.Missing.make"),
        (f"{MAIN}/A.java", "Generated"),
        (f"{MAIN}/A.java", "com.acme.Vanished"),
        (f"{MAIN}/Lost.java", "com.acme.nowhere.*"),
    ]


def test_a_type_that_may_be_written_in_kotlin_is_not_missing(project: Project) -> None:
    project.write(
        {
            "src/main/kotlin/com/acme/Model.kt": "package com.acme\nclass Model\n",
            f"{MAIN}/A.java": "package com.acme;\nimport com.acme.Model;\nclass A { Model m; }\n",
            f"{MAIN}/B.java": "package com.acme;\nclass B { Model m; }\n",
        }
    )
    assert project.unresolved() == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("src/test/java/a/Any.java", True),
        ("core/src/integrationTest/java/a/Any.java", True),
        ("tests/FooTest.java", True),
        ("tests/FooTests.java", True),
        ("tests/TestFoo.java", True),
        ("tests/FooIT.java", True),
        ("src/main/java/a/Contest.java", False),
        ("src/main/java/a/TestEngine.java", False),
        ("lib/Foo.java", False),
    ],
)
def test_tests_are_known_by_folder_and_name(path: str, expected: bool) -> None:
    assert JAVA.is_test(path) is expected


def test_a_header_does_not_see_the_types_inside_its_own_braces(project: Project) -> None:
    project.commit(
        {
            f"{MAIN}/Builder.java": "package com.acme;\npublic interface Builder<T> { T build(); }\n",
            f"{MAIN}/Made.java": "package com.acme;\nclass Made implements Builder<Made> {\n"
            "  static class Builder {}\n  static class Other extends Builder {}\n"
            "  public Made build() { return this; }\n}\n",
            f"{MAIN}/Outer.java": "package com.acme;\nclass Outer {\n"
            "  interface Builder {}\n  static class Inner implements Builder {}\n}\n",
        }
    )
    assert project.edges() == {(f"{MAIN}/Made.java", f"{MAIN}/Builder.java"): "import"}
