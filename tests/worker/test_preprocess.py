"""Preprocessing steps: what each computes, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from recipekit.errors import DatasetError, PluginError
from recipekit.language import recipe_schema
from recipekit.worker.preprocess import STEPS, compile_steps

ROOT = Path()
PLACE = "frames sample 3 ('s3')"


def apply(array: Any, *steps: dict[str, Any], root: Path = ROOT) -> np.ndarray[Any, Any]:
    return compile_steps(steps, root)({"": array}, PLACE)[""]


def picture(height: int, width: int, channels: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


# --- resize ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "filter_"),
    [
        ("nearest", Image.Resampling.NEAREST),
        ("bilinear", Image.Resampling.BILINEAR),
        ("bicubic", Image.Resampling.BICUBIC),
        ("lanczos", Image.Resampling.LANCZOS),
        ("area", Image.Resampling.BOX),
    ],
)
def test_resize_is_pillows(method: str, filter_: Image.Resampling) -> None:
    image = picture(9, 7, 3)
    resized = apply(image, {"resize": {"size": [5, 4], "method": method}})
    np.testing.assert_array_equal(resized, np.asarray(Image.fromarray(image).resize((4, 5), filter_)))


def test_resize_takes_height_first_and_is_bilinear() -> None:
    image = picture(9, 7, 3)
    resized = apply(image, {"resize": [5, 4]})
    assert resized.shape == (5, 4, 3)
    np.testing.assert_array_equal(resized, apply(image, {"resize": {"size": [5, 4], "method": "bilinear"}}))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64"])
def test_resize_treats_every_channel_alike_and_keeps_the_element_type(channels: int, dtype: str) -> None:
    image = picture(8, 6, channels).astype(dtype)
    resized = apply(image, {"resize": [5, 9]})
    assert resized.dtype == dtype
    for channel in range(channels):
        np.testing.assert_array_equal(resized[:, :, channel], apply(image[:, :, channel], {"resize": [5, 9]}))


def test_resize_keeps_floats_beyond_the_range_of_bytes() -> None:
    assert apply(np.full((4, 4, 1), -7.5, np.float32), {"resize": [2, 2]}) == pytest.approx(-7.5)


# --- crop and channels ----------------------------------------------------------------------------------------------


@given(height=st.integers(1, 9), width=st.integers(1, 9), data=st.data())
def test_center_crop_cuts_as_much_on_both_sides(height: int, width: int, data: st.DataObject) -> None:
    image = np.arange(height * width).reshape(height, width)
    rows, columns = data.draw(st.integers(1, height)), data.draw(st.integers(1, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    cropped = apply(image, {"center_crop": [rows, columns]})
    np.testing.assert_array_equal(cropped, image[top : top + rows, left : left + columns])


def test_grey_from_colour_is_pillows() -> None:
    image = picture(5, 4, 3)
    expected = np.asarray(Image.fromarray(image).convert("L"))[:, :, np.newaxis]
    np.testing.assert_array_equal(apply(image, {"channels": 1}), expected)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_grey_from_float_colour_is_the_same_luma(dtype: str) -> None:
    image = (picture(5, 4, 3) / 255).astype(dtype)
    grey = apply(image, {"channels": 1})
    assert grey.dtype == dtype
    np.testing.assert_allclose(grey[:, :, 0], image @ np.array([0.299, 0.587, 0.114]), atol=2e-3)


@pytest.mark.parametrize("shape", [(5, 4), (5, 4, 1)])
def test_colour_from_grey_repeats_it(shape: tuple[int, ...]) -> None:
    image = picture(5, 4, 1).reshape(shape)
    colour = apply(image, {"channels": 3})
    assert colour.shape == (5, 4, 3)
    assert (colour == image.reshape(5, 4, 1)).all()


@pytest.mark.parametrize(("shape", "count"), [((5, 4, 3), 3), ((5, 4, 1), 1)])
def test_channels_that_are_right_stay(shape: tuple[int, ...], count: int) -> None:
    image = picture(*shape)
    np.testing.assert_array_equal(apply(image, {"channels": count}), image)


# --- values ---------------------------------------------------------------------------------------------------------


def test_rescale_multiplies_then_adds_in_float32() -> None:
    rescaled = apply(np.array([0, 255], np.uint8), {"rescale": {"scale": 2 / 255, "offset": -1}})
    assert rescaled.dtype == np.float32
    np.testing.assert_allclose(rescaled, [-1, 1], atol=1e-6)


def test_rescale_without_offset_multiplies() -> None:
    assert apply(np.float32(3), {"rescale": {"scale": 2}}).tolist() == 6


def test_normalize_goes_by_the_last_axis() -> None:
    image = picture(4, 3, 3)
    normalized = apply(image, {"normalize": {"mean": [1, 2, 3], "std": [2, 4, 8]}})
    assert normalized.dtype == np.float32
    np.testing.assert_allclose(normalized, (image - np.array([1.0, 2, 3])) / np.array([2.0, 4, 8]), rtol=1e-6)


@pytest.mark.parametrize("array", [np.float32(5), np.full((2, 3), 5, np.int32)])
def test_normalize_by_one_number_takes_any_shape(array: Any) -> None:
    normalized = apply(np.asarray(array), {"normalize": {"mean": 1, "std": [2]}})
    assert normalized.shape == np.shape(array)
    assert (normalized == 2).all()


@given(
    arrays.arrays(np.float32, 5, elements=st.floats(-300, 300, width=32)), st.sampled_from(["int8", "uint8", "int16"])
)
def test_cast_keeps_values_or_refuses(array: np.ndarray[Any, Any], dtype: str) -> None:
    bounds = np.iinfo(dtype)
    whole = np.trunc(array)
    if ((whole >= bounds.min) & (whole <= bounds.max)).all():
        np.testing.assert_array_equal(apply(array, {"cast": dtype}), whole)
    else:
        with pytest.raises(DatasetError, match="don't fit"):
            apply(array, {"cast": dtype})


@pytest.mark.parametrize(
    ("array", "dtype"),
    [
        (np.array([np.nan]), "int32"),
        (np.array([np.inf]), "int32"),
        (np.array([1e39]), "float32"),
        (np.array([70000.0]), "float16"),
        (np.array([-1]), "uint64"),
        (np.array([2**63], np.uint64), "int64"),
    ],
)
def test_cast_refuses_what_does_not_fit(array: Any, dtype: str) -> None:
    with pytest.raises(DatasetError, match="don't fit"):
        apply(array, {"cast": dtype})


def test_cast_knows_truth_values() -> None:
    assert apply(np.array([0, 2]), {"cast": "bool"}).tolist() == [False, True]
    assert apply(np.array([False, True]), {"cast": "float32"}).tolist() == [0, 1]


def test_reshape_and_transpose_are_numpys() -> None:
    array = np.arange(24).reshape(2, 3, 4)
    np.testing.assert_array_equal(apply(array, {"reshape": [4, -1]}), array.reshape(4, 6))
    np.testing.assert_array_equal(apply(array, {"transpose": [2, 0, 1]}), array.transpose(2, 0, 1))


# --- python ---------------------------------------------------------------------------------------------------------


def steps_file(folder: Path, body: str) -> str:
    (folder / "project_steps.py").write_text(f"import numpy as np\ndef step(array):\n    {body}\n")
    return "project_steps.py:step"


def test_a_function_of_the_project_is_a_step(tmp_path: Path) -> None:
    address = steps_file(tmp_path, "return array * 2")
    assert apply(np.array([1, 2]), {"python": address}, root=tmp_path).tolist() == [2, 4]


def test_a_function_that_changes_its_argument_leaves_the_dataset_alone(tmp_path: Path) -> None:
    address = steps_file(tmp_path, "array += 1; return array")
    array = np.zeros(2)
    assert apply(array, {"python": address}, root=tmp_path).tolist() == [1, 1]
    assert array.tolist() == [0, 0]


def test_a_function_that_raises_is_named_with_its_line(tmp_path: Path) -> None:
    address = steps_file(tmp_path, "raise ValueError('boom')")
    with pytest.raises(PluginError, match="boom") as caught:
        apply(np.zeros(2), {"python": address}, root=tmp_path)
    assert caught.value.where.endswith("project_steps.py:3")


def test_a_function_that_gives_no_array_is_an_error(tmp_path: Path) -> None:
    address = steps_file(tmp_path, "return {}")
    with pytest.raises(DatasetError, match="element type object"):
        apply(np.zeros(2), {"python": address}, root=tmp_path)


def test_what_is_not_a_function_is_refused(tmp_path: Path) -> None:
    (tmp_path / "project_values.py").write_text("step = 3\n")
    with pytest.raises(PluginError, match="not callable"):
        compile_steps([{"python": "project_values.py:step"}], tmp_path)


# --- the list of steps ----------------------------------------------------------------------------------------------


def test_steps_apply_in_order() -> None:
    steps = ({"rescale": {"scale": 2}}, {"rescale": {"scale": 1, "offset": 1}})
    assert apply(np.array([3]), *steps).tolist() == [7]
    assert apply(np.array([3]), *reversed(steps)).tolist() == [8]


def test_a_step_applies_to_every_tensor_or_to_those_it_names() -> None:
    tensors = {"a": np.array([1]), "b": np.array([1])}
    everything = compile_steps([{"cast": "float32"}], ROOT)(tensors, PLACE)
    only = compile_steps([{"cast": "float32", "inputs": ["b"]}], ROOT)(tensors, PLACE)
    assert [array.dtype.name for array in everything.values()] == ["float32", "float32"]
    assert [array.dtype.name for array in only.values()] == ["int64", "float32"]
    assert [array.dtype.name for array in tensors.values()] == ["int64", "int64"]


@pytest.mark.parametrize(
    ("tensors", "message"), [({"image": 0}, "did you mean 'image'"), ({"": 0}, "one array without a name")]
)
def test_a_step_for_a_tensor_that_is_not_there_is_an_error(tensors: dict[str, Any], message: str) -> None:
    preprocess = compile_steps([{"cast": "float32", "inputs": ["imag"]}], ROOT)
    with pytest.raises(DatasetError, match=message) as caught:
        preprocess({name: np.zeros(1) for name in tensors}, PLACE)
    assert caught.value.where == PLACE


def test_an_unknown_step_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(DatasetError, match="there is no step 'resise'; did you mean 'resize'") as caught:
        compile_steps([{"cast": "uint8"}, {"resise": [4, 4]}], ROOT)
    assert caught.value.where == "preprocess step 2"


@pytest.mark.parametrize("step", [{}, {"inputs": ["a"]}, {"cast": "int8", "reshape": [2]}])
def test_a_step_has_one_name(step: dict[str, Any]) -> None:
    with pytest.raises(DatasetError, match="exactly one step name"):
        compile_steps([step], ROOT)


WRONG_ARGUMENTS: list[dict[str, Any]] = [
    {"resize": 4},
    {"resize": [4]},
    {"resize": [0, 4]},
    {"resize": [4.0, 4.0]},
    {"resize": {"method": "area"}},
    {"resize": {"size": [4, 4], "method": "cubic"}},
    {"resize": {"size": [4, 4], "methd": "area"}},
    {"center_crop": {"size": [4, 4]}},
    {"channels": 2},
    {"channels": True},
    {"rescale": 2},
    {"rescale": {"offset": 1}},
    {"rescale": {"scale": "2"}},
    {"rescale": {"scale": float("nan")}},
    {"normalize": {"mean": 1}},
    {"normalize": {"mean": [], "std": 1}},
    {"normalize": {"mean": 1, "std": 0}},
    {"normalize": {"mean": [1, 2], "std": [1, 2, 3]}},
    {"cast": "float8"},
    {"cast": ["float32"]},
    {"reshape": [-1, -1]},
    {"reshape": [-2]},
    {"reshape": "2"},
    {"transpose": [0, 2]},
    {"transpose": [True, False]},
    {"log_mel": 16000},
    {"mfcc": {"n_mfcc": 13}},
    {"python": 3},
    {"cast": "int8", "inputs": "image"},
    {"cast": "int8", "inputs": [1]},
]


@pytest.mark.parametrize("step", WRONG_ARGUMENTS, ids=str)
def test_a_wrong_argument_names_the_step_and_its_form(step: dict[str, Any]) -> None:
    with pytest.raises(DatasetError) as caught:
        compile_steps([step], ROOT)
    name = next(iter(step))
    assert caught.value.where == f"preprocess step 1 ({name})"
    assert f"{{{name}: " in caught.value.fix


def test_every_step_has_wrong_arguments_in_the_list_above() -> None:
    assert {next(iter(step)) for step in WRONG_ARGUMENTS} == {*STEPS, "python"}


def test_the_language_knows_every_step_and_no_other() -> None:
    steps = recipe_schema()["$defs"]["dataset"]["properties"]["preprocess"]["items"]
    assert steps["properties"].keys() == {*STEPS, "python", "inputs"}


@pytest.mark.parametrize(
    ("step", "array"),
    [
        ({"resize": [2, 2]}, np.zeros(4, np.uint8)),
        ({"resize": [2, 2]}, np.zeros((0, 4), np.uint8)),
        ({"resize": [2, 2]}, np.zeros((4, 4), np.int16)),
        ({"center_crop": [5, 2]}, np.zeros((4, 4))),
        ({"channels": 3}, np.zeros((4, 4, 2), np.uint8)),
        ({"channels": 1}, np.zeros((4, 4, 3), np.int16)),
        ({"rescale": {"scale": 2}}, np.array(["a"])),
        ({"normalize": {"mean": [1, 2, 3], "std": 1}}, np.zeros((4, 4, 1))),
        ({"cast": "int8"}, np.array(["a"])),
        ({"reshape": [3, 3]}, np.zeros(8)),
        ({"transpose": [1, 0]}, np.zeros(8)),
    ],
    ids=str,
)
def test_a_step_that_does_not_fit_names_itself_and_the_sample(step: dict[str, Any], array: Any) -> None:
    with pytest.raises(DatasetError) as caught:
        apply(array, step)
    assert caught.value.where == PLACE
    assert caught.value.what.startswith(f"preprocess step 1 ({next(iter(step))}): ")
