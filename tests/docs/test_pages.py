"""The pages against what they speak of: links lead somewhere, keys and schemas are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from switchyard.config import Config

TOP = Path(__file__).resolve().parents[2]
PAGES = [TOP / "README.md", TOP / "CHANGELOG.md", *sorted((TOP / "docs").rglob("*.md"))]
INTERFACES = (TOP / "docs" / "interfaces.md").read_text(encoding="utf-8")
PACKAGES = ("switchyard", "context", "merge", "sandbox")
TABLES = {
    f"{table}.{key}"
    for table, field in Config.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    for key in field.annotation.model_fields
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(TOP)))
def test_relative_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_key_of_the_configuration_is_on_the_page() -> None:
    rows = re.findall(r"^\| (`[a-z]+\..*?) \|", INTERFACES, re.MULTILINE)
    named = {
        (row.split(".")[0].strip("`"), key.split(".")[-1]) for row in rows for key in re.findall(r"`([^`]+)`", row)
    }
    documented = {f"{table}.{key}" for table, key in named}
    assert sorted(TABLES - documented) == []


def test_every_schema_in_the_code_is_on_the_page_with_its_number() -> None:
    pattern = re.compile(r"[\"'](switchyard\.[a-z]+/\d+)[\"']")
    sources = [file for package in PACKAGES for file in (TOP / package).rglob("*.py")]
    printed = {schema for file in sources for schema in pattern.findall(file.read_text(encoding="utf-8"))}
    assert printed - set(re.findall(r"`(switchyard\.[a-z]+/\d+)`", INTERFACES)) == set()
    assert "switchyard.status/1" in printed
