"""Runs the commands of the guides: every ```sh block of every page, page by page, as a newcomer would paste them.

A page that is named in the arguments is run first; the others in the order of docs/api/README.md. `.kalel/up.json` is there,
as it is in a clone in which `kalel up` runs.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

PAGES = ["README", "book", "pay", "cancel", "listen", "audit", "errors"]


def main(folder):
    up = os.environ["KALEL_UP_JSON"]
    root = pathlib.Path(folder).resolve()
    left = {page.stem for page in root.glob("*.md")} - set(PAGES)
    if left:
        sys.exit(f"no order for {sorted(left)}: name them in guides.py")
    with tempfile.TemporaryDirectory() as scratch:
        os.symlink(os.path.dirname(up), os.path.join(scratch, ".kalel"))
        os.symlink(root.parent, os.path.join(scratch, "docs"))
        for page in PAGES:
            blocks = re.findall(r"^```sh\n(.*?)^```$", (root / f"{page}.md").read_text(), re.S | re.M)
            if not blocks:
                sys.exit(f"{page}.md has no command")
            # Pasted into one shell, one after the other: what is wrong ends it.
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=scratch, capture_output=True, text=True, timeout=120
            )
            if ran.returncode != 0:
                sys.exit(f"{page}.md: {ran.returncode}\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}")
            print(f"{page}.md: {len(blocks)} blocks")


main(sys.argv[1])
