"""Changes to a float model before conversion: pruning, clustering, quantization-aware training."""
