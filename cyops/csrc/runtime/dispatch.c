/* Reads the CPU's feature bits and picks the kernels. Never looks at the model name: see dispatch.h. */
#include "runtime/dispatch.h"
#include "base/system.h"

extern const cyops_kernels cyops_kernels_generic;
#ifdef CYOPS_X86_64
extern const cyops_kernels cyops_kernels_avx2;
extern const cyops_kernels cyops_kernels_avx512;
#endif

const cyops_kernels *cyops_active = &cyops_kernels_generic;

typedef struct {
    const char *name;
    const cyops_kernels *kernels;
    int available;
} isa_choice;

/* __builtin_cpu_supports also checks that the operating system saves the wide registers (XCR0). */
static void list_isas(isa_choice choices[3]) {
    choices[0] = (isa_choice){"generic", &cyops_kernels_generic, 1};
    choices[1] = (isa_choice){"avx2", NULL, 0};
    choices[2] = (isa_choice){"avx512", NULL, 0};
#ifdef CYOPS_X86_64
    __builtin_cpu_init();
    choices[1].kernels = &cyops_kernels_avx2;
    choices[1].available = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    choices[2].kernels = &cyops_kernels_avx512;
    choices[2].available = choices[1].available && __builtin_cpu_supports("avx512f") &&
                           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                           __builtin_cpu_supports("avx512vl");
#endif
}

const char *cyops_select_isa(const char *limit) {
    isa_choice choices[3];
    list_isas(choices);
    int last = 2;
    if (limit != NULL && limit[0] != '\0') {
        while (last >= 0 && strcmp(choices[last].name, limit) != 0) last--;
        if (last < 0) return NULL;
    }
    while (!choices[last].available) last--;
    cyops_active = choices[last].kernels;
    return choices[last].name;
}

int cyops_available_isas(const char *names[3]) {
    isa_choice choices[3];
    list_isas(choices);
    int count = 0;
    for (int i = 0; i < 3; i++)
        if (choices[i].available) names[count++] = choices[i].name;
    return count;
}
