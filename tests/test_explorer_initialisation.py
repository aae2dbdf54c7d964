"""The initialisation explorer: its mathematics against dlnotes and torch, and its gestures."""

STATES = [
    {"scheme": "kaiming", "depth": 50},
    {"activation": "tanh", "scheme": "normal", "gain": 5 / 3, "seed": 3},
    {"scheme": "default", "depth": 20},
    {"activation": "gelu", "scheme": "fitted", "depth": 50},
    {"activation": "tanh", "gain": 12.0, "depth": 20},
]
