import hashlib
from pathlib import Path
from urllib.error import URLError

import pytest
import torch

from pixelwise.errors import InputError
from pixelwise.layers.imagenet import IMAGENET_MEAN, IMAGENET_STD
from pixelwise.losses.perceptual import PICTURE, TAPS, PerceptualLoss, Vgg19Features, load_perceptual_loss
from pixelwise.published_weights import MissingWeightsError

# Simonyan and Zisserman 2015, Table 1, column E, at the places where torchvision's ``features`` have them.
CONVOLUTIONS = {0: 64, 2: 64, 5: 128, 7: 128, 10: 256, 12: 256, 14: 256, 16: 256}
CONVOLUTIONS |= {19: 512, 21: 512, 23: 512, 25: 512, 28: 512, 30: 512, 32: 512, 34: 512}
CLASSIFIER = {0: (4096, 25088), 3: (4096, 4096), 6: (1000, 4096)}


def passing_first_channel_on() -> dict[str, torch.Tensor]:
    """A whole VGG19 whose every convolution copies its first input channel into all of its outputs."""
    weights = {}
    in_channels = 3
    for place, channels in CONVOLUTIONS.items():
        weight = torch.zeros(in_channels, 3, 3)
        weight[0, 1, 1] = 1
        # Expanded tensors are stored once, so that the file stays small.
        weights[f"features.{place}.weight"] = weight.expand(channels, -1, -1, -1)
        weights[f"features.{place}.bias"] = torch.zeros(1).expand(channels)
        in_channels = channels
    for place, shape in CLASSIFIER.items():
        weights[f"classifier.{place}.weight"] = torch.zeros(1, 1).expand(shape)
        weights[f"classifier.{place}.bias"] = torch.zeros(1).expand(shape[0])
    return weights


def write(path: Path, content: object) -> str:
    """Saves, in the container of the published file's days, and returns the file's SHA-256."""
    torch.save(content, path, _use_new_zipfile_serialization=False)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    path = tmp_path_factory.mktemp("vgg19") / "vgg19.pth"
    return path, write(path, passing_first_channel_on())


@pytest.fixture(scope="module")
def loss(file: tuple[Path, str]) -> PerceptualLoss:
    path, sha256 = file
    return load_perceptual_loss(path, sha256=sha256[:8])


def test_names_and_shapes_are_torchvisions() -> None:
    published = passing_first_channel_on()
    ours = {name: value.shape for name, value in Vgg19Features().state_dict().items()}
    assert ours == {name: published[name].shape for name in ours}
    assert list(ours)[-1] == "features.28.bias"


def test_taps_are_the_first_activations_of_the_five_stages() -> None:
    activations = Vgg19Features()(torch.rand(1, 3, 32, 48) * 2 - 1)
    assert [tuple(activation.shape) for activation in activations] == [
        (1, 64, 32, 48),
        (1, 128, 16, 24),
        (1, 256, 8, 12),
        (1, 512, 4, 6),
        (1, 512, 2, 3),
    ]
    assert all((activation >= 0).all() for activation in activations)


def test_second_taps_are_the_picture_and_the_second_activations_of_the_five_stages() -> None:
    network = Vgg19Features(TAPS["second"])
    assert list(network.state_dict())[-1] == "features.30.bias"
    picture = torch.rand(1, 3, 32, 48) * 2 - 1
    read, *activations = network(picture)
    torch.testing.assert_close(read[:, 0], ((picture[:, 0] + 1) / 2 - IMAGENET_MEAN[0]) / IMAGENET_STD[0])
    assert [activation.shape[1:] for activation in activations] == [
        (64, 32, 48), (128, 16, 24), (256, 8, 12), (512, 4, 6), (512, 2, 3)
    ]  # fmt: skip
    assert all((activation >= 0).all() for activation in activations)
    # What comes before is the stage's second convolution.
    first, *places = TAPS["second"]
    assert first == PICTURE
    assert all(place - 1 in CONVOLUTIONS and place - 3 in CONVOLUTIONS for place in places)


@pytest.mark.parametrize("size", [(16, 32), (19, 21)])
def test_regions_share_the_loss_of_each_picture(loss: PerceptualLoss, size: tuple[int, int]) -> None:
    pictures, target = torch.rand(2, 2, 3, *size) * 2 - 1, torch.rand(2, 3, *size) * 2 - 1
    regions = torch.nn.functional.one_hot(torch.randint(4, (2, *size)), 4).movedim(-1, 1).float()
    parts = loss.by_region(pictures, target, regions)
    assert parts.shape == (2, 2, 4)
    whole = loss.by_region(pictures, target, None)
    torch.testing.assert_close(parts.sum(dim=2, keepdim=True), whole)
    singles = [[loss(pictures[b, k][None], target[b][None]).item() for k in range(2)] for b in range(2)]
    torch.testing.assert_close(whole[:, :, 0], torch.tensor(singles))


def test_a_region_knows_of_what_is_in_it(loss: PerceptualLoss) -> None:
    target = torch.full((1, 3, 16, 64), 0.5)
    picture = target.clone()
    picture[..., 32:] = 0.0
    halves = torch.zeros(1, 2, 16, 64)
    halves[:, 0, :, :32], halves[:, 1, :, 32:] = 1, 1
    same, other = loss.by_region(picture[:, None], target, halves).flatten().tolist()
    assert same == 0
    assert other > 0.1


def test_input_is_normalised_as_imagenets(loss: PerceptualLoss) -> None:
    red = torch.rand(1, 1, 16, 16)
    picture = torch.cat([red, torch.zeros(1, 2, 16, 16)], dim=1) * 2 - 1
    first = loss.network(picture)[0]
    torch.testing.assert_close(first[:, :1], ((red - IMAGENET_MEAN[0]) / IMAGENET_STD[0]).relu())


def test_known_value(loss: PerceptualLoss) -> None:
    image, target = torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.5)
    # Red 0.5 against 0.75, both above the mean, passed through unchanged to all five taps.
    expected = (1 / 32 + 1 / 16 + 1 / 8 + 1 / 4 + 1) * 0.25 / 0.229
    assert loss(image, target).item() == pytest.approx(expected, rel=1e-5)
    assert loss(target, target).item() == 0


def test_the_picture_itself_counts_as_a_layer_where_crn_compares(file: tuple[Path, str]) -> None:
    loss = load_perceptual_loss(file[0], sha256=file[1], taps=TAPS["second"])
    image, target = torch.zeros(1, 3, 16, 16), torch.full((1, 3, 16, 16), 0.5)
    # All three channels of the picture as VGG19 reads it, and red in five layers.
    expected = sum(0.25 / deviation for deviation in IMAGENET_STD) / 3 + 5 * 0.25 / 0.229
    assert loss(image, target).item() == pytest.approx(expected, rel=1e-5)
    assert loss.by_region(image[:, None], target, None).item() == pytest.approx(expected, rel=1e-5)


def test_grey_is_the_same_in_three_channels(loss: PerceptualLoss) -> None:
    image, target = torch.rand(2, 1, 16, 16), torch.rand(2, 1, 16, 16)
    expected = loss(image.expand(-1, 3, -1, -1), target.expand(-1, 3, -1, -1))
    torch.testing.assert_close(loss(image, target), expected)


def test_gradient_flows_into_the_image_alone(loss: PerceptualLoss) -> None:
    image, target = (torch.rand(1, 3, 16, 16).requires_grad_() for _ in range(2))
    loss(image, target).backward()
    assert image.grad is not None
    assert image.grad.any()
    assert target.grad is None
    assert not any(weight.requires_grad for weight in loss.parameters())


@pytest.mark.parametrize("shape", [(1, 4, 32, 32), (1, 3, 15, 32)])
def test_pictures_that_vgg19_cannot_read_are_refused(loss: PerceptualLoss, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="VGG19 expects"):
        loss.network(torch.zeros(shape))


def test_another_sha256_is_refused(file: tuple[Path, str]) -> None:
    path, found = file
    with pytest.raises(InputError, match=rf"{path.name}: SHA-256 is {found}, expected .*dcbb9e9d"):
        load_perceptual_loss(path)


def test_other_contents_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    sha256 = write(path, {"features.0.weight": torch.zeros(2)})
    with pytest.raises(InputError, match=r"other.pth: not VGG19's weights"):
        load_perceptual_loss(path, sha256=sha256)


def test_pickles_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pickle.pth"
    sha256 = write(path, Path)
    with pytest.raises(InputError, match=r"pickle.pth: not VGG19's weights"):
        load_perceptual_loss(path, sha256=sha256)


def test_a_path_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing.pth: no such file") as error:
        load_perceptual_loss(tmp_path / "nothing.pth")
    assert not isinstance(error.value, MissingWeightsError)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return tmp_path / "checkpoints"


def test_an_empty_cache_is_told_apart(empty_cache: Path) -> None:
    with pytest.raises(MissingWeightsError, match="no VGG19 weights at hand"):
        load_perceptual_loss()


def test_a_failed_download_is_told_apart(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(url: str, path: str, hash_prefix: str) -> None:
        raise URLError("no network")

    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(MissingWeightsError, match="no network"):
        load_perceptual_loss(download=True)


def test_a_download_with_another_sha256_is_not_kept(
    empty_cache: Path, file: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixelwise.losses.perceptual.VGG19_URL", file[0].as_uri())
    with pytest.raises(MissingWeightsError, match="invalid hash value"):
        load_perceptual_loss(download=True)
    assert not list(empty_cache.iterdir())


def test_a_download_fills_the_cache(empty_cache: Path, file: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    path, sha256 = file
    monkeypatch.setattr("pixelwise.losses.perceptual.VGG19_URL", path.as_uri())
    monkeypatch.setattr("pixelwise.losses.perceptual.VGG19_SHA256", sha256)
    load_perceptual_loss(download=True, sha256=sha256)
    assert (empty_cache / path.name).read_bytes() == path.read_bytes()
    load_perceptual_loss(sha256=sha256)
