"""
What members read, in German and French: from the sources into `locale/`, and ready for Django.

`bin/messages` finds every marked sentence and writes it into the catalogs, where somebody
translates it; `bin/check` names what is missing. Catalogs hold no line numbers and no dates, so
that a change shows what was changed. Babel reads and compiles, since xgettext and msgfmt may be
missing; Django's templates it reads after Django has turned them into Python.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from codebar.local.paths import CHECKOUT

LANGUAGES = ("de", "fr")
APPS = ("codebar", "members", "chapters", "logs", "invitations")
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
DATED = re.compile(rb'^"(POT-Creation-Date|PO-Revision-Date|Generated-By|.*-Translator).*\n', re.M)
IN_AN_F_STRING = re.compile(r"\{(_|[np]*gettext)\(")
PLACEHOLDERS = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w*\}|</?\w+")


def main() -> int:
    match sys.argv[1:]:
        case []:
            update()
            compile_all()
            print("\n".join(problems()) or "Nothing is left to translate.")
        case ["compile"]:
            compile_all()
        case ["check"]:
            found = problems()
            print("\n".join(found))
            return bool(found)
        case _:
            sys.exit("bin/messages takes no arguments.")
    return 0


def update() -> None:
    """Write what is marked now into each catalog: new sentences empty, old ones not any more."""
    template = extracted()
    for language in LANGUAGES:
        catalog = catalog_of(language)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        _write(catalog, _path(language))


def compile_all() -> None:
    """Make of each catalog what Django reads; whoever is reading keeps what they have."""
    for language in LANGUAGES:
        path = _path(language).with_suffix(".mo")
        fresh = path.with_suffix(".mo.new")
        with fresh.open("wb") as file:
            write_mo(file, catalog_of(language))
        fresh.replace(path)


def problems() -> list[str]:
    """What somebody has to do before everybody reads everything in their language."""
    template = extracted()
    hidden = [
        f"{path.relative_to(CHECKOUT)}: marked inside an f-string, where nothing finds it"
        for path in _sources()
        if path.suffix == ".py" and IN_AN_F_STRING.search(path.read_text())
    ]
    return hidden + [
        f"{language}: {what}: {_shown(sentence)}"
        for language in LANGUAGES
        for what, sentence in problems_between(catalog_of(language), template)
    ]


def extracted() -> Catalog:
    """Every marked sentence of the sources."""
    catalog = Catalog()
    for path in _sources():
        source = path.read_text()
        if path.suffix != ".py":
            # Its indentation means nothing in Python.
            source = "\n".join(line.lstrip() for line in templatize(source).splitlines())
        found = extract("python", BytesIO(source.encode()), KEYWORDS, ["Translators:"])
        for _, sentence, comments, context in found:
            catalog.add(sentence, auto_comments=comments, context=context)
    return catalog


def catalog_of(language: str) -> Catalog:
    path = _path(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def _sources() -> Iterator[Path]:
    for app in APPS:
        for path in sorted((CHECKOUT / app).rglob("*.py")):
            if not {"migrations", "local"} & set(path.parts):
                yield path
    for path in sorted((CHECKOUT / "templates").rglob("*.*")):
        if path.suffix in (".html", ".txt"):
            yield path


def _path(language: str) -> Path:
    return CHECKOUT / "locale" / language / "LC_MESSAGES" / "django.po"


def _write(catalog: Catalog, path: Path) -> None:
    catalog.header_comment = ""
    file = BytesIO()
    write_po(file, catalog, width=100, no_location=True, sort_output=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(DATED.sub(b"", file.getvalue()).lstrip(b"\n"))


def problems_between(catalog: Catalog, template: Catalog) -> Iterator[tuple[str, Message]]:
    """What keeps a catalog from saying everything that the template says, and nothing else."""
    for sentence in template:
        if not sentence.id:
            continue
        translated = catalog.get(_key(sentence), sentence.context)
        if translated is None:
            yield "not in the catalog, which bin/messages mends", sentence
        elif translated.fuzzy or not all(_forms(translated.string)):
            yield "not translated", sentence
        elif not _keeps_gaps(translated):
            yield "other placeholders or tags", sentence
    for sentence in catalog:
        if sentence.id and template.get(_key(sentence), sentence.context) is None:
            yield "not in the sources any more, which bin/messages mends", sentence


def _keeps_gaps(sentence: Message) -> bool:
    """Whether nothing that is filled in is lost; "one place" may do without its number."""
    wanted = _gaps(_forms(sentence.id)[-1])
    *singular, last = (_gaps(form) for form in _forms(sentence.string))
    return last == wanted and all(set(form) <= set(wanted) for form in singular)


def _gaps(text: str) -> list[str]:
    return sorted(PLACEHOLDERS.findall(text))


def _forms(text: str | list[str] | tuple[str, ...] | None) -> tuple[str, ...]:
    """The sentence, or its singular and its plural."""
    return (text,) if isinstance(text, str) else tuple(text or [""])


def _key(sentence: Message) -> str:
    return _forms(sentence.id)[0]


def _shown(sentence: Message) -> str:
    text = " ".join(_key(sentence).split())
    return text if len(text) <= 100 else f"{text[:99]}…"


if __name__ == "__main__":
    sys.exit(main())
