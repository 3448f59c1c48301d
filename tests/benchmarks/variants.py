"""Quantization schemes, each said once for both sides: as a recipe's converter option and as options of the scripts."""

from __future__ import annotations

from typing import NamedTuple

CALIBRATED = ("int8", "int16x8")


class Variant(NamedTuple):
    """One scheme, in the terms of the recipe language's section `converter`."""

    quantization: str
    io: str = "float32"
    granularity: str = "per_channel"
    allow_float: bool = False

    @property
    def name(self) -> str:
        """The converter option's name, such as `int8_uint8_per_tensor`."""
        parts = [self.quantization]
        if self.quantization in CALIBRATED:
            parts += [self.io, "float_fallback" if self.allow_float else ""]
        parts += [self.granularity if self.granularity != "per_channel" else ""]
        return "_".join(filter(None, parts))

    def option(self) -> str:
        """The text of `recipes/converter/<name>.yaml`."""
        lines = [f"quantization: {self.quantization}"]
        if self.quantization in CALIBRATED:
            lines += [
                f"input_type: {self.io}",
                f"output_type: {self.io}",
                f"allow_float: {str(self.allow_float).lower()}",
            ]
        if self.granularity != "per_channel":
            lines += [f"granularity: {self.granularity}"]
        return "\n".join(lines) + "\n"

    def arguments(self) -> tuple[str, ...]:
        """The same for a script."""
        fixed = ("--quantization", self.quantization, "--granularity", self.granularity)
        return (
            *fixed,
            "--input-type",
            self.io,
            "--output-type",
            self.io,
            *(["--allow-float"] if self.allow_float else []),
        )


INT8 = Variant("int8", "int8")

TWELVE = (
    Variant("none"),
    Variant("float16"),
    Variant("dynamic_range"),
    Variant("int8", "float32", "per_tensor"),
    INT8,
    Variant("int8", "uint8"),
    Variant("int8", "float32"),
    Variant("int8", "int8", "per_tensor"),
    Variant("int8", "float32", allow_float=True),
    Variant("int16x8", "int16"),
    Variant("int16x8", "float32"),
    Variant("int16x8", "float32", allow_float=True),
)

CALIBRATED_TEN = (
    *(
        Variant("int8", io, granularity)
        for io in ("int8", "uint8", "float32")
        for granularity in ("per_channel", "per_tensor")
    ),
    Variant("int8", "float32", allow_float=True),
    *TWELVE[-3:],
)
"""The schemes of the hundred variants: each with ten sizes of the calibration set."""

ALL = tuple(dict.fromkeys(TWELVE + CALIBRATED_TEN))
