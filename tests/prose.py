#!/usr/bin/env python3
"""Measures texts against the rules of CONTRIBUTING.md. It is a help for writers, and fails no build.

    tests/prose.py [--list] [FILE|FOLDER...]      default: all texts that git tracks

It reads paragraphs and list items of Markdown, and comments of C++. It prints one row a room:

    sentences   how many there are
    first       the share of them that begin with a word that hides the subject
    colons      colons and semicolons a sentence
    long        the share of sentences of more than 28 words

--list also prints the sentences that break a rule.
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
FIRST = re.compile(r"(What|Who|Whoever|Whatever|Whom|Of|That|Those|Nothing|Where)\b")
LONGEST = 28  # words


def paragraphs_of_markdown(text):
    text = re.sub(r"^```.*?^```", "\n", text, flags=re.M | re.S)
    text = re.sub(r"<!--.*?-->", "\n", text, flags=re.S)
    text = re.sub(r"^\|.*$|^#.*$|^\s*!\[.*$", "", text, flags=re.M)
    text = re.sub(r"^\s*([-*]|\d+\.) ", "\n\n", text, flags=re.M)
    return re.split(r"\n\s*\n", text)


def paragraphs_of_comments(text):
    found, lines = [], []
    for line in text.splitlines() + [""]:
        comment = re.match(r"\s*//[/!]?<? ?(.*)", line) or re.match(r".*[;,{})] *///?<? (.*)", line)
        if comment:
            own_line = re.match(r"\s*//", line)
            if not own_line and lines and "///<" in line:
                found.append(" ".join(lines))
                lines = []
            if comment[1].startswith("@") or not comment[1].strip():
                found.append(" ".join(lines))
                lines = []
            if not comment[1].startswith("    "):  # an example of code
                lines.append(re.sub(r"^@\w+ (\w+ )?", "", comment[1]))
        elif lines:
            found.append(" ".join(lines))
            lines = []
    return found


def sentences(paragraph):
    text = re.sub(r"`[^`]*`", "code", paragraph)
    text = re.sub(r"https?://\S+", "link", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text))
    text = " ".join(text.replace("**", "").split())
    for sentence in re.split(r"(?<=[.!?])[\")]? (?=[A-Z\"(])", text):
        if len(sentence.split()) >= 3:
            yield sentence


def faults(sentence):
    if FIRST.match(sentence):
        yield "begins with " + FIRST.match(sentence)[1]
    if len(sentence.split()) > LONGEST:
        yield f"{len(sentence.split())} words"
    if len(re.findall(r"[:;](?=\s|$)", sentence)) > 1:
        yield "more than one colon or semicolon"


def files(named):
    """The named files, and the texts that git tracks in the named folders. Without names: all texts that git tracks."""
    tracked = subprocess.run(["git", "-C", str(ROOT), "ls-files", "*.md", "*.h", "*.cpp"], capture_output=True, text=True,
                             check=True).stdout.split()
    written = [ROOT / one for one in tracked if not one.endswith(("REPORT.md", "REFERENCE.md"))]
    wanted = [pathlib.Path(one).resolve() for one in named] or [ROOT]
    return [one for one in wanted if one.is_file()] + [
        one for one in written if any(folder in one.parents for folder in wanted)]


def main():
    named = [one for one in sys.argv[1:] if one != "--list"]
    rooms = collections.defaultdict(list)
    for path in files(named):
        text = path.read_text(encoding="utf-8", errors="replace")
        read = paragraphs_of_markdown if path.suffix == ".md" else paragraphs_of_comments
        kind = "text" if path.suffix == ".md" else "comments"
        for paragraph in read(text):
            for sentence in sentences(paragraph):
                rooms[f"{path.parent.relative_to(ROOT)} ({kind})"].append(sentence)
                for fault in faults(sentence) if "--list" in sys.argv else ():
                    print(f"{path.relative_to(ROOT)}: {fault}: {sentence}")
    print(f"{'room':48} sentences  first  colons   long")
    for room, all_of in sorted(rooms.items()) + [("all", [one for some in rooms.values() for one in some])]:
        count = len(all_of)
        first = sum(1 for one in all_of if FIRST.match(one))
        colons = sum(len(re.findall(r"[:;](?=\s|$)", one)) for one in all_of)
        long = sum(1 for one in all_of if len(one.split()) > LONGEST)
        print(f"{room:48} {count:9}  {100 * first / count:4.0f}%  {colons / count:6.2f}  {100 * long / count:4.0f}%")


if __name__ == "__main__":
    main()
