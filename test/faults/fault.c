// Makes one system call of a process fail, or do half, or the last that it does: the n-th of those to files below a folder, told by
// variables. It stands before libc (LD_PRELOAD) and not before the kernel, so that calls are met by path, whichever thread makes them.
//   FAULT_UNDER   the folder, and FAULT_IN the name of the program that is meant, node or git; otherwise all are
//   FAULT_STATE   a file of 8 bytes that all processes share: how many such calls there were
//   FAULT_TRACE   a file that is told each of them, for a run that is whole
//   FAULT_AT      the how-manieth, FAULT_FOR how many from there on, FAULT_DO what: an errno, `kill`, or `short` for half a write or read
//   FAULT_LATE    by how many microseconds each of them is answered later
//   FAULT_CLOCK   seconds by which the wall clock leaps once that many calls were made
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const char *under, *what;
static long at, times, leap, late;
static int trace = -1;
static _Atomic long *calls;

__attribute__((constructor)) static void begin(void) {
  char exe[PATH_MAX] = "";
  const char *in = getenv("FAULT_IN"), *state = getenv("FAULT_STATE");
  if (state == NULL || readlink("/proc/self/exe", exe, sizeof exe - 1) < 0) return;
  const char *name = strrchr(exe, '/');
  if (in != NULL && (name == NULL || strcmp(name + 1, in) != 0)) return;
  int fd = syscall(SYS_openat, AT_FDCWD, state, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  syscall(SYS_close, fd);
  const char *told = getenv("FAULT_TRACE"), *number;
  if (told != NULL) trace = syscall(SYS_openat, AT_FDCWD, told, O_WRONLY | O_APPEND | O_CLOEXEC);
  what = getenv("FAULT_DO");
  at = (number = getenv("FAULT_AT")) == NULL ? 0 : atol(number);
  times = (number = getenv("FAULT_FOR")) == NULL ? 1 : atol(number);
  leap = (number = getenv("FAULT_CLOCK")) == NULL ? 0 : atol(number);
  late = (number = getenv("FAULT_LATE")) == NULL ? 0 : atol(number);
  under = getenv("FAULT_UNDER");
}

/** Whether this call is to fail, errno being set, or -2 where it is to do half. */
static int meets(const char *call, const char *path) {
  if (under == NULL || path == NULL || strncmp(path, under, strlen(under)) != 0) return 0;
  long number = atomic_fetch_add(calls, 1) + 1;
  if (trace >= 0) {
    char line[PATH_MAX + 32];
    int length = snprintf(line, sizeof line, "%s %s\n", call, path);
    syscall(SYS_write, trace, line, length);
  }
  if (late > 0) usleep(late);
  if (what == NULL || number < at || number >= at + times) return 0;
  if (strcmp(what, "kill") == 0) kill(getpid(), SIGKILL);
  if (strcmp(what, "short") == 0) return -2;
  errno = atoi(what);
  return -1;
}

static int meets_fd(const char *call, int fd) {
  char link[32], path[PATH_MAX];
  if (under == NULL) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  int length = syscall(SYS_readlink, link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return meets(call, path);
}

/** A relative path is one below the working folder: git has such. */
static int meets_at(const char *call, const char *path) {
  char whole[PATH_MAX * 2], folder[PATH_MAX];
  if (under == NULL || path == NULL || path[0] == '/') return meets(call, path);
  if (syscall(SYS_getcwd, folder, sizeof folder) < 0) return 0;
  snprintf(whole, sizeof whole, "%s/%s", folder, path);
  return meets(call, whole);
}

#define NEXT(name) \
  static __typeof__(name) *next; \
  if (next == NULL) next = dlsym(RTLD_NEXT, #name)

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    NEXT(name); \
    va_list rest; \
    va_start(rest, flags); \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest); \
    return meets_at(flags & O_CREAT ? "create" : "open", path) == -1 ? -1 : next(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

#define MOVE(name, size_type, pointer) \
  ssize_t name(int fd, pointer bytes, size_t count) { \
    NEXT(name); \
    int met = meets_fd(#name, fd); \
    if (met == -1) return -1; \
    return next(fd, bytes, met == -2 && count > 1 ? count / 2 : count); \
  }
MOVE(write, size_t, const void *)
MOVE(read, size_t, void *)

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  NEXT(pwrite64);
  int met = meets_fd("write", fd);
  if (met == -1) return -1;
  return next(fd, bytes, met == -2 && count > 1 ? count / 2 : count, offset);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  NEXT(writev);
  int met = meets_fd("write", fd);
  if (met == -1) return -1;
  return next(fd, parts, met == -2 && count > 1 ? count / 2 : count);
}
ssize_t pread64(int fd, void *bytes, size_t count, off64_t offset) {
  NEXT(pread64);
  int met = meets_fd("read", fd);
  if (met == -1) return -1;
  return next(fd, bytes, met == -2 && count > 1 ? count / 2 : count, offset);
}
int fsync(int fd) {
  NEXT(fsync);
  return meets_fd("fsync", fd) == -1 ? -1 : next(fd);
}
int fdatasync(int fd) {
  NEXT(fdatasync);
  return meets_fd("fsync", fd) == -1 ? -1 : next(fd);
}
int ftruncate64(int fd, off64_t length) {
  NEXT(ftruncate64);
  return meets_fd("ftruncate", fd) == -1 ? -1 : next(fd, length);
}
int rename(const char *from, const char *to) {
  NEXT(rename);
  return meets_at("rename", to) == -1 ? -1 : next(from, to);
}
int link(const char *from, const char *to) {
  NEXT(link);
  return meets_at("link", to) == -1 ? -1 : next(from, to);
}
int unlink(const char *path) {
  NEXT(unlink);
  return meets_at("unlink", path) == -1 ? -1 : next(path);
}
int mkdir(const char *path, mode_t mode) {
  NEXT(mkdir);
  return meets_at("mkdir", path) == -1 ? -1 : next(path, mode);
}
int rmdir(const char *path) {
  NEXT(rmdir);
  return meets_at("rmdir", path) == -1 ? -1 : next(path);
}

static long leapt(void) {
  return leap != 0 && calls != NULL && atomic_load(calls) >= at ? leap : 0;
}
int clock_gettime(clockid_t clock, struct timespec *time) {
  int status = syscall(SYS_clock_gettime, clock, time);
  if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) time->tv_sec += leapt();
  return status;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}
