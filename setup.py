"""Builds the compiled package cyops. Everything that is not an extension is said in pyproject.toml."""
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

HEADERS = sorted(glob("cyops/csrc/*.h") + glob("cyops/*.pxd") + glob("cyops/*.pxi"))
MEMORY = "cyops/csrc/memory.c"
# A C file linked into two extensions would give each its own allocator, pool and dispatch table.
C_FILES = {
    "storage": [MEMORY],
    "strided": sorted(set(glob("cyops/csrc/*.c")) - {MEMORY}),
}
# No -march: the instruction sets are in-file target regions. No -ffast-math: a NaN is a NaN.
GCC_FLAGS = ["-std=c11", "-O3", "-g0", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math",
             "-ffp-contract=off"]
# CYOPS_SANITIZE=1 checks every access and all undefined behaviour, built into a directory of its own. -g1: following
# variables through the kernels takes GCC three times as long. -fno-wrapv: Python's own flags define signed overflow.
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"] if os.environ.get("CYOPS_SANITIZE") else []
if SANITIZERS:
    GCC_FLAGS += [*SANITIZERS, "-fno-wrapv", "-O1", "-g1", "-fno-omit-frame-pointer"]
MSVC_FLAGS = ["/std:c11", "/O2", "/fp:precise"]


def extension(source):
    name = source.removeprefix("cyops/").removesuffix(".pyx")
    return Extension(
        f"cyops.{name}",
        sources=[source, *C_FILES.get(name, [])],
        include_dirs=["cyops"],
        define_macros=[("_GNU_SOURCE", "1")],
        depends=HEADERS,
        extra_compile_args=MSVC_FLAGS if sys.platform == "win32" else GCC_FLAGS,
        extra_link_args=[] if sys.platform == "win32" else ["-pthread", *SANITIZERS],
    )


class BuildExtensions(build_ext):
    """Compiles the C files of an extension side by side: on two cores 55 s, one after another 95 s."""

    def build_extensions(self):
        compile_in_order = self.compiler.compile

        def compile_side_by_side(sources, **options):
            with ThreadPoolExecutor(os.cpu_count()) as workers:
                objects = workers.map(lambda source: compile_in_order([source], **options), sources)
                return [path for paths in objects for path in paths]

        self.compiler.compile = compile_side_by_side
        super().build_extensions()


setup(
    options={"build": {"build_base": "build/sanitize"}} if SANITIZERS else {},
    cmdclass={"build_ext": BuildExtensions},
    ext_modules=cythonize(
        [extension(source) for source in sorted(glob("cyops/*.pyx"))],
        compiler_directives={"language_level": 3},
    )
)
