from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipekit.errors import ConversionError
from recipekit.worker.engines.converter_flags import OWN_KEYS, UNSET_TYPES, check_flags, settable

CONVERTER = SimpleNamespace(
    unfold_batchmatmul=False,
    model_origin_framework="UNSET",
    ir_dump_dir=None,
    stablehlo_config=None,
    target_spec=object(),
    optimizations=set(),
    _private=True,
)


def test_only_public_attributes_with_plain_values_are_settable() -> None:
    assert settable(CONVERTER) == {"ir_dump_dir": str, "model_origin_framework": str, "unfold_batchmatmul": bool}


def test_an_attribute_that_the_language_names_itself_is_never_settable() -> None:
    assert not OWN_KEYS.keys() & UNSET_TYPES.keys()


@given(st.sampled_from(sorted(settable(CONVERTER))), st.one_of(st.booleans(), st.integers(), st.text(), st.none()))
def test_a_flag_is_accepted_exactly_when_its_type_is_right(name: str, value: Any) -> None:
    if type(value) is settable(CONVERTER)[name]:
        check_flags(CONVERTER, {name: value})
    else:
        with pytest.raises(ConversionError, match=f"'{name}' expects"):
            check_flags(CONVERTER, {name: value})
