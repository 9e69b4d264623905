#!/usr/bin/env python3
"""Builds the Debian package of a build tree, looks into it, unpacks it somewhere else and runs it.

usage: package_test.py BUILD_FOLDER. Exit code 77 where dpkg's tools are missing.

Unpacked is not installed as root would: that needs one. What an installation adds to the files is the
check of dependencies, which is made here against the packages of this machine.
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77

EXPECTED = [
    "usr/bin/stepcast",
    "usr/share/stepcast/catalogue/models/llama_65b.json",
    "usr/share/stepcast/guide/65b_8_nodes.json",
    "usr/share/man/man1/stepcast.1",
    "usr/share/man/man1/stepcast-predict.1",
    "usr/share/bash-completion/completions/stepcast",
    "usr/share/zsh/vendor-completions/_stepcast",
    "usr/share/fish/vendor_completions.d/stepcast.fish",
    "usr/share/doc/stepcast/LICENSE",
]

# What the program cannot run without; dpkg-shlibdeps finds them in the binary.
LIBRARIES = ["libc6", "libfmt9", "libsimgrid", "libsqlite3-0", "libpugixml"]


def run(*command, **options):
    end = subprocess.run(command, text=True, capture_output=True, **options)
    if end.returncode != 0:
        sys.exit(f"exit {end.returncode}: {' '.join(map(str, command))}\n{end.stdout}{end.stderr}")
    return end.stdout


def packaged(build, folder):
    run("cpack", "--config", str(build / "CPackConfig.cmake"), "-B", str(folder))
    packages = list(folder.glob("stepcast_*.deb"))
    assert len(packages) == 1, packages
    return packages[0]


def check_contents(package):
    listed = {line.split()[5].removeprefix("./") for line in
              run("dpkg-deb", "--contents", str(package)).splitlines()}
    missing = [path for path in EXPECTED if path not in listed]
    assert not missing, f"not in the package: {missing}"
    strays = [path for path in listed if not path.startswith("usr/") and path not in ("", "usr")]
    assert not strays, f"outside /usr: {strays}"


def check_fields(package):
    fields = {name: run("dpkg-deb", "--field", str(package), name).strip()
              for name in ("Package", "Version", "Maintainer", "Depends", "Section", "Description")}
    assert fields["Package"] == "stepcast", fields
    assert all(fields.values()), fields
    for library in LIBRARIES:
        assert library in fields["Depends"], f"{library} is no dependency: {fields['Depends']}"
    for alternatives in fields["Depends"].split(", "):
        name = alternatives.split(" | ")[0].split(" ")[0]
        run("dpkg-query", "--show", name)
    return fields


def check_program(root, version):
    program = root / "usr/bin/stepcast"
    guide = root / "usr/share/stepcast/guide"
    assert run(str(program), "--version").split()[1] == version
    answer = json.loads(run(str(program), "predict", str(guide / "65b_8_nodes.json"), "--format",
                            "json", cwd=root))
    assert answer["step_time_s"] > 0 and answer["fits"] in (True, False), answer
    # A name inside the package's own catalogue: not the source tree's.
    shown = run(str(program), "catalogue", "show", "llama_65b", cwd=root)
    own = (root / "usr/share/stepcast/catalogue/models/llama_65b.json")
    assert json.loads(shown) == json.loads(own.read_text())
    changed = json.loads(own.read_text()) | {"title": "of this package"}
    own.write_text(json.dumps(changed))
    assert "of this package" in run(str(program), "catalogue", "show", "llama_65b", cwd=root)
    page = root / "page.html"
    run(str(program), "predict", str(guide / "65b_8_nodes.json"), "--report", str(page), cwd=root)
    assert page.stat().st_size > 100_000, "the page is empty"


def check_habits(root):
    manual = (root / "usr/share/man/man1/stepcast-sweep.1").read_text()
    assert manual.startswith(".TH STEPCAST") and "time\\-limit" in manual
    script = root / "usr/share/bash-completion/completions/stepcast"
    words = run("bash", "-c", f"source {script}; COMP_WORDS=(stepcast swe); COMP_CWORD=1; _stepcast; "
                              'echo "${COMPREPLY[@]}"')
    assert words.strip() == "sweep", words


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    if not all(shutil.which(tool) for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps")):
        print("skipped: cpack, dpkg-deb or dpkg-shlibdeps is missing")
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        package = packaged(build, folder)
        check_contents(package)
        fields = check_fields(package)
        root = folder / "elsewhere"
        run("dpkg-deb", "--extract", str(package), str(root))
        check_program(root, fields["Version"].split("-")[0])
        check_habits(root)
        print(f"{package.name}: {package.stat().st_size / 1e6:.1f} MB, needs {fields['Depends']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
