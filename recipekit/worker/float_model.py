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
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from recipekit.contracts import FirstLayer, LoadedModel, Signature, SourceLayer, SourceSpec, TensorSpec
from recipekit.errors import RecipekitError, SourceError, in_a_line
from recipekit.worker.graph_operators import changes_variables
from recipekit.worker.named_tensors import Tensors, fix_shapes, tensor_spec, tensorflow_dtype
from recipekit.worker.recurrent import Recurrent

SIGNATURE_KEY = "serving_default"
"""The key of the one signature that an exported model has."""


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
        first_layers: the model's own scaling of its inputs, as far as the source shows its layers.
        recurrent: the layers that are loops; None where there are none, or none are known.
        layers: gives the Keras layers with the scopes that they were traced in.
        unsafe_parts: what in the source runs code or reads files, let pass by `allow_unsafe`; a sentence each.
    """

    forward: Callable[[Tensors], Tensors]
    inputs: tuple[TensorSpec, ...]
    owner: Any
    loader: str
    reason: str
    parameters: int | None = None
    first_layers: tuple[FirstLayer, ...] = ()
    recurrent: Recurrent | None = None
    layers: Callable[[], tuple[SourceLayer, ...]] = tuple
    unsafe_parts: tuple[str, ...] = ()

    @cached_property
    def signature(self) -> Signature:
        """Inputs and outputs of the model as the source has it; traced at the first use.

        Raises:
            SourceError: the model can't be traced.
        """
        return Signature(inputs=self.inputs, outputs=_output_specs(self._traced[0]))

    def by_signature(self, key: str) -> FloatModel:
        """Itself: it has one signature."""
        del key
        return self

    @cached_property
    def stateful(self) -> bool:
        """Whether a call changes variables, so that what it answers depends on the calls before."""
        function, _ = self._traced
        return bool(function.variables) and changes_variables(function.graph.as_graph_def())

    @property
    def batched(self) -> bool:
        """Whether samples can be stacked: every first dimension is dynamic, and a sample doesn't depend on others."""
        tensors = (*self.signature.inputs, *self.signature.outputs)
        return all(tensor.shape[:1] == (None,) for tensor in tensors) and not self.stateful

    def __call__(self, inputs: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Runs the model on arrays with batch dimension.

        Args:
            inputs: one array for each input name; an input without dimensions takes the one number of a batch of one.

        Returns:
            One array for each output name, in the model's own dtypes.
        """
        function, arguments = self._traced
        shaped = {spec.name: inputs[spec.name] if spec.shape else inputs[spec.name][0] for spec in self.inputs}
        tensors = {arguments[name]: tf.convert_to_tensor(array) for name, array in shaped.items()}
        return {name: np.asarray(tensor.numpy()) for name, tensor in function(**tensors).items()}

    def loaded(self, folder: Path, source: SourceSpec) -> LoadedModel:
        """Exports the model into `folder/saved_model`, unless it is a SavedModel that can be converted where it stands.

        Raises:
            SourceError: as `export` says.
        """
        if source.kind == "saved_model" and self.loader == "saved_model" and not source.input_shapes:
            place, key, signature = Path(source.path), str(source.signature), self.signature
        else:
            place, key = folder / "saved_model", SIGNATURE_KEY
            signature = self.export(place, self.shapes(source))
        return LoadedModel(
            saved_model=str(place),
            signatures={key: signature},
            loader=self.loader,
            reason=self.explained(source),
            parameters=self.parameters,
            first_layers=self.first_layers,
            loops=self.recurrent.loops if self.recurrent else (),
            layers=self.layers(),
            unsafe_parts=self.unsafe_parts,
        )

    def shapes(self, source: SourceSpec) -> dict[str, tuple[int | None, ...]]:
        """Shapes of the export: `input_shapes`, and a batch of 1 where recurrent layers need a fixed one."""
        loose = [spec for spec in self.inputs if self.recurrent and spec.shape[:1] == (None,)]
        return {**{spec.name: (1, *spec.shape[1:]) for spec in loose}, **source.input_shapes}

    def explained(self, source: SourceSpec) -> str:
        """Why this loader, and why a batch of 1 where nobody asked for it."""
        if self.recurrent is None or self.shapes(source) == source.input_shapes:
            return self.reason
        names = ", ".join(self.recurrent.layers)
        return f"{self.reason}; the batch is fixed to 1, as TensorFlow Lite needs it for recurrent layers ({names})"

    def export(self, folder: Path, input_shapes: Mapping[str, tuple[int | None, ...]]) -> Signature:
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
        return export({SIGNATURE_KEY: self}, {SIGNATURE_KEY: inputs}, folder)[SIGNATURE_KEY]

    def traced(self, inputs: tuple[TensorSpec, ...]) -> tuple[Any, dict[str, str]]:
        """A concrete function for inputs of these shapes, and its keyword for each input name.

        Raises:
            SourceError: the model can't be traced.
        """
        return self._traced if inputs == self.inputs else self._trace(inputs)

    @cached_property
    def _traced(self) -> tuple[Any, dict[str, str]]:
        return self._trace(self.inputs)

    def _trace(self, inputs: tuple[TensorSpec, ...]) -> tuple[Any, dict[str, str]]:
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


def export(
    models: Mapping[str, FloatModel], inputs: Mapping[str, tuple[TensorSpec, ...]], folder: Path
) -> dict[str, Signature]:
    """Writes models as the signatures of one SavedModel; variables that they share are one there, too.

    Args:
        models: by signature key; of one source, so that they have one owner.
        inputs: of each, with the shapes that it gets.
        folder: where the SavedModel goes; made if it isn't there.

    Returns:
        The signatures as written, by key: their names are exactly the models'.

    Raises:
        SourceError: a model can't be traced or written.
    """
    traced = {key: model.traced(inputs[key]) for key, model in models.items()}
    functions = {key: function for key, (function, _) in traced.items()}
    root = tf.Module()
    # The converter reads variables from the checkpoint alone. Those of a Keras 3 model that is merely held by the
    # root may be missing there without a word, so each captured variable is tracked by itself.
    root.variables_of_signature = [variable for function in functions.values() for variable in function.variables]
    if any(_captures_resources(function) for function in functions.values()):
        root.owner = next(iter(models.values())).owner
    with _foreign("can't be written as a SavedModel"):
        tf.saved_model.save(root, str(folder), signatures=functions)
    renamed = {
        key: {argument: name for name, argument in arguments.items()}
        for key, (_, arguments) in traced.items()
        if any(name != argument for name, argument in arguments.items())
    }
    if renamed:
        _rename_arguments(folder / "saved_model.pb", renamed)
    return {key: Signature(inputs=inputs[key], outputs=_output_specs(functions[key])) for key in models}


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


def _rename_arguments(path: Path, names: Mapping[str, Mapping[str, str]]) -> None:
    """Gives the inputs of written signatures their own names.

    Args:
        path: `saved_model.pb`.
        names: the input's name for each keyword, by signature key.
    """
    saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for meta_graph in saved_model.meta_graphs:
        functions = _signature_functions(meta_graph.object_graph_def)
        for key, its in names.items():
            inputs = meta_graph.signature_def[key].inputs
            renamed = {its[argument]: copy.deepcopy(inputs[argument]) for argument in inputs}
            inputs.clear()
            for name, tensor in renamed.items():
                inputs[name].CopyFrom(tensor)
            keywords = functions[key].bare_concrete_function.argument_keywords
            keywords[:] = [its.get(argument, argument) for argument in keywords]
    path.write_bytes(saved_model.SerializeToString(deterministic=True))


def _signature_functions(graph: Any) -> dict[str, Any]:
    """The nodes of a SavedModel's objects that are its signatures, by key."""
    children = {child.local_name: graph.nodes[child.node_id] for child in graph.nodes[0].children}
    return {child.local_name: graph.nodes[child.node_id] for child in children["signatures"].children}


@contextmanager
def _foreign(trouble: str) -> Iterator[None]:
    """Turns whatever the model's own code raises into a SourceError."""
    try:
        yield
    except RecipekitError:
        raise
    except Exception as error:
        raise SourceError(
            f"the model {trouble}: {in_a_line(error)}", fix="the log holds the whole traceback"
        ) from error
