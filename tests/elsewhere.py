"""List the documented commands that the integration tests do not type on their deployment.

Each has the test that types it instead, or the reason why no test does.
"""

import re
from dataclasses import dataclass

FIRST_STEPS = "tests/first_steps/test_first_steps.py"
NEW_FUNCTION = "tests/integration/test_new_function.py"
SCAFFOLD = "tests/unit/eventloom/scaffold/test_new_function.py"
AWS_COMMANDS = "tests/integration/test_aws_commands.py"
KEEP_ONLY = "tests/unit/scripts/test_keep_only_the_thumbnailer.py"
TEST_SH = "scripts/test.sh"
OTHER_PORT = "starts or asks an emulator on another port, of which this machine may have none free"


@dataclass(frozen=True)
class Elsewhere:
    """A group of commands that fully match a pattern.

    Attributes:
        pattern: a regular expression. reason: why they are not typed against the deployment. file: the test that types
        such a command, "" if none does. words: the words in that file that type it, "" where a test compares every such
        command with the tree; \\1 is the first group.
    """

    pattern: str
    reason: str
    file: str = ""
    words: str = ""

    def matches(self, text: str) -> bool:
        """Return whether a command belongs to this group."""
        return bool(re.fullmatch(self.pattern, text, re.DOTALL))


ELSEWHERE = (
    Elsewhere(r"(?:.* )?(?:CLOUD=|--cloud[ =])aws\b.*", "needs an AWS account"),
    Elsewhere(r"(?:.* )?(?:EMBEDDED_PORT=|--port[ =])\d+\b.*", OTHER_PORT),
    Elsewhere(r"\./eventloom demo", "deploys to its own emulator", FIRST_STEPS, 'run_make(checkout, "demo")'),
    Elsewhere(
        r"\./eventloom (up|restart)", "would restart the tests' emulator", FIRST_STEPS, r'command(checkout, "\1"'
    ),
    Elsewhere(r"\./eventloom down\b.*", "would stop the tests' emulator", FIRST_STEPS, 'run_make(checkout, "down")'),
    Elsewhere(
        r"\./eventloom deploy --only \w+",
        "takes as long as several tests",
        FIRST_STEPS,
        'command(checkout, "deploy", "--only"',
    ),
    Elsewhere(r"\./eventloom (plan|deploy)\b.*", "takes minutes", FIRST_STEPS, r'run_make(checkout, "\1")'),
    Elsewhere(
        r"\./eventloom apply-saved\b.*", "needs a plan that is saved", FIRST_STEPS, 'command(checkout, "apply-saved"'
    ),
    Elsewhere(
        r"\./eventloom destroy\b.*",
        "would end the tests' deployment",
        "tests/integration/test_zz_destroy.py",
        'make(ROOT, "destroy"',
    ),
    Elsewhere(
        r"\./eventloom invoke .*(?:--record \w+|--event failed)\b.*",
        "would leave a sample in the checkout",
        "tests/integration/test_commands.py",
        "invoke thumbnailer --message {message_id} --record {name}",
    ),
    Elsewhere(
        r"\./eventloom dev\b.*",
        "replaces code that other tests use",
        "tests/integration/test_dev.py",
        '"dev", "digest", "--functions"',
    ),
    Elsewhere(
        r"\./eventloom debug\b.*",
        "stops a function that other tests use",
        "tests/integration/test_debug.py",
        '"debug", "thumbnailer"',
    ),
    Elsewhere(
        r"\./eventloom build .*--without\b.*",
        "would deploy packages without this dependency",
        "tests/unit/eventloom/deployment/test_build.py",
        '"--without", "pillow-heif"',
    ),
    Elsewhere(
        r"\./eventloom restore-items\b.*",
        "needs a table that was restored",
        AWS_COMMANDS,
        "./eventloom restore-items restored --into activity",
    ),
    Elsewhere(
        r"\./eventloom example (deploy|destroy)\b.*",
        "takes minutes",
        "tests/modules/test_examples.py",
        r'command(ROOT, "example", "\1"',
    ),
    Elsewhere(
        r"\./eventloom new-function\b.*", "writes into the checkout", NEW_FUNCTION, 'command(folder, "new-function"'
    ),
    Elsewhere(
        r"\./eventloom remove-function\b.*", "deletes from the checkout", SCAFFOLD, 'command(empty, "remove-function"'
    ),
    Elsewhere(
        r"\./eventloom (?!(?:new|remove)-function).*\bhello\b.*",
        "needs the function of the tutorial",
        NEW_FUNCTION,
        "documented.tutorial()",
    ),
)

# The make targets that tests/integration/test_commands.py types as documented
TYPED_TARGETS = {"help", "build", "status"}
# The place that types the other targets: a file that `make test` runs, the words in this file, and the targets
MAKE = (
    (TEST_SH, "`make {}`: every check", "test"),
    (
        TEST_SH,
        " make {}",
        "lint checkov bench test-unit test-terraform test-integration test-modules test-policies test-iam test-faults "
        "test-browser",
    ),
    (FIRST_STEPS, 'run_make(checkout, "{}"', "demo up plan deploy docs capabilities down clean"),
    ("tests/integration/test_commands.py", 'run(ROOT, "{}"', "test-compose"),
    ("tests/integration/test_zz_destroy.py", 'make(ROOT, "{}"', "destroy"),
)
TARGETS = {target: (file, words.format(target)) for file, words, targets in MAKE for target in targets.split()}
NOT_TYPED = {
    "test-parity": "needs a checkout of LocalStack's repository, which CI clones; "
    "emulator/tests/unit/test_parity.py tests how it is checked and how outcomes are compared",
    "test-container": "needs a Docker engine; .ci/compose runs it",
    "test-foreign": "installs tools from npm and PyPI, and takes minutes; emulator/tests/unit/test_compatibility.py "
    "tests how projects are copied",
    "compatibility": "needs checkouts of other people's projects; emulator/tests/unit/test_compatibility.py tests its "
    "table",
    "setup": "a part of most other targets",
    "test-iam-differential": "installs its peer from npm; tests/iam/test_differential.py compares with its record",
    "capabilities-peers": "installs other emulators; tests/unit/scripts/test_peer_emulators.py tests the questions",
    "test-quick": "runs lint and a part of test-unit; tests/unit/scripts/test_quick.py tests which part",
    "pictures": "writes docs/gallery.png; test-browser takes the screenshots, "
    "tests/unit/scripts/test_gallery_picture.py tests the picture",
}

# Other tools, without their folders, with the test that types their commands or the reason why no test does
OTHER_TOOLS = {
    "npx": "needs packages from npm; `make test-foreign` types the same commands of cdk and osls",
    "sam": "needs its own environment; `make test-foreign` types the same commands",
    "chalice": "needs its own environment; `make test-foreign` types the same commands",
    "zappa": "needs its own environment; `make test-foreign` types the same commands",
    "uv": "asks PyPI for the newest versions",
    "terraform": "the way by hand; src/eventloom/deployment/apply.py runs the same Terraform",
    "git": "needs the remote of a fork; a fork merges the newer version as any other branch",
    "cd": f"begins the removal that {KEEP_ONLY} types",
    "rm": f"removes files of the checkout; {KEEP_ONLY} types it in a copy",
    "export": "sets variables for the lines after it",
    "curl": "needs the load balancer and an id of the deployment; tests/integration/test_alb.py sends such requests",
    "python3.13": "makes an environment outside of the checkout; emulator/tests/alone makes one as well",
    "pip": "asks PyPI; emulator/tests/alone installs the emulator as well",
    "embedded-localstack": "is installed in an environment outside of the checkout; emulator/tests/alone runs it",
    "docker": "needs a Docker engine; tests/container builds the image, and starts and stops it",
    "python": "runs a part of make test-unit, or a step of scripts/test.sh",
    "pre-commit": "changes .git and runs make lint again; tests/unit/scripts/test_pre_commit.py runs the other hooks",
    "bootstrap.sh": "every make target and ./eventloom run it first",
}
