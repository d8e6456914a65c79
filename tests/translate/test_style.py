"""What families can do beside translating: styles of pictures and of classes, and chance; and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_model import LABEL_MODEL, LABELS, TINY_RIVALS, save_tiny_model, save_tiny_rival
from torch import Tensor

from pixelwise import images
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.translate import Translator, load
from pixelwise.translate.style import Style

INDICES = torch.arange(3).repeat_interleave(16).repeat(40, 1)
FILE_IDS = LABELS.file_ids(INDICES.numpy())
INSTANCES = torch.zeros(40, 48, dtype=torch.int64)
PHOTO = torch.linspace(-9, 9, 3 * 40 * 48).sin().view(3, 40, 48)
OTHER_PHOTO = PHOTO.flip(0) * 0.5

DRAW_STYLES = ("spade", "clade", "ccfpse", "groupdnet", "pix2pixhd")
BY_CLASS = ("sean", "groupdnet", "pix2pixhd")
OF_THE_WHOLE = ("spade", "clade", "ccfpse")


@pytest.fixture
def rival(tmp_path: Path) -> Callable[..., Translator]:
    """A tiny model of a family, with changes of its configuration."""

    def make(name: str, **changes: Any) -> Translator:
        config = replace(TINY_RIVALS[name], **changes)  # type: ignore[type-var]
        return load(save_tiny_rival(tmp_path / "model.safetensors", config), "cpu")

    return make


def translate(translator: Translator, labels: Tensor = INDICES, **wishes: Any) -> Tensor:
    """With an instance map where the model reads one."""
    instances = {"instances": torch.zeros_like(labels)} if translator.manifest.spec.instances else {}
    return translator(labels, **instances, **wishes)  # type: ignore[no-any-return]


def style_of(translator: Translator, photo: Tensor = PHOTO) -> Style:
    maps = {"labels": INDICES} if translator.manifest.family in BY_CLASS else {}
    return translator.styles.of(
        photo, **maps, **({"instances": INSTANCES} if translator.manifest.spec.instances else {})
    )


@pytest.mark.parametrize("name", [*DRAW_STYLES, "pix2pix"])
def test_the_same_seed_gives_the_same_picture(rival: Callable[..., Translator], name: str) -> None:
    translator = rival(name)
    before = torch.get_rng_state()
    first = translate(translator)
    assert torch.equal(translate(translator), first)
    assert torch.equal(translate(translator, seed=0), first)
    assert not torch.equal(translate(translator, seed=1), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_is_drawn_beside_a_style(rival: Callable[..., Translator]) -> None:
    translator = rival("sean")
    first = translate(translator, style=PHOTO)
    assert torch.equal(translate(translator, style=PHOTO), first)
    assert not torch.equal(translate(translator, style=PHOTO, seed=1), first)


@pytest.mark.parametrize("name", [*DRAW_STYLES, "pix2pix"])
def test_a_picture_of_a_batch_is_drawn_as_by_itself(rival: Callable[..., Translator], name: str) -> None:
    translator = rival(name)
    batch = translate(translator, torch.stack([INDICES.flip(1), INDICES]), seed=5)
    torch.testing.assert_close(batch[1], translate(translator, seed=5), rtol=0, atol=0)


def test_samples_are_those_of_seeds_one_after_the_other(rival: Callable[..., Translator]) -> None:
    translator = rival("spade")
    samples = translator(INDICES, seed=3, samples=2)
    for sample, seed in zip(samples, (3, 4), strict=True):
        assert torch.equal(sample, translator(INDICES, seed=seed))
    assert not torch.equal(*samples)
    (array,) = translator(FILE_IDS, seed=4, samples=1)
    np.testing.assert_array_equal(array, images.from_tensor(samples[1], translator.manifest.target))
    pictures = translator(Image.fromarray(FILE_IDS), seed=3, samples=2)
    assert isinstance(pictures[0], Image.Image)
    np.testing.assert_array_equal(np.asarray(pictures[1]), array)


@pytest.mark.parametrize("wish", [{"seed": 0}, {"samples": 2}])
def test_seeds_are_refused_where_nothing_is_left_to_chance(
    rival: Callable[..., Translator], tmp_path: Path, wish: dict[str, int]
) -> None:
    asapnet = load(save_tiny_model(tmp_path / "asapnet.safetensors", LABEL_MODEL), "cpu")
    quiet = {"pix2pix": {"dropout_at_test": False}, "spade": {"style": False}, "dagan": {}, "clade": {"style": False}}
    for translator in (asapnet, *(rival(name, **changes) for name, changes in quiet.items())):
        with pytest.raises(InputError, match=rf"this {translator.manifest.family} model leaves nothing to chance"):
            translate(translator, **wish)
    with pytest.raises(InputError, match=r"this spade model that is given a style leaves nothing to chance"):
        translate(rival("spade"), style=PHOTO, **wish)


def test_a_unet_without_a_noisy_level_draws_nothing(rival: Callable[..., Translator]) -> None:
    assert rival("pix2pix").seeds.matter(styled=False)
    assert not rival("pix2pix", num_downsamplings=5).seeds.matter(styled=False)
    assert not rival("pix2pix", dropout=0.0).seeds.matter(styled=False)
    assert rival("pix2pix", num_downsamplings=2, num_blocks=1).seeds.matter(styled=False)


@pytest.mark.parametrize(("wish", "message"), [
    ({"samples": 0}, "samples must be at least 1, got 0"),
    ({"seed": -1}, r"seeds run from -1 to -1, expected 0\.\."),
    ({"seed": 2**63 - 1, "samples": 2}, "expected 0"),
])  # fmt: skip
def test_impossible_seeds_are_refused(rival: Callable[..., Translator], wish: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        rival("spade")(INDICES, **wish)


@pytest.mark.parametrize("name", [*OF_THE_WHOLE, *BY_CLASS])
def test_a_picture_gives_its_style(rival: Callable[..., Translator], name: str) -> None:
    translator = rival(name)
    styled = translate(translator, style=PHOTO)
    assert not torch.equal(styled, translate(translator, style=OTHER_PHOTO))
    # One instance for each class: so what is found of the classes is what is found of the objects.
    torch.testing.assert_close(translate(translator, style=style_of(translator)), styled, rtol=0, atol=1e-5)


def test_objects_of_one_class_look_alike_by_class_only(rival: Callable[..., Translator]) -> None:
    translator = rival("pix2pixhd")
    instances = torch.arange(40)[:, None].expand(40, 48) // 20
    one_label = torch.zeros_like(INDICES)
    by_class = translator.styles.of(PHOTO, one_label, instances)
    by_object = translator(one_label, instances=instances, style=PHOTO)
    assert not torch.equal(translator(one_label, instances=instances, style=by_class), by_object)


@pytest.mark.parametrize("name", [*OF_THE_WHOLE, *BY_CLASS])
def test_pictures_of_every_kind_give_one_style(rival: Callable[..., Translator], name: str) -> None:
    translator = rival(name)
    array = images.from_tensor(PHOTO, translator.manifest.target)
    pictures = (array, Image.fromarray(array), images.to_tensor(array, translator.manifest.target))
    first, *others = (translate(translator, style=picture) for picture in pictures)
    for other in others:
        torch.testing.assert_close(other, first, rtol=0, atol=0)


@pytest.mark.parametrize("name", ["spade", "clade", "ccfpse", "groupdnet"])
def test_a_drawn_style_is_the_one_of_its_seed(rival: Callable[..., Translator], name: str) -> None:
    translator = rival(name)
    assert torch.equal(translate(translator, style=translator.styles.draw(3)), translate(translator, seed=3))


@pytest.mark.parametrize("name", BY_CLASS)
def test_one_class_can_look_as_in_another_picture(rival: Callable[..., Translator], name: str) -> None:
    translator = rival(name)
    one, other = style_of(translator), style_of(translator, OTHER_PHOTO)
    mixed = one.with_class("b", other)
    parts = [style.latent.reshape(4, -1) for style in (one, mixed, other)]
    assert [torch.equal(parts[1][label], parts[0][label]) for label in (0, 1, 2)] == [True, False, True]
    assert torch.equal(parts[1][1], parts[2][1])
    assert torch.equal(mixed.latent, one.with_class(1, other).latent)
    assert not torch.equal(translate(translator, style=mixed), translate(translator, style=one))
    for label in ("a", 2, 3):
        mixed = mixed.with_class(label, other)
    assert torch.equal(mixed.latent, other.latent)


def test_one_class_can_be_drawn_anew(rival: Callable[..., Translator]) -> None:
    translator = rival("groupdnet")
    one = style_of(translator)
    redrawn = one.with_class("b", translator.styles.draw(1))
    assert (redrawn.latent != one.latent).reshape(4, -1).any(dim=1).tolist() == [False, True, False, False]


def test_styles_that_cannot_be_mixed_are_refused(rival: Callable[..., Translator]) -> None:
    spade, sean = rival("spade"), rival("sean")
    whole, by_class = style_of(spade), style_of(sean)
    with pytest.raises(InputError, match="of the whole picture"):
        whole.with_class("a", whole)
    with pytest.raises(InputError, match="different models"):
        by_class.with_class("a", whole)
    with pytest.raises(InputError, match=r"no class 'hair', expected 0\.\.3 or one of a, b, c"):
        by_class.with_class("hair", by_class)
    with pytest.raises(InputError, match="no class 4"):
        by_class.with_class(4, by_class)
    with pytest.raises(InputError, match="a style has 256 numbers, the condition's latent 24"):
        spade(INDICES, style=by_class)


@pytest.mark.parametrize(("name", "changes"), [("dagan", {}), ("pix2pix", {}), ("spade", {"style": False})])
def test_families_without_styles_say_so(rival: Callable[..., Translator], name: str, changes: dict[str, Any]) -> None:
    translator = rival(name, **changes)
    whole = Condition(labels=INDICES[None])
    for ask in (
        lambda: translator(INDICES, style=PHOTO),
        lambda: translator.styles.of(PHOTO),
        lambda: translator.translate(replace(whole, style=PHOTO[None])),
    ):
        with pytest.raises(InputError, match=rf"this {name} model reads no style pictures"):
            ask()
    for ask in (
        lambda: translator(INDICES, style=Style(torch.zeros(1, 256))),
        lambda: translator.translate(replace(whole, latent=torch.zeros(1, 256))),
    ):
        with pytest.raises(InputError, match=rf"this {name} model has no styles"):
            ask()
    with pytest.raises(InputError, match=rf"this {name} model draws no styles"):
        translator.styles.draw()


def test_a_model_without_encoder_draws_styles_but_reads_none(rival: Callable[..., Translator]) -> None:
    translator = rival("groupdnet", encoder_width=0)
    assert not torch.equal(translator(INDICES, seed=1), translator(INDICES, style=translator.styles.draw(2)))
    with pytest.raises(InputError, match="this groupdnet model reads no style pictures"):
        translator(INDICES, style=PHOTO)


@pytest.mark.parametrize("name", BY_CLASS)
def test_a_style_picture_of_another_size_needs_its_label_map(rival: Callable[..., Translator], name: str) -> None:
    translator = rival(name)
    with pytest.raises(InputError, match=r"style picture: is 48x30, the input 48x40 .*Translator\.styles\.of"):
        translate(translator, style=PHOTO[:, :30])
    with pytest.raises(InputError, match=rf"this {name} model has a style for each class: the picture needs a label"):
        translator.styles.of(PHOTO)


@pytest.mark.parametrize("name", BY_CLASS)
def test_a_style_is_found_in_one_picture_of_its_maps_size(
    rival: Callable[..., Translator], tmp_path: Path, name: str
) -> None:
    translator = rival(name)
    with pytest.raises(InputError, match=r"style picture: is 48x30, its label map 48x40"):
        style_of(translator, PHOTO[:, :30])
    with pytest.raises(InputError, match="a style is found in one picture, got 2"):
        style_of(translator, torch.stack([PHOTO, PHOTO]))
    photo, labels = tmp_path / "photo.png", tmp_path / "labels.png"
    Image.new("RGB", (48, 30)).save(photo)
    Image.fromarray(FILE_IDS).save(labels)
    maps = {"instances": labels} if translator.manifest.spec.instances else {}
    with pytest.raises(InputError, match=r"photo\.png is 48x30, .*labels\.png is 48x40"):
        translator.styles.of_file(photo, labels, **maps)


@pytest.mark.parametrize("name", [*OF_THE_WHOLE, *BY_CLASS])
def test_each_picture_of_a_batch_may_have_a_style_of_its_own(rival: Callable[..., Translator], name: str) -> None:
    translator = rival(name)
    both = translate(translator, INDICES.expand(2, -1, -1), style=torch.stack([PHOTO, OTHER_PHOTO]))
    torch.testing.assert_close(both[1], translate(translator, style=OTHER_PHOTO), rtol=0, atol=1e-5)
    with pytest.raises(InputError, match="got 2 styles for 3 conditions, expected one, or one for each"):
        translate(translator, INDICES.expand(3, -1, -1), style=torch.stack([PHOTO, OTHER_PHOTO]))
    two = replace(style_of(translator), latent=style_of(translator).latent.expand(2, -1))
    with pytest.raises(InputError, match="got 2 styles for 1 conditions"):
        translate(translator, style=two)


def test_a_style_of_the_whole_picture_has_any_size_and_no_label_map(rival: Callable[..., Translator]) -> None:
    translator = rival("spade")
    assert translator(INDICES, style=PHOTO[:, :9, :20]).shape == (3, 40, 48)
    with pytest.raises(InputError, match="has styles of whole pictures: it reads no maps"):
        translator.styles.of(PHOTO, instances=INSTANCES)
    with pytest.raises(InputError, match="has styles of whole pictures: it reads no maps"):
        translator.styles.of(PHOTO, INDICES)


@pytest.mark.parametrize(("picture", "message"), [
    (Image.new("P", (48, 40)), "style picture: a PIL image of mode 'P'"),
    (Image.new("L", (48, 40)), "style picture: is 40x48x1 uint8, expected 3 channels of uint8"),
    (Image.new("RGBA", (48, 40)), "style picture: is 40x48x4 uint8, expected 3 channels of uint8"),
    (np.zeros((40, 48, 3), np.float32), "style picture: is 40x48x3 float32, expected 3 channels of uint8"),
    (torch.zeros(4, 40, 48), "style picture: has 4 channels, expected 3"),
    (torch.full((3, 40, 48), 255.0), "style picture: values run from 255 to 255"),
    (torch.zeros(40, 48, dtype=torch.int64), "style picture: expected floats C H W or B C H W"),
    ("photo.png", "style picture: expected a PIL image, an array or a tensor, got a str"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["spade", "sean"])
def test_unfit_style_pictures_are_refused(
    rival: Callable[..., Translator], name: str, picture: Any, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        rival(name)(INDICES, style=picture)


def test_what_a_family_needs_and_does_not_get_is_named(rival: Callable[..., Translator]) -> None:
    with pytest.raises(InputError, match="a style picture or a latent is needed"):
        rival("sean")(INDICES)
    with pytest.raises(InputError, match="the model reads an instance map too"):
        rival("pix2pixhd")(INDICES)
    with pytest.raises(InputError, match="the model reads an instance map too"):
        rival("pix2pixhd").styles.of(PHOTO, INDICES)
