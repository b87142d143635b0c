package duck

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
static void trim(void) { malloc_trim(0); }
// Before anything else allocates: glibc fixes the number of its heaps when the second thread asks for memory, which in a Go program is before main.
__attribute__((constructor)) static void few_heaps(void) {
	if (!getenv("MALLOC_ARENA_MAX")) mallopt(M_ARENA_MAX, 2);
	if (!getenv("MALLOC_MMAP_THRESHOLD_")) mallopt(M_MMAP_THRESHOLD, 1 << 20);
	if (!getenv("MALLOC_TRIM_THRESHOLD_")) mallopt(M_TRIM_THRESHOLD, 4 << 20);
}
#else
static void trim(void) {}
#endif
*/
import "C"

// The constructor above keeps glibc from making a heap for each thread that calls DuckDB: Go has many, a batch runs on any of them, and each heap keeps
// what it once needed. What is larger than a megabyte is given back at once when it is freed; left alone, glibc raises that limit to 32 MB.

// ReleaseMemory gives back to the system what the C library keeps of the memory that DuckDB has freed. glibc does so by itself only
// at the top of its heaps, which after a large import leaves a quiet process with twice the memory it needs.
func ReleaseMemory() { C.trim() }
