"""The typesetting process: reads jobs from standard input, answers on standard output, holds nothing else.

Started by `licences.render.typesetter` as a script of its own, with an empty environment, so it imports
the standard library and typst alone. It gives up memory, file size and core dumps before typst is loaded,
sees only the folder it was given and the font, and finds no packages: the package folders do not exist and
the proxy that typst would fetch through is a closed port. It ends when its standard input does.

A message is a four-octet length (big-endian), a JSON header of that length, and the octets the header counts.
"""

import hashlib
import json
import os
import resource
import shutil
import struct
import sys
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

# One compiler is kept for each set of sources: making one costs ten times a page.
KEPT_COMPILERS = 16
MAX_OUTPUT_BYTES = 32 * 1024 * 1024
# Enough for the font (20 MB, mapped), the compiler and two threads, ten times over.
MAX_ADDRESS_SPACE = 2 * 1024**3
# A page takes milliseconds; the parent kills by the wall clock, this ends an orphan that spins.
MAX_CPU_SECONDS_PER_JOB = 20


def main() -> None:
    folder, font_folder = Path(sys.argv[1]), sys.argv[2]
    _give_up_resources()
    # Answers go where standard output was; whatever a library prints goes to standard error.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        press = _Press(folder, font_folder)
        while (job := _read(sys.stdin.buffer)) is not None:
            _allow_cpu()
            header, pdf = press.typeset(*job)
            answers.write(_frame(header) + pdf)
            answers.flush()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Press:
    """Compilers by the digest of their sources."""

    def __init__(self, folder: Path, font_folder: str) -> None:
        # Loaded here, after the limits hold.
        import typst  # noqa: PLC0415 -- after the limits are set

        self._typst = typst
        self._folder = folder
        self._fonts = typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[font_folder]
        )
        self._compilers: OrderedDict[str, Any] = OrderedDict()

    def typeset(
        self, job: Mapping[str, Any], sources: Mapping[str, bytes]
    ) -> tuple[dict[str, object], bytes]:
        """The answer's header and the document; a template's failure is an answer, not an end."""
        try:
            pdf = self._compiler(job["main"], sources).compile(
                format="pdf",
                sys_inputs=job["inputs"],
                pdf_standards=[job["standard"]],
                timestamp=job["timestamp"],
            )
        except self._typst.TypstError as error:
            return {"error": error.message, "diagnostic": error.diagnostic, "size": 0}, b""
        except (TypeError, ValueError, OverflowError, OSError) as error:
            # Inputs that are no text for the compiler, a time it cannot write, a folder that is full.
            return {
                "error": f"the job cannot be done: {type(error).__name__}",
                "diagnostic": "",
                "size": 0,
            }, b""
        if len(pdf) > MAX_OUTPUT_BYTES:
            return {"error": "the document is too large", "diagnostic": "", "size": 0}, b""
        return {"size": len(pdf)}, pdf

    def _compiler(self, main: str, sources: Mapping[str, bytes]) -> Any:
        digest = hashlib.sha256(main.encode())
        for name, source in sorted(sources.items()):
            digest.update(b"%d %d " % (len(name.encode()), len(source)) + name.encode() + source)
        key = digest.hexdigest()
        if key not in self._compilers:
            root = self._folder / key
            root.mkdir()
            for name, source in sources.items():
                (root / name).write_bytes(source)
            nowhere = self._folder / "no-packages"
            self._compilers[key] = self._typst.Compiler(
                input=str(root / main),
                root=str(root),
                font_paths=self._fonts,
                ignore_system_fonts=True,
                package_path=str(nowhere),
                package_cache_path=str(nowhere),
            )
        self._compilers.move_to_end(key)
        if len(self._compilers) > KEPT_COMPILERS:
            oldest, _ = self._compilers.popitem(last=False)
            shutil.rmtree(self._folder / oldest, ignore_errors=True)
        return self._compilers[key]


def _give_up_resources() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUTPUT_BYTES, MAX_OUTPUT_BYTES))
    if sys.platform == "linux":  # macOS refuses to limit the address space
        resource.setrlimit(resource.RLIMIT_AS, (MAX_ADDRESS_SPACE, MAX_ADDRESS_SPACE))


def _allow_cpu() -> None:
    """The next job may use this much more processor time; over it the kernel ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(usage.ru_utime + usage.ru_stime) + MAX_CPU_SECONDS_PER_JOB
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds if hard < 0 else min(seconds, hard), hard))


def _read(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, bytes]] | None:
    """The next job and its sources; None at the end of the stream, also in the middle of a job."""
    length = stream.read(4)
    if len(length) < 4:
        return None
    text = stream.read(struct.unpack(">I", length)[0])
    if len(text) < struct.unpack(">I", length)[0]:
        return None
    header = json.loads(text)
    sources = {}
    for name, size in header["sources"].items():
        sources[name] = stream.read(size)
        if len(sources[name]) < size:
            return None
    return header, sources


def _frame(header: Mapping[str, object]) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack(">I", len(text)) + text


if __name__ == "__main__":
    main()
