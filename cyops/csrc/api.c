/* See api.h. */
#include "api.h"

const cyops_api cyops_functions = {
    .elementwise = cyops_elementwise,
    .cast = cyops_cast,
    .matmul = cyops_matmul,

    .select_isa = cyops_select_isa,
    .available_isas = cyops_available_isas,

    .get_num_threads = cyops_get_num_threads,
    .set_num_threads = cyops_set_num_threads,
    .count_workers = cyops_count_workers,
};
