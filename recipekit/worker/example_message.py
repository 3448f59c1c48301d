"""`tf.train.Example` messages, read without TensorFlow: protobuf is told their form.

Source of the form: tensorflow/core/example/example.proto and feature.proto. A pool of our own keeps it apart from
TensorFlow's, which may live in the same process.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

Values = list[bytes] | list[float] | list[int]

_FIELD = descriptor_pb2.FieldDescriptorProto
_LISTS = {"BytesList": _FIELD.TYPE_BYTES, "FloatList": _FIELD.TYPE_FLOAT, "Int64List": _FIELD.TYPE_INT64}
_PACKAGE = "tensorflow"


def parse_example(data: bytes) -> dict[str, Values]:
    """The values of each feature by its key: all bytes, all floats or all integers; empty where it holds none.

    Raises:
        ValueError: the bytes are no `tf.train.Example`.
    """
    try:
        example = _message_class().FromString(data)
    except DecodeError as error:
        raise ValueError(f"it is no tf.train.Example: {error}") from error
    values: dict[str, Values] = {}
    for key, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        values[key] = [] if kind is None else list(getattr(feature, kind).value)
    return values


@cache
def _message_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package=_PACKAGE, syntax="proto3")
    feature = descriptor_pb2.DescriptorProto(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, kind) in enumerate(_LISTS.items(), 1):
        values = file.message_type.add(name=name)
        values.field.add(name="value", number=1, type=kind, label=_FIELD.LABEL_REPEATED)
        feature.field.add(
            name=name.lower(),
            number=number,
            type=_FIELD.TYPE_MESSAGE,
            type_name=f".{_PACKAGE}.{name}",
            label=_FIELD.LABEL_OPTIONAL,
            oneof_index=0,
        )
    file.message_type.append(feature)
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=_FIELD.TYPE_STRING, label=_FIELD.LABEL_OPTIONAL)
    _add_message(entry, "value", 2, "Feature")
    _add_message(features, "feature", 1, "Features.FeatureEntry", _FIELD.LABEL_REPEATED)
    _add_message(file.message_type.add(name="Example"), "features", 1, "Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.Example"))


def _add_message(
    message: Any, name: str, number: int, kind: str, label: Any = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
) -> None:
    message.field.add(name=name, number=number, type=_FIELD.TYPE_MESSAGE, type_name=f".{_PACKAGE}.{kind}", label=label)
