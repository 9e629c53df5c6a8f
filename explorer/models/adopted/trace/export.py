"""The torch networks of a person, in their own process → values drawn with our layers.

`torch.export` records the operators of one call; no code of theirs is needed afterwards. Exporting
through ONNX instead would need packages that we do not ask for; what cannot be drawn here is told,
and its codes and pictures can still be kept.
"""

import contextlib
import functools
import inspect
import operator
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from explorer.errors import ExplorerError
from explorer.models.adopted.layers.modules import Opaque
from explorer.models.adopted.layers.sketch import BATCH, Item, Noisy, NotLayers, Value
from explorer.models.adopted.originals import Stored
from explorer.models.adopted.trace.attention import batches_first
from explorer.models.adopted.trace.moves import MOVES
from explorer.models.adopted.trace.node import Arguments, Node
from explorer.models.adopted.trace.outputs import Output, read_outputs
from explorer.models.adopted.trace.rules import RULES

Network = Callable[[Tensor], Any]
NOISE = ("randn", "randn_like", "normal")
RANDOM = (
    "rand", "rand_like", "randint", "randint_like", "randperm", "bernoulli", "multinomial",
    "uniform", "exponential", "poisson",
)  # fmt: skip
WAYS = (
    "export it to ONNX for `latent-explorer adopt --encoder E --decoder D`, "
    "or bring its codes alone"
)
"""What else can be done with a network that cannot be recorded here."""
PASSED_OVER = ("_set_grad_enabled", "_assert", "sym_size", "_check")
INNER = "wrap_with"
"""So begin the operators that run a graph of their own, under no_grad, enable_grad or autocast."""


class NotTraced(ExplorerError):
    """A callable that cannot be turned into layers; its codes and pictures still can be kept."""


@dataclass(frozen=True)
class Drawn:
    """One output of a network, drawn: its name and role there, what it is, and its shape."""

    name: str
    role: str
    item: Item
    shape: tuple[int, ...]


def trace(call: Network, shape: tuple[int, ...]) -> tuple[Value, list[Drawn], list[Stored]]:
    """Return the input of `shape` (without the batch), each output that can be drawn, the weights.

    `call` takes a batch (B, *shape) and may return anything that `outputs` reads. It is held in
    evaluation mode, on its own device and precision. Raises NotTraced with the reason.
    """
    with held_still(call) as like:
        example = torch.rand((BATCH, *shape)).to(like)
        named: list[tuple[str, str]] = []

        def note(found: list[tuple[str, str]]) -> None:
            named[:] = found

        wrapped = _Wrapped(call, note)
        try:
            with warnings.catch_warnings(), torch.no_grad(), batches_first():
                warnings.simplefilter("ignore")
                exported = torch.export.export(wrapped, (example,), strict=False)
        except Exception as error:  # Whatever their code or the exporter raises.
            raise NotTraced(
                "This network cannot be recorded by torch.export "
                f"({type(error).__name__}: {_first_line(error)}): remove what depends on the "
                f"pixels' values, {WAYS}."
            ) from error
        try:
            start, found, stored = _draw(exported, shape)
        except NotLayers as error:
            raise NotTraced(
                f"This network does what our layers do not: {error}; {WAYS}."
            ) from error
    pairs = list(zip(named, found, strict=True))
    failed = [item for _, (item, _) in pairs if isinstance(item, Undrawn)]
    if len(failed) == len(pairs):
        raise NotTraced(
            f"This network does what our layers do not: {failed[0].reason}; {WAYS}."
        ) from failed[0].reason
    drawn = [Drawn(*name, *one) for name, one in pairs if not isinstance(one[0], Undrawn)]
    return start, drawn, stored


def call_once(call: Network, x: Tensor) -> list[Output]:
    """Return what a network makes of x (B, …) float32, as named float32 arrays on the CPU."""
    with held_still(call) as like:
        outputs = read_outputs(call(x.to(like)), len(x))
    return [Output(o.name, o.array.float().cpu(), o.role) for o in outputs]


class Called(Opaque):
    """A callable that could not be drawn, as a module: x (B, …) → its arrays, joined (B, total)."""

    kind = "callable"

    def __init__(self, call: Network) -> None:
        super().__init__()
        self.call = call

    def follow(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape (total,) of what comes out, by running it."""
        with torch.no_grad():
            return tuple(self(torch.zeros((BATCH, *shape))).shape[1:])

    def forward(self, x: Tensor) -> Tensor:
        """Return all arrays, flattened and joined."""
        return torch.cat([output.array.flatten(1) for output in call_once(self.call, x)], 1)


class _Wrapped(nn.Module):
    """A callable as a module that returns a plain tuple and says its names to `note`."""

    def __init__(self, call: Network, note: Callable[[list[tuple[str, str]]], object]) -> None:
        super().__init__()
        self.call, self.note = call, note

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        outputs = read_outputs(self.call(x), BATCH)
        if not outputs:
            raise ValueError("it returns no arrays with a row for each image")
        self.note([(output.name, output.role) for output in outputs])
        return tuple(output.array for output in outputs)


@dataclass(frozen=True)
class Undrawn:
    """What could not be drawn, and why: no matter where nothing that is wanted hangs on it."""

    reason: NotLayers


@contextlib.contextmanager
def held_still(call: Network) -> Iterator[Tensor]:
    """Hold every module behind a callable in evaluation mode, and distributions unchecked.

    Yields an array with the device and precision that the modules have.
    """
    modules = list(find_modules(call))
    parts = {part for module in modules for part in module.modules()}
    training = [part for part in parts if part.training]
    checked = Distribution._validate_args
    Distribution.set_default_validate_args(False)
    for part in training:
        part.training = False
    weights = (p for module in modules for p in module.parameters() if p.is_floating_point())
    reference = next(weights, torch.zeros(()))
    try:
        yield torch.empty(0, dtype=reference.dtype, device=reference.device)
    finally:
        Distribution.set_default_validate_args(checked)
        for part in training:
            part.training = True


def find_modules(call: Any) -> Iterator[nn.Module]:
    """Yield the modules that a callable is, belongs to or mentions."""
    if isinstance(call, nn.Module):
        yield call
    elif isinstance(call, functools.partial):
        yield from find_modules(call.func)
        for argument in (*call.args, *call.keywords.values()):
            if isinstance(argument, nn.Module):
                yield argument
    elif inspect.ismethod(call):
        owner = call.__self__
        if isinstance(owner, nn.Module):
            yield owner
        else:
            yield from (v for v in vars(owner).values() if isinstance(v, nn.Module))
    elif inspect.isfunction(call):
        try:
            mentioned = inspect.getclosurevars(call)
        except ValueError:  # A name that is bound later than the function.
            return
        for value in (*mentioned.nonlocals.values(), *mentioned.globals.values()):
            if isinstance(value, nn.Module):
                yield value
            elif inspect.ismethod(value) and isinstance(value.__self__, nn.Module):
                yield value.__self__
    elif hasattr(call, "__dict__"):
        yield from (v for v in vars(call).values() if isinstance(v, nn.Module))


def _draw(
    exported: Any, shape: tuple[int, ...]
) -> tuple[Value, list[tuple[Item, tuple[int, ...]]], list[Stored]]:
    """Walk the recorded operators once; return the input, each output with its shape, the weights.

    Weights that nothing uses are left out.
    """
    signature = exported.graph_signature
    stored = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    weights = {**exported.state_dict, **exported.constants}
    start = Value(shape)
    items: dict[Any, Any] = {}
    used = []
    for node in exported.graph.nodes:
        if node.op == "placeholder":
            name = stored.get(node.name)
            items[node] = start if name is None else weights[name].detach().cpu()
            if name is not None and node.users:
                used.append(Stored(weights[name].detach(), items[node]))
    results = _walk(exported.graph_module, items)
    output = next(node for node in exported.graph.nodes if node.op == "output")
    sizes = [tuple(argument.meta["val"].shape[1:]) for argument in output.args[0]]
    return start, list(zip(results, sizes, strict=True)), used


def _walk(module: Any, items: dict[Any, Any]) -> list[Any]:
    """Draw the operators of a graph whose inputs are known; return its outputs."""
    for node in module.graph.nodes:
        if node.op == "get_attr":
            found = getattr(module, node.target)
            items[node] = found.detach().cpu() if isinstance(found, Tensor) else found
        elif node.op == "call_function":
            try:
                items[node] = _draw_node(node, items)
            except NotLayers as reason:
                items[node] = Undrawn(reason)
        elif node.op == "output":
            return [items[argument] for argument in node.args[0]]
    raise NotLayers("a graph without an output")


def _draw_node(node: Any, items: dict[Any, Any]) -> Any:
    name = str(node.target)
    operation = name.removeprefix("aten.").split(".")[0]
    if any(word in name for word in PASSED_OVER) and not name.startswith(INNER):
        return None
    if operation.rstrip("_") in RANDOM:
        raise NotLayers(f"random numbers other than normal noise ({operation})")
    args = torch.fx.node.map_arg(node.args, items.__getitem__)
    kwargs = torch.fx.node.map_arg(node.kwargs, items.__getitem__)
    for given in _flat((args, kwargs)):
        if isinstance(given, Undrawn):
            return given
    inner = next((part for part in args if isinstance(part, torch.fx.GraphModule)), None)
    if inner is not None:  # What stands under no_grad or autocast is a graph of its own.
        given = args[args.index(inner) + 1 :]
        places = [one for one in inner.graph.nodes if one.op == "placeholder"]
        return _walk(inner, dict(zip(places, given, strict=True)))
    drawn = [x for x in _flat((args, kwargs)) if isinstance(x, Value | Noisy)]
    if not drawn and operation.rstrip("_") not in NOISE:
        kwargs = {key: value for key, value in kwargs.items() if key != "device"}
        return node.target(*args, **kwargs)
    made = node.meta.get("val")
    shape = tuple(made.shape) if isinstance(made, Tensor) else ()
    result = _draw_operator(node.target, args, kwargs, shape, _shape_taken(node))
    if operation.endswith("_") and isinstance(node.args[0], torch.fx.Node):
        items[node.args[0]] = result  # In place: later readers see what became of it.
    return result


def _shape_taken(node: Any) -> tuple[int, ...]:
    """Return the shape, with the batch, of the first array that an operator takes."""
    first = next((part for part in node.args if isinstance(part, torch.fx.Node)), None)
    taken = None if first is None else first.meta.get("val")
    return tuple(taken.shape) if isinstance(taken, Tensor) else ()


def _draw_operator(
    target: Any, args: Arguments, kwargs: dict[str, Any], shape: Any, taken: Any
) -> Any:
    """Return what an operator makes: an item, or a list of them."""
    if target is operator.getitem:
        return args[0][args[1]]
    name = str(target).removeprefix("aten.").split(".")[0].rstrip("_")
    rule = {**RULES, **MOVES}.get(name)
    if rule is None or not hasattr(target, "_schema"):
        raise NotLayers(f"the operation {target}")
    return rule(Node(target, args, kwargs, shape, taken))


def _flat(found: Any) -> Iterator[Any]:
    if isinstance(found, dict):
        found = found.values()
    elif not isinstance(found, list | tuple):
        yield found
        return
    for part in found:
        yield from _flat(part)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]
