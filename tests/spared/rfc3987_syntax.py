"""Stands for the installed package in processes that have this folder on their path, as if it weren't there.

jsonschema makes grammars of it when it is imported, in two and a half seconds of a processor. Ray imports jsonschema in
each of its processes, and nobody here asks for the formats that the grammars are for.
"""

raise ImportError("its grammars are spared")
