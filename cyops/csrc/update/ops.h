/* The table of optimizer steps: one row a step, its formula said once.
 *
 *     STEP(name, slots, (scalars), formula)
 *
 * The formula is C for one element. It reads the gradient g, reads and writes the parameter w and the slots a, b, c,
 * which are the tensors an optimizer keeps beside each parameter, and reads the scalars by their names: what is the
 * same for all elements is computed once by the caller (the bias corrections of Adam). SQRT is the square root in the
 * type of the elements. Formulas are those of Keras 3. To add an optimizer, add its row.
 */
#ifndef CYOPS_UPDATE_OPS_H
#define CYOPS_UPDATE_OPS_H

/* clang-format off */
#define CYOPS_UPDATE_STEPS(STEP)                                                                                      \
    /* w: parameter, g: gradient */                                                                                   \
    STEP(sgd, 0, (learning_rate), w -= g * learning_rate)                                                             \
    /* a: momentum */                                                                                                 \
    STEP(momentum, 1, (learning_rate, momentum), a = a * momentum - g * learning_rate; w += a)                        \
    STEP(nesterov, 1, (learning_rate, momentum), a = a * momentum - g * learning_rate;                                \
         w += a * momentum - g * learning_rate)                                                                       \
    /* a: mean square, b: momentum or mean gradient, c: momentum */                                                   \
    STEP(rmsprop, 1, (learning_rate, rho, rest, epsilon), a = rho * a + rest * (g * g);                               \
         w -= learning_rate * g / SQRT(a + epsilon))                                                                  \
    STEP(rmsprop_momentum, 2, (learning_rate, rho, rest, epsilon, momentum), a = rho * a + rest * (g * g);            \
         b = momentum * b + learning_rate * g / SQRT(a + epsilon); w -= b)                                            \
    STEP(rmsprop_centered, 2, (learning_rate, rho, rest, epsilon), a = rho * a + rest * (g * g);                      \
         b = rho * b + rest * g; w -= learning_rate * g / SQRT(a - b * b + epsilon))                                  \
    STEP(rmsprop_centered_momentum, 3, (learning_rate, rho, rest, epsilon, momentum),                                 \
         a = rho * a + rest * (g * g); b = rho * b + rest * g;                                                        \
         c = momentum * c + learning_rate * g / SQRT(a - b * b + epsilon); w -= c)                                    \
    /* a: mean of gradients, b: mean of their squares; rate is the bias-corrected learning rate */                    \
    STEP(adam, 2, (rate, rest_1, rest_2, epsilon), a += (g - a) * rest_1; b += (g * g - b) * rest_2;                  \
         w -= a * rate / (SQRT(b) + epsilon))                                                                         \
    /* c: the largest b so far */                                                                                     \
    STEP(amsgrad, 3, (rate, rest_1, rest_2, epsilon), a += (g - a) * rest_1; b += (g * g - b) * rest_2;               \
         c = b > c || b != b ? b : c; w -= a * rate / (SQRT(c) + epsilon))                                            \
    /* a: mean of gradients, b: decaying maximum of their sizes */                                                    \
    STEP(adamax, 2, (rate, rest_1, beta_2, epsilon), const T size = g < 0 ? -g : g; a += (g - a) * rest_1;            \
         b = b * beta_2 > size ? b * beta_2 : size; w -= a * rate / (b + epsilon))                                    \
    /* Adam with Nesterov momentum; correction is 1 / (1 - beta_2^t) */                                               \
    STEP(nadam, 2, (mean_rate, gradient_rate, rest_1, rest_2, correction, epsilon), a += (g - a) * rest_1;            \
         b += (g * g - b) * rest_2; w -= (a * mean_rate + g * gradient_rate) / (SQRT(b * correction) + epsilon))      \
    /* a: sum of squares */                                                                                           \
    STEP(adagrad, 1, (learning_rate, epsilon), a += g * g; w -= learning_rate * g / SQRT(a + epsilon))                \
    /* a: mean square of the gradients, b: of the steps */                                                            \
    STEP(adadelta, 2, (learning_rate, rho, rest, epsilon), a = rho * a + rest * (g * g);                              \
         const T size = SQRT(b + epsilon) * g / SQRT(a + epsilon); b = rho * b + rest * (size * size);                \
         w -= learning_rate * size)                                                                                   \
    /* a: mean of gradients */                                                                                        \
    STEP(lion, 1, (learning_rate, beta_1, rest_1, beta_2, rest_2), const T mean = beta_1 * a + rest_1 * g;            \
         w -= mean > 0 ? learning_rate : mean < 0 ? -learning_rate : mean; a = beta_2 * a + rest_2 * g)

/* clang-format on */
#define CYOPS_STEP_ID(name, ...) CYOPS_STEP_##name,
typedef enum { CYOPS_UPDATE_STEPS(CYOPS_STEP_ID) CYOPS_STEP_COUNT } cyops_step;
#undef CYOPS_STEP_ID

#endif
