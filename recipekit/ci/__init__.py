"""What a command tells the systems that run it unattended: JUnit XML, annotations, job summaries.

It judges nothing, knows no terminal, and nothing that it writes is part of an output or of its key.
"""
