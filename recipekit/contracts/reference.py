"""The float model's answers to a dataset, the yardstick of what is measured. Paths are absolute strings."""

from __future__ import annotations

from msgspec import UNSET

from recipekit.contracts.declared import DatasetSpec, ModelSpec
from recipekit.contracts.loaded import LoadedModel
from recipekit.contracts.record import Record
from recipekit.contracts.samples import SampleSet
from recipekit.contracts.tensors import qualified


class TensorLog(Record, frozen=True, kw_only=True):
    """All values of one output, sample by sample, in a raw C-ordered file.

    Attributes:
        path: the file.
        dtype: NumPy's name of the element type.
        shape: of every sample; of the first one where they differ.
        shapes: a `.npy` file with the shape of each sample, int64 (samples, rank); empty where they are all alike.
    """

    path: str
    dtype: str
    shape: tuple[int, ...]
    shapes: str = ""


class ReferenceRequest(Record, frozen=True, kw_only=True):
    """Ask for the float model's outputs on a dataset."""

    model: ModelSpec
    loaded: LoadedModel
    dataset: DatasetSpec


class Reference(Record, frozen=True, kw_only=True):
    """The float model's outputs by output name (`key/output` of several signatures), and the samples they belong to."""

    outputs: dict[str, TensorLog]
    samples: SampleSet

    def of(self, signature: str) -> Reference:
        """What belongs to one signature, by its own output names: all, where the model has no other."""
        if self.samples.signatures is UNSET:
            return self
        prefix = qualified(signature, "")
        outputs = {name.removeprefix(prefix): log for name, log in self.outputs.items() if name.startswith(prefix)}
        return Reference(outputs=outputs, samples=self.samples.of(signature))
