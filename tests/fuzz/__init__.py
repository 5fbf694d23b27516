"""Differential fuzzing against NumPy: `make fuzz`, or `cd tests; python -m fuzz`.

    prelude.py     what every fuzzed program begins with
    programs.py    running a program, and printing one that failed
    shapes.py      what all subjects draw
    values.py gradients.py views.py chains.py      the subjects: strategies whose examples are texts of programs
    __main__.py    blocks of cases, each in a process of its own
"""
