// Which mutex guards which member, written where clang-tidy can hold the code to it
// (-Wthread-safety). Other compilers see nothing of it. The mutex that carries these annotations is
// exporter/io/mutex.h: the standard library's has none.
#pragma once

#if defined(__clang__)
#define PG_INTEGRITY_ANNOTATION(x) __attribute__((x))
#else
#define PG_INTEGRITY_ANNOTATION(x)
#endif

/// A class that can be locked; an object that holds a lock for as long as it lives.
#define CAPABILITY(name) PG_INTEGRITY_ANNOTATION(capability(name))
#define SCOPED_CAPABILITY PG_INTEGRITY_ANNOTATION(scoped_lockable)

/// A member that may be read and written only while that mutex is locked.
#define GUARDED_BY(mutex) PG_INTEGRITY_ANNOTATION(guarded_by(mutex))

/// A function that its caller may call only with that mutex locked, or only without.
#define REQUIRES(...) PG_INTEGRITY_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) PG_INTEGRITY_ANNOTATION(locks_excluded(__VA_ARGS__))

/// A function that locks or unlocks.
#define ACQUIRE(...) PG_INTEGRITY_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) PG_INTEGRITY_ANNOTATION(release_capability(__VA_ARGS__))

/// A function whose body clang cannot follow. Its comment says why it is right.
#define NO_THREAD_SAFETY_ANALYSIS PG_INTEGRITY_ANNOTATION(no_thread_safety_analysis)
