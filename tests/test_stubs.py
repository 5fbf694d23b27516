"""The committed stubs are what the op table says."""
import pytest
from stubs import ROOT, STUBS


@pytest.mark.parametrize("path", STUBS)
def test_stubs_are_up_to_date(path):
    assert (ROOT / path).read_text() == STUBS[path](), f"{path} is out of date: run make stubs"
