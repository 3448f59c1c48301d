"""Networks over images and volumes."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def _image() -> Any:
    return keras.Input((16, 16, 3), name="image")


def _conv(x: Any, filters: int, strides: int = 1, activation: str = "relu", **options: Any) -> Any:
    x = layers.Conv2D(filters, 3, strides, padding="same", use_bias=False, **options)(x)
    return layers.Activation(activation)(layers.BatchNormalization()(x))


def _classify(image: Any, x: Any) -> Any:
    return keras.Model(image, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling2D()(x)))


def convolutions() -> Any:
    image = _image()
    x = layers.MaxPooling2D()(_conv(image, 16))
    x = layers.AveragePooling2D(2)(_conv(x, 16))
    return keras.Model(image, layers.Dense(5)(layers.Flatten()(x)))


def residual() -> Any:
    image = _image()
    x = _conv(image, 16)
    for filters, strides in ((16, 1), (32, 2)):
        shortcut = x if strides == 1 else layers.Conv2D(filters, 1, strides)(x)
        x = layers.ReLU()(layers.add([shortcut, _conv(_conv(x, filters, strides), filters, activation="linear")]))
    return _classify(image, x)


def separable() -> Any:
    image = _image()
    x = layers.SeparableConv2D(16, 3, 2, padding="same", activation="relu6")(image)
    y = layers.BatchNormalization()(layers.Conv2D(64, 1, activation="relu6")(x))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same")(y)))
    return _classify(image, layers.add([x, layers.Conv2D(16, 1)(y)]))


def squeeze_excite() -> Any:
    image = _image()
    x = _conv(_conv(image, 16, activation="swish"), 16, activation="swish")
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(16, 1, activation="hard_sigmoid")(layers.Conv2D(4, 1, activation="swish")(squeezed))
    return _classify(image, layers.multiply([x, gate]))


def dense_blocks() -> Any:
    image = _image()
    x = _conv(image, 16)
    for _ in range(3):
        x = layers.concatenate([x, _conv(x, 8)])
    return _classify(image, layers.AveragePooling2D(2)(x))


def grouped() -> Any:
    image = _image()
    x = _conv(_conv(image, 32), 32, groups=4)
    shuffled = keras.ops.transpose(keras.ops.reshape(x, (-1, 16, 16, 4, 8)), (0, 1, 2, 4, 3))
    return _classify(image, _conv(keras.ops.reshape(shuffled, (-1, 16, 16, 32)), 16))


def dilated() -> Any:
    image = _image()
    x = _conv(image, 16)
    rates = [_conv(x, 16, dilation_rate=rate) for rate in (1, 2, 4)]
    return keras.Model(image, layers.Conv2D(3, 1)(layers.concatenate(rates)))


def unet() -> Any:
    image = _image()
    fine = _conv(image, 8)
    coarse = _conv(layers.MaxPooling2D()(fine), 16)
    x = _conv(layers.MaxPooling2D()(coarse), 16)
    for skip, filters in ((coarse, 16), (fine, 8)):
        x = layers.Conv2DTranspose(filters, 2, 2, activation="relu")(x)
        x = _conv(layers.concatenate([x, skip]), filters)
    return keras.Model(image, layers.Conv2D(2, 1, activation="sigmoid")(x))


def upsampling() -> Any:
    image = _image()
    x = _conv(_conv(image, 16, 2, activation="elu"), 16, 2, activation="leaky_relu")
    x = layers.UpSampling2D(interpolation="bilinear")(x)
    x = layers.UpSampling2D(interpolation="nearest")(_conv(x, 16))
    return keras.Model(image, layers.Conv2D(3, 3, padding="same")(x))


def super_resolution() -> Any:
    image = _image()
    x = layers.PReLU(shared_axes=(1, 2))(layers.Conv2D(16, 3, padding="same")(image))
    x = layers.Conv2D(12, 3, padding="same")(x)
    rows = keras.ops.reshape(x, (-1, 16, 16, 2, 2, 3))
    return keras.Model(image, keras.ops.reshape(keras.ops.transpose(rows, (0, 1, 3, 2, 4, 5)), (-1, 32, 32, 3)))


def detector() -> Any:
    image = _image()
    x = _conv(_conv(image, 16, 2), 16, 2)
    boxes = layers.Reshape((-1, 4), name="boxes")(layers.Conv2D(8, 3, padding="same")(x))
    classes = layers.Reshape((-1, 3))(layers.Conv2D(6, 3, padding="same")(x))
    return keras.Model(image, [boxes, layers.Softmax(name="classes")(classes)])


def preprocessed_images() -> Any:
    image = keras.Input((20, 24, 3), name="image")
    x = layers.Rescaling(1 / 2, offset=0.1)(layers.CenterCrop(18, 18)(image))
    return _classify(image, _conv(_conv(layers.Resizing(12, 12)(x), 16), 16))


def conv3d() -> Any:
    volume = keras.Input((6, 8, 8, 2), name="volume")
    x = layers.Conv3D(8, 3, padding="same", activation="relu")(volume)
    x = layers.Conv3D(8, 3, 2, padding="same", activation="relu")(x)
    return keras.Model(volume, layers.Dense(4)(layers.GlobalAveragePooling3D()(x)))


def conv3d_transpose() -> Any:
    volume = keras.Input((3, 4, 4, 4), name="volume")
    x = layers.Conv3DTranspose(8, 3, 2, padding="same", activation="relu")(volume)
    return keras.Model(volume, layers.Conv3D(2, 1)(x))
