"""A converted model that runs samples: inputs and outputs by the names of its signature, real numbers in and out.

Positions are never used: the order of inputs and outputs in a `.tflite` follows rules of its own. This module knows
nothing of datasets and metrics.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from recipekit.errors import EvaluationError
from recipekit.worker.port import HeldTensor, Port, named_ports
from recipekit.worker.subgraph import Subgraph


class Runner:
    """One signature of a `.tflite` in a LiteRT interpreter.

    Attributes:
        inputs: names of the inputs.
        outputs: names of the outputs.
    """

    def __init__(self, path: Path, threads: int = 1, opened: tuple[Interpreter, str] | None = None) -> None:
        """Opens a model and makes it ready to run.

        Args:
            path: the `.tflite` file.
            threads: interpreter threads.
            opened: an interpreter that has the file open, and the key of the signature to run; None opens a file that
                has one signature, or none.

        Raises:
            EvaluationError: the file is not a model that this runtime can run, or has more than one signature and none
                was chosen.
        """
        self._path = path
        interpreter, key = opened or _open_single(path, threads)
        several = len(interpreter.get_signature_list()) > 1
        self._interpreter: Interpreter | Subgraph = Subgraph(interpreter, key) if several else interpreter
        try:
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise _unrunnable(path, error) from error
        inputs, outputs = _details(interpreter, key)
        self._inputs, self._outputs = named_ports(inputs), named_ports(outputs)
        self._shapes = [tuple(detail["shape"].tolist()) for detail in inputs.values()]
        self.inputs = tuple(port.name for port in self._inputs)
        self.outputs = tuple(port.name for port in self._outputs)
        self._names = frozenset(self.inputs)

    def run(self, tensors: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Runs one sample.

        Operators with a memory of their own, such as a fused LSTM, begin each sample with an empty one: they stand for
        layers without state. Variables of the model keep their values from sample to sample.

        Args:
            tensors: arrays without the batch dimension by input name. Real numbers are quantized where the model's
                input is; an array of the input's own dtype goes in as it is.

        Returns:
            Arrays without the batch dimension by output name, dequantized to float32 where the output is quantized.

        Raises:
            EvaluationError: an input is missing, unknown or doesn't fit, or the model failed while it ran.
        """
        self.feed(tensors)
        self.invoke()
        return self.fetch()

    def feed(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        """Sets the inputs to one sample; see `run`."""
        if tensors.keys() != self._names:
            raise self._error(
                f"the sample holds {_listed(tensors)}, the model takes {_listed(self.inputs)}",
                "name the arrays like the model's inputs",
            )
        values = [self._encoded(port, np.asarray(tensors[port.name])) for port in self._inputs]
        shapes = [value.shape for value in values]
        if shapes != self._shapes:
            self._resize(shapes)
        self._interpreter.reset_all_variables()
        for port, value in zip(self._inputs, values, strict=True):
            self._interpreter.set_tensor(port.index, value)

    def invoke(self) -> None:
        """Runs the model on what `feed` set.

        Raises:
            EvaluationError: a kernel failed.
        """
        try:
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise self._error(f"the model failed while it ran: {_first_sentence(error)}", "") from error

    def fetch(self) -> dict[str, npt.NDArray[Any]]:
        """The outputs of the last `invoke`; see `run`."""
        return {port.name: self._decoded(port) for port in self._outputs}

    def held_inputs(self) -> dict[str, HeldTensor]:
        """The inputs as `feed` left them, by name."""
        return {port.name: self._held(port) for port in self._inputs}

    def held_outputs(self) -> dict[str, HeldTensor]:
        """The outputs as the last `invoke` left them, by name."""
        return {port.name: self._held(port) for port in self._outputs}

    def _held(self, port: Port) -> HeldTensor:
        return HeldTensor(port.index, self._interpreter.get_tensor(port.index), port.scale, port.zero_point)

    def _encoded(self, port: Port, value: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """A sample's array as the tensor's: with the batch dimension and in its dtype."""
        if value.dtype != port.dtype:
            if port.scale:
                value = port.quantized(value)
            elif port.dtype.kind == value.dtype.kind == "S":
                pass  # strings of any length
            elif port.dtype.kind == "S" and value.dtype.kind == "U":
                value = np.char.encode(value, "utf-8")  # as TensorFlow does
            elif np.can_cast(value.dtype, port.dtype, "same_kind"):
                value = value.astype(port.dtype)
            else:
                raise self._error(
                    f"input '{port.name}' takes {port.dtype}, the sample holds {value.dtype}", "give it that dtype"
                )
        return value[np.newaxis] if port.shape else value

    def _decoded(self, port: Port) -> npt.NDArray[Any]:
        value: npt.NDArray[Any] = self._interpreter.get_tensor(port.index)
        if port.scale:
            value = port.dequantized(value)
        return value[0] if value.ndim and len(value) == 1 else value

    def _resize(self, shapes: list[tuple[int, ...]]) -> None:
        """Gives dynamic dimensions the sizes of a sample, for all inputs at once: they often depend on each other."""
        for port, shape in zip(self._inputs, shapes, strict=True):
            if len(shape) != len(port.shape) or any(
                fixed not in (-1, size) for fixed, size in zip(port.shape, shape, strict=True)
            ):
                raise self._error(
                    f"input '{port.name}' has shape {_shape(port.shape)}, a sample as a batch of 1 has {_shape(shape)}",
                    "give samples the model's shape without the batch dimension, and fix the batch to 1",
                )
            self._interpreter.resize_tensor_input(port.index, shape)
        try:
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise self._error(
                f"the model doesn't work with inputs of this size: {_first_sentence(error)}",
                "fix the dynamic dimensions with `source.input_shapes`",
            ) from error
        self._shapes = shapes

    def _error(self, what: str, fix: str) -> EvaluationError:
        return EvaluationError(what, where=str(self._path), fix=fix)


def open_runners(path: Path, keys: Sequence[str], threads: int = 1, *, reference: bool = False) -> dict[str, Runner]:
    """A runner for each signature of a model, in one interpreter, so that they share the model's variables.

    Args:
        path: the `.tflite` file.
        keys: of the model's signatures. Where there is one alone, the file may know it by another key, or by none.
        threads: interpreter threads.
        reference: whether TensorFlow Lite's reference kernels run it, in place of this machine's fast ones.

    Returns:
        The runners by these keys.

    Raises:
        EvaluationError: the file is not a model that this runtime can run, or has other signatures.
    """
    interpreter = _open(path, threads, OpResolverType.BUILTIN_REF if reference else OpResolverType.AUTO)
    held = list(interpreter.get_signature_list())
    if len(keys) == 1 and len(held) < 2:
        return {keys[0]: Runner(path, threads, (interpreter, "".join(held)))}
    if set(held) != set(keys):
        raise EvaluationError(
            f"the model has the signatures {_listed(held)}, the float model {_listed(keys)}",
            where=str(path),
            fix="convert by signatures, so that their keys survive",
        )
    return {key: Runner(path, threads, (interpreter, key)) for key in keys}


def _open_single(path: Path, threads: int) -> tuple[Interpreter, str]:
    interpreter = _open(path, threads)
    keys = interpreter.get_signature_list()
    if len(keys) > 1:
        raise EvaluationError(
            f"the model has the signatures {_listed(keys)}, and one of them is to be run", where=str(path)
        )
    return interpreter, next(iter(keys), "")


def _open(path: Path, threads: int, kernels: OpResolverType = OpResolverType.AUTO) -> Interpreter:
    try:
        return Interpreter(model_path=str(path), num_threads=threads, experimental_op_resolver_type=kernels)
    except (ValueError, RuntimeError) as error:
        raise _unrunnable(path, error) from error


def _unrunnable(path: Path, error: Exception) -> EvaluationError:
    return EvaluationError(
        f"LiteRT can't run the model: {_first_sentence(error)}",
        where=str(path),
        fix="use operators that LiteRT has: what can't be run here can't be measured",
    )


def _details(interpreter: Interpreter, key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What LiteRT says of the inputs and outputs by name; those of the tensors in a file without signatures."""
    if key:
        runner = interpreter.get_signature_runner(key)
        return runner.get_input_details(), runner.get_output_details()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    return {detail["name"]: detail for detail in inputs}, {detail["name"]: detail for detail in outputs}


def _first_sentence(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].partition(". ")[0]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join("?" if size == -1 else str(size) for size in shape) or "()"
