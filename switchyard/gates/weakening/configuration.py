"""Weakening in the configuration of runners and of coverage: thresholds, exclusions, and failures that don't count."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import PurePosixPath

from switchyard.gates.weakening.model import Kind, Weakening
from switchyard.gates.weakening.recipes import compare_recipes, is_idle, is_recipe, new_leniences
from switchyard.gates.weakening.settings import Settings, read_settings
from switchyard.gates.weakening.tokens import words_of

_FILES = re.compile(
    r"(^|/)(pyproject\.toml|pytest\.ini|\.pytest\.ini|pytest\.toml|tox\.ini|setup\.cfg|\.coveragerc|package\.json|\.nycrc(\.json)?|\.c8rc(\.json)?"
    r"|\.mocharc(\.json|\.ya?ml|\.[cm]?js)?|(jest|vitest|vite|playwright|cypress|karma|jasmine)[\w.-]*\.(config|conf|workspace)\.(json|[cm]?[jt]s)"
    r"|project\.json|Cargo\.toml|\.?tarpaulin\.toml|nextest\.toml|pom\.xml|testng[\w-]*\.xml|build\.gradle(\.kts)?|\.?codecov\.ya?ml|\.testcoverage\.ya?ml"
    r"|\.golangci\.ya?ml)$"
)
_COMMAND_FILES = re.compile(r"(^|/)(Taskfile\.ya?ml|noxfile\.py|tox\.ini)$|(^|/)\.github/workflows/|\.gitlab-ci\.yml$")
_GOLDEN = re.compile(r"(^|/)(__snapshots__|snapshots|goldens?|expected)/|\.(snap|golden|expected|want|approved\.\w+)$")
_SNAPSHOT = re.compile(rb"^exports\[`(.*?)`\] = `(.*?)`;$", re.MULTILINE | re.DOTALL)
_RELATED = re.compile(
    r"pytest|coverage|jest|vitest|nyc|c8|mocha|tox|testenv|surefire|failsafe|jacoco|test|codecov|karma|cypress|playwright|retries|report|profile",
    re.IGNORECASE,
)
_SETTINGS_OF_THE_REST = ("pyproject.toml", "setup.cfg", "package.json", "pom.xml", "Cargo.toml", "project.json")
_RUNNER = re.compile(
    r"\b(pytest|py\.test|unittest|jest|vitest|mocha|ava|tap|karma|cypress run|playwright test|node --test|go test"
    r"|gotestsum|cargo (test|nextest|llvm-cov|tarpaulin)|mvnw?\b.*\b(test|verify|install)|gradlew?\b.*\b(test|check)"
    r"|tox|nox|(npm|yarn|pnpm) (run )?test|make test)\b|[\w./-]*test[\w-]*\.sh\b"
)

_THRESHOLDS = words_of("failunder minimum target covfailunder checkcoverage")
_NEVER_RUN = re.compile(r"TYPE_CHECKING|NotImplemented|__main__|pragma|abstract|overload|\.\.\.|\\\.|Protocol|__repr__")
"""Lines that no test is meant to reach."""
_THRESHOLD_PATH = re.compile(r"threshold|^(nyc\.|c8\.)?\w+$", re.IGNORECASE)
_THRESHOLD_LEAVES = words_of("lines branches functions statements perfile global total file package")
_ALLOWANCES = words_of("retries reruns rerunfailingtestscount threshold flaketimeout maxretries retry")
_EXCLUDES = words_of(
    "exclude excludes omit ignore ignored ignores testpathignorepatterns coveragepathignorepatterns"
    " testignore norecursedirs modulepathignorepatterns excludelines excludealso excludetags excludedgroups"
    " deselect excludefiles excludespecpattern excludedtests excludepatterns excludetestsmatching"
    " excludecategories excludegroups excludefrom partialbranches"
)
_INCLUDES = words_of(
    "testpaths testmatch testregex include includes source pythonfiles pythonfunctions pythonclasses spec"
    " collectcoveragefrom roots testdir sourcepkgs members packages includetags groups includetestsmatching"
    " specpattern defaultfilter projects"
)
_USUAL = {"pythonfiles": re.compile(r"test_?\*(\.py)?|\*\.py"), "pythonfunctions": re.compile(r"test_?\*?")}
"""What pytest takes where nothing else is said."""
_SELECTS = words_of("testnamepattern grep fgrep shard testnamepatterns")
_TOLERANT = words_of(
    "passwithnotests testfailureignore maventestfailureignore ignorefailures dangerouslyignoreunhandlederrors"
    " allowonly continueonerror allowempty failifnotests skipafterfailurecount ignoreerrors"
)
_SKIPPING = words_of("skiptests skip maventestskip skipits skipunittests skipexec")
_NEEDED = words_of(
    "test doctest enabled checkcoverage xfailstrict branch haltonfailure forbidonly harness"
    " failifnospecifiedtests all failonfailure injectglobals strict autotests"
)
_STRICT_OPTIONS = (
    "-W",
    "--cov-fail-under",
    "--doctest-modules",
    "-race",
    "--forbid-only",
    "--strict",
    "--check-coverage",
)
_LAX_OPTIONS = words_of(
    "--ignore --deselect -k -m --no-cov --passWithNoTests --testPathIgnorePatterns --exclude -skip --skip -DskipTests"
    " -Dmaven.test.skip --reruns --retries --allow-empty -Dmaven.test.failure.ignore --exit-zero --listTests -short -t"
    " --suppress-no-test-exit-code --collect-only --co --grep --invert --no-run -run --lib --testNamePattern --fgrep"
    " --ignore-glob"
)
_ARGUMENTS = words_of("addopts args argline posargs testargs")
_PASSED_OVER = re.compile(r"^(commands\w* *= *)?- ")
"""In tox: the command may fail."""
_SHELL_LAX = ("|| true", "||true", "; true", "|| :", "|| exit 0", "; exit 0", "|| echo", "set +e")


def is_configuration(path: str) -> bool:
    """Whether a path says how tests are run, or what they expect."""
    return is_recipe(path) or any(pattern.search(path) for pattern in (_FILES, _COMMAND_FILES, _GOLDEN))


def compare_configuration(files: Mapping[str, tuple[bytes | None, bytes | None]]) -> list[Weakening]:
    """What the changed configuration files and golden files take away; None is a file that isn't there."""
    found: list[Weakening] = []
    for path, (before, after) in files.items():
        if _FILES.search(path):
            old = read_settings(path, before or b"") if before is not None else {}
            new = read_settings(path, after or b"") if after is not None else {}
            if old is not None and new is not None:
                found += _compare_settings(path, old, new, after)
            elif old is not None:
                why = "it can't be read any more, so that nothing can be said for it"
                found.append(Weakening(path, 1, Kind.UNREADABLE_TEST, PurePosixPath(path).name, "", "", why))
        if before is not None and after is not None:
            found += _compare_callers(path, before.decode("utf-8", "replace"), after.decode("utf-8", "replace"))
        if _GOLDEN.search(path) and before is not None:
            found += _compare_golden(path, before, after)
    return found


def _compare_golden(path: str, before: bytes, after: bytes | None) -> Iterator[Weakening]:
    """Of expected output: a file of it is compared as a whole, jest's snapshots one by one."""
    name = PurePosixPath(path).name
    old, new = dict(_SNAPSHOT.findall(before)), dict(_SNAPSHOT.findall(after or b""))
    if after is not None and old:
        lost, others = (
            [key for key in old if key not in new],
            [key for key in old if new.get(key, old[key]) != old[key]],
        )
        if lost and len(new) < len(old):
            text = lost[0].decode("utf-8", "replace")
            yield Weakening(path, 1, Kind.REMOVED_ASSERTION, name, text[:160], "", "the expected output is gone")
        if not others and (not lost or len(new) < len(old)):
            return
    kind = Kind.REMOVED_ASSERTION if after is None else Kind.CHANGED_EXPECTATION
    why = "the expected output is gone" if after is None else "the expected output is another"
    yield Weakening(path, 1, kind, name, "", "", why)


def _compare_settings(path: str, old: Settings, new: Settings, after: bytes | None) -> Iterator[Weakening]:
    every = PurePosixPath(path).name not in _SETTINGS_OF_THE_REST
    lines = (after or b"").decode("utf-8", "replace").splitlines()
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) == new.get(key) or not (every or _RELATED.search(key)):
            continue
        for rule in _RULES:
            verdict = rule(key, old.get(key), new.get(key))
            if verdict is not None:
                kind, why = verdict
                then, now = " ".join(old.get(key, ())), " ".join(new.get(key, ()))
                yield Weakening(path, _line_of(key, lines), kind, key, then[:160], now[:160], why)
                break


def _line_of(key: str, lines: list[str]) -> int:
    name = key.rsplit(".", 1)[-1].split("[")[0]
    return next((number for number, line in enumerate(lines, 1) if name in line), 1)


Values = tuple[str, ...] | None
Rule = Callable[[str, Values, Values], tuple[Kind, str] | None]


def _leaf(key: str) -> str:
    parts = key.split(".")
    for name in ("maven.test.skip", "maven.test.failure.ignore"):
        if name in key:
            return name.replace(".", "")
    leaf = parts[-1]
    if leaf in ("exclude", "include", "param") and len(parts) > 1 and parts[-2] in ("excludes", "includes"):
        leaf = parts[-2]
    return re.sub(r"[^a-z]", "", leaf.split("[")[0].lower())


def _thresholds(key: str, old: Values, new: Values) -> tuple[Kind, str] | None:
    leaf = _leaf(key)
    if not (leaf in _THRESHOLDS or (_THRESHOLD_PATH.search(key) and leaf in _THRESHOLD_LEAVES)):
        return None
    then, now = _number(old), _number(new)
    if then is None or ("codecov" in key and leaf == "threshold"):
        return None
    if now is None:
        return (Kind.LOWERED_THRESHOLD, "the threshold is gone") if new is None else None
    return (Kind.LOWERED_THRESHOLD, "the threshold is lower") if now < then else None


def _allowances(key: str, old: Values, new: Values) -> tuple[Kind, str] | None:
    if _leaf(key) not in _ALLOWANCES:
        return None
    then, now = _number(old) or 0, _number(new) or 0
    return (Kind.TOLERATED_FAILURE, "more failures are let through") if now > then else None


def _excludes(key: str, old: Values, new: Values) -> tuple[Kind, str] | None:
    if _leaf(key) not in _EXCLUDES or new is None:
        return None
    whole = _leaf(key).startswith("exclude") and _leaf(key)[7:] in ("lines", "also")
    added = set(new) - set(old or ()) if whole else set(_words(new)) - set(_words(old or ()))
    added = {item for item in added if not (whole and _NEVER_RUN.search(item))}
    return (Kind.EXCLUDED_TESTS, f"newly left out: {', '.join(sorted(added))}") if added else None


def _includes(key: str, old: Values, new: Values) -> tuple[Kind, str] | None:
    if _leaf(key) not in _INCLUDES or new is None:
        return None
    refused = {word for word in _words(new) if word.startswith("!")} - set(_words(old or ()))
    if refused:
        return Kind.EXCLUDED_TESTS, f"newly left out: {', '.join(sorted(refused))}"
    gone = set(_words(old or ())) - set(_words(new))
    if gone:
        return Kind.EXCLUDED_TESTS, f"no longer taken: {', '.join(sorted(gone))}"
    only_files = all(re.search(r"^[\w./-]+\.\w+$", word) for word in _words(new))
    if old is None and only_files and new:
        return Kind.EXCLUDED_TESTS, "only some files are taken"
    usual = _USUAL.get(_leaf(key))
    unusual = old is None and usual is not None and not any(usual.fullmatch(word) for word in _words(new))
    return (Kind.EXCLUDED_TESTS, "what is taken by itself no longer is") if unusual else None


def _flags(key: str, old: Values, new: Values) -> tuple[Kind, str] | None:
    leaf, then, now = _leaf(key), (old or ("",))[0].lower(), (new or ("",))[0].lower()
    if leaf in _TOLERANT and now == "true" and then != "true" and leaf != "failifnotests":
        return Kind.TOLERATED_FAILURE, "failures no longer count"
    if leaf in _SKIPPING and now == "true" and then != "true":
        return Kind.EXCLUDED_TESTS, "tests are not run"
    if leaf in ("checkcoverage", "xfailstrict", "branch", "forbidonly") and then == "true" and now != "true":
        return Kind.LOWERED_THRESHOLD, "switched off"
    if (leaf in _NEEDED and now == "false" and then != "false" and leaf != "test") or (
        leaf == "test" and now == "false"
    ):
        return Kind.EXCLUDED_TESTS, "switched off"
    if leaf in _SELECTS and new and new != old:
        return Kind.EXCLUDED_TESTS, "only some tests are run"
    if leaf == "requiredfeatures" and old is None:
        return Kind.EXCLUDED_TESTS, "built only with features that are not on by themselves"
    return None


def _warnings(key: str, old: Values, new: Values) -> tuple[Kind, str] | None:
    if _leaf(key) != "filterwarnings":
        return None
    gone = [item for item in old or () if item.startswith("error") and item not in (new or ())]
    added = [item for item in new or () if item.startswith("ignore") and item not in (old or ())]
    blanket = [item for item in added if item in ("ignore", "ignore::Warning")]
    return (Kind.TOLERATED_FAILURE, "warnings no longer fail") if gone or blanket else None


def _options(key: str, old: Values, new: Values) -> tuple[Kind, str] | None:
    then, now = " ".join(old or ()), " ".join(new or ())
    if key.startswith("scripts.") and _RUNNER.search(then):
        gone = not _RUNNER.search(now) and "test" in key
        return (Kind.EXCLUDED_TESTS, "the tests are no longer run here") if gone else compare_options(then, now)
    if re.match(r"scripts\.((pre|post)?test|check|ci)\b", key) and then and not is_idle(then):
        return (Kind.EXCLUDED_TESTS, "nothing is run here any more") if is_idle(now) else compare_options(then, now)
    return compare_options(then, now) if _leaf(key) in _ARGUMENTS else None


_RULES: tuple[Rule, ...] = (_thresholds, _allowances, _excludes, _includes, _flags, _warnings, _options)


def compare_options(old: str, new: str) -> tuple[Kind, str] | None:
    """Whether a runner's command line leaves out more, or lets more through."""
    for phrase in _SHELL_LAX:
        if phrase in new and phrase not in old:
            return Kind.TOLERATED_FAILURE, f"`{phrase}` hides a failure"
    then, now = _split(old), _split(new)
    for option, value in now:
        if (option, value) not in then and _leaves_out(option, value):
            tolerates = option in ("--reruns", "--retries") or "failure" in option
            kind = Kind.TOLERATED_FAILURE if tolerates else Kind.EXCLUDED_TESTS
            return kind, f"`{f'{option} {value}'.strip()}` is new"
    if _RUNNER.search(old) and _RUNNER.search(new) and (lost := _narrowed(old, new)):
        return Kind.EXCLUDED_TESTS, f"only `{lost}` is run"
    for option, value in then:
        if option.startswith(_STRICT_OPTIONS) and (verdict := _less_strict(option, value, now)):
            return verdict
    return None


def _narrowed(old: str, new: str) -> str:
    """What is run in place of all, or of a folder that holds it; "" where nothing is left out."""
    then, now = (_places(text) for text in (old, new))
    fresh = [place for place in now if place not in then]
    if len(fresh) != 1 or then & now:
        return ""
    place = fresh[0]
    is_part = "::" in place or re.search(r"\.\w+$", place) is not None
    if not then:
        return place if is_part else ""
    folders = [one.removesuffix("...").rstrip("/") for one in then]
    return place if any(place.startswith(f"{folder}/") and place != f"{folder}/..." for folder in folders) else ""


def _places(text: str) -> set[str]:
    """Files, folders and packages that a command line names behind its runner."""
    runner = _RUNNER.search(text)
    words = text[runner.end() :].split() if runner else []
    values = {value for _, value in _split(text)}
    return {word for word in words if re.fullmatch(r"[\w./*:-]*[/.:][\w./*:-]*", word) and word[0] != "-"} - values


def _leaves_out(option: str, value: str) -> bool:
    is_module = option == "-m" and "not" not in value and ("." in value or value in ("pytest", "unittest", "coverage"))
    selects_nothing = option in ("-k", "-m", "-t", "-run") and not value
    return option in _LAX_OPTIONS and not is_module and not selects_nothing


def _less_strict(option: str, value: str, now: list[tuple[str, str]]) -> tuple[Kind, str] | None:
    values = [other for name, other in now if name == option]
    if not values:
        return (Kind.LOWERED_THRESHOLD, f"`{option}` is gone") if option != "-W" or "error" in value else None
    least, most = _number((value,)), _number((values[0],))
    lower = value not in values and least is not None and (most or 0) < least
    return (Kind.LOWERED_THRESHOLD, f"`{option}` is lower") if lower else None


def _split(text: str) -> list[tuple[str, str]]:
    """(option, value) of each option of a command line."""
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    found = []
    for index, word in enumerate(words):
        if not word.startswith("-"):
            continue
        name, equals, value = word.partition("=")
        if not equals and index + 1 < len(words) and not words[index + 1].startswith("-"):
            value = words[index + 1]
        found.append((name, value))
    return found


def _compare_callers(path: str, before: str, after: str) -> Iterator[Weakening]:
    """Of files that call a runner: what is no longer called, or may fail."""
    if is_recipe(path):
        for loss in compare_recipes(path, before, after, compare_options):
            then, now = loss.before[:160], loss.after[:160]
            yield Weakening(path, loss.line, loss.kind, loss.name, then, now, loss.why)
    elif _COMMAND_FILES.search(path):
        yield from _compare_commands(path, before, after)
        if (line := new_leniences(before, after)) and _RUNNER.search(after):
            yield Weakening(path, 1, Kind.TOLERATED_FAILURE, "step", "", line[:160], "failures no longer count")


def _compare_commands(path: str, before: str, after: str) -> Iterator[Weakening]:
    """Lines that run tests: what they leave out, and those that are gone."""
    is_code = path.endswith(".py")
    old, new = _commands(before, is_code), _commands(after, is_code)
    fresh = {line: number for line, number in new.items() if line not in old}
    for line in old:
        if line in new:
            continue
        near = get_close_matches(line, fresh, n=1, cutoff=0.5)
        if near and _PASSED_OVER.search(near[0]) and not _PASSED_OVER.search(line):
            why = "its failure is passed over"
            yield Weakening(path, fresh[near[0]], Kind.TOLERATED_FAILURE, "command", line[:160], near[0][:160], why)
            continue
        verdict = compare_options(line, near[0]) if near else (Kind.EXCLUDED_TESTS, "the tests are no longer run here")
        if verdict is not None and (near or not fresh):
            kind, why = verdict
            yield Weakening(
                path, fresh[near[0]] if near else 1, kind, "command", line[:160], near[0][:160] if near else "", why
            )


def _commands(text: str, is_code: bool) -> dict[str, int]:
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        plain = re.sub(r"[()\[\],'\"]+", " ", line).strip() if is_code else line.strip().lstrip("@").strip()
        if (
            _RUNNER.search(plain)
            and not plain.startswith(("#", "//", "name:", "- name:"))
            and "install" not in plain.split()[:2]
        ):
            found[plain] = number
    return found


def _number(values: Values) -> float | None:
    try:
        return float(values[0].strip().rstrip("%")) if values else None
    except ValueError:
        return None


def _words(values: tuple[str, ...]) -> list[str]:
    return [word for value in values for word in ([value] if " " in value and "(" in value else value.split())]
