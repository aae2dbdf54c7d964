"""Every exercise accepts its right answer and names each mistake; and what judges them."""

import contextlib
import importlib
import math
import pkgutil
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

import dlnotes.exercises
from dlnotes.exercises import Check, Lab, checks, regularisation

NO_ANSWER = checks.NO_ANSWER


def exercises():
    """Every check of every chapter, the steps of labs too, by name."""
    found = {}
    for module in pkgutil.iter_modules(dlnotes.exercises.__path__):
        if module.name != "checks":
            chapter = importlib.import_module(f"dlnotes.exercises.{module.name}")
            for name, made in vars(chapter).items():
                steps = made if isinstance(made, Lab) else {"": made}
                found |= {
                    f"{module.name}.{name}{'.' * bool(step)}{step}": check
                    for step, check in steps.items()
                    if isinstance(check, Check) and not name.startswith("_")
                }
    return found


EXERCISES = exercises()
MISTAKES = [(name, message) for name, check in EXERCISES.items() for message in check.mistakes]

# ---- all exercises ---------------------------------------------------------------


@pytest.mark.parametrize("name", EXERCISES)
def test_right_is_right_and_the_untouched_stub_is_no_answer(name):
    check = EXERCISES[name]
    assert check.verdict(check.right) == "Right."
    assert check.verdict(...) == NO_ANSWER
    if check.cases != ((),):

        def stub(*args, **more): ...

        assert check.verdict(stub) == NO_ANSWER


@pytest.mark.parametrize(("name", "message"), MISTAKES)
def test_each_mistake_gets_its_own_message(name, message):
    check = EXERCISES[name]
    assert check.verdict(check.mistakes[message]) == f"Not yet. {message}"


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_knows_typical_mistakes_and_no_empty_message(name):
    assert EXERCISES[name].mistakes
    assert all(len(message.split()) > 2 for message in EXERCISES[name].mistakes)


# ---- what judges them ------------------------------------------------------------

SQUARE = Check(
    cases=[(np.array([1.0, 2.0, -3.0]),), (np.array([[0.5]]),)],
    right=lambda x: x**2,
    mistakes={
        "This is the slope.": lambda x: 2 * x,
        "The sum is one number.": lambda x: (x**2).sum(),
    },
)


def raises_in_line(x):
    wanted = x
    return wanted.no_such


def inner_error(x):
    return raises_in_line(x)


def changes(x):
    x += 1
    return x


def stub_with_docstring(x):
    """Return the square."""
    ...


def forgets_return(x):
    x**2


def walks_in_place(x):
    path = [x]
    for _ in range(2):
        x -= 0.1
        path.append(x)
    return np.array(path)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (lambda x: x * x, "Right."),
        (lambda x: torch.as_tensor(x) ** 2, "Right."),
        (lambda x: torch.square(x), "Right."),  # works on tensors only
        (lambda x: torch.tensor(x, requires_grad=True) ** 2, "Right."),
        (lambda x: (x**2).tolist(), "Right."),
        (lambda x: (x * (1 + 1e-9)) ** 2, "Right."),
        (lambda x: (x * (1 + 1e-6)) ** 2, "largest difference is 1.8e-05."),
        (lambda x: x**2 + (x.ndim == 1), "largest difference is 1."),
        (lambda x: x**2 + (x.ndim == 2), "largest difference is 1."),
        (lambda x: x.astype(np.float32) ** 2, "Right, as far as float32 can tell."),
        (lambda x: torch.as_tensor(x).float() ** 2, "Right, as far as float32 can tell."),
        (lambda x: torch.as_tensor(x).bfloat16().float() * 1.1, "largest difference is 12."),
        (lambda x: 2 * x, "Not yet. This is the slope."),
        (lambda x: np.float32(2) * x.astype(np.float32), "Not yet. This is the slope."),
        (lambda x: (x**2).sum(), "Not yet. The sum is one number."),
        (lambda x: x.ravel()[0] ** 2, "Not yet. The shape is (), and (3,) is expected."),
        (lambda x: x * np.nan, "Not yet. The answer holds inf or nan."),
        (lambda x: (x**2, x), "Not yet. 2 value(s) are returned, and 1 are expected."),
        (lambda x: "four", "Not yet. The shape is (), and (3,) is expected."),
        (lambda x: object(), "of type object."),
        (lambda x: None, NO_ANSWER),
        (stub_with_docstring, NO_ANSWER),
        (forgets_return, checks.NO_RETURN),
        (4.0, "Not yet. Pass the function itself, without calling it."),
        (changes, "Not yet. Your function changes its argument: work on a copy."),
        (inner_error, "return wanted.no_such"),
        (walks_in_place, "Not yet. Your function changes its argument: work on a copy."),
    ],
)
def test_verdict(answer, verdict):
    assert SQUARE.verdict(answer).endswith(verdict)


def test_an_error_is_told_with_its_line():
    said = SQUARE.verdict(inner_error)
    line = raises_in_line.__code__.co_firstlineno + 2
    assert said.startswith("Not yet. Your function raised AttributeError: ")
    assert said.endswith(f"\n  in line {line}: return wanted.no_such")


def test_an_answer_that_fits_one_case_only_is_not_right():
    assert Check(cases=[(1.0,), (3.0,)], right=lambda x: 2 * x).verdict(lambda x: 2.0) != "Right."
    assert SQUARE.verdict(lambda x: 2 * x if x.ndim == 1 else x) != "Not yet. This is the slope."


def test_an_endless_loop_says_so():
    def endless(x):
        while True:
            with contextlib.suppress(Exception):
                x = x + 1

    slow = Check(cases=SQUARE.cases, right=SQUARE.right, seconds=0.2)
    assert "still running after 0.2 seconds" in slow.verdict(endless)
    assert slow.verdict(SQUARE.right) == "Right."  # and the clock is off again


def test_interrupting_an_answer_shows_no_traceback():
    def interrupted(x):
        raise KeyboardInterrupt

    assert SQUARE.verdict(interrupted).startswith("Not yet. Interrupted: your function was")


def test_without_timers_answers_are_judged_all_the_same():
    said = []
    thread = threading.Thread(target=lambda: said.append(SQUARE.verdict(lambda x: x * x)))
    thread.start()
    thread.join()
    assert said == ["Right."]


def test_a_float32_answer_is_forgiven_what_cancellation_leaves_of_it():
    check = Check(right=lambda: np.array([1000.0, 1e-3]))
    assert check.verdict(np.array([1000, 1.1e-3], np.float32)).startswith("Right")
    assert not check.verdict(np.array([1000, 0.1], np.float32)).startswith("Right")
    assert not check.verdict(np.array([1000, 1.1e-3])).startswith("Right")


def test_dictionaries_and_lists_are_protected_too():
    check = Check(cases=[({"w": np.ones(2)}, [1.0])], right=lambda net, more: 3.0)

    def spoils(net, more):
        net["w"] *= 2
        return 3.0

    def appends(net, more):
        more.append(1)
        return 3.0

    assert "changes its argument" in check.verdict(spoils)
    assert "changes its argument" in check.verdict(appends)
    assert check.verdict(lambda net, more: 3) == "Right."


def test_several_values_are_compared_one_by_one():
    check = Check(cases=[(2.0,)], right=lambda x: (x, np.full((2, 2), x)))
    assert check.verdict(lambda x: (2.0, np.full((2, 2), 2))) == "Right."
    assert "(2,), and (2, 2) is expected" in check.verdict(lambda x: (2.0, np.full(2, 2)))


def test_an_array_passes_for_a_tuple_of_numbers_and_only_for_one_as_long():
    pair = Check(right=lambda: (1.0, 2.0))
    assert pair.verdict(np.array([1.0, 2.0])) == "Right."
    assert pair.verdict(torch.tensor([1.0, 2.0])) == "Right, as far as float32 can tell."
    assert "differ" in pair.verdict(np.array([1.0, 3.0]))
    assert "3 value(s) are returned" in pair.verdict(np.array([1.0, 2.0, 3.0]))
    arrays = Check(right=lambda: (np.array([1.0]), np.array([2.0])))
    assert arrays.verdict(np.array([1.0, 2.0])) != "Right."
    assert Check(right=lambda: 1.0).verdict(np.array([1.0])) != "Right."


def test_a_list_passes_for_a_tuple_and_only_for_a_tuple():
    pair = Check(cases=[(2.0,)], right=lambda x: (x, np.full((2, 2), x)))
    assert pair.verdict(lambda x: [x, np.full((2, 2), x)]) == "Right."
    assert pair.verdict(lambda x: [x]).endswith("1 value(s) are returned, and 2 are expected.")
    assert "(), and (2, 2) is expected" in pair.verdict(lambda x: [x, x])
    assert pair.examine(lambda x: [x, np.full((2, 2), x + 1e-8)])[1] == pytest.approx(1e-8)
    array = Check(cases=[(2.0,)], right=lambda x: np.array([x, x]))
    assert array.verdict(lambda x: [x, x]) == "Right."


def test_the_parts_that_are_wrong_are_named():
    check = Check(
        cases=[(2.0,), (3.0,)], right=lambda x: (x, np.full(2, x), -x), parts=("da", "db", "dc")
    )

    def said(answer):
        return check.verdict(answer).removeprefix("Not yet. ")

    assert said(lambda x: (x, np.full(2, x), -x)) == "Right."
    assert said(lambda x: (x + 2, np.full(2, x), 1.0)) == (
        "da, dc: The shape is right and the values are not: the largest difference is 4."
    )
    assert said(lambda x: (x, x, -x)) == "db: The shape is (), and (2,) is expected."
    assert said(lambda x: (x, np.full(2, np.inf), -x)) == "db: The answer holds inf or nan."
    assert said(lambda x: (x, x)) == "2 value(s) are returned, and 3 are expected: da, db, dc."


def test_words_and_truth_values_are_compared():
    assert Check(right=lambda: "leaf").verdict("leaf") == "Right."
    assert Check(right=lambda: "leaf").verdict("root").endswith("not the expected ones.")
    assert Check(right=lambda: True).verdict(np.bool_(True)) == "Right."


def test_numbers_where_words_are_asked_and_the_reverse_are_told_so():
    word, number = Check(right=lambda: "up"), Check(right=lambda: 1.0)
    assert word.verdict(1.0) == "Not yet. The values are not the expected ones."
    assert number.verdict("up") == "Not yet. The values are not the expected ones."
    assert word.examine("up") == ("Right.", 0.0)


def test_a_value_may_be_callable_without_being_called():
    check = Check(right=lambda: torch.nn.Linear(2, 1), judge=lambda net: "" if net.bias else "?")
    assert check.verdict(torch.nn.Linear(2, 1)) == "Right."


def test_a_judge_decides_where_many_answers_are_right():
    even = Check(
        right=lambda: 2,
        mistakes={"This is odd.": lambda: 3},
        judge=lambda n: "This is odd." if n % 2 else "",
    )
    assert even.verdict(8) == "Right."
    assert even.verdict(5) == "Not yet. This is odd."
    said = even.verdict([])
    assert said.startswith("Not yet. What you return could not be judged (TypeError")


def test_lab_checks_each_step_on_its_own(capsys):
    lab = Lab(square=SQUARE, third=Check(right=lambda: 1 / 3), judged=Check(
        right=lambda: 1, judge=lambda n: ""))  # fmt: skip
    lab(third=1 / 3 + 1e-16, square=lambda x: 2 * x, judged=5)
    lab(third=0.333333333)
    lab(third=torch.tensor(1 / 3))
    assert capsys.readouterr().out.splitlines() == [
        "third: Right. Exact up to rounding.",
        "square: Not yet. This is the slope.",
        "judged: Right.",
        "third: Right. Approximate: the largest difference is below 1e-09.",
        "third: Right, as far as float32 can tell.",
    ]
    with pytest.raises(ValueError, match="no step 'fourth': the steps are square, third, judged"):
        lab(fourth=1)


def test_difference_is_the_largest_one_and_nan_where_there_is_none():
    coarse = replace(SQUARE, rtol=0.5)  # so that a large difference passes
    largest = max(np.max(case[0] ** 2) for case in SQUARE.cases)
    said, gap = coarse.examine(lambda x: 1.25 * x**2)
    assert (said, gap) == ("Right.", pytest.approx(largest / 4))
    for answer in (lambda x: x.sum(), lambda x: 1 / 0, ..., lambda x: "a", lambda x: 9 * x):
        assert math.isnan(coarse.examine(answer)[1])


def test_an_answer_of_a_lab_is_called_once_for_each_case(capsys):
    calls = []
    Lab(square=SQUARE)(square=lambda x: calls.append(x) or x**2)
    assert len(calls) == len(SQUARE.cases)
    assert capsys.readouterr().out == "square: Right. Exact up to rounding.\n"


def test_no_answer_stands_in_the_frames_of_a_check():
    """A traceback shows the source around each frame: answers must not lie there."""
    with open(checks.__file__, encoding="utf8") as source:
        assert "regression" not in source.read()
    assert all(check.right.__code__.co_filename != checks.__file__ for check in EXERCISES.values())


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("company", lambda ask, x, order: (ask(x)[order] != ask(x[order])).double().mean()),
        (
            "control",
            lambda pipeline, x, y, orders: torch.tensor(
                [pipeline(x, y.index_select(0, order)) for order in orders], dtype=torch.float64
            ).mean(),
        ),
    ],
)
def test_a_program_in_an_exercise_answers_tensors_with_tensors(step, answer):
    assert regularisation.lab[step].verdict(answer) == "Right."
