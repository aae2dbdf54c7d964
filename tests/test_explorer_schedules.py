"""The schedules explorer: its mathematics against dlnotes and torch, and its gestures."""

# What test_explorers.py looks at beside the defaults and the extremes.
STATES = [
    {"shape": "linear", "warmup": 0.0, "decay": 0.0, "peak": 0.115, "seed": 3},
    {"shape": "one-cycle", "warmup": 0.3, "steps": 137, "log": False, "peak": 0.46},
    {"shape": "constant", "warmup": 0.25, "peak": 2.2, "noise": 0.4},  # above the edge
    {"shape": "constant", "peak": 4.0, "steps": 300},  # lost
    {"shape": "step", "noise": 0.0, "peak": 1.0, "log": False},  # there at once
    {"shape": "exponential", "warmup": 0.7, "decay": 0.2, "steps": 1000},
    {"shape": "restarts", "warmup": 0.0, "decay": 1.0},
    {"shape": "quadratic", "warmup": 0.05, "decay": 0.3, "peak": 0.2, "log": False, "noise": 2.5},
    {"shape": "restarts", "warmup": 0.1, "decay": 0.3, "steps": 250, "peak": 0.046},
]
