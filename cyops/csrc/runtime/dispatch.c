/* Reads the CPU's feature bits and picks the kernels. Never looks at the model name: see dispatch.h. */
#include "runtime/dispatch.h"
#include "base/system.h"
#include "simd/isas.h"

const cyops_kernels *cyops_active = &cyops_kernels_generic;

typedef struct {
    const char *name;
    const cyops_kernels *kernels;
    int available;
} isa_choice;

#define ISA_CHOICE(name, ...) {#name, __VA_ARGS__},

/* From the least to the best. */
static void list_isas(isa_choice choices[CYOPS_ISA_COUNT]) {
    cyops_read_cpu();
    const isa_choice all[] = {CYOPS_ISAS(ISA_CHOICE)};
    memcpy(choices, all, sizeof all);
}

const char *cyops_select_isa(const char *limit) {
    isa_choice choices[CYOPS_ISA_COUNT];
    list_isas(choices);
    int last = CYOPS_ISA_COUNT - 1;
    if (limit != NULL && limit[0] != '\0') {
        while (last >= 0 && strcmp(choices[last].name, limit) != 0) last--;
        if (last < 0) return NULL;
    }
    while (!choices[last].available) last--;
    cyops_active = choices[last].kernels;
    return choices[last].name;
}

int cyops_available_isas(const char *names[CYOPS_MOST_ISAS]) {
    isa_choice choices[CYOPS_ISA_COUNT];
    list_isas(choices);
    int count = 0;
    for (int i = 0; i < CYOPS_ISA_COUNT; i++)
        if (choices[i].available) names[count++] = choices[i].name;
    return count;
}
