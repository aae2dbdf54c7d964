STATES = [
    {"outlier": [8, -6], "intercept": False},
    {"outlier": [-7.5, 5.0], "others": 5, "seed": 3, "delta": 0.3},
    {"outlier": [0, 0], "intercept": False, "seed": 2},
    {"view": "logit", "logit": -8},
    {"view": "logit", "logit": 2.5, "positive": False},
    {"view": "logit", "logit": 0},
    {"view": "softmax", "temperature": 0.1, "label": 3, "logits": [6, -6, 5.5, -6]},
    {"view": "softmax", "temperature": 10},
    {"view": "softmax", "logits": [0.5, -2.5, 4, 1], "label": 2, "temperature": 0.5},
]
