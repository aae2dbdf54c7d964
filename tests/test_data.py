"""The data sets and their splits."""

import pytest
import torch

from dlnotes import data

SETS = {
    "digits": data.digits,
    "breast_cancer": data.breast_cancer,
    "diabetes": data.diabetes,
    "spirals": data.spirals,
    "noisy_sine": data.noisy_sine,
    "phone_prices": data.phone_prices,
}


@pytest.mark.parametrize("name", SETS)
def test_sets_are_whole_finite_and_named(name):
    splits = SETS[name]()
    parts = (splits.train, splits.val, splits.test)
    for x, y in parts:
        assert x.dtype == torch.float32
        assert x.isfinite().all()
        assert len(x) == len(y) > 0
        assert y.dtype == (torch.int64 if splits.target_names else torch.float32)
        if splits.target_names:
            assert set(y.tolist()) == set(range(len(splits.target_names)))
        else:
            assert y.shape == (len(x), 1)
    assert len(splits.feature_names) == splits.train.x.shape[1]
    assert torch.equal(SETS[name]().train.x, splits.train.x), "the same each time"


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "phone_prices"])
def test_scaler_is_fitted_on_the_training_part_only(name):
    splits = SETS[name]()
    x = splits.train.x
    torch.testing.assert_close(x.mean(0), torch.zeros(x.shape[1]), atol=1e-4, rtol=0)
    torch.testing.assert_close(x.std(0, correction=0), torch.ones(x.shape[1]), atol=1e-4, rtol=0)
    everything = torch.cat([splits.train.x, splits.val.x, splits.test.x])
    assert everything.mean(0).abs().max() > 1e-3, "the other parts had a say"


@pytest.mark.parametrize("name", ["digits", "breast_cancer", "spirals", "phone_prices"])
def test_classes_have_equal_shares_in_all_parts(name):
    splits = SETS[name]()
    shares = [torch.bincount(p.y) / len(p.y) for p in (splits.train, splits.val, splits.test)]
    torch.testing.assert_close(shares[0], shares[1], atol=0.02, rtol=0)
    torch.testing.assert_close(shares[0], shares[2], atol=0.02, rtol=0)


def test_parts_do_not_overlap_and_follow_the_seed():
    x = torch.arange(100.0).unsqueeze(1)
    splits = data.split(x, x, scale=False, val=0.25, test=0.25)
    values = [set(p.x.flatten().tolist()) for p in (splits.train, splits.val, splits.test)]
    assert [len(v) for v in values] == [50, 25, 25]
    assert set.union(*values) == set(range(100))
    assert set(data.split(x, x, scale=False, seed=1).test.x.flatten().tolist()) != values[2]


def test_target_scaler_gives_the_units_back():
    splits = data.diabetes()
    original = splits.target_scaler.undo(splits.train.y)
    assert original.min() >= 25
    assert original.max() <= 346.01
    assert abs(original.mean() - 152) < 10
    assert splits.train.y.mean().abs() < 1e-5, "fitted on the training part"
    assert splits.train.y.std(correction=0).item() == pytest.approx(1, abs=1e-4)


def test_a_constant_column_does_not_divide_by_zero():
    x = torch.ones(20, 2)
    x[:, 0] = torch.arange(20.0)
    assert data.split(x, torch.arange(20) % 2).train.x.isfinite().all()


def test_digits_as_images():
    images, flat = data.digits(images=True), data.digits()
    assert images.train.x.shape[1:] == (1, 8, 8)
    for part in ("train", "val", "test"):
        assert torch.equal(getattr(images, part).x.flatten(1), getattr(flat, part).x)
        assert torch.equal(getattr(images, part).y, getattr(flat, part).y)
    assert flat.train.x.max() == 1


def everything(splits):
    parts = (splits.train, splits.val, splits.test)
    return torch.cat([p.x for p in parts]), torch.cat([p.y for p in parts])


@pytest.mark.parametrize(("arms", "turns"), [(2, 1.0), (3, 1.0), (2, 0.5), (4, 2.0)])
def test_spirals_wind_outwards_one_arm_a_class(arms, turns):
    x, y = everything(data.spirals(400, arms=arms, turns=turns, noise=0.0))
    radius = x.norm(dim=1)
    assert radius.max() <= 1
    assert abs((radius**2).mean() - 0.5) < 0.05, "spread evenly over the disc"
    angle = 2 * torch.pi * (turns * radius + y / arms)
    expected = torch.stack([angle.cos(), angle.sin()], 1)
    torch.testing.assert_close(x / radius.unsqueeze(1), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_noise_has_the_standard_deviation_asked_for(noise):
    x, y = everything(data.noisy_sine(4000, noise=noise))
    assert x.min() >= -torch.pi
    assert x.max() <= torch.pi
    assert abs(x.mean()) < 0.1
    assert x.abs().mean() == pytest.approx(torch.pi / 2, abs=0.05)
    assert (y - x.sin()).std().item() == pytest.approx(noise, rel=0.05)
    still, moved = (everything(data.spirals(4000, noise=a))[0] for a in (0.0, noise))
    assert (moved - still).std().item() == pytest.approx(noise, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.split(torch.zeros(9, 1), torch.zeros(9), val=0), "val and test"),
        (lambda: data.split(torch.zeros(9, 1), torch.zeros(9), test=0), "val and test"),
        (lambda: data.split(torch.zeros(9, 1), torch.zeros(9), val=0.5, test=0.5), "less than 1"),
        (lambda: data.split(torch.zeros(9, 1), torch.zeros(8)), "9 samples and y has 8"),
        (lambda: data.spirals(0), "n must be positive"),
        (lambda: data.spirals(arms=0), "arms must be positive"),
        (lambda: data.noisy_sine(-1), "n must be positive"),
    ],
)
def test_bad_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_one_arm_is_enough():
    _, y = everything(data.spirals(40, arms=1))
    assert y.tolist() == [0] * 40
