/* The end of the GEMM template: the table of one dtype's kernels. */
static const cyops_gemm_type GEMM_NAME(type) = {
    .itemsize = sizeof(T),
    .mr = MR,
    .nr = NR,
    .panel =
        {
            NULL,
            GEMM_NAME(panel_1),
            GEMM_NAME(panel_2),
            GEMM_NAME(panel_3),
            GEMM_NAME(panel_4),
#if MR > 4
            GEMM_NAME(panel_5),
            GEMM_NAME(panel_6),
#endif
#if MR > 6
            GEMM_NAME(panel_7),
            GEMM_NAME(panel_8),
            GEMM_NAME(panel_9),
            GEMM_NAME(panel_10),
            GEMM_NAME(panel_11),
            GEMM_NAME(panel_12),
            GEMM_NAME(panel_13),
            GEMM_NAME(panel_14),
#endif
        },
    .by_table =
        {
            NULL,
            GEMM_NAME(table_1),
            GEMM_NAME(table_2),
            GEMM_NAME(table_3),
            GEMM_NAME(table_4),
#if MR > 4
            GEMM_NAME(table_5),
            GEMM_NAME(table_6),
#endif
#if MR > 6
            GEMM_NAME(table_7),
            GEMM_NAME(table_8),
            GEMM_NAME(table_9),
            GEMM_NAME(table_10),
            GEMM_NAME(table_11),
            GEMM_NAME(table_12),
            GEMM_NAME(table_13),
            GEMM_NAME(table_14),
#endif
        },
    .pack = GEMM_NAME(pack),
    .pack_pieces = GEMM_NAME(pack_pieces),
    .pack_lanes = GEMM_NAME(pack_lanes),
    .dot = GEMM_NAME(dot),
    .dot_columns = GEMM_NAME(dot_columns),
};
