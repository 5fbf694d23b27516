"""What may be given: arguments (arguments.py), parts of files (schema.py), and which format a file has (formats.py)."""
