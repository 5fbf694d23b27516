"""A convnet for digits written as a graph, its summary, and the feature maps of its inner layers."""
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers
from tensorflow.keras.datasets import mnist

inputs = keras.Input(shape=(28, 28, 1))
x = layers.Rescaling(1.0 / 255)(inputs)
x = layers.Conv2D(filters=16, kernel_size=3, activation="relu")(x)
x = layers.MaxPooling2D(pool_size=2)(x)
x = layers.Conv2D(filters=32, kernel_size=3, activation="relu", padding="same")(x)
x = layers.MaxPooling2D(pool_size=2)(x)
residual = x
x = layers.SeparableConv2D(32, 3, padding="same", use_bias=False)(x)
x = layers.BatchNormalization()(x)
x = layers.Activation("relu")(x)
x = layers.add([x, residual])
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.25)(x)
outputs = layers.Dense(10, activation="softmax")(x)
model = keras.Model(inputs=inputs, outputs=outputs, name="digits")
model.summary()

(train_images, train_labels), (test_images, test_labels) = mnist.load_data()
train_images = train_images.reshape((-1, 28, 28, 1)).astype("float32")
test_images = test_images.reshape((-1, 28, 28, 1)).astype("float32")
model.compile(optimizer=keras.optimizers.Adam(5e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(train_images, train_labels, epochs=4, batch_size=64, validation_data=(test_images, test_labels))
test_loss, test_acc = model.evaluate(test_images, test_labels)

# What the inner layers see, and which pictures a filter answers to.
layer_outputs = [layer.output for layer in model.layers if isinstance(layer, (layers.Conv2D, layers.MaxPooling2D))]
activation_model = keras.Model(inputs=model.input, outputs=layer_outputs)
activations = activation_model.predict(test_images[:1])
first_layer_activation = activations[0]

pictures = tf.random.uniform(minval=100.0, maxval=150.0, shape=(1, 28, 28, 1))
extractor = keras.Model(inputs=model.inputs, outputs=model.get_layer(index=2).output)
climbed = []
for _ in range(10):
    with tf.GradientTape() as tape:
        tape.watch(pictures)
        score = tf.reduce_mean(extractor(pictures)[:, 2:-2, 2:-2, :])
    climbed.append(float(score))
    grads = tf.math.l2_normalize(tape.gradient(score, pictures))
    pictures += 40.0 * grads

# Where in the picture the answer comes from: gradients of the winning class by the last feature map.
last_map = keras.Model(model.inputs, model.layers[-4].output)
classifier_input = keras.Input(shape=last_map.output.shape[1:])
y = classifier_input
for layer in model.layers[-3:]:
    y = layer(y)
classifier_model = keras.Model(classifier_input, y)
with tf.GradientTape() as tape:
    last_output = last_map(test_images[:1])
    tape.watch(last_output)
    preds = classifier_model(last_output)
    top_class = preds[:, tf.argmax(preds[0])]
pooled_grads = tf.reduce_mean(tape.gradient(top_class, last_output), axis=(0, 1, 2)).numpy()
heatmap = np.maximum(np.mean(last_output.numpy()[0] * pooled_grads, axis=-1), 0)
