"""What mkdocstrings asks while it reads the package: docstrings in the form that renders, with a table of arguments.

The docstrings say of an argument what it means where that is not plain (`name: text`), and checks/arguments.py says of
each what it must be. Here both become the section "Args" of Google's style, and what is left of the docstring its text;
the examples get a section of their own. Compiled functions have their text from the running package, for their stubs
have none.
"""
import functools
import importlib
import inspect
import re
import runpy
from pathlib import Path

import griffe

ARGUMENTS = runpy.run_path(str(Path(__file__).with_name("reference_arguments.py")))["ARGUMENTS"]
# What a docstring says of all arguments begins so; it may stand behind what it says of the last of them.
OF_ALL = re.compile(r"(?<=[.;)]) (?=(?:\w+Error|Result|Returns|A view|A copy|Source|The result|The axes)\b)")
SENTENCE = re.compile(r"(?:^|(?<=[.;:)] ))((?:\*{0,2}\w+)(?:, \*{0,2}\w+)*(?: and \w+)?): ")
HIDDEN = ("self", "cls", "kwargs", "args", "options")


class ArgumentTables(griffe.Extension):
    """Rewrites the docstrings of what is public."""

    def on_package(self, *, pkg, **given):
        """Once the whole package is read."""
        if pkg.path == "cytensor":
            walk(pkg, set())


def walk(parent, seen):
    """Rewrite the docstrings of all that is inside `parent`."""
    for member in parent.members.values():
        if member.is_alias or member.path in seen:
            continue
        seen.add(member.path)
        if member.is_module or member.is_class:
            walk(member, seen)
        if member.is_module:
            member.docstring = None            # it tells where things are in the code; the page has words of its own
            if member.path == "cytensor.metrics":                  # whose list is put together as the module loads
                member.exports = list(live(member.path).__all__)
        if member.is_class or member.is_function:
            for parameter in getattr(member, "parameters", ()):
                parameter.annotation = parameter.annotation and str(parameter.annotation)
            text = member.docstring.value if member.docstring else live_text(member)
            if text:
                value = in_sections(text, member.name, names_of(member))
                member.docstring = griffe.Docstring(value, parent=member, parser="google")


def live_text(member):
    """The docstring of the running object, for functions whose text is only there."""
    found = live(member.module.path)
    for name in member.path.removeprefix(member.module.path).strip(".").split("."):
        found = getattr(found, name, None)
    return inspect.cleandoc(found.__doc__) if callable(found) and found.__doc__ else ""


@functools.cache
def live(module):
    """A module of the running package."""
    return importlib.import_module(module)


def names_of(member):
    """The names of the arguments that a function, or a class's constructor, takes."""
    parameters = member.parameters if member.is_function else getattr(member, "parameters", ())
    return [one.name for one in parameters or () if one.name not in HIDDEN]


def in_sections(text, owner, names):
    """A docstring as text, table of arguments and examples."""
    prose, said, examples = parts_of(text, names)
    if said or names:
        rows = [f"    {name}: {described(name, owner, said.get(name))}" for name in names]
        prose += ["Args:\n" + "\n".join(rows)] if rows else []
    if examples:
        prose.append("Examples:\n" + "\n".join(f"    {line}" for line in "\n".join(examples).splitlines()))
    return "\n\n".join(prose)


def parts_of(text, names):
    """(paragraphs without what they say of arguments, {argument: what is said}, examples)."""
    prose, said, examples = [], {}, []
    for paragraph in re.split(r"\n[ \t]*\n", inspect.cleandoc(text)):
        if paragraph.lstrip().startswith(">>>"):
            examples.append(inspect.cleandoc(paragraph))
            continue
        flat = " ".join(paragraph.split())
        pieces = SENTENCE.split(flat)
        if all(set(named(piece)) <= set(names) for piece in pieces[1::2]) and len(pieces) > 1:
            prose += [escaped(pieces[0].strip())] if pieces[0].strip() else []
            for piece, meaning in zip(pieces[1::2], pieces[2::2], strict=True):
                meaning, *rest = OF_ALL.split(meaning.strip(), maxsplit=1)
                said.update(dict.fromkeys(named(piece), meaning.strip().rstrip(";")))
                prose += map(escaped, rest)
        else:
            prose.append(escaped(paragraph))
    return prose, said, examples


def named(piece):
    return [name.strip("*") for name in re.split(r", | and ", piece)]


def escaped(text):
    """`*` and `_` of formulas are no Markdown; what stands in backquotes stays as it is."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"(?<!\\)([*_<|])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def described(name, owner, said):
    """One line about an argument: what the docstring says, what it means everywhere, what it must be."""
    from cytensor.checks.arguments import RULES

    rule = RULES.get(f"{owner}.{name}") or RULES.get(name)
    meaning = said or ARGUMENTS.get(f"{owner}.{name}") or ARGUMENTS.get(name, "")
    must = f"Must be {rule.words}." if rule else ""
    meaning = meaning[:1].upper() + meaning[1:]
    meaning = f"{meaning.rstrip('.')}." if meaning else ""
    return escaped(" ".join(part for part in (meaning, must) if part) or "See the text.")
