"""What every family of models offers, so that they can be trained, measured and swapped side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn

from pixelwise.condition import Condition, ConditionSpec
from pixelwise.discriminators import DiscriminatorConfig
from pixelwise.errors import InputError
from pixelwise.fields import check_fields
from pixelwise.losses.objective import Objective
from pixelwise.models.memory import Memory
from pixelwise.render import PixelwiseField, Window

StateDict = dict[str, Tensor]


@dataclass(frozen=True)
class Translation:
    """What a generator returns.

    Attributes:
        image: B C H W, in [-1, 1] for generators that end in tanh; or the logits of C classes.
        posterior: mean and log-variance, B Z each, of a generator with an image encoder.
        field: of a pixelwise generator.
        pyramid: the image at further sizes, each half of the one before (rounded up), for generators that are
            supervised there too.
        variants: all pictures of a generator that makes several of each condition, B K C H W; ``image`` is the first.
        regions: beside variants, the classes' places in the picture, B P H W of zeros and ones; None without classes.
        ordering: of a generator that orders segments, for pairs of them, P each: by how much the first one lies higher
            than the second, and in 0..1 how much speaks for it.
    """

    image: Tensor
    posterior: tuple[Tensor, Tensor] | None = None
    field: PixelwiseField | None = None
    pyramid: tuple[Tensor, ...] = ()
    variants: Tensor | None = None
    regions: Tensor | None = None
    ordering: tuple[Tensor, Tensor] | None = None

    @property
    def pictures(self) -> tuple[Tensor, ...]:
        """The image, then the pyramid."""
        return self.image, *self.pyramid

    def picture(self, variant: int = 0) -> Tensor:
        """The image, or another of its variants, as float32, clipped to [-1, 1].

        Raises:
            InputError: it is not a number somewhere.
        """
        image = self.image if self.variants is None else self.variants[:, variant]
        picture = image.float().clamp(-1, 1)
        if picture.isnan().any():
            raise InputError(f"the model's output is NaN in {int(picture.isnan().sum())} of {picture.numel()} values")
        return picture

    def labels(self) -> Tensor:
        """The likeliest class of every pixel, B H W int32, where ``image`` holds logits. Errors as ``picture``."""
        self.picture()
        return self.image.argmax(dim=1).int()


class GeneratorConfig(Protocol):
    """A frozen dataclass of scalars and tuples. These fields every family has; they say what goes in and comes out."""

    @property
    def num_labels(self) -> int: ...
    @property
    def instance_edges(self) -> bool: ...
    @property
    def image_channels(self) -> int: ...
    @property
    def out_channels(self) -> int: ...


class Generator(Protocol):
    """A module from condition to picture. It takes any size: it pads to ``size_multiple`` inside and crops back."""

    @property
    def config(self) -> GeneratorConfig: ...
    @property
    def size_multiple(self) -> int: ...
    def __call__(self, condition: Condition) -> Translation: ...


class WindowGenerator(Protocol):
    """A generator made ready for inference which can render a part of the picture, and finer than the input."""

    @property
    def config(self) -> GeneratorConfig: ...
    @property
    def has_rows(self) -> bool:
        """Whether ``by_rows`` can be had of this network, here."""

    @property
    def does_errands(self) -> bool:
        """Whether its pixels are made by compiled kernels: see ``native.errands``."""

    def __call__(self, condition: Condition, window: Window | None = None, scale: float = 1.0) -> Translation: ...
    def check_scale(self, scale: float) -> None:
        """Raises InputError for a scale that no picture can have."""

    def edit(self, condition: Condition, approximate: bool = False) -> Editing:
        """A condition that will be edited (B = 1); ``approximate`` lets an edit change the picture nearby only."""

    def by_rows(
        self,
        size: tuple[int, int],
        read: Callable[[int, int], Condition],
        scratch: Path,
        window: Window | None = None,
        scale: float = 1.0,
    ) -> Iterator[Tensor]:
        """A picture of any size, or a part of it, in bounded memory.

        Args:
            size: (height, width) of the condition.
            read: from the first row and the one after the last to the condition (B = 1) between them; called from top
                to bottom, several times.
            scratch: a folder for what must be kept meanwhile, of ``scratch_bytes``.
            window: the part wanted, in pixels of the picture and within it; None for all.
            scale: pixels of the picture per pixel of the condition.

        Yields:
            What is wanted from top to bottom, 1 C rows W.
        """

    def scratch_bytes(self, size: tuple[int, int]) -> int: ...


class Editing(Protocol):
    """A condition that is being edited, and its picture."""

    def update(self, window: Window, part: Condition) -> None:
        """Puts ``part`` in the place of a window of the condition; parts that it has not stay as they are.

        Raises:
            InputError: the window reaches beyond the condition, or what is in ``part`` doesn't fit there. Nothing is
                changed then.
        """

    def render(self, window: Window | None = None, scale: float = 1.0) -> Translation:
        """The picture of the condition as it is now, or a part of it: as ``WindowGenerator.__call__``."""


@dataclass(frozen=True)
class Published:
    """A configuration whose weights its authors published.

    Attributes:
        config: the family's.
        size: (height, width) in pixels that it was trained at.
        source: where the weights come from and under which terms, for the manifest.
        noise: of a denoiser, the standard deviations in grey levels, from least to greatest, that it was trained for.
    """

    config: GeneratorConfig
    size: tuple[int, int]
    source: str
    licence: str
    noise: tuple[float, float] | None = None


@dataclass(frozen=True)
class Growth:
    """How a family trains from coarse to fine: a small network first, then one that has it inside.

    Attributes:
        coarser: from a configuration to that of the network it grows from; None where it grows from nothing.
        take_over: (fine, coarse), the two networks: gives the fine one the coarse one's weights.
        added: the parameters that the fine network has beyond those.
    """

    coarser: Callable[[Any], GeneratorConfig | None]
    take_over: Callable[[Any, Any], None]
    added: Callable[[Any], Iterable[nn.Parameter]]


def reads_no_style(config: GeneratorConfig) -> bool:
    """Whether a generator of this configuration reads a style picture: of families that never do."""
    return False


@dataclass(frozen=True)
class Styling:
    """How a generator comes by a style: by all that decides how things look, and not what stands where.

    Attributes:
        encode: from conditions with a style picture to their styles, B Z, any of which may be the latent of another
            condition. Not called where the family's ``reads_style`` says no.
        draw: from a number B to as many styles, B Z, by torch's global random numbers; None where a condition without a
            style gets none that is drawn.
        by_class: whether a style consists of equal parts, one for each class, don't care included.
    """

    encode: Callable[[Condition], Tensor]
    draw: Callable[[int], Tensor] | None = None
    by_class: bool = False


def without_styling(generator: Any) -> Styling | None:
    """How this generator comes by a style: of families that have none."""
    return None


def styling_of_start(generator: Any) -> Styling | None:
    """How this generator comes by a style: of families that may grow pictures from one (layers/start.py)."""
    return Styling(generator.start.encode, generator.start.draw) if generator.config.style else None


def draws_no_noise(config: GeneratorConfig) -> bool:
    """Whether a generator of this configuration draws noise for each picture: of families that never do."""
    return False


def one_variant(config: GeneratorConfig) -> int:
    """How many pictures a generator of this configuration makes of each condition: of families that make one."""
    return 1


def sees_far(config: GeneratorConfig) -> int | None:
    """How far a pixel's surroundings reach that it depends on: of families where that may be the whole picture."""
    return None


@dataclass(frozen=True)
class Family:
    """One paper's system.

    Attributes:
        name: the same word as its file, its command-line name and its manifest entry.
        paper: authors, title, venue.
        config: the configuration's type.
        generator: builds the network from a configuration; a Generator.
        objective: the paper's losses.
        discriminator: the paper's, or how it follows from a configuration; None in a system without an adversary.
        published: published configurations by name.
        adopt: renames a published state dict to the generator's names, given the configuration.
        as_published: the way back, of all tensors of a generator or of some: names and shapes as they are published, by
            which a user is told what is missing.
        reads_style: whether a generator of a configuration reads ``Condition.style``.
        draws_noise: whether a generator of a configuration draws random numbers for each picture, besides a style.
        num_variants: how many pictures a generator of a configuration makes of each condition, all at once.
        styling: of a generator in eval mode, how it comes by a style; None when it has none.
        growth: of a family that trains from coarse to fine.
        restores: whether pictures are the input's own, made better, whatever a generator is trained on.
        reach: of a configuration, so many pixels on every side decide what a pixel of the output is, by convolutions
            whose zeros lie around the picture, and nothing else does; None where more may.
        learn_styles: of a family that keeps styles to draw from: finds them, after training, in conditions that have
            their targets as style pictures; called for generators that read a style.
        memory: of a family whose generators draw from a memory bank.
    """

    name: str
    paper: str
    config: type[Any]
    generator: Callable[[Any], nn.Module]
    objective: Objective
    discriminator: DiscriminatorConfig | Callable[[Any], DiscriminatorConfig] | None
    published: Mapping[str, Published]
    adopt: Callable[[StateDict, Any], StateDict]
    as_published: Callable[[StateDict, Any], StateDict]
    reads_style: Callable[[Any], bool] = reads_no_style
    draws_noise: Callable[[Any], bool] = draws_no_noise
    num_variants: Callable[[Any], int] = one_variant
    styling: Callable[[Any], Styling | None] = without_styling
    growth: Growth | None = None
    restores: bool = False
    reach: Callable[[Any], int | None] = sees_far
    learn_styles: Callable[[Any, Iterable[Condition]], None] | None = None
    memory: Memory | None = None

    def discriminator_for(self, config: Any) -> DiscriminatorConfig | None:
        """The paper's, for a generator of ``config``."""
        return self.discriminator(config) if callable(self.discriminator) else self.discriminator

    def coarser(self, config: Any) -> GeneratorConfig | None:
        """Of the network that one of ``config`` grows from; None where it grows from nothing."""
        return None if self.growth is None else self.growth.coarser(config)


def check_least(name: str, config: Any, least: int, *fields: str) -> None:
    """Raises InputError, as the family of that name, for a field of a configuration that is less than it may be."""
    for field in fields:
        if (value := getattr(config, field)) < least:
            raise InputError(f"{name}: {field} must be at least {least}, got {value}")


def config_from_json(family: Family, content: Mapping[str, Any]) -> GeneratorConfig:
    """A family's configuration from JSON fields. Raises InputError for unknown fields or values that don't fit."""
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}
    try:
        check_fields(family.config, values)
    except InputError as error:
        raise InputError(f"{family.name}: {error}") from error
    config: GeneratorConfig = family.config(**values)
    return config


def config_to_json(config: GeneratorConfig) -> dict[str, Any]:
    return asdict(config)  # type: ignore[call-overload, no-any-return]


def config_for(config: Any, spec: ConditionSpec, out_channels: int) -> Any:
    """A configuration for a data set: input and output fields left at 0 are filled in from what the set promises.

    Raises:
        InputError: a field that was set and contradicts the data set.
    """
    promised = {"num_labels": spec.num_labels, "image_channels": spec.image_channels, "out_channels": out_channels}
    for name, value in promised.items():
        if getattr(config, name) not in (0, value):
            raise InputError(f"the model is configured for {name} = {getattr(config, name)}, the data has {value}")
    if config.instance_edges and not spec.instances:
        raise InputError("the model is configured for instance edges, the data has no instance maps")
    return replace(config, **promised)
