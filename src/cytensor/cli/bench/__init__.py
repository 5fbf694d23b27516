"""`cytensor bench`: a short comparison on the user's own machine with the libraries that are installed there.

works.py says what is measured, sides.py how each library does it, run.py measures and prints, picture.py draws. The
figures of the README come from benchmarks/, which measures far more, in processes of their own.
"""
