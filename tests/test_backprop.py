"""Backpropagation by hand against the page, against autograd, against finite differences."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dlnotes.exercises import backpropagation as exercises
from dlnotes.scratch import backprop
from dlnotes.scratch.backprop import Layer

# The numbers of the worked example, as published, with the digits that are given there.
VALUES = {
    "net_h1": "0.3775",
    "out_h1": "0.593269992",
    "out_h2": "0.596884378",
    "net_o1": "1.105905967",
    "out_o1": "0.75136507",
    "out_o2": "0.772928465",
    "E_o1": "0.274811083",
    "E_o2": "0.023560026",
    "E": "0.298371109",
}
DERIVATIVES = {
    "dE/dout_o1": "0.74136507",
    "dout_o1/dnet_o1": "0.186815602",
    "dnet_o1/dw5": "0.593269992",
    "dE/dw5": "0.082167041",
    "dE/dnet_o1": "0.138498562",
    "dE_o1/dout_h1": "0.055399425",
    "dE/dout_h1": "0.036350306",
    "dout_h1/dnet_h1": "0.241300709",
    "dE/dw1": "0.000438568",
}
AFTER_A_STEP = {
    "w1": "0.149780716",
    "w2": "0.19956143",
    "w3": "0.24975114",
    "w4": "0.29950229",
    "w5": "0.35891648",
    "w6": "0.408666186",
    "w7": "0.511301270",
    "w8": "0.561370121",
    "b1": "0.35",
    "b2": "0.60",
}
NAMES = "net_h1 out_h1 net_h2 out_h2 net_o1 out_o1 net_o2 out_o2 E_o1 E_o2 E"
TRAINED = backprop.WEIGHTS + backprop.BIASES

# The same float64 operations in another order: over 3000 random networks no entry differs
# by more. atol is for entries in which saturated slopes or terms cancel. Central differences with
# h = 1e-5 carry an error of about 1e-11 from rounding and 1e-10 from the formula.
CLOSE = {"rtol": 1e-10, "atol": 1e-13}
NUMERICAL = {"rtol": 1e-5, "atol": 1e-8}


@pytest.fixture(autouse=True)
def one_thread():
    """A few numbers are quicker on one thread: with more, waiting takes all the time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


seeds = st.integers(0, 2**32 - 1)
# The same examples on every run: a test that fails once in a while helps nobody.
thorough = settings(max_examples=60, derandomize=True, database=None)


def digits(numbers, names):
    return {name: f"{numbers[name]:.{len(names[name].split('.')[1])}f}" for name in names}


def random_net(seed):
    rng = np.random.default_rng(seed)
    return {name: float(rng.uniform(-2, 2)) for name in backprop.example()}


def torch_net(net):
    """Return the worked network's values as torch computes them, and the leaves."""
    leaves = {
        name: torch.tensor(x, dtype=torch.float64, requires_grad=True) for name, x in net.items()
    }
    n, v = leaves, {}
    for unit, (a, x), (b, y), bias in (
        ("h1", ("w1", "i1"), ("w2", "i2"), "b1"),
        ("h2", ("w3", "i1"), ("w4", "i2"), "b1"),
        ("o1", ("w5", "out_h1"), ("w6", "out_h2"), "b2"),
        ("o2", ("w7", "out_h1"), ("w8", "out_h2"), "b2"),
    ):
        known = n | v
        v[f"net_{unit}"] = n[a] * known[x] + n[b] * known[y] + n[bias]
        v[f"out_{unit}"] = torch.sigmoid(v[f"net_{unit}"])
    for o in ("1", "2"):
        v[f"E_o{o}"] = (n[f"t{o}"] - v[f"out_o{o}"]) ** 2 / 2
    v["E"] = v["E_o1"] + v["E_o2"]
    return leaves, v


# ---- the worked example --------------------------------------------------------------


def test_forward_gives_the_published_numbers():
    assert digits(backprop.forward(backprop.example()), VALUES) == VALUES


def test_backward_gives_the_published_numbers():
    net = backprop.example()
    derivatives = backprop.backward(net, backprop.forward(net))
    assert digits(derivatives, DERIVATIVES) == DERIVATIVES


def test_a_step_gives_the_published_weights_and_leaves_the_biases():
    after = backprop.step(backprop.example())
    assert digits(after, AFTER_A_STEP) == AFTER_A_STEP
    assert list(after) == list(backprop.example())


def test_ten_thousand_steps_bring_the_error_down():
    net = backprop.example()
    errors = []
    for _ in range(10_000):
        net = backprop.step(net)
        errors.append(backprop.forward(net)["E"])
    assert errors[0] == pytest.approx(0.291027774, abs=1e-9)
    assert errors[-1] == pytest.approx(3.5102e-5, rel=1e-4)
    assert np.all(np.diff(errors) < 0)


def test_names_come_in_the_order_of_computation():
    net = backprop.example()
    values = backprop.forward(net)
    d = list(backprop.backward(net, values))
    assert " ".join(values) == NAMES
    assert d[:5] == ["dE/dout_o1", "dout_o1/dnet_o1", "dE/dnet_o1", "dnet_o1/dw5", "dE/dw5"]
    assert d[-2:] == ["dE/db1", "dE/db2"]
    order = ["dE/dw5", "dE/dw8", "dE_o1/dout_h1", "dE_o2/dout_h1", "dE/dout_h1", "dE/dw1", "dE/dw4"]
    assert sorted(order, key=d.index) == order
    assert len(d) == 2 * 7 + 2 * 11 + 2  # for each output, each hidden unit, and the biases


@thorough
@given(seeds)
def test_every_value_and_derivative_of_the_network_is_that_of_autograd(seed):
    net = random_net(seed)
    values = backprop.forward(net)
    derivatives = backprop.backward(net, values)
    leaves, v = torch_net(net)
    for name, value in values.items():
        assert value == pytest.approx(v[name].item(), rel=1e-12), name
    for name, value in derivatives.items():
        of, to = (part[1:] for part in name.split("/"))
        # A local derivative holds one step back: the graph between the two is that step.
        (expected,) = torch.autograd.grad(v[of], (leaves | v)[to], retain_graph=True)
        assert value == pytest.approx(expected.item(), rel=1e-10, abs=1e-14), name
    assert {f"dE/d{name}" for name in TRAINED} <= set(derivatives)


@thorough
@given(seeds)
def test_the_gradients_of_the_network_are_those_of_finite_differences(seed):
    net = random_net(seed)
    derivatives = backprop.backward(net, backprop.forward(net))

    def error(x):
        return backprop.forward({**net, **dict(zip(TRAINED, x, strict=True))})["E"]

    estimated = backprop.numerical_gradient(error, [net[name] for name in TRAINED])
    exact = [derivatives[f"dE/d{name}"] for name in TRAINED]
    np.testing.assert_allclose(exact, estimated, **NUMERICAL)


@pytest.mark.parametrize("biases", [False, True])
def test_a_step_is_that_of_torch_sgd(biases):
    net = random_net(3)
    leaves, v = torch_net(net)
    names = TRAINED if biases else backprop.WEIGHTS
    optimizer = torch.optim.SGD([leaves[name] for name in names], lr=0.3)
    v["E"].backward()
    optimizer.step()
    after = backprop.step(net, lr=0.3, biases=biases)
    for name in net:
        assert after[name] == pytest.approx(leaves[name].item(), rel=1e-12), name


def test_large_weights_saturate_and_do_not_overflow():
    net = {**backprop.example(), "w1": -1e6, "b2": 1e4}
    values = backprop.forward(net)
    assert (values["out_h1"], values["out_o1"]) == (0.0, 1.0)
    assert backprop.backward(net, values)["dE/dw1"] == 0.0


def test_every_number_of_the_network_is_a_plain_float():
    net = backprop.step({**backprop.example(), "w1": np.float64(0.1)})
    values = backprop.forward(net)
    numbers = [*values.values(), *backprop.backward(net, values).values()]
    assert {type(number) for number in numbers} == {float}


# ---- a batch, any layers -------------------------------------------------------------


@st.composite
def networks(draw, last=None):
    """Draw layers and a batch: 1 to 4 layers, 1 to 5 units each, any activation."""
    rng = np.random.default_rng(draw(seeds))
    sizes = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    names = [draw(st.sampled_from(sorted(backprop.ACTIVATIONS))) for _ in sizes[1:]]
    if last:
        names[-1] = last
    layers = [
        Layer(rng.normal(size=(n_out, n_in)), rng.normal(size=n_out), name)
        for n_in, n_out, name in zip(sizes, sizes[1:], names, strict=False)
    ]
    samples = draw(st.integers(1, 6))
    return layers, rng.normal(size=(samples, sizes[0])), rng.normal(size=(samples, sizes[-1]))


TORCH = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "identity": lambda x: x,
}


def torch_batch(layers, x):
    """Return what forward_batch returns, as torch tensors with their graph, and the leaves."""
    leaves = [
        (torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True))
        for w, b, _ in layers
    ]
    nets, outs = [], [torch.tensor(x, requires_grad=True)]
    for layer, (w, b) in zip(layers, leaves, strict=True):
        nets.append(torch.nn.functional.linear(outs[-1], w, b))
        outs.append(TORCH[layer.activation](nets[-1]))
    return leaves, nets, outs


def agrees_with_autograd(layers, x, loss, torch_loss):
    leaves, torch_nets, torch_outs = torch_batch(layers, x)
    nets, outs = backprop.forward_batch(layers, x)
    for ours, theirs in zip([*nets, *outs], [*torch_nets, *torch_outs], strict=True):
        np.testing.assert_allclose(ours, theirs.detach().numpy(), **CLOSE)
    value, dout = loss(outs[-1])
    expected = torch_loss(torch_outs[-1])
    assert value == pytest.approx(expected.item(), rel=1e-10, abs=1e-13)
    gradients = backprop.backward_batch(layers, nets, outs, dout)
    assert len(gradients) == len(layers)
    for k, (w, b) in enumerate(leaves):
        of = (torch_nets[k], w, b, torch_outs[k])
        for ours, theirs in zip(
            gradients[k], torch.autograd.grad(expected, of, retain_graph=True), strict=True
        ):
            assert ours.shape == tuple(theirs.shape)
            np.testing.assert_allclose(ours, theirs.numpy(), **CLOSE)


@thorough
@given(networks())
def test_squared_error_through_any_layers_agrees_with_autograd(network):
    layers, x, target = network
    agrees_with_autograd(
        layers,
        x,
        lambda out: backprop.squared_error(out, target),
        lambda out: ((out - torch.tensor(target)) ** 2).sum(1).mean() / 2,
    )


@thorough
@given(networks(last="identity"))
def test_cross_entropy_through_any_layers_agrees_with_autograd(network):
    layers, x, scores = network
    y = np.eye(scores.shape[1])[scores.argmax(1)]
    agrees_with_autograd(
        layers,
        x,
        lambda z: backprop.cross_entropy(z, y),
        lambda z: torch.nn.functional.cross_entropy(z, torch.tensor(scores.argmax(1))),
    )


@thorough
@given(networks())
def test_any_layers_agree_with_finite_differences(network):
    layers, x, target = network
    nets, outs = backprop.forward_batch(layers, x)
    # Across the kink of a ReLU a central difference is the mean of two slopes.
    assume(all(abs(net).min() > 1e-3 for net in nets))
    gradients = backprop.backward_batch(
        layers, nets, outs, backprop.squared_error(outs[-1], target)[1]
    )

    def loss(layers, x):
        return backprop.squared_error(backprop.forward_batch(layers, x)[1][-1], target)[0]

    for k, layer in enumerate(layers):

        def with_part(part, name, k=k, layer=layer):
            changed = [*layers[:k], layer._replace(**{name: part}), *layers[k + 1 :]]
            return loss(changed, x)

        for name in ("w", "b"):
            estimated = backprop.numerical_gradient(
                lambda part, name=name: with_part(part, name), getattr(layer, name)
            )
            np.testing.assert_allclose(getattr(gradients[k], name), estimated, **NUMERICAL)
    estimated = backprop.numerical_gradient(lambda x: loss(layers, x), x)
    np.testing.assert_allclose(gradients[0].x, estimated, **NUMERICAL)


def test_the_worked_example_is_a_batch_of_one():
    n = backprop.example()
    layers = [
        Layer(np.array([[n["w1"], n["w2"]], [n["w3"], n["w4"]]]), np.full(2, n["b1"])),
        Layer(np.array([[n["w5"], n["w6"]], [n["w7"], n["w8"]]]), np.full(2, n["b2"])),
    ]
    nets, outs = backprop.forward_batch(layers, np.array([[n["i1"], n["i2"]]]))
    error, dout = backprop.squared_error(outs[-1], np.array([[n["t1"], n["t2"]]]))
    gradients = backprop.backward_batch(layers, nets, outs, dout)
    values = backprop.forward(n)
    d = backprop.backward(n, values)
    assert error == pytest.approx(values["E"], rel=1e-14)
    weights = np.concatenate([gradient.w.ravel() for gradient in gradients])
    np.testing.assert_allclose(weights, [d[f"dE/d{w}"] for w in backprop.WEIGHTS], rtol=1e-13)
    biases = [gradient.b.sum() for gradient in gradients]
    np.testing.assert_allclose(biases, [d["dE/db1"], d["dE/db2"]], rtol=1e-13)


def test_relu_has_slope_zero_at_zero_as_in_torch():
    layers = [Layer(np.array([[1.0]]), np.array([0.0]), "relu")]
    nets, outs = backprop.forward_batch(layers, np.array([[0.0]]))
    assert backprop.backward_batch(layers, nets, outs, np.array([[1.0]]))[0].net.item() == 0.0


# ---- closed forms --------------------------------------------------------------------


@thorough
@given(seeds, st.integers(1, 6), st.integers(1, 5), st.sampled_from([1.0, 30.0, 1000.0]))
def test_softmax_and_cross_entropy_agree_with_autograd(seed, samples, classes, size):
    rng = np.random.default_rng(seed)
    z = size * rng.normal(size=(samples, classes))
    y = rng.dirichlet(np.ones(classes), size=samples)  # soft labels too
    logits = torch.tensor(z, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(logits, torch.tensor(y))
    expected.backward()
    loss, gradient = backprop.cross_entropy(z, y)
    assert loss == pytest.approx(expected.item(), rel=1e-12, abs=1e-13)
    np.testing.assert_allclose(gradient, logits.grad.numpy(), **CLOSE)


def test_the_gradient_of_cross_entropy_is_p_minus_y_over_n():
    z, y = np.log([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]]), np.eye(3)[[0, 2]]
    expected = [[-0.15, 0.1, 0.05], [0.125, 0.125, -0.25]]
    np.testing.assert_allclose(backprop.cross_entropy(z, y)[1], expected, atol=1e-15)


@thorough
@given(seeds, st.integers(2, 8), st.integers(1, 4), st.sampled_from([1e-5, 0.1]))
def test_batch_norm_agrees_with_autograd_and_finite_differences(seed, samples, features, eps):
    rng = np.random.default_rng(seed)
    x, dout = rng.normal(3, 2, size=(2, samples, features))
    gamma, beta = rng.normal(size=(2, features))
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, gamma, beta)]
    out = torch.nn.functional.batch_norm(
        leaves[0], None, None, leaves[1], leaves[2], training=True, eps=eps
    )
    ours = backprop.batch_norm(x, gamma, beta, eps)
    np.testing.assert_allclose(ours, out.detach().numpy(), rtol=1e-10, atol=1e-12)
    expected = torch.autograd.grad(out, leaves, torch.tensor(dout))
    gradients = backprop.batch_norm_backward(dout, x, gamma, eps)
    for got, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(got, theirs.numpy(), rtol=1e-8, atol=1e-10)
    estimated = backprop.numerical_gradient(
        lambda x: (backprop.batch_norm(x, gamma, beta, eps) * dout).sum(), x
    )
    np.testing.assert_allclose(gradients[0], estimated, rtol=1e-4, atol=1e-6)


def test_numerical_gradient_is_central():
    # For a cube the central difference is off by exactly h², a one-sided one by about 3 x h.
    estimated = backprop.numerical_gradient(lambda x: (x**3).sum(), np.array([[2.0]]), h=0.1)
    assert estimated.shape == (1, 1)
    assert estimated.item() == pytest.approx(12.01, rel=1e-12)


# ---- manners -------------------------------------------------------------------------


def test_arguments_are_not_changed():
    net = backprop.example()
    values = backprop.forward(net)
    before = copy.deepcopy((net, values))
    backprop.backward(net, values)
    backprop.step(net, biases=True)
    assert (net, values) == before

    rng = np.random.default_rng(0)
    layers = [
        Layer(rng.normal(size=(3, 3)), rng.normal(size=3), name) for name in backprop.ACTIVATIONS
    ]
    x, y, gamma = rng.normal(size=(4, 3)), np.eye(3)[[0, 1, 2, 0]], rng.normal(size=3)
    nets, outs = backprop.forward_batch(layers, x)
    dout = backprop.cross_entropy(outs[-1], y)[1]
    everything = [a for layer in layers for a in layer[:2]] + [x, y, gamma, dout, *nets, *outs]
    before = [a.copy() for a in everything]
    for array in everything:
        array.flags.writeable = False  # writing raises
    backprop.forward_batch(layers, x)
    backprop.backward_batch(layers, nets, outs, dout)
    backprop.squared_error(outs[-1], y)
    backprop.cross_entropy(outs[-1], y)
    backprop.batch_norm_backward(y, backprop.batch_norm(x, gamma, gamma), gamma)
    backprop.numerical_gradient(lambda x: (x**2).sum(), x)
    for array, old in zip(everything, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_example_is_new_each_time():
    backprop.example()["w1"] = 7.0
    assert backprop.example()["w1"] == 0.15


W, B, X = np.ones((2, 3)), np.ones(2), np.ones((4, 3))
ROWS = np.eye(2)[[0, 1]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: backprop.forward({"w1": 0.1}), "b1, b2.*start from example"),
        (lambda: backprop.forward({**backprop.example(), "w9": 0.1}), "w9; start from example"),
        (lambda: backprop.step(backprop.example(), lr=0.0), "lr must be positive, got 0.0"),
        (lambda: backprop.step(backprop.example(), lr=float("nan")), "lr must be positive"),
        (lambda: backprop.forward_batch([Layer(W, B)], X.T), r"takes .*\(samples, 3\), got \(3, 4"),
        (lambda: backprop.forward_batch([Layer(W, B)], X[0]), r"\(samples, 3\), got \(3,\)"),
        (lambda: backprop.forward_batch([Layer(W.T, B)], X), r"w must have shape \(out, in\)"),
        (lambda: backprop.forward_batch([Layer(W, B), Layer(W, B)], X), "layer 1"),
        (lambda: backprop.forward_batch([Layer(W, B, "gelu")], X), "one of sigmoid, .*got 'gelu'"),
        (
            lambda: backprop.backward_batch(
                [Layer(W, B)], *backprop.forward_batch([Layer(W, B)], X), X
            ),
            r"shape of outs\[-1\], \(4, 2\)",
        ),
        (lambda: backprop.squared_error(ROWS, ROWS[0]), r"both have shape \(samples, outputs\)"),
        (lambda: backprop.squared_error(ROWS[0], ROWS[0]), r"both have shape \(samples, outputs\)"),
        (lambda: backprop.cross_entropy(ROWS, np.array([0, 1])), r"np.eye\(classes\)\[labels\]"),
        (lambda: backprop.cross_entropy(ROWS, 2 * ROWS), "must sum to one"),
        (lambda: backprop.batch_norm_backward(ROWS, X, 1.0), "dout and x must both"),
    ],
)
def test_bad_input_says_what_to_change(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# ---- the answers of the chapter's exercises ----------------------------------------


def test_the_gradients_of_the_lab_are_those_of_autograd():
    s, _, gradients = exercises._solved()
    leaves = {
        name: torch.tensor(getattr(s, name), requires_grad=True)
        for name in ("w_in", "gamma", "beta", "w_out", "b_out")
    }
    sums = torch.tensor(s.pixels) @ leaves["w_in"].T
    diff = sums - sums.mean(0)
    x_hat = diff * (sums.var(0) + exercises.EPS) ** -0.5
    hidden = torch.tanh(leaves["gamma"] * x_hat + leaves["beta"])
    log_probs = torch.log_softmax(hidden @ leaves["w_out"].T + leaves["b_out"], dim=1)
    picked = log_probs[torch.arange(len(s.labels)), torch.tensor(s.labels)]
    penalty = exercises.PENALTY / 2 * (leaves["w_in"] ** 2).sum()
    (penalty - (torch.tensor(s.share) * picked).sum()).backward()
    for name, leaf in leaves.items():
        np.testing.assert_allclose(getattr(gradients, f"d{name}"), leaf.grad.numpy(), **CLOSE)


def test_the_answers_to_the_exercises_are_those_of_autograd():
    def recurrent(w, x, start, target):
        state = torch.tensor(start, dtype=torch.float64)
        for value in x:
            state = torch.tanh(w * state + value)
        return (state - target) ** 2 / 2

    def shortcuts(w, b, x, target):
        x, target = torch.tensor(x), torch.tensor(target)
        for matrix, shift in zip(w, b, strict=True):
            x = x + torch.tanh(x @ matrix.T + shift)
        return ((x - target) ** 2).sum() / 2 / len(x)

    def classifier(x, labels, w1, b1, w2, b2, penalty):
        logits = torch.relu(torch.tensor(x) @ w1.T + b1) @ w2.T + b2
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels))
        return loss + penalty / 2 * ((w1**2).sum() + (w2**2).sum())

    def product(a, b):
        s = a * b + a
        return s * torch.cos(s)

    for check, loss, trained in (
        (exercises.used_twice, product, (0, 1)),
        (exercises.through_time, recurrent, (0,)),
        (exercises.shortcuts, shortcuts, (0, 1)),
        (exercises.three_bugs, classifier, (2, 3, 4, 5)),
    ):
        for case in check.cases:
            inputs = list(case)
            for k in trained:
                inputs[k] = torch.tensor(case[k], dtype=torch.float64, requires_grad=True)
            loss(*inputs).backward()
            answer = check.right(*case)
            answer = answer if isinstance(answer, tuple) else (answer,)
            for k, found in zip(trained, answer, strict=True):
                np.testing.assert_allclose(found, inputs[k].grad.numpy(), **CLOSE)
