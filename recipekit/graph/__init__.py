"""A build as a graph of stages.

A stage's key is a digest of its inputs: declared parameters, digests of what it reads, the keys of the stages before
it, and the tools. So every key is known before anything runs, and a stage whose result nobody needs isn't even looked
up. Nothing in this room runs a stage.
"""

from recipekit.graph.datasets import dataset_section, signature_section
from recipekit.graph.drawing import Drawing
from recipekit.graph.loading import load_stage
from recipekit.graph.node import Node, Records
from recipekit.graph.optimization import converted_model, training_section
from recipekit.graph.stages import Graph
from recipekit.graph.surveys import file_parameters, survey

__all__ = [
    "Drawing",
    "Graph",
    "Node",
    "Records",
    "converted_model",
    "dataset_section",
    "file_parameters",
    "load_stage",
    "signature_section",
    "survey",
    "training_section",
]
