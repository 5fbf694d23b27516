/* What may be made of the elements of a window. */
#ifndef CYOPS_POOL_OPS_H
#define CYOPS_POOL_OPS_H

typedef enum {
    CYOPS_POOL_LARGEST,     /* the first that nothing exceeds; the first NaN where there is one */
    CYOPS_POOL_LARGEST_AT,  /* the same, and its number in the window as the index */
    CYOPS_POOL_CHOSEN,      /* the one whose number is the index; 0 where it lies in padding */
    CYOPS_POOL_PUT,         /* the sum of those taps whose own index is their number: the adjoint of CHOSEN */
    CYOPS_POOL_MEAN,        /* sum / taps */
    CYOPS_POOL_WEIGHTED,    /* the sum of weight * element */
    CYOPS_POOL_COUNT
} cyops_pool_op;

#endif
