#!/usr/bin/env python3
"""Runs every command that README and docs/*.md print, in a folder where a reader would stand.

usage: commands_test.py PROGRAM [FILE.md...]

A command is a line of a fenced block without a language, or of language sh, that is not output:
where a block has lines that begin with "$ ", those are the commands and the rest is what they
print. Lines that end in a backslash go on. What a block shows is compared with what comes out by its
words: numbers move with every constant of a profile, so they are masked, and so is the length of a
bar; "..." stands for any number of lines. Files that a page calls the reader's own stand in
docs/examples.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

OURS = ("stepcast", "$stepcast", "build/release/bin/stepcast", "head")

# First words of commands that are not run here, and why.
ELSEWHERE = {
    "scripts/quickstart": "a fresh clone's build runs it",
    "scripts/test": "runs this test",
    "scripts/fit_profiles": "needs the published runs",
    "scripts/fit_kernels": "needs the published kernels",
    "scripts/calibration_trial": "needs the published runs",
    "scripts/nccl_trial": "needs the published runs",
    "stepcast=build/release/bin/stepcast": "is set for all blocks",
    "cmake": "scripts/test builds; tests/package installs",
    "cpack": "tests/package runs it",
    "curl": "tests/serve asks the page",
    "mpirun": "tests/sim runs ranks",
    "sbatch": "needs a cluster",
    "source": "tests/cli completes words",
}

# Needs files of a run that nobody ships; tests/cli has a trace of its own.
OWN_TRACES = re.compile(r"--et traces/")

# Searches are stopped early: that they end is not what the page is about.
SEARCHES = re.compile(r"\bsweep\b|--search\b")


def blocks(text):
    """(line, body) of each fenced block that may hold commands."""
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if match.group(1) in ("", "sh"):
            yield text.count("\n", 0, match.start()) + 2, match.group(2)


def commands(body):
    """(command, shown output lines) in the order of the block."""
    has_prompts = re.search(r"^\$ ", body, re.MULTILINE)
    found, going_on = [], False
    for line in body.splitlines():
        if going_on:
            found[-1][0] += "\n" + line
        elif has_prompts and not line.startswith("$ "):
            if found:
                found[-1][1].append(line)
            continue
        elif line.strip() and not line.startswith("#"):
            found.append([line.removeprefix("$ ") if has_prompts else line, []])
        going_on = line.endswith("\\") and bool(found)
    return found


def first_word(command):
    return command.split()[0]


def masked(line):
    """The words of a line: numbers with their scaled units, and bars, are what moves."""
    line = re.sub(r"#+\s*$", "", line)
    line = re.sub(r"[-+<]?\s*\d[\d,.e+-]*\s*(%|[num]?s\b|min\b|h\b|[KMGT]i?B\b|x\b)?", " N ", line)
    return " ".join(line.split())


def missing_line(shown, printed):
    """The first shown line that is not printed, in order; "..." stands for any lines."""
    rest = [masked(line) for line in printed.splitlines()]
    for line in shown:
        wanted = masked(line)
        if wanted in ("", "..."):
            continue
        if wanted not in rest:
            return line
        rest = rest[rest.index(wanted) + 1:]
    return None


def reader_folder(folder, program):
    """The top of the source tree as far as commands see it, and the reader's own files."""
    top = pathlib.Path.cwd()
    for name in ("scenarios", "docs"):
        (folder / name).symlink_to(top / name)
    (folder / "build/release/bin").mkdir(parents=True)
    (folder / "build/release/bin/stepcast").symlink_to(program)
    for file in (top / "docs/examples/import").iterdir():
        shutil.copy(file, folder)
    measured = top / "docs/examples/calibration"
    shutil.copy(measured / "scenario.json", folder / "my_run.json")
    shutil.copy(measured / "all_reduce.txt", folder)


def run(command, folder):
    if SEARCHES.search(command):
        command = re.sub(r'--time-limit ("[^"]*"|\S+)', "", command.split(" #")[0])
        command += ' --time-limit "1 s"'
    if re.search(r"\bserve\b", command):
        command = "timeout --signal=INT 2 " + command + "\n[ $? = 124 ]  # it serves until it is stopped"
    environment = dict(os.environ, stepcast="build/release/bin/stepcast",
                       PATH=f"{folder}/build/release/bin:{os.environ['PATH']}")
    return subprocess.run(["bash", "-c", command], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)


def faults_of(page, folder):
    text = pathlib.Path(page).read_text()
    for at, body in blocks(text):
        for command, shown in commands(body):
            word = first_word(command)
            if word in ELSEWHERE or OWN_TRACES.search(command):
                continue
            if word not in OURS:
                if "stepcast" in body:
                    yield f"{page}:{at}: nobody runs this: {command}"
                continue
            end = run(command, folder)
            wrong_is_shown = any(": at " in line for line in shown)
            if end.returncode != (2 if wrong_is_shown else 0):
                yield f"{page}:{at}: exit {end.returncode}: {command}\n{end.stdout}"
                continue
            line = missing_line(shown, end.stdout)
            if line is not None:
                yield f"{page}:{at}: not printed any more: {line}\n  by {command}\n{end.stdout}"


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    pages = sys.argv[2:] or ["README.md", *sorted(map(str, pathlib.Path("docs").glob("*.md")))]
    count = 0
    for page in pages:
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            reader_folder(folder, program)
            for fault in faults_of(page, folder):
                print(fault)
                count += 1
    print(f"{len(pages)} pages, {count} faults")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
