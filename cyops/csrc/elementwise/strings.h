/* Fixed-width strings: copying between widths, and comparing. Bytes and code points alike. */
#ifndef CYOPS_STRINGS_H
#define CYOPS_STRINGS_H

#include "base/cyops.h"

/* out = in for strings of one kind; longer ones are cut, shorter ones padded with zeros. */
int cyops_copy_strings(const cyops_view *out, const cyops_view *in);

/* out (bool) = the comparison of two string views of one kind, of any widths, in the order of their code points. */
int cyops_compare_strings(int op, const cyops_view *out, const cyops_view *const *inputs);

#endif
