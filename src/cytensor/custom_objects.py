"""Classes and functions of the program's own, by the names that strings and files have for them.

A file never brings code. What it names beside the library's own parts is looked up here: in the scopes that are entered
in this thread, the innermost first, and then in what the program has registered for good.
"""
import contextlib
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

__all__ = ["CustomObjectScope", "custom_object_scope", "get_custom_objects", "get_registered_name",
           "get_registered_object", "register_serializable"]

T = TypeVar("T")
_registered: dict[str, Any] = {}            # for the whole program: "package>name", and what users put in themselves


class _Entered(threading.local):
    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []
        self.named: list[dict[str, Any]] = []       # what is named while a copy is described: see `naming`


_entered = _Entered()


def get_custom_objects() -> dict[str, Any]:
    """The dictionary of what is registered for the whole program, by name; what is put into it counts at once.

    >>> get_custom_objects()["halve"] = lambda x: x / 2
    >>> get_custom_objects().pop("halve")(3.)
    1.5
    """
    return _registered


class CustomObjectScope:
    """A `with` block in which names may mean these classes and functions: {name: class or function}.

    For this thread alone. TypeError for what is no such dictionary.

    >>> import cytensor as ct
    >>> def double(x):
    ...     return x * 2
    >>> with CustomObjectScope({"double": double}):
    ...     layer = ct.layers.Activation("double")
    >>> layer([1.]).tolist()
    [2.0]
    """

    custom_objects: dict[str, Any]

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = checked(custom_objects)

    def __enter__(self) -> Self:
        _entered.scopes.append(self.custom_objects)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        _entered.scopes.pop()


custom_object_scope: TypeAlias = CustomObjectScope


def checked(custom_objects: Mapping[str, Any] | None) -> dict[str, Any]:
    """A dictionary of what may be named, of one's own; None is an empty one."""
    if custom_objects is None:
        return {}
    if not isinstance(custom_objects, Mapping):
        raise TypeError(f"custom_objects: a dictionary of classes and functions by name is expected; got "
                        f"{custom_objects!r:.200}")
    for name, entry in custom_objects.items():
        if not isinstance(name, str) or not callable(entry):
            raise TypeError(f"custom_objects: a dictionary of classes and functions by name is expected; got "
                            f"{name!r}: {entry!r:.200}")
    return dict(custom_objects)


def find(name: object) -> Any:
    """What a name means here: "package>name" as it was registered, or by its last part in a dictionary; else None."""
    if not isinstance(name, str):
        return None
    for known in (*reversed(_entered.scopes), _registered):
        for spelling in (name, name.rpartition(">")[2]):
            if spelling in known:
                return known[spelling]
    return None


def known_names() -> set[str]:
    """All names that mean something here."""
    return {name for known in (*_entered.scopes, _registered) for name in known}


def register_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Decorator: let files and strings name this class or function as `package>name`.

    Only what the running program has registered can be loaded; a file can never bring code of its own.

    >>> @register_serializable("mine")
    ... def halve(x):
    ...     return x / 2
    """
    if not isinstance(package, str) or not isinstance(name, (str, type(None))):
        hint = "; write @register_serializable(), with parentheses" if callable(package) else ""
        raise TypeError(f"register_serializable: package and name must be strings; got {package!r}, {name!r}{hint}")

    def decorate(entry: Any) -> Any:
        if not callable(entry):
            raise TypeError(f"register_serializable: what is registered must be a class or a function; got {entry!r}")
        qualified = f"{package}>{name or entry.__name__}"
        known = _registered.get(qualified)
        if known is not None and (known.__module__, known.__qualname__) != (entry.__module__, entry.__qualname__):
            raise ValueError(f"register_serializable: names must be unique; got {qualified!r}, "
                             f"which is {known.__module__}.{known.__qualname__} already")
        _registered[qualified] = entry
        _names[entry] = qualified
        return entry
    return decorate


_names: dict[Any, str] = {}                 # class or function -> the name that it was registered under


def name_of(entry: Any) -> str | None:
    """What files call a class or function of the program's own: the name it is registered under, or its own.

    None for what has none that could be given again, as a lambda.
    """
    name = _names.get(entry)
    if name is None and (inspect.isclass(entry) or inspect.isfunction(entry)) and entry.__name__.isidentifier():
        name = entry.__name__
    if name is not None:
        for named in _entered.named:
            if named.setdefault(name, entry) is not entry:
                raise ValueError(f"two parts of one's own must have two names; got {name!r} for {named[name]!r} and "
                                 f"{entry!r}; register them with ct.saving.register_serializable()")
    return name


@contextlib.contextmanager
def naming() -> Iterator[dict[str, Any]]:
    """A block at whose end the dictionary it gives has all of the program's own that was named in it."""
    named: dict[str, Any] = {}
    _entered.named.append(named)
    try:
        yield named
    finally:
        _entered.named.remove(named)


def get_registered_name(obj: Any) -> str:
    """The name that a class or function was registered under, `package>name`; its own name where it was not.

    >>> get_registered_name(int)
    'int'
    """
    name = _names.get(obj) if getattr(obj, "__hash__", None) is not None else None
    return name or str(getattr(obj, "__name__", obj))


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None,
                          module_objects: Mapping[str, Any] | None = None) -> Any:
    """The class or function of that name: in the scopes, among what is registered, or in one of the dictionaries.

    None where there is none.
    """
    with CustomObjectScope(custom_objects):
        found = find(name)
    return found if found is not None else (module_objects or {}).get(name)
