"""Operators and layers that TensorFlow Lite has no kernel for, to warn of before a conversion; the converter decides.

The names were found by converting each operator and layer alone with TensorFlow 2.21; what sometimes converts isn't
listed. This module imports nothing.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


OPERATORS = _names(
    """
    Acos Acosh AdjustContrastv2 AsString Asin Asinh Atan Atanh AvgPool3D BesselI0e Betainc Cholesky
    CombinedNonMaxSuppression Cosh CropAndResize Cross Cumprod DenseBincount Digamma Dilation2D DrawBoundingBoxesV2
    EncodeBase64 Erf Erfc Erfinv ExtractImagePatches FFT2D FractionalMaxPool Igamma ImageProjectiveTransformV3
    LookupTableFindV2 LowerBound MatrixDeterminant MatrixInverse MatrixSolve MatrixTriangularSolve MaxPool3D
    MaxPoolWithArgmax NextAfter Qr RGBToHSV ResizeArea ResizeBicubic SelfAdjointEigV2 Sinh StatelessRandomUniformV2
    StringToHashBucketFast Svd Tan Zeta
    """
)
"""TensorFlow's operators that convert with SELECT_TF_OPS alone."""

LAYERS = _names("AveragePooling3D AvgPool3D CategoryEncoding Hashing IntegerLookup MaxPool3D MaxPooling3D StringLookup")
"""Layers of either Keras that are made of such operators."""
