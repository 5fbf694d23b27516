"""The lengths and arguments that windows over spatial axes share, against a count of the places by hand."""
import pytest

from cytensor.layers import spatial


def places(length, window, stride, dilation, before, after):
    """How many starts of a window lie wholly inside the padded axis, counted one by one."""
    end = before + length + after
    return sum(start + dilation * (window - 1) < end for start in range(0, max(end, 0), stride))


def test_output_length_counts_the_places_of_a_window():
    for length in range(8):
        for window in range(1, 5):
            for stride in (1, 2, 3, 9):
                for dilation in (1, 2):
                    for sides in ((0, 0), (1, 0), (2, 3)):
                        expected = places(length, window, stride, dilation, *sides)
                        assert spatial.output_length(length, window, stride, dilation, *sides) == expected


@pytest.mark.parametrize("stride", [1, 2, 3, 7])
@pytest.mark.parametrize("window", [1, 2, 3, 6])
def test_same_keeps_a_position_for_each_stride_begun(window, stride):
    for length in range(12):
        for dilation in (1, 3):
            assert spatial.named_output_length(length, window, stride, dilation, "same") == -(-length // stride)
            before, after = spatial.padded(length, window, stride, dilation, "same")
            assert before <= after <= before + 1


def test_arguments_that_are_wrong_are_named():
    for call, error, message in (
        (lambda: spatial.as_spatial("Conv2D", (1, 2, 3), 2, "strides"), ValueError, "Conv2D: strides must be"),
        (lambda: spatial.as_spatial("Conv2D", 0, 2, "strides"), ValueError, "at least 1"),
        (lambda: spatial.as_spatial("Conv2D", 1.5, 2, "strides"), TypeError, "got 1.5"),
        (lambda: spatial.as_padding("Conv2D", "full"), ValueError, "'valid' or 'same'; got 'full'"),
        (lambda: spatial.as_padding("Conv2D", 3), ValueError, "got 3"),
        (lambda: spatial.as_data_format("Conv2D", "NHWC"), ValueError, "Conv2D: data_format: unknown name 'NHWC'"),
        (lambda: spatial.split_shape("Conv2D", (None, 3), 2, "channels_last"), ValueError,
         r"Conv2D: the input must be \(samples, height, width, channels\)"),
        (lambda: spatial.require_room("Conv1D", (2,), (0,), "kernel_size"), ValueError, r"spatial lengths \(2,\)"),
    ):
        with pytest.raises(error, match=message):
            call()
