package duck

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
static void trim(void) { malloc_trim(0); }
static void arenas(void) { mallopt(M_ARENA_MAX, 2); }
#else
static void trim(void) {}
static void arenas(void) {}
#endif
*/
import "C"

import "sync"

// fewArenas keeps glibc from making a heap for each thread that calls DuckDB: Go has many, a batch runs on any of them, and each heap keeps what it once
// needed.
var fewArenas = sync.OnceFunc(func() { C.arenas() })

// ReleaseMemory gives back to the system what the C library keeps of the memory that DuckDB has freed. glibc does so by itself only
// at the top of its heaps, which after a large import leaves a quiet process with twice the memory it needs.
func ReleaseMemory() { C.trim() }
