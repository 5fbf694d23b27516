"""Puts the tests' own modules (layouts, samples) on the path, for every way pytest may import a test file."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
