"""Names of the files of an output."""

FILE = "manifest.json"
MODEL = "model.tflite"
RECIPE = "recipe.yaml"
REPORT = "report.html"
RESULTS = "results.json"
ATTESTATIONS = "attestations.intoto.jsonl"
MODEL_SIGNATURE = "model.sig"

SIGNATURES = frozenset({ATTESTATIONS, MODEL_SIGNATURE})
"""Files that an output may hold although its manifest doesn't record them: they sign it, so they come later."""
