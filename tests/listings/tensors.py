"""First steps: tensors, variables and gradients."""

import numpy as np
import tensorflow as tf

x = tf.ones(shape=(2, 1))
y = tf.zeros(shape=(2, 1))
normal = tf.random.normal(shape=(3, 1), mean=0.0, stddev=1.0)
uniform = tf.random.uniform(shape=(3, 1), minval=-2.0, maxval=-1.0)
fixed = tf.constant([[1.0, 2.0], [3.0, 4.0]])

# A variable is assigned to, as a whole, in one place, or by adding.
v = tf.Variable(initial_value=tf.random.normal(shape=(3, 1)))
v.assign(tf.ones((3, 1)))
v[0, 0].assign(3.0)
v.assign_add(tf.ones((3, 1)))
v.assign_sub(0.5 * tf.ones((3, 1)))

# Arithmetic.
a = tf.ones((2, 2))
b = tf.square(a)
c = tf.sqrt(a)
d = b + c
e = tf.matmul(a, b)
e *= d
total = tf.reduce_sum(e)
mean = tf.reduce_mean(fixed, axis=0)
largest = tf.reduce_max(fixed)
rounded = tf.cast(fixed / 2.0, dtype="int32")
below = tf.maximum(fixed, 2.5)

# The slope of x ** 2, of a variable and of a constant that is watched.
point = tf.Variable(initial_value=3.0)
with tf.GradientTape() as tape:
    result = tf.square(point)
slope = tape.gradient(result, point)

watched = tf.constant(3.0)
with tf.GradientTape() as tape:
    tape.watch(watched)
    result = tf.square(watched)
slope_of_constant = tape.gradient(result, watched)

# A tape in a tape: the speed and the acceleration of a falling apple.
time = tf.Variable(2.0)
with tf.GradientTape() as outer_tape:
    with tf.GradientTape() as inner_tape:
        position = 4.9 * time**2
    speed = inner_tape.gradient(position, time)
acceleration = outer_tape.gradient(speed, time)

# Gradients of several variables, as a list.
W = tf.Variable(tf.random.uniform((2, 2)))
shift = tf.Variable(tf.zeros((2,)))
batch = tf.random.uniform((2, 2))
with tf.GradientTape() as tape:
    out = tf.matmul(batch, W) + shift
grad_W, grad_shift = tape.gradient(out, [W, shift])

as_array = np.array(fixed)
