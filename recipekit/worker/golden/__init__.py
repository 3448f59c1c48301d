"""Golden vectors: inputs as a converted model takes them, the outputs that they must give, and what checks both."""
