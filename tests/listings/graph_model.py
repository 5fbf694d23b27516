# Support tickets: three kinds of input, two answers, and the inner layers of a trained model used again.
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

num_samples, vocabulary_size, num_tags, num_departments = 640, 60, 12, 4
rng = np.random.default_rng(7)
department_of_word = rng.integers(0, num_departments, vocabulary_size)
title_data = (rng.random((num_samples, vocabulary_size)) < 0.06).astype("float32")
text_body_data = (rng.random((num_samples, vocabulary_size)) < 0.15).astype("float32")
tags_data = rng.integers(0, 2, (num_samples, num_tags)).astype("float32")
words = 2 * title_data + text_body_data
votes = np.stack([words @ (department_of_word == d) for d in range(num_departments)], axis=1)
department_data = keras.utils.to_categorical(votes.argmax(axis=1), num_departments)
priority_data = (tags_data.mean(axis=1, keepdims=True) + 0.05 * rng.random((num_samples, 1))).astype("float32")

title = keras.Input(shape=(vocabulary_size,), name="title")
text_body = keras.Input(shape=(vocabulary_size,), name="text_body")
tags = keras.Input(shape=(num_tags,), name="tags")

features = layers.Concatenate()([title, text_body, tags])
features = layers.Dense(64, activation="relu")(features)
shortcut = features
features = layers.Dense(64, activation="relu")(features)
features = layers.add([features, shortcut])

priority = layers.Dense(1, activation="sigmoid", name="priority")(features)
department = layers.Dense(num_departments, activation="softmax", name="department")(features)

model = keras.Model(inputs=[title, text_body, tags], outputs=[priority, department])
model.summary()

model.compile(optimizer="adam", loss=["mean_squared_error", "categorical_crossentropy"],
              metrics=[["mean_absolute_error"], ["accuracy"]])
history = model.fit([title_data, text_body_data, tags_data], [priority_data, department_data], epochs=5, verbose=0)

model.compile(optimizer="adam",
              loss={"priority": "mean_squared_error", "department": "categorical_crossentropy"},
              loss_weights={"priority": 2.0, "department": 1.0},
              metrics={"priority": ["mean_absolute_error"], "department": ["accuracy"]})
named_history = model.fit({"title": title_data, "text_body": text_body_data, "tags": tags_data},
                          {"priority": priority_data, "department": department_data},
                          epochs=10, validation_split=0.1, verbose=0)
results = model.evaluate({"title": title_data, "text_body": text_body_data, "tags": tags_data},
                         {"priority": priority_data, "department": department_data}, verbose=0, return_dict=True)
priority_preds, department_preds = model.predict(
    {"title": title_data, "text_body": text_body_data, "tags": tags_data}, verbose=0)

# A third answer from the layer before the two.
inner = model.layers[-3].output
difficulty = layers.Dense(3, activation="softmax", name="difficulty")(inner)
new_model = keras.Model(inputs=[title, text_body, tags], outputs=[priority, department, difficulty])
shapes = [output.shape for output in new_model.outputs]


# A graph inside a class of one's own, and a class inside a graph.
class Classifier(keras.Model):
    def __init__(self, num_classes=2):
        super().__init__()
        self.dense = layers.Dense(num_classes, activation="softmax")

    def call(self, inputs):
        return self.dense(inputs)


entry = keras.Input(shape=(num_tags,))
mixed = keras.Model(inputs=entry, outputs=Classifier(num_classes=5)(layers.Dense(16, activation="relu")(entry)))
mixed_output = mixed.predict(tags_data[:3], verbose=0)

# An autoencoder: two models in a third, which share their weights.
encoder_input = keras.Input(shape=(num_tags,), name="tags_in")
code = layers.Dense(6, activation="relu")(encoder_input)
encoder = keras.Model(encoder_input, code, name="encoder")
decoder = keras.Sequential([keras.Input(shape=(6,)), layers.Dense(num_tags, activation="sigmoid")], name="decoder")
autoencoder = keras.Model(encoder_input, decoder(encoder(encoder_input)), name="autoencoder")
autoencoder.compile(loss="binary_crossentropy", optimizer="adam")
codings = autoencoder.fit(tags_data, tags_data, epochs=8, verbose=0).history["loss"]
