"""Manifests of Maven and Gradle."""

from __future__ import annotations

import re
import tomllib

from defusedxml import ElementTree

from switchyard.gates.static.manifest import Manifest, shown, table_of


def read_pom(text: str, path: str, found: Manifest) -> None:
    root = ElementTree.fromstring(text.encode("utf-8", "replace"))
    for element in root.iter():
        tag = str(element.tag).rpartition("}")[2]
        values = {str(child.tag).rpartition("}")[2]: (child.text or "").strip() for child in element}
        if (
            tag in ("dependency", "plugin", "extension", "parent", "annotationProcessorPath", "path")
            and "artifactId" in values
        ):
            name = f"{values.get('groupId', 'org.apache.maven.plugins')}:{values['artifactId']}"
            found.add(name, values.get("version", ""), values.get("scope") != "test", values.get("systemPath", ""))
        elif tag in ("repository", "pluginRepository", "mirror") and values.get("url"):
            found.sources.add(values["url"])
        elif tag == "license":
            found.licences += (values.get("name", "") or values.get("url", ""),)


_GRADLE = re.compile(
    r"""^\s*["']?(\w*(?:implementation|api|compile|runtime|runtimeOnly|compileOnly|annotationProcessor|kapt|ksp|classpath))["']?"""
    r"""[\s(]+(?:platform\(|enforcedPlatform\()?\s*(?:["']([\w.-]+):([\w.-]+)(?::([^"'@]+))?[^"']*["']"""
    r"""|group\s*[:=]\s*["']([\w.-]+)["']\s*,\s*name\s*[:=]\s*["']([\w.-]+)["'](?:\s*,\s*version\s*[:=]\s*["']([^"']+)["'])?"""
    r"""|(libs\.[\w.]+)|((?:files|fileTree)\([^)\n]*\)))""",
    re.IGNORECASE | re.MULTILINE,
)
_GRADLE_PLUGIN = re.compile(r"""^\s*id[\s(]+["']([\w.-]+)["']\)?(?:\s+version\s+["']([^"']+)["'])?""", re.MULTILINE)
_GRADLE_URL = re.compile(
    r"""\b(?:url|setUrl|uri|mavenLocal|jcenter|apply\s+from)\b[\s:=(]*(?:uri\()?\s*["']([^"'\n]+)["']"""
)


def read_gradle(text: str, path: str, found: Manifest) -> None:
    text = re.sub(r"(?m)^\s*//.*$", "", text)
    for match in _GRADLE.finditer(text):
        configuration, group, name, version, other_group, other_name, other_version, alias, files = match.groups()
        full = alias or files or f"{group or other_group}:{name or other_name}"
        found.add(full, version or other_version or "", "test" not in configuration.lower(), files or "")
    for name, version in _GRADLE_PLUGIN.findall(text):
        found.add(f"plugin {name}", version)
    found.sources |= set(_GRADLE_URL.findall(text))


def read_gradle_catalogue(text: str, path: str, found: Manifest) -> None:
    whole = tomllib.loads(text)
    for key in ("libraries", "plugins"):
        for name, asked in table_of(whole, key).items():
            found.add(f"{'plugin ' if key == 'plugins' else ''}{name}", shown(asked))
    for name, version in table_of(whole, "versions").items():
        found.sources.discard(name)
        found.add(f"version {name}", shown(version), runs=False)
