// Annotations that say which mutex guards which member. clang-tidy checks the code against them
// (-Wthread-safety); for other compilers they are empty. exporter/io/mutex.h is the mutex that
// carries them, because the standard library's has none.
#pragma once

#if defined(__clang__)
#define PG_INTEGRITY_ANNOTATION(x) __attribute__((x))
#else
#define PG_INTEGRITY_ANNOTATION(x)
#endif

/// CAPABILITY marks a class that can be locked. SCOPED_CAPABILITY marks a class whose objects hold
/// a lock for as long as they live.
#define CAPABILITY(name) PG_INTEGRITY_ANNOTATION(capability(name))
#define SCOPED_CAPABILITY PG_INTEGRITY_ANNOTATION(scoped_lockable)

/// A member that may be read and written only while `mutex` is locked.
#define GUARDED_BY(mutex) PG_INTEGRITY_ANNOTATION(guarded_by(mutex))

/// REQUIRES marks a function that may be called only while the mutex is locked, EXCLUDES one that
/// may be called only while it is not.
#define REQUIRES(...) PG_INTEGRITY_ANNOTATION(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) PG_INTEGRITY_ANNOTATION(locks_excluded(__VA_ARGS__))

/// ACQUIRE marks a function that locks, RELEASE one that unlocks.
#define ACQUIRE(...) PG_INTEGRITY_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) PG_INTEGRITY_ANNOTATION(release_capability(__VA_ARGS__))

/// A function whose body clang cannot follow. Its comment says why it is correct.
#define NO_THREAD_SAFETY_ANALYSIS PG_INTEGRITY_ANNOTATION(no_thread_safety_analysis)
