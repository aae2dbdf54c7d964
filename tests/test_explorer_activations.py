"""The activations explorer: its mathematics against dlnotes and torch, and its gestures."""

STATES = [
    {"activation": "tanh", "layers": 50, "x": 2.0},
    {"activation": "tanh", "layers": 100, "x": 0.3, "weight": 1.2},
    {"activation": "relu", "x": -1.0},
    {"activation": "relu", "x": -1.0, "bias": 1.0},
    {"activation": "relu", "x": 1.5, "weight": 1.5, "layers": 40},
    {"activation": "gelu", "x": -4.0, "weight": 10.0},
    {"activation": "sigmoid", "x": 0.5, "weight": 4.0, "bias": -2.0, "layers": 30},
    {"activation": "sigmoid", "x": -2.0, "weight": 0.0},
    {"activation": "sigmoid", "weight": -10.0, "bias": 5.0, "layers": 60},
    {"activation": "silu", "x": 3.0, "weight": -2.0, "bias": 0.5, "layers": 7},
]
