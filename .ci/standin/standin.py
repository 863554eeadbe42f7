"""Change LocalStack so that the stand-in image downloads nothing at run time.

`python3 -m standin` installs Lambda's init at the path where LocalStack expects its download. At start, the hook skips
pulling the runtime image, which build.sh builds, and lets moto serve DynamoDB and Kinesis.
"""

import shutil
from pathlib import Path

from localstack.runtime import hooks


@hooks.on_infra_start()
def install() -> None:
    """Patch LocalStack; its entry point in entry_points.txt runs this at start."""
    from localstack.services.lambda_.invocation import docker_runtime_executor

    from embedded_localstack.patches import moto_backends

    moto_backends.install()
    docker_runtime_executor._ensure_runtime_image_present = lambda _image, _platform: None


def place_init() -> None:
    """Copy the init to the path where LocalStack's installer would put its download."""
    from localstack.packages import InstallTarget
    from localstack.services.lambda_.packages import lambda_runtime_package

    installer = lambda_runtime_package.get_installer()
    init = Path(installer._get_install_marker_path(installer._get_install_dir(InstallTarget.STATIC_LIBS)))
    init.parent.mkdir(parents=True)
    shutil.copy("/opt/standin/init", init)
    init.chmod(0o755)


if __name__ == "__main__":
    place_init()
