"""Looking at what was built before: is it whole, can it be built again, how do two differ.

An audit reads outputs and never changes one; what it builds anew, it builds elsewhere.
"""
