"""Builds the compiled package cyops. Everything that is not an extension is said in pyproject.toml."""
import os
import shlex
import shutil
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

MEMORY = "cyops/csrc/runtime/memory.c"
# A C file linked into two extensions would give each its own allocator, pool and dispatch table.
C_FILES = {
    "storage": [MEMORY],
    "strided": sorted(set(glob("cyops/csrc/*/*.c")) - {MEMORY}),
}
# -Wno-pass-failed: Clang tells of every loop over a call of libm that it cannot be vectorised, as asked for all loops.
WARNINGS = ["-Wall", "-Wextra", "-Wno-pass-failed"]
# No -march: the instruction sets are in-file target regions. No -ffast-math: a NaN is a NaN. -MMD: the compiler writes
# beside each object which headers it read.
FLAGS = ["-std=c11", "-O3", "-g0", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off",
         "-MMD", *WARNINGS]
# CYOPS_SANITIZE=1 checks every access and all undefined behaviour, CYOPS_SANITIZE=thread finds data races; each is
# built into a directory of its own. -g1: following variables through the kernels takes GCC three times as long.
# -fno-wrapv: Python's own flags define signed overflow.
SANITIZE = os.environ.get("CYOPS_SANITIZE", "")
SANITIZERS = {
    "": [],
    "1": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"],
    "thread": ["-fsanitize=thread"],
}[SANITIZE]
if SANITIZERS:
    FLAGS += [*SANITIZERS, "-fno-wrapv", "-O1", "-g1", "-fno-omit-frame-pointer"]


def extension(source):
    name = source.removeprefix("cyops/").removesuffix(".pyx")
    return Extension(
        f"cyops.{name}",
        sources=[source, *C_FILES.get(name, [])],
        include_dirs=["cyops", "cyops/csrc"],
        define_macros=[("_GNU_SOURCE", "1")],
        extra_compile_args=FLAGS,
        extra_link_args=["-pthread", *SANITIZERS],
    )


def is_fresh(target):
    """Whether an object is newer than all that its compiler read, and than this file, which holds the flags."""
    written = target.with_suffix(".d")
    if not target.exists() or not written.exists():
        return False
    read = shlex.split(written.read_text().replace("\\\n", " ").partition(": ")[2])
    age = target.stat().st_mtime
    return all(os.path.exists(path) and os.path.getmtime(path) < age for path in [*read, __file__])


def is_older(path, than):
    return os.path.getmtime(path) <= os.path.getmtime(than)


class BuildExtensions(build_ext):
    """Compiles what is not fresh, side by side, and says what it compiles.

    Objects stay in build/ also for an editable install, whose own place for them would be gone with it.
    """

    def finalize_options(self):
        super().finalize_options()
        base = self.get_finalized_command("build").build_base
        self.build_temp = os.path.join(base, f"objects-{self.plat_name}-{sys.implementation.cache_tag}")

    def build_extensions(self):
        self.require_compiler()
        self.force = True                 # what setuptools compares are times of sources; ours are those of headers too
        self._compile, self.compiler.compile = self.compiler.compile, self.compile_stale
        super().build_extensions()

    def require_compiler(self):
        """End with one sentence where nothing can be compiled, before any command is tried."""
        command = getattr(self.compiler, "compiler", ["cc"])[0]
        header = Path(sysconfig.get_path("include"), "Python.h")
        if shutil.which(command) is None:
            raise SystemExit(f"cytensor is compiled from C, and there is no C compiler '{command}' here. Install GCC "
                             f"or Clang (Debian, Ubuntu: apt install gcc; Fedora: dnf install gcc; macOS: xcode-select "
                             f"--install), or name one by the environment variable CC.")
        if not header.exists():
            raise SystemExit(f"cytensor is compiled against Python's headers, and there is no {header.name} in "
                             f"{header.parent}. Install them (Debian, Ubuntu: apt install python3-dev; Fedora: dnf "
                             f"install python3-devel).")

    def build_extension(self, ext):
        self._extension = ext
        objects = self.compiler.object_filenames(ext.sources, output_dir=self.build_temp)
        linked = Path(self.get_ext_fullpath(ext.name))
        if linked.exists() and all(is_fresh(Path(made)) and is_older(made, linked) for made in objects):
            return
        super().build_extension(ext)

    def copy_file(self, infile, outfile, **options):
        """A library that is in its place already stays: a running process may have it in memory."""
        if os.path.exists(outfile) and is_older(infile, outfile):
            return outfile, 0
        return super().copy_file(infile, outfile, **options)

    def compile_stale(self, sources, output_dir=None, **options):
        """In place of the compiler's `compile`: the same objects, of which only those that are not fresh are made."""
        objects = self.compiler.object_filenames(sources, output_dir=output_dir)
        stale = [source for source, made in zip(sources, objects, strict=True) if not is_fresh(Path(made))]

        def compile_one(source):
            print(f"  {self._extension.name}: {source}", flush=True)
            self._compile([source], output_dir=output_dir, **options)

        with ThreadPoolExecutor(os.cpu_count()) as workers:     # on two cores 55 s for all, one after another 95 s
            list(workers.map(compile_one, stale))
        return objects


setup(
    options={"build": {"build_base": f"build/sanitize-{SANITIZE}"}} if SANITIZERS else {},
    cmdclass={"build_ext": BuildExtensions},
    ext_modules=cythonize(
        [extension(source) for source in sorted(glob("cyops/*.pyx"))],
        compiler_directives={"language_level": 3},
    )
)
