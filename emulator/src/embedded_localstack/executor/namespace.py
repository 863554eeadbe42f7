"""Set up a function's file system, which is read-only except for /tmp, with code at /var/task and layers at /opt.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html,
https://docs.aws.amazon.com/lambda/latest/dg/configuration-layers.html

The file system is a mount namespace. Root may create one, and other users may if the kernel allows user namespaces.
This code runs in the supervisor's child, once per environment, so it imports little.
"""

import ctypes
import os

VAR, OPT, TMP = "/var", "/opt", "/tmp"  # noqa: S108 - the folder of Lambda, and private
HOSTS, DOMAIN = "/etc/hosts", "localhost.localstack.cloud"
# linux/sched.h, linux/mount.h, linux/prctl.h, linux/capability.h
CLONE_NEWNS, CLONE_NEWUSER = 0x20000, 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CAP_DAC_READ_SEARCH, LAST_CAPABILITY = 2, 63

_libc = ctypes.CDLL(None, use_errno=True)


class _MountAttributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user_namespace")]


def enter(folder: str, task: str, runtime: str, layers: str, interpreter_folders: list[str]) -> None:
    """Move this process into the file system of a function.

    Args:
        folder: the folder that becomes /tmp. Its path is also the name of mounts, which `down` uses to find the
            processes of functions. task: the folder that becomes /var/task. runtime: the folder that becomes
            /var/runtime. layers: the folder with the content of /opt, or an empty string. interpreter_folders: folders
            that the interpreter needs, which keep their paths.

    Raises:
        OSError: the kernel does not allow it.
    """
    _unshare()
    sources = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in (folder, task, runtime, *interpreter_folders)}
    entries = {}
    if layers:
        for name in os.listdir(layers):  # noqa: PTH208 - pathlib costs 10 ms at every cold start
            entries[name] = os.open(f"{layers}/{name}", os.O_PATH | os.O_CLOEXEC)
    _mount("none", "/", MS_REC | MS_PRIVATE)
    _set_read_only("/")
    for place in (VAR, OPT):
        _mount(folder, place, 0, kind="tmpfs")
    _add_host_names(os.environ.get("AWS_REGION", "us-east-1"))
    _bind(sources[task], f"{VAR}/task")
    _bind(sources[runtime], f"{VAR}/runtime")
    for name, source in entries.items():
        _bind(source, f"{OPT}/{name}")
    _bind(sources[folder], TMP)
    _set_read_only(TMP, writable=True)
    for path in interpreter_folders:
        if path.startswith((f"{VAR}/", f"{OPT}/", f"{TMP}/")):
            _bind(sources[path], path)
            _set_read_only(path)
    for place in (VAR, OPT):
        _set_read_only(place)
    os.chdir(f"{VAR}/task")


def probe() -> None:
    """Try the operations that `enter` needs, in this process.

    Raises:
        OSError: the kernel does not allow it.
    """
    _unshare()
    _mount("none", "/", MS_REC | MS_PRIVATE)
    _set_read_only("/")


def _add_host_names(region: str) -> None:
    """Resolve LocalStack's host names to this machine without DNS.

    SDKs call the host in a queue's URL, which is one of these names. In public DNS these names are 127.0.0.1 too.
    """
    if not os.path.exists(HOSTS):  # noqa: PTH110 - as above
        return
    names = (DOMAIN, f"sqs.{region}.{DOMAIN}", f"s3.{DOMAIN}", f"s3.{region}.{DOMAIN}")
    with open(HOSTS, encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 - as above
        content = file.read()
    own = f"{VAR}/hosts"
    with open(own, "w", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 - as above
        file.write(f"{content}\n127.0.0.1 {' '.join(names)}\n")
    os.chmod(own, 0o644)  # noqa: PTH101 - as above
    _mount(own, HOSTS, MS_BIND)
    os.unlink(own)  # noqa: PTH108 - as above
    _set_read_only(HOSTS)


def drop_privileges() -> None:
    """Drop root's capabilities to write to read-only files and to remount them. Other users have no capabilities."""
    for capability in range(LAST_CAPABILITY + 1):
        if capability != CAP_DAC_READ_SEARCH:
            _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _unshare() -> None:
    if _libc.unshare(CLONE_NEWNS) == 0:
        return
    user, group = os.getuid(), os.getgid()
    _check(_libc.unshare(CLONE_NEWNS | CLONE_NEWUSER), "unshare")
    for file, text in {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}.items():
        with open(f"/proc/self/{file}", "w") as handle:  # noqa: PTH123 - as above
            handle.write(text)


def _bind(source: int, target: str) -> None:
    """Show a file or a folder at another path."""
    path = f"/proc/self/fd/{source}"
    if target != TMP:
        if os.path.isdir(path):  # noqa: PTH112 - as above
            os.makedirs(target, exist_ok=True)  # noqa: PTH103 - as above
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY))
    _mount(path, target, MS_BIND | MS_REC)


def _mount(source: str, target: str, flags: int, kind: str = "none") -> None:
    _check(_libc.mount(os.fsencode(source), os.fsencode(target), kind.encode(), flags, None), f"mount {target}")


def _set_read_only(path: str, *, writable: bool = False) -> None:
    attributes = _MountAttributes(0, MOUNT_ATTR_RDONLY) if writable else _MountAttributes(MOUNT_ATTR_RDONLY, 0)
    size, pointer = ctypes.sizeof(attributes), ctypes.byref(attributes)
    code = _libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, os.fsencode(path), AT_RECURSIVE, pointer, size)
    _check(code, f"mount_setattr {path}")


def _check(code: int, what: str) -> None:
    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)
