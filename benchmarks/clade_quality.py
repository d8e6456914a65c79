"""What CLADE costs and what its pictures are worth, beside SPADE and other rivals: the paper's Tables I, IV, VI and
VII, at a size and for a time that suit a CPU. Tables II and III: ``clade_cost.py``.

    pixelwise train experiments/pix2pix_camvid_labels160.py
    python benchmarks/clade_quality.py --segmenter runs/pix2pix_camvid_labels160/best.safetensors

The second call trains the networks that are not trained yet, each on the same label maps in the same order against the
same discriminator, judges them on the validation split, and times a picture with all of them taking turns. It writes
``results/clade_quality.json``, the tables of ``results/clade_quality.md``, made from it, the plot
``docs/clade_quality_time.png`` of quality against time, and ``docs/clade_quality.jpg``: label maps drawn for this
project, and what each network makes of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import typer

from pixelwise.data.camvid import LABELS
from pixelwise.discriminators.patch import PatchDiscriminatorConfig
from pixelwise.labels import LabelSpec
from pixelwise.losses.objective import Objective
from pixelwise.models.ccfpse import CcfpseConfig
from pixelwise.models.clade import CladeConfig
from pixelwise.models.dagan import DaganConfig
from pixelwise.models.family import GeneratorConfig
from pixelwise.models.pix2pixhd import Pix2PixHdConfig
from pixelwise.models.spade import SpadeConfig
from pixelwise.training import TrainConfig
from trained_comparison import MACS, PARAMETERS, TIME, TRAINING_MEMORY, TableSpec, TrainedComparison, figure
from trials import CAMVID

# An eighth of all published channels, those between the convolutions that read label maps too. So costs are to each
# other about as in the paper: of multiply-adds SPADE has 4 times as many as CLADE, CC-FPSE 2.5 times as many as SPADE,
# and pix2pixHD half. With 128 of these channels SPADE would have 24 times CLADE's, far more than any network here.
_SPADE = SpadeConfig(width=8, hidden=16)
_CLADE = CladeConfig(width=8, hidden=16, without_offsets=LABELS.num_classes)

_MIXES = {"S(1)+C(2-7)": 1, "S(1-2)+C(3-7)": 2, "S(1-4)+C(5-7)": 4, "S(1-5)+C(6-7)": 5, "S(1-6)+C(7)": 6}
"""Which blocks are SPADE's and which CLADE's: how many are SPADE's."""

NETWORKS: Mapping[str, GeneratorConfig] = {
    "pix2pixHD": Pix2PixHdConfig(width=8),
    "CC-FPSE": CcfpseConfig(width=8, hidden=16),
    "DAGAN": DaganConfig(width=8, hidden=16),
    "SPADE": _SPADE,
    "CLADE": _CLADE,
    "CLADE-ICPE": replace(_CLADE, offsets_modulate=True),
    # As wide as brings its multiply-adds nearest to CLADE's.
    "SPADE-light": replace(_SPADE, width=4, hidden=8),
    **{name: replace(_CLADE, num_spatial_blocks=blocks) for name, blocks in _MIXES.items()},
    "+disti": replace(_CLADE, offsets_in_input=True),
    "+distf": replace(_CLADE, offsets_in_features=True),
}
"""Void pixels have no offsets."""

STUDY = TrainConfig(
    model=_CLADE,
    objective=Objective(feature_matching=10.0, perceptual=0.0, l1=10.0),
    discriminator=PatchDiscriminatorConfig(width=32, max_width=128),
    dataset="camvid",
    data=str(CAMVID),
    out="",
    scale=(128, 160),
    crop=(64, 96),
    batch_size=2,
    steps=500,
    constant_steps=330,
    learning_rate=4e-4,
    discriminator_learning_rate=1e-4,
    betas=(0.5, 0.999),
    max_gradient_norm=20.0,
    save_every=100,
    sheet_every=500,
    validate_every=500,
    validation_samples=101,
)

_MEAN_IOU, _ACCURACY, _FRECHET = map(figure, ("mean_iou", "pixel_accuracy", "frechet_segmenter_train"))
_COST = (PARAMETERS, MACS, TIME, TRAINING_MEMORY)

TABLE_1 = TableSpec(
    title="Table I: quality and cost",
    text=(
        "The paper's mIoU, accuracy and FID on Cityscapes: pix2pixHD 60.50, 93.06 and 66.04; CC-FPSE 65.48, 93.84 and "
        "43.69; DAGAN 63.64, 93.47 and 55.63; SPADE 61.95, 93.39 and 51.98; CLADE 60.44, 93.42 and 50.62; CLADE-ICPE "
        "60.40, 93.26 and 42.39. Memory is that of the first step of training on one picture, the generator's alone: "
        "activations, gradients and Adam's moments."
    ),
    columns=(_MEAN_IOU, _ACCURACY, _FRECHET, *_COST),
    rows={name: name for name in ("pix2pixHD", "CC-FPSE", "DAGAN", "SPADE", "CLADE", "CLADE-ICPE")},
)
TABLE_4 = TableSpec(
    title="Table IV: SPADE of fewer channels",
    text=(
        "SPADE-light has half of SPADE's channels, with which its multiply-adds come near CLADE's. The paper's mIoU, "
        "accuracy and FID on Cityscapes: 59.70, 93.13 and 52.07, against CLADE's 60.44, 93.42 and 50.62."
    ),
    columns=(_MEAN_IOU, _ACCURACY, _FRECHET, MACS),
    rows={name: name for name in ("SPADE-light", "CLADE")},
)
TABLE_6 = TableSpec(
    title="Table VI: SPADE in the first blocks, CLADE in the others",
    text=(
        "S and C stand for the blocks of SPADE and of CLADE, numbered as resolution increases. The paper's mIoU on "
        "Cityscapes, in this order: 60.44, 61.25, 62.14, 62.08, 62.00, 61.47, 61.95."
    ),
    columns=(_MEAN_IOU, MACS, TIME),
    rows={"C(1-7)": "CLADE", **{name: name for name in _MIXES}, "S(1-7)": "SPADE"},
)
TABLE_7 = TableSpec(
    title="Table VII: ways to use a pixel's place within its object",
    text=(
        "As a further input of the generator (+disti), as a further channel of all features (+distf), or to modulate "
        "CLADE's modulation (+distp), which is CLADE-ICPE. The paper's FID on Cityscapes, in this order: 50.62, 50.50, "
        "48.07, 42.39."
    ),
    columns=(_FRECHET, MACS, TIME),
    rows={"baseline": "CLADE", "+disti": "+disti", "+distf": "+distf", "+distp": "CLADE-ICPE"},
)


def _with_void_of(model: GeneratorConfig, labels: LabelSpec | None) -> GeneratorConfig:
    """CLADE leaves out void pixels, which other label maps number otherwise."""
    if isinstance(model, CladeConfig) and labels is not None:
        return replace(model, without_offsets=labels.num_classes)
    return model


CLADE_QUALITY = TrainedComparison(
    name="clade_quality",
    title="CLADE beside SPADE and other rivals",
    text=(
        "The CLADE paper's comparisons (Tan et al., TPAMI 2021), every network with an eighth of its published "
        "channels; all with the same objective and discriminator. In place of FID stands the "
        "Fréchet distance between features of the segmenter, like the paper's between generated validation pictures "
        "and real training pictures."
    ),
    trials={name: replace(STUDY, model=model) for name, model in NETWORKS.items()},
    protocol="camvid-val-128x160-v1",
    tables=(TABLE_1, TABLE_4, TABLE_6, TABLE_7),
    fitted=_with_void_of,
)

main, markdown = CLADE_QUALITY.main, CLADE_QUALITY.markdown

if __name__ == "__main__":
    typer.run(main)
