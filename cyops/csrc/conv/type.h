/* The end of the convolution template: the table of one dtype's kernels. */
static const cyops_conv_type CONV_NAME(type) = {
    .itemsize = sizeof(T),
    .lanes = LANES,
    .channels = CONV_NAME(channels),
    .positions = CONV_NAME(positions),
    .channels_by_kernel = CONV_NAME(channels_by_kernel),
    .positions_by_kernel = CONV_NAME(positions_by_kernel),
    .add_lanes = CONV_NAME(add_lanes),
    .turn = CONV_NAME(turn),
    .is_finite = CONV_NAME(is_finite),
};
