"""Which of the pictures that a model may make of an input are wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pixelwise.chance import seeds_from
from pixelwise.condition import Condition
from pixelwise.errors import InputError
from pixelwise.models import family_of
from pixelwise.models.family import GeneratorConfig


@dataclass(frozen=True)
class Seeds:
    """What a seed means to a model: where its random numbers begin, or which one of several pictures it is.

    Attributes:
        model: what to call it in errors.
        num_variants: pictures that it makes of each input at once; a seed is the number of one of them.
        draws_noise: whether it draws random numbers for each picture, besides a style.
        draws_style: whether it draws a style where none is given.
    """

    model: str
    num_variants: int
    draws_noise: bool
    draws_style: bool

    @classmethod
    def of_model(cls, config: GeneratorConfig, draws_style: bool) -> Seeds:
        """What they mean to a model of this configuration."""
        family = family_of(config)
        name = f"this {family.name} model"
        return cls(name, family.num_variants(config), family.draws_noise(config), draws_style)

    def matter(self, styled: bool) -> bool:
        """Whether pictures depend on a seed, if conditions have a style, or if they have none."""
        return self.num_variants > 1 or self.draws_noise or (not styled and self.draws_style)

    def check(self, seeds: Sequence[int], styled: bool) -> None:
        """Raises InputError when seeds and samples make no sense, or are more than there are variants."""
        if 1 < self.num_variants <= max(seeds):
            raise InputError(
                f"{self.model} makes {self.num_variants} pictures of each input, of the seeds 0.."
                f"{self.num_variants - 1}; asked for are {min(seeds)}..{max(seeds)}"
            )
        if not self.matter(styled):
            given = " that is given a style" if styled and self.draws_style else ""
            raise InputError(
                f"{self.model}{given} leaves nothing to chance: there is one picture only, without seed or samples"
            )

    def of(self, condition: Condition, seed: int | None, samples: int | None = None) -> Sequence[int | None]:
        """Of all samples, from ``seed`` on; None stands for a picture that needs no seed. Errors as ``check``."""
        styled = condition.style is not None or condition.latent is not None
        seeds = seeds_from(seed, 1 if samples is None else samples)
        if seed is not None or samples is not None:
            self.check(seeds, styled)
        return seeds if self.matter(styled) else [None]
