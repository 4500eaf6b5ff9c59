#!/usr/bin/env python3
"""Writes tests/vectors/images: small image files made by pydicom, Pillow and tifffile, and what these libraries read
in them. Needs pydicom, Pillow, tifffile, imagecodecs and numpy in a virtual environment; a test reads the files.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pydicom pillow tifffile imagecodecs numpy
    /tmp/venv/bin/python tools/vectors/images.py
"""
import io
import json
import pathlib

import numpy as np
import pydicom
import tifffile
from PIL import Image, ImageOps
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import (ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless,
                         generate_uid)

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "vectors" / "images"
HEIGHT, WIDTH = 6, 5
random = np.random.default_rng(1)
expected = {}


def keep(name, planes, tolerance=1e-5):
    """`planes`: [channel][row][column] in [0, 1]."""
    planes = np.asarray(planes, dtype=np.float64)
    expected[name] = {"shape": list(planes.shape), "tolerance": tolerance,
                      "values": [round(float(v), 7) for v in planes.ravel()]}


def smooth(channels=0, high=255):
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    grey = (y * 0.6 / HEIGHT + x * 0.3 / WIDTH + 0.05) * high
    return grey if not channels else np.stack([grey * (1 - 0.2 * c) for c in range(channels)], axis=-1)


# --- DICOM ---

def dicom(name, pixels, syntax=ExplicitVRLittleEndian, stored=None, photometric="MONOCHROME2", refused=None,
          frames=None, fragment=None, tolerance=2e-5, **fields):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[name])
    meta.TransferSyntaxUID = syntax
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.PatientName, data.PatientID, data.InstitutionName = "Doe^Jane", "secret-4711", "St. Nobody"
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    shape = pixels.shape[1:] if frames else pixels.shape
    data.Rows, data.Columns = shape[0], shape[1]
    data.SamplesPerPixel = 3 if photometric not in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR") else 1
    data.PhotometricInterpretation = photometric
    data.BitsAllocated = 8 * pixels.dtype.itemsize
    data.BitsStored = stored or data.BitsAllocated
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    if data.SamplesPerPixel == 3:
        data.PlanarConfiguration = fields.pop("planar", 0)
    if frames:
        data.NumberOfFrames = frames
    for key, value in fields.items():
        setattr(data, key, value)
    if fragment is not None:
        data.PixelData = encapsulate([fragment])
        data["PixelData"].is_undefined_length = True
    else:
        raw = pixels.transpose(2, 0, 1) if data.get("PlanarConfiguration") == 1 else pixels
        data.PixelData = raw.tobytes() + b"\0" * (raw.nbytes % 2)
    if syntax == RLELossless:
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.compress(RLELossless)
    data.save_as(OUT / name, enforce_file_format=True)
    if refused:
        expected[name] = {"refused": refused}
        return
    back = pydicom.dcmread(OUT / name)
    array = back.pixel_array
    if data.SamplesPerPixel == 3:
        if photometric.startswith("YBR"):
            from pydicom.pixels import convert_color_space
            array = pydicom.pixels.pixel_array(back, raw=False)
        keep(name, array.transpose(2, 0, 1) / 255.0, tolerance)
        return
    low = -2.0 ** (data.BitsStored - 1) if data.PixelRepresentation else 0.0
    ends = np.array([low, low + 2.0 ** data.BitsStored - 1])
    slope, intercept = float(back.get("RescaleSlope", 1)), float(back.get("RescaleIntercept", 0))
    ends = ends * slope + intercept
    if "WindowWidth" not in back:  # a falling slope turns the shades; below a window is black whatever the slope
        ends = np.sort(ends)
    shades = apply_voi_lut(apply_modality_lut(array, back), back)
    shades = (np.asarray(shades, dtype=np.float64) - ends[0]) / (ends[1] - ends[0])
    keep(name, [1 - shades if photometric == "MONOCHROME1" else shades], tolerance)


def dicoms():
    byte = random.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    twelve = random.integers(0, 4096, (HEIGHT, WIDTH), dtype=np.uint16)
    signed = random.integers(-2048, 2048, (HEIGHT, WIDTH)).astype(np.int16)
    dicom("grey8.dcm", byte)
    dicom("grey8_implicit.dcm", byte, ImplicitVRLittleEndian)
    dicom("grey12.dcm", twelve, stored=12)
    dicom("inverted12.dcm", twelve, stored=12, photometric="MONOCHROME1")
    dicom("signed16.dcm", signed)
    window = dict(RescaleSlope=2, RescaleIntercept=-1024, WindowCenter=1040, WindowWidth=4000)
    dicom("window.dcm", twelve, stored=12, **window)
    dicom("window_inverted.dcm", twelve, stored=12, photometric="MONOCHROME1", **window)
    dicom("window_exact.dcm", twelve, stored=12, VOILUTFunction="LINEAR_EXACT", **window)
    dicom("window_sigmoid.dcm", twelve, stored=12, VOILUTFunction="SIGMOID", **window)
    dicom("windows.dcm", signed, WindowCenter=[40, 600], WindowWidth=[400, 2000], RescaleSlope=1, RescaleIntercept=0)
    dicom("falling12.dcm", twelve, stored=12, RescaleSlope=-1, RescaleIntercept=4000, RescaleType="US")
    dicom("falling_inverted12.dcm", twelve, stored=12, photometric="MONOCHROME1", RescaleSlope=-0.5, RescaleIntercept=0, RescaleType="US")
    dicom("falling_window.dcm", twelve, stored=12, RescaleSlope=-1, RescaleIntercept=4000, RescaleType="US", WindowCenter=1800, WindowWidth=1500)
    dicom("rle.dcm", twelve, RLELossless, stored=12)
    colour = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    dicom("rgb.dcm", colour, photometric="RGB")
    dicom("rgb_planes.dcm", colour, photometric="RGB", planar=1)
    packed = io.BytesIO()
    Image.fromarray(smooth().astype(np.uint8)).save(packed, "JPEG", quality=95)
    dicom("jpeg.dcm", smooth().astype(np.uint8), JPEGBaseline8Bit, fragment=packed.getvalue(), tolerance=0.01)
    packed = io.BytesIO()
    Image.fromarray(smooth(3).astype(np.uint8)).save(packed, "JPEG", quality=95, subsampling=0)
    dicom("jpeg_colour.dcm", smooth(3).astype(np.uint8), JPEGBaseline8Bit, photometric="YBR_FULL",
          fragment=packed.getvalue(), tolerance=0.02)
    dicom("jpeg2000.dcm", byte, JPEG2000Lossless, fragment=b"\xff\x4f\xff\x51" + b"\0" * 60, refused="JPEG 2000")
    dicom("frames.dcm", np.stack([byte, byte]), frames=2, refused="several frames")
    dicom("palette.dcm", byte, photometric="PALETTE COLOR", refused="palette")


# --- TIFF, BMP, WebP ---

def pictures():
    grey = random.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
    deep = random.integers(0, 65536, (HEIGHT, WIDTH), dtype=np.uint16)
    colour = random.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    alpha = random.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    planes = lambda a: a.transpose(2, 0, 1) / 255.0

    for name, options in {"lzw.tif": {"compression": "tiff_lzw"}, "deflate.tif": {"compression": "tiff_adobe_deflate"},
                          "packbits.tif": {"compression": "packbits"}, "plain.tif": {}}.items():
        Image.fromarray(colour).save(OUT / name, "TIFF", **options)
        keep(name, planes(colour))
    tifffile.imwrite(OUT / "deep.tif", deep, photometric="minisblack")
    keep("deep.tif", [deep / 65535.0])
    tifffile.imwrite(OUT / "big_endian.tif", deep, photometric="minisblack", byteorder=">")
    keep("big_endian.tif", [deep / 65535.0])
    tifffile.imwrite(OUT / "white_is_zero.tif", grey, photometric="miniswhite")
    keep("white_is_zero.tif", [1 - grey / 255.0])
    tifffile.imwrite(OUT / "planes.tif", colour.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    keep("planes.tif", planes(colour))
    wide = random.integers(0, 65536, (40, 35, 3), dtype=np.uint16)
    tifffile.imwrite(OUT / "tiles.tif", wide, photometric="rgb", tile=(16, 16), compression="zlib")
    keep("tiles.tif", wide.transpose(2, 0, 1) / 65535.0)
    tifffile.imwrite(OUT / "alpha.tif", alpha, photometric="rgb", extrasamples=["unassalpha"])
    keep("alpha.tif", planes(alpha[..., :3]))
    bits = Image.fromarray((grey > 127).astype(np.uint8) * 255).convert("1", dither=0)
    bits.save(OUT / "bits.tif", "TIFF", compression="group4")
    keep("bits.tif", [np.asarray(bits, dtype=np.float64)])
    palette = Image.fromarray(colour).quantize(7)
    palette.save(OUT / "palette.tif", "TIFF")
    keep("palette.tif", planes(np.asarray(palette.convert("RGB"))))
    tifffile.imwrite(OUT / "floats.tif", grey.astype(np.float32), photometric="minisblack")
    expected["floats.tif"] = {"refused": "floating-point"}
    Image.fromarray(grey).save(OUT / "pages.tif", "TIFF", save_all=True, append_images=[Image.fromarray(grey)])
    expected["pages.tif"] = {"refused": "several images"}
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(grey).save(OUT / "turned.tif", "TIFF", exif=exif)
    keep("turned.tif", [np.rot90(grey, -1) / 255.0])

    for name, image in {"grey.bmp": Image.fromarray(grey), "colour.bmp": Image.fromarray(colour), "bits.bmp": bits,
                        "palette.bmp": palette}.items():
        image.save(OUT / name, "BMP")
        array = np.asarray(image.convert("RGB" if name in ("colour.bmp", "palette.bmp") else "L"))
        keep(name, planes(array) if array.ndim == 3 else [array / 255.0])
    Image.fromarray(alpha).save(OUT / "alpha.bmp", "BMP")
    keep("alpha.bmp", planes(alpha[..., :3]))

    Image.fromarray(colour).save(OUT / "lossless.webp", "WEBP", lossless=True)
    keep("lossless.webp", planes(colour))
    Image.fromarray(alpha).save(OUT / "alpha.webp", "WEBP", lossless=True, exact=True)
    keep("alpha.webp", planes(alpha[..., :3]))
    Image.fromarray(smooth(3).astype(np.uint8)).save(OUT / "lossy.webp", "WEBP", quality=90)
    keep("lossy.webp", planes(np.asarray(Image.open(OUT / "lossy.webp").convert("RGB"))), 0.01)
    Image.fromarray(colour).save(OUT / "turned.webp", "WEBP", lossless=True, exif=exif)
    keep("turned.webp", planes(np.rot90(colour, -1)))


# --- Resizing, Pillow's bilinear ---

def resized():
    results = []
    for height, width, h, w in [(23, 31, 8, 8), (31, 23, 8, 8), (9, 14, 20, 20), (40, 40, 7, 11), (50, 17, 16, 16)]:
        pixels = random.integers(0, 256, (height, width), dtype=np.uint8)
        image = Image.fromarray(pixels)
        if height * w > width * h:
            covered = (w, max(h, int(w * height / width)))
        else:
            covered = (max(w, int(h * width / height)), h)
        big = image.resize(covered, Image.BILINEAR)
        left, top = round((covered[0] - w) / 2.0), round((covered[1] - h) / 2.0)
        results.append({
            "from": [height, width], "to": [h, w], "pixels": pixels.ravel().tolist(),
            "stretch": np.asarray(image.resize((w, h), Image.BILINEAR)).ravel().tolist(),
            "fit": np.asarray(ImageOps.pad(image, (w, h), Image.BILINEAR)).ravel().tolist(),
            "crop": np.asarray(big.crop((left, top, left + w, top + h))).ravel().tolist()})
    return results


OUT.mkdir(parents=True, exist_ok=True)
dicoms()
pictures()
(OUT / "expected.json").write_text(json.dumps({"images": expected, "resized": resized()}, indent=0) + "\n")
