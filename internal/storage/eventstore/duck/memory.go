package duck

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
static void trim(void) { malloc_trim(0); }
#else
static void trim(void) {}
#endif
*/
import "C"

// ReleaseMemory gives back to the system what the C library keeps of the memory that DuckDB has freed. glibc does so by itself only
// at the top of its heaps, which after a large import leaves a quiet process with twice the memory it needs.
func ReleaseMemory() { C.trim() }
