"""Makes the inputs that answers.md speaks of: python -m tests.datasets.own.cases FOLDER.

Every convention in which pictures come, every trap, and every archive made to do harm. Pictures
are drawn here; nothing comes from elsewhere.
"""

import io
import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

CLASSES = ("circle", "square", "triangle", "star")
COUNT = 40
BOMBS = 4


def draw(kind, size=64, seed=0):
    rng = np.random.default_rng(seed)
    ground, ink = (
        tuple(int(v) for v in rng.integers(low, high, 3)) for low, high in ((0, 90), (140, 256))
    )
    image = Image.new("RGB", (size, size), ground)
    pen = ImageDraw.Draw(image)
    x, y = rng.uniform(0.35, 0.65) * size, rng.uniform(0.35, 0.65) * size
    radius = rng.uniform(0.16, 0.3) * size
    if kind == "circle":
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=ink)
    elif kind == "square":
        pen.rectangle([x - radius, y - radius, x + radius, y + radius], fill=ink)
    else:
        corners, turn = (3 if kind == "triangle" else 10), rng.uniform(0, 6)
        points = []
        for i in range(corners):
            reach = radius if corners == 3 or i % 2 else radius * 0.45
            angle = turn + 2 * np.pi * i / corners
            points.append((x + reach * np.cos(angle), y + reach * np.sin(angle)))
        pen.polygon(points, fill=ink)
    return image


def encode(image, form="JPEG", **options):
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def pack(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def pack_pets(path, *more):
    """A zip of twelve pictures in two classes, and what else is given."""
    members = [
        (f"{('cat', 'dog')[i % 2]}/{i}.png", encode(draw("star", 16, i), "PNG")) for i in range(12)
    ]
    return pack(path, [*members, *more])


def some_jpegs(count=COUNT):
    """The same pictures in every archive: name by class, and content."""
    return [
        (
            f"{CLASSES[i % 4]}/{i:05d}.jpg",
            encode(draw(CLASSES[i % 4], seed=i), quality=90),
        )
        for i in range(count)
    ]


def make_archives(folder):
    jpegs = some_jpegs()
    pack(folder / "folders-40.zip", jpegs)
    parts = ["train" if i < 28 else "val" if i < 34 else "test" for i in range(COUNT)]
    pack(
        folder / "splits.zip",
        [(f"shapes/{part}/{name}", data) for part, (name, data) in zip(parts, jpegs, strict=True)],
    )
    flat = [(f"img/{name.rpartition('/')[2]}", data) for name, data in jpegs]
    rows = [(name, CLASSES[i % 4]) for i, (name, _) in enumerate(flat)]
    table = "file_name,label\n" + "".join(f"{name},{label}\n" for name, label in rows)
    pack(folder / "hf-metadata.zip", [*flat, ("metadata.csv", table)])
    table = "\ufeffid;class\n" + "".join(f"{name};{label}\n" for name, label in rows)
    pack(folder / "labels-csv-semicolon-bom.zip", [*flat, ("labels.csv", table)])
    same = encode(draw("circle", seed=5))
    pack(
        folder / "leak.zip",
        [
            ("train/circle/a.jpg", same),
            ("test/circle/b.jpg", same),
            ("train/square/c.jpg", encode(draw("square", seed=6))),
            ("test/square/d.jpg", encode(draw("square", seed=8))),
        ],
    )
    pack(folder / "no-pictures.zip", [("readme.txt", "hello")])
    (folder / "broken.zip").write_bytes((folder / "folders-40.zip").read_bytes()[:20000])


def drawn_arrays():
    return np.stack([np.asarray(draw(CLASSES[i % 4], 32, i)) for i in range(60)])


def make_arrays(folder):
    arrays = drawn_arrays()
    names = np.array([CLASSES[i % 4] for i in range(60)])
    np.savez_compressed(folder / "nhwc.npz", images=arrays, labels=names)
    signed = (arrays.transpose(0, 3, 1, 2) / 127.5 - 1).astype(np.float32)
    np.savez_compressed(folder / "minus-one-to-one.npz", x_train=signed, y_train=np.arange(60) % 4)
    np.savez_compressed(
        folder / "zero-one-bytes.npz", imgs=(arrays.mean(-1) > 110).astype(np.uint8)
    )
    objects = np.array([{"a": 1}, None], dtype=object)
    np.savez(folder / "pickled-objects.npz", images=objects)
    content = make_npy_header("(1000000, 3, 600, 600)") + bytes(100)
    pack(folder / "terabyte-header.npz", [("images.npy", content)])


def make_npy_header(shape, kind="|u1"):
    head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head


def make_parquet(folder):
    import pyarrow
    import pyarrow.parquet

    jpegs = some_jpegs()
    features = {
        "image": {"_type": "Image"},
        "label": {"names": list(CLASSES), "_type": "ClassLabel"},
    }
    cells = pyarrow.array(
        [{"bytes": data, "path": name.rpartition("/")[2]} for name, data in jpegs],
        pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())]),
    )
    table = pyarrow.table({"image": cells, "label": [i % 4 for i in range(COUNT)]})
    told = {"huggingface": json.dumps({"info": {"features": features}})}
    pyarrow.parquet.write_table(table.replace_schema_metadata(told), folder / "hf.parquet")


def ramp():
    """Values 0 to 65,535, evenly over 64 × 64 pixels."""
    return np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)


def odd_files():
    """Each picture's name says what must happen to it."""
    star = draw("star", seed=1)
    turned = Image.new("RGB", (64, 48), (0, 0, 0))
    ImageDraw.Draw(turned).rectangle([0, 0, 63, 9], fill=(255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6
    bar = encode(turned, exif=exif, quality=95)
    alpha = (np.add.outer(np.arange(64), np.arange(64)) * 2).clip(0, 255).astype(np.uint8)
    faded = star.convert("RGBA")
    faded.putalpha(Image.fromarray(alpha))
    palette = star.convert("P", palette=Image.Palette.ADAPTIVE)
    frames = [draw("circle", seed=i) for i in range(5)]
    many = {"save_all": True, "append_images": frames[1:]}
    good = encode(star)
    return [
        ("exif/rotated-6-white-bar-ends-up-right.jpg", bar),
        ("deep/ramp-16-bit.png", encode(Image.fromarray(ramp()), "PNG")),
        ("deep/dark-16-bit-below-4096.png", encode(Image.fromarray(ramp() // 16), "PNG")),
        ("deep/float-0-1.tif", encode(Image.fromarray((ramp() / 65535).astype("f4")), "TIFF")),
        ("mode/palette.png", encode(palette, "PNG")),
        ("mode/palette-transparent.png", encode(palette, "PNG", transparency=0)),
        ("mode/rgba-gradient.png", encode(faded, "PNG")),
        ("mode/la.png", encode(star.convert("LA"), "PNG")),
        ("mode/one-bit.png", encode(star.convert("1"), "PNG")),
        ("mode/cmyk.jpg", encode(star.convert("CMYK"))),
        ("mode/grey.jpg", encode(star.convert("L"))),
        ("mode/lossless.webp", encode(star, "WEBP", lossless=True)),
        ("many/animated.gif", encode(frames[0], "GIF", duration=80, **many)),
        ("many/animated.png", encode(frames[0], "PNG", **many)),
        ("many/pages.tif", encode(frames[0], "TIFF", **many)),
        ("size/wide-200x60.jpg", encode(star.resize((200, 60)))),
        ("size/one-pixel.png", encode(star.resize((1, 1)), "PNG")),
        ("skip/truncated.jpg", good[: len(good) // 2]),
        ("skip/empty.jpg", b""),
        ("skip/text.png", b"not a picture"),
        ("skip/vector.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("skip/postscript.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\nshowpage\n"),
        ("skip/notes.txt", b"hello"),
        ("skip/inner.zip", b"PK\x05\x06" + bytes(18)),
        ("__MACOSX/exif/._a.jpg", b"\x00\x05\x16\x07"),
        (".DS_Store", b"\x00"),
        ("mode/Thumbs.db", b"\x00"),
        ("skip/60000x60000.png", huge_png()),
        ("../../../tmp/evil/traversal.jpg", good),
        ("/abs/absolute.jpg", good),
        ("..\\..\\windows.jpg", good),
        ("naïve/Größe-日本.jpg", encode(draw("circle", seed=99))),
    ]


def make_odd(folder):
    with zipfile.ZipFile(folder / "odd.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in odd_files():
            archive.writestr(name, data)
        archive.writestr(link_info("skip/link.jpg"), "/etc/hostname")


def link_info(name):
    link = zipfile.ZipInfo(name)
    link.external_attr = 0o120777 << 16
    return link


def huge_png(side=60_000):
    """A black picture of one bit that promises 60,000 × 60,000 pixels; 100 rows are there."""
    body = zlib.compress(bytes(1 + side // 8) * 100, 9)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return make_png((b"IHDR", head), (b"IDAT", body))


def make_png(*chunks):
    """A PNG of the chunks given, each by name and content, and the last one."""
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, data in (*chunks, (b"IEND", b"")):
        checksum = zlib.crc32(kind + data)
        parts.append(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum))
    return b"".join(parts)


def make_bombs(folder):
    black = encode(Image.new("RGB", (5500, 2000)), "BMP")
    with zipfile.ZipFile(
        folder / "bomb-ratio.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9
    ) as archive:
        for i in range(BOMBS):
            archive.writestr(f"a/{i}.bmp", black)
    # Many names for one piece of packed data (after Fifield 2019, in its simplest form).
    raw_zip(folder / "bomb-overlap.zip", b"a/x.bmp", bytes(3_000_000), 3_000_000, names=50)
    # The table of contents says 100 bytes; 60 million come out.
    raw_zip(folder / "liar.zip", b"a/liar.bmp", bytes(60_000_000), 100, names=1)


def raw_zip(path, name, content, claimed, names=1, method=8, flags=0):
    """Write a zip archive by hand: one packed file, and entries that may lie about it."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = squeeze.compress(content) + squeeze.flush()
    check = zlib.crc32(content)
    sizes = (check, len(data), claimed, len(name))
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, flags, method, 0, 0, *sizes, 0)
    local += name + data
    entry = struct.pack("<IHHHHHHIIIH", 0x02014B50, 20, 20, flags, method, 0, 0, *sizes)
    central = (entry + struct.pack("<HHHHII", 0, 0, 0, 0, 0, 0) + name) * names
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, names, names, len(central), len(local), 0)
    path.write_bytes(local + central + end)
    return path


def make_cases(folder):
    """Write all cases but those that need pyarrow."""
    folder.mkdir(parents=True, exist_ok=True)
    make_archives(folder)
    make_arrays(folder)
    make_odd(folder)
    make_bombs(folder)
    return folder


if __name__ == "__main__":
    make_parquet(make_cases(Path(sys.argv[1])))
