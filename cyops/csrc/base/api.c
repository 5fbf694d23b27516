/* See api.h. */
#include "base/api.h"

#define ENTRY_ADDRESS(name) .name = cyops_##name,
const cyops_api cyops_functions = {CYOPS_ENTRIES(ENTRY_ADDRESS)};
