"""Copy other people's projects at a pinned commit from repositories that the user provides."""

import subprocess
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path


class MissingError(Exception):
    """Raised if the folder lacks a project at the pinned commit. The text says what to do."""


@dataclass(frozen=True)
class Project:
    """A project: the folder `path` of a repository at a commit.

    With `whole`, the project needs files outside its folder, so the whole repository is copied.
    """

    repository: str
    commit: str
    path: str
    whole: bool = False

    def copy(self, projects: Path | None, target: Path) -> Path:
        """Copy the project's files into a folder, and return the project's folder in it.

        `projects` has the repositories as OWNER+NAME or NAME. Each may be a checkout or only its git directory. The
        files come from the commit, even if the checkout differs.

        Raises:
            MissingError: the repository is missing, or does not have the commit.
        """
        advice = (
            f"PROJECTS has no git repository of https://github.com/{self.repository} with commit {self.commit[:10]}"
        )
        if not projects:
            raise MissingError("PROJECTS names no folder with checkouts")
        owner, _, name = self.repository.partition("/")
        candidates = [projects / f"{owner}+{name}" / "repo", projects / f"{owner}+{name}", projects / name]
        for folder in candidates:
            archive = ["git", "-c", "safe.directory=*", "-C", str(folder), "archive", self.commit]
            done = folder.is_dir() and subprocess.run(
                archive if self.whole else [*archive, self.path], capture_output=True, check=False
            )
            if done and not done.returncode:
                with tarfile.open(fileobj=BytesIO(done.stdout)) as files:
                    files.extractall(target, filter="data")
                return target / self.path
        raise MissingError(advice)


LAMBDA_MODULE = ("terraform-aws-modules/terraform-aws-lambda", "2fea1c09a7ae0b5b93bdf8af48713ab7f2780f7c")
PATTERNS = ("aws-samples/serverless-patterns", "fb7b5d06c27d8abb1bd35e52ab7523acf4baab7b")
SERVERLESS_EXAMPLES = ("serverless/examples", "22865199326008b9f863cb1ad28bfdddae9a7473")
CHALICE = ("aws/chalice", "51ac904059a27a79a792d74037728594c1a427f5")
