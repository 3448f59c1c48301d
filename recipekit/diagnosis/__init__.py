"""What could stand in the way: of this machine and installation, of the project around it, and of one model.

Each finding is one line with the fix. Nothing is changed, and nothing of a model runs.
"""
