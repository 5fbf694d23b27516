/* See api.h. */
#include "base/api.h"

const cyops_api cyops_functions = {
    .elementwise = cyops_elementwise,
    .power = cyops_power,
    .cast = cyops_cast,
    .matmul = cyops_matmul,

    .reduce = cyops_reduce,
    .arg_reduce = cyops_arg_reduce,

    .rows = cyops_rows,
    .cross_entropy = cyops_cross_entropy,
    .cross_entropy_targets = cyops_cross_entropy_targets,

    .wrap_positions = cyops_wrap_positions,
    .take = cyops_take,
    .scatter = cyops_scatter,
    .scatter_add = cyops_scatter_add,
    .accumulate = cyops_accumulate,
    .gather_rows = cyops_gather_rows,

    .update = cyops_update,

    .select_isa = cyops_select_isa,
    .available_isas = cyops_available_isas,

    .get_num_threads = cyops_get_num_threads,
    .set_num_threads = cyops_set_num_threads,
    .count_workers = cyops_count_workers,
};
