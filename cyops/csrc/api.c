/* See api.h. */
#include "api.h"

const cyops_api cyops_functions = {
    .elementwise = cyops_elementwise,
    .cast = cyops_cast,

    .select_isa = cyops_select_isa,
    .available_isas = cyops_available_isas,
};
