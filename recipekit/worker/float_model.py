"""The float model as every source gives it: fed by name, traced when it is needed, exported as one signature.

Whatever the source is (a Keras model of either generation, a SavedModel, a tf.Module), it ends as a function from named
tensors to named tensors, so that nothing behind it depends on the order of inputs or outputs. This module knows no
file format but the SavedModel that it writes.
"""

from __future__ import annotations

import copy
import keyword
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from recipekit.contracts import LoadedModel, Signature, SourceSpec, TensorSpec
from recipekit.errors import RecipekitError, SourceError
from recipekit.nearest import did_you_mean
from recipekit.worker.layer_scopes import LayerScopes

SIGNATURE_KEY = "serving_default"
"""The key of the one signature that an exported model has."""

Tensors = dict[str, Any]


@dataclass(frozen=True)
class FloatModel:
    """A loaded float model.

    Attributes:
        forward: computes output tensors by output name from input tensors by input name; TensorFlow code.
        inputs: names, shapes and dtypes of the inputs as the source has them, None for dynamic dimensions.
        owner: the object behind `forward`; it keeps the weights alive and holds resources that aren't variables.
        loader: what read the source: `keras3`, `tf_keras`, `saved_model`, `saved_model_v1` or `factory`.
        reason: why that one, one sentence for the user.
        parameters: number of weights, None where the source doesn't tell.
        layers: which layer made which operations; empty until `forward` was traced, and for models without layers.
    """

    forward: Callable[[Tensors], Tensors]
    inputs: tuple[TensorSpec, ...]
    owner: Any
    loader: str
    reason: str
    parameters: int | None = None
    layers: LayerScopes = field(default_factory=LayerScopes)

    @cached_property
    def signature(self) -> Signature:
        """Inputs and outputs of the model as the source has it; traced at the first use.

        Raises:
            SourceError: the model can't be traced.
        """
        return Signature(inputs=self.inputs, outputs=_output_specs(self._traced[0]))

    @property
    def batched(self) -> bool:
        """Whether the first dimension of every input and output is dynamic, so that samples can be stacked."""
        tensors = (*self.signature.inputs, *self.signature.outputs)
        return all(tensor.shape[:1] == (None,) for tensor in tensors)

    def __call__(self, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Runs the model on arrays with batch dimension.

        Args:
            inputs: one array for each input name.

        Returns:
            One array for each output name, in the model's own dtypes.
        """
        function, arguments = self._traced
        tensors = {arguments[name]: tf.convert_to_tensor(array) for name, array in inputs.items()}
        return {name: np.asarray(tensor.numpy()) for name, tensor in function(**tensors).items()}

    def loaded(self, folder: Path, source: SourceSpec) -> LoadedModel:
        """Exports the model into `folder/saved_model`, unless it is a SavedModel that can be converted where it stands.

        Raises:
            SourceError: as `export` says.
        """
        if source.kind == "saved_model" and self.loader == "saved_model" and not source.input_shapes:
            place, key, signature = Path(source.path), source.signature, self.signature
        else:
            place, key = folder / "saved_model", SIGNATURE_KEY
            signature = self.export(place, source.input_shapes)
        return LoadedModel(
            saved_model=str(place),
            signature_key=key,
            signature=signature,
            loader=self.loader,
            reason=self.reason,
            parameters=self.parameters,
            layers=self.layers.found,
        )

    def export(self, folder: Path, input_shapes: Mapping[str, tuple[int, ...]]) -> Signature:
        """Writes the model as a SavedModel with the one signature `SIGNATURE_KEY`.

        Args:
            folder: where the SavedModel goes; made if it isn't there.
            input_shapes: full shapes, batch included, by input name; inputs left out keep their own shape.

        Returns:
            The signature as written: its names are exactly the model's, with `input_shapes` applied.

        Raises:
            SourceError: a name or shape contradicts the model, or the model can't be traced or written.
        """
        inputs = fix_shapes(self.inputs, input_shapes)
        function, arguments = self._traced if inputs == self.inputs else self._trace(inputs)
        root = tf.Module()
        # The converter reads variables from the checkpoint alone. Those of a Keras 3 model that is merely held by the
        # root may be missing there without a word, so each captured variable is tracked by itself.
        root.variables_of_signature = list(function.variables)
        if _captures_resources(function):
            root.owner = self.owner
        with _foreign("can't be written as a SavedModel"):
            tf.saved_model.save(root, str(folder), signatures={SIGNATURE_KEY: function})
        if any(name != argument for name, argument in arguments.items()):
            _rename_arguments(folder / "saved_model.pb", {argument: name for name, argument in arguments.items()})
        return Signature(inputs=inputs, outputs=_output_specs(function))

    @cached_property
    def _traced(self) -> tuple[Any, dict[str, str]]:
        return self._trace(self.inputs)

    def _trace(self, inputs: tuple[TensorSpec, ...]) -> tuple[Any, dict[str, str]]:
        """A concrete function for these shapes, and its keyword for each input name."""
        arguments = _arguments([spec.name for spec in inputs])
        names = {argument: name for name, argument in arguments.items()}

        def serve(**tensors: Any) -> Tensors:
            return self.forward({names[argument]: tensor for argument, tensor in tensors.items()})

        # A function of its own for each set of shapes: one that has seen dynamic shapes gives those for fixed ones too.
        function = tf.function(serve, autograph=False)
        specs = {
            arguments[spec.name]: tf.TensorSpec(spec.shape, tensorflow_dtype(spec.dtype), name=arguments[spec.name])
            for spec in inputs
        }
        with _foreign("can't be traced"):
            return function.get_concrete_function(**specs), arguments


def fix_shapes(inputs: tuple[TensorSpec, ...], input_shapes: Mapping[str, tuple[int, ...]]) -> tuple[TensorSpec, ...]:
    """Inputs with dynamic dimensions replaced by those of `input_shapes`.

    Raises:
        SourceError: a name isn't an input of the model, or a shape contradicts the model's own.
    """
    known = {spec.name: spec for spec in inputs}
    for name, shape in input_shapes.items():
        if name not in known:
            raise SourceError(
                f"the model has no input '{name}'{did_you_mean(name, known)}",
                where="source.input_shapes",
                fix=f"its inputs are {', '.join(known)}",
            )
        own = known[name].shape
        if len(own) != len(shape) or any(size not in (None, given) for size, given in zip(own, shape, strict=True)):
            raise SourceError(
                f"the shape {_written(shape)} contradicts the model's own {_written(own)}",
                where=f"source.input_shapes.{name}",
                fix="only dynamic dimensions, shown as ?, can be fixed; give the batch dimension too",
            )
    return tuple(msgspec.structs.replace(spec, shape=input_shapes.get(spec.name, spec.shape)) for spec in inputs)


def tensor_spec(name: str, spec: Any) -> TensorSpec:
    """The record of a TensorFlow or Keras spec: anything with `shape` and `dtype`.

    Raises:
        SourceError: its rank is unknown.
    """
    shape = tf.TensorShape(spec.shape)
    if shape.rank is None:
        raise SourceError(
            f"the tensor '{name}' has an unknown number of dimensions",
            fix="give it a shape in the model; single dimensions may stay None",
        )
    return TensorSpec(name=name, shape=tuple(shape.as_list()), dtype=numpy_dtype(tf.as_dtype(spec.dtype)))


def numpy_dtype(dtype: Any) -> str:
    """NumPy's name of a TensorFlow dtype; `str` for strings."""
    return "str" if dtype == tf.string else str(dtype.name)


def tensorflow_dtype(name: str) -> Any:
    """The TensorFlow dtype of NumPy's name."""
    return tf.string if name == "str" else tf.as_dtype(name)


def name_outputs(outputs: Any) -> Tensors:
    """Names a function's outputs as TensorFlow does: a mapping keeps its keys, others become `output_0`, `output_1` ...

    Raises:
        SourceError: the outputs are nested deeper than that, or hold something else than tensors.
    """
    if isinstance(outputs, Mapping):
        named = {str(name): tensor for name, tensor in outputs.items()}
    else:
        flat = outputs if isinstance(outputs, list | tuple) else [outputs]
        named = {f"output_{index}": tensor for index, tensor in enumerate(flat)}
    odd = next((f"{name} is {type(value).__name__}" for name, value in named.items() if not _is_tensor(value)), "")
    if odd or not named:
        raise SourceError(
            f"the model's outputs can't be named: {odd or 'there are none'}",
            fix="return a tensor, a flat list of tensors, or a flat mapping of names to tensors",
        )
    return named


def _is_tensor(value: Any) -> bool:
    return isinstance(value, tf.Tensor | tf.Variable | tf.TensorSpec)


def _output_specs(function: Any) -> tuple[TensorSpec, ...]:
    return tuple(tensor_spec(name, tensor) for name, tensor in function.structured_outputs.items())


def _arguments(names: list[str]) -> dict[str, str]:
    """A keyword for each input name: the name itself where Python allows all of them, else numbered ones.

    TensorFlow alters keywords that aren't identifiers, or refuses them; odd names are written into the finished file.
    """
    if all(name.isascii() and name.isidentifier() and not keyword.iskeyword(name) for name in names):
        return {name: name for name in names}
    return {name: f"input_{index}" for index, name in enumerate(names)}


def _captures_resources(function: Any) -> bool:
    """Whether a concrete function uses lookup tables or other resources besides variables."""
    handles = {id(variable.handle) for variable in function.variables}
    return any(tensor.dtype == tf.resource and id(tensor) not in handles for tensor in function.captured_inputs)


def _rename_arguments(path: Path, names: Mapping[str, str]) -> None:
    """Gives the inputs of a written signature their own names."""
    saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for meta_graph in saved_model.meta_graphs:
        inputs = meta_graph.signature_def[SIGNATURE_KEY].inputs
        renamed = {names[argument]: copy.deepcopy(inputs[argument]) for argument in inputs}
        inputs.clear()
        for name, tensor in renamed.items():
            inputs[name].CopyFrom(tensor)
        for node in meta_graph.object_graph_def.nodes:
            if node.WhichOneof("kind") == "bare_concrete_function":
                keywords = node.bare_concrete_function.argument_keywords
                keywords[:] = [names.get(argument, argument) for argument in keywords]
    path.write_bytes(saved_model.SerializeToString(deterministic=True))


def _written(shape: tuple[int | None, ...]) -> str:
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


@contextmanager
def _foreign(trouble: str) -> Iterator[None]:
    """Turns whatever the model's own code raises into a SourceError."""
    try:
        yield
    except RecipekitError:
        raise
    except Exception as error:
        first_line = str(error).strip().partition("\n")[0]
        raise SourceError(
            f"the model {trouble}: {type(error).__name__}: {first_line}", fix="the log holds the whole traceback"
        ) from error
