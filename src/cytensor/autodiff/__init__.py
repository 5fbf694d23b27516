"""Automatic differentiation: the tape, the walk back over it, and one gradient rule per op.

    rules  <-  gradients (one rule per op), fusion  <-  backward (the walk)  <-  tape
"""
