# Debian's cross compiler for arm64, with its libraries beside the machine's own (multiarch:
# docker/install-deps.sh --arm64) and an emulator that runs the tests.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
# Without -L: the cross compiler's own libc is older than the multiarch one that the libraries bring
# along, and a loader of the one with the other's libc spins in pthread_create for ever.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
# pkg-config, for what CMake's own modules ask it.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
