"""Source is read for the classes that a model names, and what an import of it would do is told before it is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from recipekit.drafting.custom_code import modules_of

CLASS = "class Step:\n    def save(self):\n        self.model.save('x')\n"


def written(root: Path, **files: str) -> Path:
    for name, text in files.items():
        (root / f"{name}.py").write_text(text)
    return root


def test_a_definition_in_a_text_or_comment_is_none(tmp_path: Path) -> None:
    written(
        tmp_path,
        a=f'CODE = """\n{CLASS}"""\n',
        b="# class Step:\n",
        c="class Stepping:\n    pass\n",
        d="class Step(:\n",
    )
    assert modules_of(["shop>Step"], tmp_path) == {}
    written(tmp_path, e=CLASS)
    assert modules_of(["shop>Step"], tmp_path)["shop>Step"].path == "e.py"


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("model.fit(x)\n", 4),
        ("for _ in range(3):\n    history = model.fit(x)\n", 5),
        ("try:\n    import x\nexcept ImportError:\n    model.save('m.keras')\n", 7),
        ("if True:\n    pass\nelse:\n    model.export('m')\n", 7),
    ],
)
def test_a_module_that_defines_alone_goes_before_one_that_trains(tmp_path: Path, script: str, line: int) -> None:
    written(tmp_path, a_train=CLASS + script)
    (alone,) = modules_of(["Step"], tmp_path).values()
    assert (alone.path, alone.works_at) == ("a_train.py", line)
    assert f"importing a_train.py trains or saves a model (line {line})" in alone.doubt
    written(tmp_path, layers=CLASS)
    (chosen,) = modules_of(["Step"], tmp_path).values()
    assert (chosen.path, chosen.works_at, chosen.doubt) == ("layers.py", None, "")


@pytest.mark.parametrize(
    "script",
    [
        "if __name__ == '__main__':\n    model.fit(x)\n",
        "def main():\n    model.fit(x)\n",
        "keras.saving.register_keras_serializable()(Step)\n",
        "SAVED = Path('m').parent\n",
    ],
)
def test_what_an_import_does_not_run_is_no_work(tmp_path: Path, script: str) -> None:
    written(tmp_path, a=CLASS + script)
    assert modules_of(["Step"], tmp_path)["Step"].works_at is None


def test_a_definition_in_a_block_is_found(tmp_path: Path) -> None:
    written(tmp_path, a="try:\n    from shop import Step\nexcept ImportError:\n    class Step:\n        pass\n")
    assert modules_of(["Step"], tmp_path)["Step"].path == "a.py"
