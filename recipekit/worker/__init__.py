"""Code that runs in worker processes: the only place that may import TensorFlow, tf_keras or LiteRT.

The parent process imports nothing of this package; it reaches it through `python -m recipekit.worker`.
"""
