"""A protocol at work: its samples opened, its measures ready. Everybody who is compared goes through the same one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from pixelwise import images
from pixelwise.checkpoint import Manifest
from pixelwise.condition import PairedSample
from pixelwise.data.paired_data import PairedData
from pixelwise.errors import InputError
from pixelwise.evaluation.inception import check_statistics
from pixelwise.evaluation.measure import Measure
from pixelwise.evaluation.measures import MEASURES, TAKERS, takes
from pixelwise.evaluation.protocol import Protocol
from pixelwise.evaluation.setting import Setting, UnavailableError
from pixelwise.images import ImageSpec, TargetSpec
from pixelwise.labels import LabelSpec
from pixelwise.published_weights import MissingWeightsError
from pixelwise.translate import Translator


@dataclass(frozen=True)
class Examination:
    """What all models are asked.

    Attributes:
        setting: says what.
        samples: that its protocol opened.
        measures: that can be taken here.
        remarks: why others cannot.
        caveats: what must be said beside all figures.
    """

    setting: Setting
    samples: PairedData
    measures: Sequence[Measure]
    remarks: Sequence[str] = ()
    caveats: Sequence[str] = ()

    @property
    def protocol(self) -> Protocol:
        return self.setting.protocol

    def sample(self, index: int) -> PairedSample:
        """A sample at the protocol's size; see ``Protocol.shown`` for what a model sees of it."""
        return self.protocol.sample(self.samples, index)

    def compared(self, picture: Tensor) -> Tensor:
        """A picture 1 C H W as it is compared, rounded if the protocol says so; class indices as they are."""
        target = self.samples.target
        if not self.protocol.rounded or not isinstance(target, ImageSpec):
            return picture
        return images.to_tensor(images.stored(picture[0], target), target)[None]

    def check_suits(self, translator: Translator) -> None:
        """Raises InputError for a model that reads or makes something else than the samples hold."""
        if reason := misfit(translator.manifest, self.samples):
            raise InputError(f"{self.protocol.name}: {reason}")


def prepare(setting: Setting) -> Examination:
    """Opens the samples and makes the measures.

    Raises InputError for data that are not there or not the protocol's, and for what was given and nothing would use.
    """
    check_needed(setting)
    check_statistics(setting)
    samples = setting.protocol.open(setting.root)
    measures, remarks = [], []
    for name in setting.protocol.measures:
        try:
            measures.append(MEASURES[name](setting, samples))
        except (UnavailableError, MissingWeightsError) as error:
            remarks.append(f"{name} is not measured: {error}")
    told = (setting.protocol.caveat(setting.root), *(remark for measure in measures for remark in measure.remarks))
    return Examination(setting, samples, measures, remarks, [text for text in told if text])


def check_needed(setting: Setting) -> None:
    """Raises InputError, by its name, for what was given and nothing that the protocol measures takes."""
    for name, takers in TAKERS.items():
        if getattr(setting, name) and not takes(setting.protocol, name):
            raise InputError(f"--{name} is for {', '.join(takers)}; {setting.protocol.name} measures none of these")


def misfit(manifest: Manifest, samples: PairedData) -> str | None:
    """In what a model reads or makes something else than samples hold, in words; None if it doesn't.

    One that restores photos takes grey ones for coloured ones, and the other way around; see ``Restoration``.
    """
    if _restores(manifest, samples):
        return None
    read, held = manifest.spec, samples.spec
    for what, reads, holds in (
        ("channels of the input picture", read.image_channels, held.image_channels),
        ("classes", read.num_labels, held.num_labels),
        *_outputs(manifest.target, samples.target),
    ):
        if reads != holds:
            return f"{what}: the model has {reads!r}, the samples have {holds!r}"
    return "the model reads instance maps, the samples have none" if read.instances and not held.instances else None


def _restores(manifest: Manifest, samples: PairedData) -> bool:
    target = samples.target
    if not manifest.restores or samples.degrade is None or not isinstance(target, ImageSpec):
        return False
    return 1 in (manifest.spec.image_channels, target.channels)


def _outputs(made: TargetSpec, wanted: TargetSpec) -> list[tuple[str, object, object]]:
    """What must be alike: its name, what is made, what is wanted."""
    if isinstance(made, LabelSpec) or isinstance(wanted, LabelSpec):
        return [("the output's classes", _num_classes(made), _num_classes(wanted))]
    return [
        ("channels of the output", made.channels, wanted.channels),
        ("the output's unit", made.unit, wanted.unit),
        *([("the output's white", made.white, wanted.white)] if wanted.unit else []),
    ]


def _num_classes(target: TargetSpec) -> int:
    return target.num_classes if isinstance(target, LabelSpec) else 0
