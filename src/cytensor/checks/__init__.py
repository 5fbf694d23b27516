"""What may be given: arguments of constructors and methods (arguments.py), parts of files (schema.py), files of which format (formats.py)."""
