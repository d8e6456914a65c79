from dataclasses import replace

import torch
from recorded import TOLERANCE, recorded

from pixelwise.discriminators.patch import PIX2PIX, PIX2PIX_HD, MultiscalePatchDiscriminator
from pixelwise.discriminators.published_names import adopt_pix2pix, adopt_pix2pixhd


@torch.no_grad()
def test_pix2pix_conforms() -> None:
    arrays, weights = recorded("pix2pix_disc")
    config = replace(PIX2PIX, width=8)
    network = MultiscalePatchDiscriminator(config, 6)
    network.load_state_dict(adopt_pix2pix(weights, config))
    prediction = network.eval()(arrays["in/x"])[0][-1]
    torch.testing.assert_close(prediction, arrays["out/prediction"], rtol=0, atol=TOLERANCE)


@torch.no_grad()
def test_every_output_of_pix2pixhd_conforms() -> None:
    arrays, weights = recorded("pix2pixhd_disc")
    config = replace(PIX2PIX_HD, num_scales=2, width=8)
    network = MultiscalePatchDiscriminator(config, 5)
    network.load_state_dict(adopt_pix2pixhd(weights, config))
    outputs = network.eval()(arrays["in/x"])
    assert [len(layers) for layers in outputs] == [5, 5]
    for scale, layers in enumerate(outputs):
        for layer, output in enumerate(layers):
            stored = output if layer == 4 else output[:1, :4, ::2, ::2]
            torch.testing.assert_close(stored, arrays[f"out/{scale}_{layer}"], rtol=0, atol=TOLERANCE)


def test_statistics_that_old_instance_norms_kept_are_left_out() -> None:
    theirs = {"scale0_layer1.1.running_mean": torch.zeros(2), "scale0_layer1.0.weight": torch.zeros(2)}
    assert list(adopt_pix2pixhd(theirs, PIX2PIX_HD)) == ["discriminator_2.model1.0.0.weight"]
    with_batch_norm = adopt_pix2pixhd(theirs, replace(PIX2PIX_HD, norm="batch"))
    assert "discriminator_2.model1.0.1.running_mean" in with_batch_norm
