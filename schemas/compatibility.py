"""Whether events may change from one JSON Schema to another without breaking anybody.

Both ways: a new reader must read every old event, and an old reader, which ignores fields that it
does not know, must read every new one. Covers what msgspec generates; whatever it does not know it
calls breaking when it differs.
"""

from collections.abc import Iterator
from typing import Any

JsonSchema = dict[str, Any]

_DESCRIPTIVE = frozenset({"$schema", "title", "description", "examples", "default", "$defs"})


def breaking_changes(old: JsonSchema, new: JsonSchema) -> list[str]:
    """Return every change that breaks a reader, each as a path and what happened there.

    Allowed are a new field that has a default, an event type more, and wording.
    """
    return list(_Comparison(old, new).differences("", old, new))


class _Comparison:
    def __init__(self, old: JsonSchema, new: JsonSchema) -> None:
        self._old_definitions = old.get("$defs", {})
        self._new_definitions = new.get("$defs", {})

    def differences(self, path: str, old: JsonSchema, new: JsonSchema) -> Iterator[str]:
        old = self._resolved(old, self._old_definitions)
        new = self._resolved(new, self._new_definitions)
        if "properties" in old and "properties" in new:
            yield from self._of_objects(path, old, new)
        elif "anyOf" in old and "anyOf" in new:
            yield from self._of_unions(path, old, new)
        for keyword in sorted((old.keys() | new.keys()) - _DESCRIPTIVE - _COMPARED):
            yield from self._of_keyword(path, keyword, old.get(keyword), new.get(keyword))

    def _of_objects(self, path: str, old: JsonSchema, new: JsonSchema) -> Iterator[str]:
        required_before, required_now = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(required_now - required_before):
            yield f"{path}/{name}: is required now, and old events may lack it"
        for name in sorted(required_before - required_now):
            yield f"{path}/{name}: was required, and old readers need it"
        for name in sorted(old["properties"].keys() - new["properties"].keys()):
            yield f"{path}/{name}: is gone"
        for name in sorted(old["properties"].keys() & new["properties"].keys()):
            yield from self.differences(
                f"{path}/{name}", old["properties"][name], new["properties"][name]
            )

    def _of_unions(self, path: str, old: JsonSchema, new: JsonSchema) -> Iterator[str]:
        before = self._members(old, self._old_definitions)
        now = self._members(new, self._new_definitions)
        for name in sorted(before.keys() - now.keys()):
            yield f"{path}: {name} is gone"
        for name in sorted(now.keys() - before.keys()):
            if not name.startswith("type="):
                yield f"{path}: {name} is new, and old readers refuse it"
        for name in sorted(before.keys() & now.keys()):
            yield from self.differences(f"{path}({name})", before[name], now[name])

    def _of_keyword(self, path: str, keyword: str, old: Any, new: Any) -> Iterator[str]:
        if keyword in ("items", "additionalProperties") and all(
            isinstance(side, dict) for side in (old, new)
        ):
            yield from self.differences(f"{path}/{keyword}", old, new)
        elif keyword == "prefixItems" and isinstance(old, list) and isinstance(new, list):
            for number, pair in enumerate(zip(old, new, strict=False)):
                yield from self.differences(f"{path}/{number}", *pair)
        elif old != new:
            yield f"{path}: {keyword} was {old}, is {new}"

    def _members(self, union: JsonSchema, definitions: JsonSchema) -> dict[str, JsonSchema]:
        """Return a union's members by what tells them apart: an event's type, or a JSON type."""
        members = {}
        for member in union["anyOf"]:
            resolved = self._resolved(member, definitions)
            tag = resolved.get("properties", {}).get("type", {}).get("enum")
            name = f"type={tag[0]}" if tag else str(resolved.get("type", resolved.get("enum")))
            members[name] = resolved
        return members

    @staticmethod
    def _resolved(schema: JsonSchema, definitions: JsonSchema) -> JsonSchema:
        reference = schema.get("$ref")
        if reference is None:
            return schema
        resolved: JsonSchema = definitions[reference.rsplit("/", 1)[-1]]
        return resolved


_COMPARED = frozenset({"properties", "required", "anyOf", "discriminator", "$ref"})
