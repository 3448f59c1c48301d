"""A first recipe for a model: what its file says of itself, made into a valid recipe that says what to fill in.

Guesses are marked as such, and calibration data is never made up. This room reads descriptions and names of files; it
opens no model and no sample itself.
"""
