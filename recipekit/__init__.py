"""recipekit: TensorFlow Lite conversion as config as code."""

__version__ = "0.1.0"
