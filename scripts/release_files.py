"""Copy the packages of the last build into build/release under the names of a release. Usage: release_files.py VERSION

thumbnailer.zip becomes thumbnailer-0.1.0-x86_64.zip. Exits with a message if a package differs from
build/manifest.json.
"""

import hashlib
import json
import shutil
import sys
import zipfile
from pathlib import Path

# x265 is under GPLv2. The publisher of a package that contains it must offer the source code of the whole package. See
# Licences in functions/thumbnailer/README.md.
NOT_PUBLISHED = "pillow_heif"
BUILD = Path(__file__).resolve().parents[1] / "build"


def collect(version: str, build: Path = BUILD) -> list[Path]:
    """Copy the packages into build/release and return their paths.

    Raises ValueError if a package is missing or changed, or contains NOT_PUBLISHED.
    """
    manifest_file = build / "manifest.json"
    if not manifest_file.exists():
        raise ValueError("there is no build/manifest.json; run `make build` first")
    release = build / "release"
    shutil.rmtree(release, ignore_errors=True)
    release.mkdir()
    copies = []
    for name, entry in sorted(json.loads(manifest_file.read_text(encoding="utf-8")).items()):
        package = build / f"{name}.zip"
        if not package.exists() or hashlib.sha256(package.read_bytes()).hexdigest() != entry["sha256"]:
            raise ValueError(f"build/{name}.zip is not the package of build/manifest.json; run `make build` again")
        with zipfile.ZipFile(package) as bundle:
            if any(path.startswith(NOT_PUBLISHED) for path in bundle.namelist()):
                raise ValueError(
                    f"build/{name}.zip holds {NOT_PUBLISHED}, which is under GPLv2; "
                    "run `./eventloom build --without pillow-heif`"
                )
        copies.append(Path(shutil.copyfile(package, release / f"{name}-{version}-{entry['arch']}.zip")))
    return copies


def main() -> None:
    """Collect the packages and print their names."""
    if len(sys.argv) != 2:
        sys.exit("usage: release_files.py VERSION, for example 0.1.0")
    try:
        for path in collect(sys.argv[1]):
            print(f"  {path.name}")
    except ValueError as error:
        sys.exit(f"release files: {error}")


if __name__ == "__main__":
    main()
