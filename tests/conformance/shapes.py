"""Compares an answer as it came over the wire with the class that the vendor's client has for it."""

import re
from importlib import import_module

SCALARS = {"str": str, "int": int, "bool": bool}


def check_tencent(answer, model):
    """Every field is one that the class documents, of its type or null, and none is missing."""
    documented = {name: rtype(member) for name, member in vars(model).items() if isinstance(member, property)}
    check_names(answer, documented, model.__name__)
    for name, value in answer.items():
        kind = documented[name]
        item = kind.removeprefix("list of ")
        for value in value if kind != item and isinstance(value, list) else [value]:
            check_tencent_value(value, item, model, name)


def check_tencent_value(value, kind, model, name):
    if value is None:
        return
    if kind in SCALARS:
        check_scalar(value, kind, model, name)
    else:
        check_tencent(value, getattr(import_module(model.__module__), kind))


def rtype(member):
    """The type in the description of a property: `str`, `list of Tags`, or the class's full name in markup."""
    kind = re.search(r":rtype: (.*)", member.__doc__).group(1)
    return re.sub(r":class:`.*\.(\w+)`", r"\1", kind)


def check_huawei(answer, model):
    """The same, with the types that the generated classes carry."""
    names = {wire: model.openapi_types[name] for name, wire in model.attribute_map.items()}
    check_names(answer, names, model.__name__)
    for name, value in answer.items():
        item = re.sub(r"list\[(\w+)\]", r"\1", names[name])
        for value in value if item != names[name] and isinstance(value, list) else [value]:
            if value is None:
                continue
            if item in SCALARS:
                check_scalar(value, item, model, name)
            else:
                check_huawei(value, getattr(import_module("huaweicloudsdkscm.v3"), item))


def check_names(answer, documented, where):
    if set(answer) - set(documented):
        raise AssertionError(f"{where} has no field {sorted(set(answer) - set(documented))}")
    if set(documented) - set(answer):
        raise AssertionError(f"{where} lacks {sorted(set(documented) - set(answer))}")


def check_scalar(value, kind, model, name):
    # In Python a truth value is a number, too.
    if type(value) is not SCALARS[kind]:
        raise AssertionError(f"{model.__name__}.{name} is {value!r} and must be of type {kind}")
