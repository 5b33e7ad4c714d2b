"""A mounted file system that never answers."""
import contextlib
import ctypes
import os
import struct

from table import Skipped

libc = ctypes.CDLL(None, use_errno=True)
DETACH = 2


class HungFolder:
    """FOLDER hangs for whoever looks into it, until answer() or the end. It needs root and /dev/fuse."""

    def __init__(self, folder):
        self.folder = folder
        self.device = None

    def __enter__(self):
        try:
            self.device = os.open("/dev/fuse", os.O_RDWR)
        except OSError as why:
            raise Skipped(f"there is no FUSE here: {why}") from why
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other"
        if libc.mount(b"hung", str(self.folder).encode(), b"fuse", 0, options.encode()) != 0:
            why = os.strerror(ctypes.get_errno())
            self.__exit__()
            raise Skipped(f"FUSE cannot be mounted here: {why}")
        # The kernel says hello, and from then on nobody answers.
        unique = struct.unpack_from("Q", os.read(self.device, 1 << 17), 8)[0]
        hello = struct.pack("IIIIHHIIHHI28x", 7, 31, 0, 0, 12, 10, 4096, 1, 0, 0, 0)
        os.write(self.device, struct.pack("IiQ", 16 + len(hello), 0, unique) + hello)
        return self

    def answer(self):
        """Whoever waits gets an error, and the folder is empty as it was below the mount."""
        if self.device is not None:
            os.close(self.device)
            self.device = None
        libc.umount2(str(self.folder).encode(), DETACH)

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.answer()
