"""Damaged files of every format that the library reads: `make fuzz-files`, or `cd tests; python -m fuzz_files`.

    mutations.py   what happens to the bytes of a file, and to the JSON in its head
    formats.py     for each format: a sound file, its own mutations, and what loading it must leave as it was
    __main__.py    blocks of cases, each in a process of its own with little memory and time
"""
