"""What a file is, by its content, before any loader touches it; and why many are refused."""

from collections.abc import Container
from pathlib import Path

from explorer.archives.zips import open_zip
from explorer.errors import ExplorerError
from explorer.models.adopted.layers.limits import MAX_FILE_BYTES

SAVE_STATE = "save model.state_dict() with torch.save, or as safetensors"
LONGEST_LIST = 4_000_000
"""Bytes of an archive's table of contents: more than MAX_TENSORS of torch.save's take."""
REFUSED = {
    "safetensors": "is a file of weights: give it with its layers.json, in place of ONNX files",
    "torch": "is a file of weights, or a whole module: give a state_dict with its layers.json, or "
    "export encoder and decoder to ONNX",
    "pickle": f"is a pickle, which could run any code: {SAVE_STATE}",
    "exported": "is an exported program (.pt2), whose loader can run code: adopt the model in "
    "Python, or export it to ONNX",
    "torchscript": "is TorchScript, which is code: adopt the model in Python, or export it to ONNX",
    "keras": "is a Keras model, which can hold code: export it to ONNX (tf2onnx), or bring its "
    "codes alone (.npz)",
    "npz": "holds arrays and no network: bring codes (.npz) under Collapse, or weights as "
    "safetensors",
    "unknown": f"is of no format that is read here: {SAVE_STATE}",
}
"""Why a file is refused and what to do instead, by what it is."""


def sniff(path: Path) -> str:
    """Return what a file is by its first bytes and, of archives, its members' names."""
    try:
        size = path.stat().st_size
        with open(path, "rb") as stream:
            head = stream.read(16)
    except OSError as error:
        reason = error.strerror or error
        raise ExplorerError(f"{path.name} cannot be read: {reason}.") from error
    if size > MAX_FILE_BYTES:
        raise ExplorerError(f"{path.name} is larger than {MAX_FILE_BYTES // 10**6} MB.")
    if head[:4] == b"PK\x03\x04":
        return _sniff_archive(path)
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        return "keras"
    length = int.from_bytes(head[:8], "little")
    if head[8:9] == b"{" and 2 <= length <= size:
        return "safetensors"
    if head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5:
        return "pickle"
    return "onnx" if path.suffix == ".onnx" else "unknown"


def _sniff_archive(path: Path) -> str:
    with open_zip(path, path.name, LONGEST_LIST, SAVE_STATE) as archive:
        names = [member.filename for member in archive.infolist()]
    last = {name.rpartition("/")[2] for name in names}
    if "constants.pkl" in last or any("/code/" in name for name in names):
        return "torchscript"
    if any(name.endswith((".keras", "model.weights.h5")) for name in names):
        return "keras"
    if "archive_format" in last or any("serialized_exported_program" in name for name in names):
        return "exported"
    if "data.pkl" in last:
        return "torch"
    return "npz" if any(name.endswith(".npy") for name in names) else "unknown"


def check_kind(path: Path, kind: str, wanted: Container[str]) -> None:
    """Raise with what to do instead unless a file is of a wanted kind."""
    if kind not in wanted:
        raise ExplorerError(f"{path.name} {REFUSED[kind]}.")
