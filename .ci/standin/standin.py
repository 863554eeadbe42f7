"""What the stand-in image changes in LocalStack: nothing is downloaded when it runs.

`python3 -m standin` puts Lambda's init where LocalStack looks for the one it downloads. The hook keeps it from pulling the runtime's
image, which was built beside this one, and has DynamoDB and Kinesis answered by moto.
"""

import shutil
from pathlib import Path

from localstack.runtime import hooks


@hooks.on_infra_start()
def install() -> None:
    """Called by LocalStack when it starts (entry_points.txt)."""
    from localstack.services.lambda_.invocation import docker_runtime_executor

    from embedded_localstack.patches import moto_backends

    moto_backends.install()
    docker_runtime_executor._ensure_runtime_image_present = lambda _image, _platform: None


def place_init() -> None:
    """Put the init where the installer leaves a downloaded one."""
    from localstack.packages import InstallTarget
    from localstack.services.lambda_.packages import lambda_runtime_package

    installer = lambda_runtime_package.get_installer()
    init = Path(installer._get_install_marker_path(installer._get_install_dir(InstallTarget.STATIC_LIBS)))
    init.parent.mkdir(parents=True)
    shutil.copy("/opt/standin/init", init)
    init.chmod(0o755)


if __name__ == "__main__":
    place_init()
