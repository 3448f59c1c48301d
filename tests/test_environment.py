from __future__ import annotations

import getpass
import json
import os
import platform
import socket
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import recipekit
from recipekit import environment
from recipekit.environment import Environment
from recipekit.registry import installed_plugins

RECORD = (
    "numpy/__init__.py,sha256=abc,10\n"
    "numpy/core.so,sha256=def,20\n"
    '"numpy/odd,name.py",sha256=0,1\n'
    "numpy-2.dist-info/METADATA,sha256=123,5\n"
)


@pytest.fixture(scope="module")
def facts() -> Environment:
    return environment.collect()


def test_facts_name_recipekit_and_python(facts: Environment) -> None:
    assert facts.recipekit["version"] == recipekit.__version__
    assert facts.python["version"] == platform.python_version()
    assert facts.python["abi"].startswith("cp3")


def test_who_builds_where_stays_out(facts: Environment) -> None:
    text = repr(facts)

    assert str(Path(recipekit.__file__).parents[1]) not in text
    assert sys.prefix not in text
    assert str(Path.home()) not in text
    assert platform.release() not in text
    assert f"'{socket.gethostname()}'" not in text
    assert f"'{getpass.getuser()}'" not in text


def test_packages_are_the_closure_without_recipekit(facts: Environment) -> None:
    versions = {package.name: package.version for package in facts.packages}

    assert list(versions) == sorted(versions)
    assert "recipekit" not in versions
    assert versions["tensorflow"] == distribution("tensorflow").version
    assert "antlr4-python3-runtime" in versions, "required by hydra-core alone"
    assert "pytest" not in versions, "a development tool is no requirement"


def install(site: Path, name: str, *requirements: str, entry_points: str = "") -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir()
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requirements)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}\nVersion: 9\n")
    (info / "entry_points.txt").write_text(entry_points)


def test_installed_plugins_bring_what_they_require(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        tmp_path,
        "frames",
        'Deep_Dep[fast]>=1; python_version >= "3"',
        'never; python_version < "3"',
        "absent",
        'unasked; extra == "more"',
        'either; extra == "more" or python_version >= "3"',
        entry_points="[recipekit.datasets]\nframes = frames:Frames\n",
    )
    install(tmp_path, "deep_dep", 'quick; extra == "fast"', 'slow; extra == "slow"', "frames")
    for name in ("never", "unasked", "either", "quick", "slow", "bystander"):
        install(tmp_path, name)
    before = {package.name for package in environment.packages()}
    monkeypatch.syspath_prepend(tmp_path)
    installed_plugins.cache_clear()

    packages = {package.name: package for package in environment.packages()}

    installed_plugins.cache_clear()
    assert packages.keys() - before == {"frames", "deep-dep", "quick", "either"}
    assert packages["frames"].version == "1.0"
    assert packages["frames"].hash_of == "METADATA", "there is no RECORD"


def test_versions_are_escaped_in_package_urls() -> None:
    package = environment.Package("torch", "2.0+cpu", "0" * 64, "RECORD")

    assert package.purl == "pkg:pypi/torch@2.0%2Bcpu"


@pytest.mark.parametrize(
    "line",
    [
        "../../../bin/f2py,sha256=zzz,3",
        "numpy/../../../etc/x,,",
        "/usr/bin/x,,",
        "numpy/__pycache__/__init__.cpython-311.pyc,,",
        "numpy-2.dist-info/INSTALLER,sha256=q,3",
        "numpy-2.dist-info/REQUESTED,sha256=q,0",
        "numpy-2.dist-info/RECORD,,",
        "numpy-2.dist-info/direct_url.json,sha256=q,9",
        "",
    ],
)
def test_what_an_installer_adds_does_not_change_the_digest(line: str) -> None:
    assert environment.record_digest(f"{line}\n{RECORD}") == environment.record_digest(RECORD)


@pytest.mark.parametrize("old", RECORD.splitlines())
def test_every_line_of_content_changes_the_digest(old: str) -> None:
    assert environment.record_digest(RECORD.replace(old, old + "0")) != environment.record_digest(RECORD)


@given(st.permutations(RECORD.splitlines()))
def test_the_order_of_a_record_does_not_matter(lines: list[str]) -> None:
    assert environment.record_digest("\n".join(lines)) == environment.record_digest(RECORD)


@pytest.mark.parametrize(
    "name", ["TF_ENABLE_ONEDNN_OPTS", "TF_USE_LEGACY_KERAS", "OMP_NUM_THREADS", "PYTHONHASHSEED", "TZ", "LANG"]
)
def test_variables_that_decide_bytes_are_recorded(name: str) -> None:
    assert environment.collect({name: "1"}).variables == {name: "1"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["AWS_SECRET_ACCESS_KEY", "HOME", "LANGUAGE", "TZX", "TF_TOKEN_app_terraform_io", "TF_VAR_password", "MY_OMP_X"],
)
def test_other_variables_are_not(name: str) -> None:
    assert not environment.collect({name: "secret"}).variables


def test_the_schema_allows_the_same_variables() -> None:
    schema = json.loads((Path(recipekit.__file__).parent / "schema" / "manifest.schema.json").read_text())
    internal = schema["$defs"]["buildDefinition"]["properties"]["internalParameters"]["properties"]

    assert internal["environmentVariables"]["propertyNames"]["pattern"] == environment.VARIABLES.pattern


def test_instruction_sets_of_x86_are_read() -> None:
    text = "model name\t: Some CPU @ 2 GHz\nflags\t\t: sme smep avx2 fma avx512f amx_int8\n\nflags\t: f16c\n"

    assert environment.cpu_facts(text) == {
        "cpuModel": "Some CPU @ 2 GHz",
        "cpuFeatures": ["amx_int8", "avx2", "avx512f", "fma"],
    }


def test_instruction_sets_of_arm_are_read() -> None:
    text = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd asimddp sve2 i8mm sme crc32\n\n"

    assert environment.cpu_facts(text) == {"cpuFeatures": ["asimd", "asimddp", "i8mm", "sme", "sve2"]}


def test_a_system_without_cpu_facts_has_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "_CPU_INFO", tmp_path / "absent")
    monkeypatch.delattr(os, "confstr")

    assert environment.platform_facts().keys() == {"system", "machine"}


def test_the_source_digest_covers_code_and_data_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.py").write_text("1")
    before = environment.source_digest(tmp_path)
    (tmp_path / "a" / "x.pyc").write_text("byte code")
    assert environment.source_digest(tmp_path) == before
    (tmp_path / "a" / "x.py").rename(tmp_path / "a" / "y.py")
    assert environment.source_digest(tmp_path) != before


def test_no_file_of_the_package_escapes_the_source_digest() -> None:
    package = Path(recipekit.__file__).parent
    suffixes = {path.suffix for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}

    assert suffixes - {""} <= environment._SOURCE_SUFFIXES


@pytest.mark.slow
def test_collecting_imports_nothing_heavy() -> None:
    code = (
        "import sys; from recipekit import environment, inputs, manifest, outputs, repository; environment.collect();"
        "print({'numpy', 'tensorflow', 'hydra', 'omegaconf', 'keras'} & sys.modules.keys())"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed == "set()\n"


def test_what_an_imported_library_leaves_in_the_environment_is_not_recorded() -> None:
    left = {"KMP_DUPLICATE_LIB_OK": "True", "KMP_INIT_AT_FORK": "FALSE"}
    assert environment.collect(left | {"KMP_BLOCKTIME": "0"}).variables == {"KMP_BLOCKTIME": "0"}
