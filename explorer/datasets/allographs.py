"""The skeletons of handwritten digits: several ways to write each, as paths of a pen.

A path lists points "x,y" in hundredths of the digit's height, y downwards; "!" after a point
makes it a corner, "/" lifts the pen. Between corners the pen runs along a cardinal spline.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# For each digit: (share among the writers of that digit, path).
PATHS: dict[int, tuple[tuple[float, str], ...]] = {
    0: (
        (3, "38,3 13,20 4,55 16,88 38,98 60,84 68,50 60,18 38,2"),
        (3, "45,5 22,20 8,55 14,88 32,98 52,82 62,48 58,16 42,3"),
        (2, "56,13 34,4 12,26 6,60 20,92 44,95 64,70 66,34 52,8 38,12"),
        (2, "40,4 12,16 0,52 14,86 44,98 74,84 84,50 70,16 42,3"),
        (1, "32,22 46,6 22,12 5,46 14,86 38,98 62,80 68,42 56,14 42,7"),
    ),
    1: (
        (6, "50,0 49,33 48,66 47,100"),
        (2, "52,0 48,30 46,65 48,100"),
        (2, "32,20 51,0! 50,50 49,100"),
        (1, "30,22 50,0! 50,50 50,98 / 26,99 52,98 78,97"),
    ),
    2: (
        (3, "8,24 26,4 54,6 62,28 46,56 22,84 8,94 6,83 22,79 46,91 74,90"),
        (3, "8,22 30,2 58,10 58,36 34,68 6,97! 38,95 72,96"),
        (2, "6,14 30,4 56,10 54,32 30,64 6,93! 36,89 70,94"),
        (3, "10,30 22,6 50,2 66,22 56,50 30,76 6,96! 24,87 46,92 76,85"),
        (3, "6,22 26,2 54,8 56,33 35,62 15,84 1,86 7,71 29,73 56,86 92,81"),
        (2, "4,10 34,6 66,6! 38,46 6,88! 42,87 84,84"),
    ),
    3: (
        (4, "10,14 34,1 60,13 56,35 30,46! 58,55 66,77 44,97 8,90"),
        (2, "8,5 36,4 62,4! 46,22 30,39! 58,48 66,73 42,98 6,88"),
        (2, "12,12 38,2 60,18 48,40 27,47 29,43 50,49 66,70 48,95 10,92"),
        (3, "12,10 40,2 58,20 44,41 32,47 52,53 64,74 44,96 10,90"),
    ),
    4: (
        (3, "14,4 10,29 6,54! 38,54 72,50 / 58,12 55,54 52,100"),
        (2, "54,0 29,34 4,66! 40,65 76,63 / 56,2 54,50 52,100"),
        (3, "12,4 8,28 13,47 34,50 56,40 / 62,2 57,40 50,100"),
        (3, "16,6 9,30 14,49 36,50 58,32 66,6! 58,52 49,100"),
    ),
    5: (
        (3, "72,3 48,5 24,6! 21,24 18,42! 42,36 65,54 58,84 32,98 4,88"),
        (3, "26,7 22,25 18,43! 44,38 65,58 54,87 30,98 4,90 / 24,6 49,5 76,0"),
        (2, "68,4 40,3 22,18 27,39 52,51 64,73 44,96 8,92"),
        (3, "30,8 25,25 20,42! 44,41 58,61 46,87 20,96 2,88 / 28,8 54,7 82,1"),
    ),
    6: (
        (3, "52,2 24,28 8,62 17,92 42,97 59,78 47,58 24,63 11,82"),
        (3, "46,0 26,26 12,56 10,83 28,98 51,89 55,67 37,57 15,70"),
        (2, "58,6 30,18 10,50 11,82 34,98 58,85 58,64 36,54 12,70"),
        (2, "40,0 25,34 14,68 22,94 44,95 54,77 40,63 17,76"),
        (2, "44,2 20,30 6,66 22,94 52,93 69,73 53,55 29,63 13,84"),
    ),
    7: (
        (4, "6,8 36,7 66,5! 49,50 34,100"),
        (2, "7,20 10,6! 38,7 68,4! 48,48 32,100"),
        (2, "6,8 36,7 66,5! 49,50 34,100 / 24,51 43,50 64,48"),
        (3, "6,12 28,5 56,6 60,24 45,56 36,100"),
        (3, "4,15 20,5 44,9 68,4! 50,50 38,100"),
    ),
    8: (
        (4, "58,14 34,2 14,18 28,40 50,57 57,82 32,98 8,83 20,58 46,40 59,16"),
        (2, "38,2 16,12 18,36 38,46 57,34 56,12 37,2 / 36,46 11,62 11,88 36,98 60,86 58,60 36,46"),
        (3, "62,10 38,2 17,20 30,42 49,60 49,86 26,98 6,83 20,57 46,34 66,8"),
        (3, "70,4 46,5 23,14 20,28 35,43 46,60 41,88 25,98 11,86 23,62 44,37 64,14"),
        (3, "52,5 31,3 16,18 28,38 46,57 44,87 28,98 14,86 24,60 43,37 53,18 49,6"),
        (2, "36,48 14,30 22,7 47,4 57,24 38,48 12,70 18,94 46,96 58,74 38,50"),
    ),
    9: (
        (3, "58,16 34,3 11,18 12,41 36,47 57,28 61,8! 58,52 52,100"),
        (3, "58,18 36,2 12,16 12,39 36,46 59,18! 60,55 50,86 26,98"),
        (1, "56,18 34,4 10,20 14,42 38,46 59,18! 60,52 54,86 34,99 12,91"),
        (3, "56,11 30,6 8,28 20,47 43,39 58,8! 53,53 46,100"),
        (2, "60,28 44,47 18,46 8,24 28,4 54,10 60,40 51,72 38,100"),
    ),
}


@dataclass(frozen=True)
class Skeleton:
    """One way to write a digit, sampled densely: linear in its K points for a given roundness.

    The pen passes through `chords @ points + roundness * (bends @ points)`: roundness 0 joins the
    points by straight lines, 1 gives the Catmull-Rom spline.
    """

    points: Floats
    """(K, 2), x and y in units of the digit's height."""
    chords: Floats
    """(T, K)."""
    bends: Floats
    """(T, K)."""
    strokes: npt.NDArray[np.int64]
    """(T,), the number of the pen stroke to which each sample belongs."""


@cache
def read_skeletons(digit: int, spacing: float) -> tuple[Skeleton, ...]:
    """Return the skeletons of a digit, with a sample every `spacing` of its height or closer."""
    return tuple(_read_path(path, spacing) for _, path in PATHS[digit])


def get_shares(digit: int) -> Floats:
    """Return the share of each skeleton of a digit; they sum to one."""
    shares = np.array([share for share, _ in PATHS[digit]], dtype=np.float64)
    return shares / shares.sum()


def _read_path(path: str, spacing: float) -> Skeleton:
    points: list[tuple[float, float]] = []
    curves: list[tuple[int, list[int]]] = []
    for stroke, text in enumerate(path.split("/")):
        curve: list[int] = []
        for word in text.split():
            x, y = word.rstrip("!").split(",")
            points.append((float(x) / 100, float(y) / 100))
            curve.append(len(points) - 1)
            if word.endswith("!"):
                curves.append((stroke, curve))
                curve = [len(points) - 1]
        curves.append((stroke, curve))
    places = np.array(points)
    sampled = [_sample_curve(places, curve, spacing) for _, curve in curves]
    return Skeleton(
        points=places,
        chords=np.concatenate([chords for chords, _ in sampled]),
        bends=np.concatenate([bends for _, bends in sampled]),
        strokes=np.repeat([stroke for stroke, _ in curves], [len(c) for c, _ in sampled]),
    )


def _sample_curve(points: Floats, curve: list[int], spacing: float) -> tuple[Floats, Floats]:
    """Return the weights (T, K) of the points in the chords and in the bends of one curve."""
    count = len(curve)
    eye = np.eye(len(points))[curve]
    tangents = np.empty_like(eye)
    tangents[1:-1] = (eye[2:] - eye[:-2]) / 2
    if count == 2:
        tangents[:] = eye[1] - eye[0]
    else:
        # The ends follow the parabola through the three nearest points.
        tangents[0] = 2 * (eye[1] - eye[0]) - tangents[1]
        tangents[-1] = 2 * (eye[-1] - eye[-2]) - tangents[-2]
    chords, bends = [], []
    for i in range(count - 1):
        # A bent span is longer than its chord, by a third in the tightest loops here.
        length = 1.3 * np.linalg.norm(points[curve[i + 1]] - points[curve[i]])
        t = np.linspace(0, 1, max(2, int(np.ceil(length / spacing))), endpoint=False)[:, None]
        # The cubic Hermite basis, written as the chord plus what the tangents add to it.
        step = eye[i + 1] - eye[i]
        chords.append(eye[i] + t * step)
        bends.append(
            (t**3 - 2 * t**2 + t) * (tangents[i] - step) + (t**3 - t**2) * (tangents[i + 1] - step)
        )
    chords.append(eye[-1:])
    bends.append(np.zeros_like(eye[-1:]))
    return np.concatenate(chords), np.concatenate(bends)
