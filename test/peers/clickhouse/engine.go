package main

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef void *conn;
typedef void *result;
typedef void *stream;

static conn *(*f_connect)(int, char **);
static void (*f_close)(conn *);
static result (*f_query)(conn, const char *, size_t, const char *, size_t, const char *const *, const size_t *, const char *const *, const size_t *, size_t);
static stream (*f_insert)(conn, const char *, size_t, const char *, size_t);
static int (*f_append)(stream, const void *, size_t);
static result (*f_done)(stream);
static const char *(*f_insert_error)(stream);
static void (*f_destroy_stream)(stream);
static void (*f_destroy)(result);
static char *(*f_buffer)(result);
static size_t (*f_length)(result);
static const char *(*f_error)(result);
static void (*f_signals)(int);
static int (*f_shutdown)(void);

static const char *load(const char *file) {
	void *lib = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	if (!lib) return dlerror();
	struct { const char *name; void **to; } all[] = {
		{"chdb_connect", (void **)&f_connect}, {"chdb_close_conn", (void **)&f_close}, {"chdb_query_with_params_n", (void **)&f_query},
		{"chdb_stream_insert_n", (void **)&f_insert}, {"chdb_stream_append", (void **)&f_append}, {"chdb_stream_done", (void **)&f_done},
		{"chdb_stream_insert_error", (void **)&f_insert_error}, {"chdb_destroy_insert_stream", (void **)&f_destroy_stream},
		{"chdb_destroy_query_result", (void **)&f_destroy}, {"chdb_result_buffer", (void **)&f_buffer}, {"chdb_result_length", (void **)&f_length},
		{"chdb_result_error", (void **)&f_error}, {"chdb_set_signal_handlers_enabled", (void **)&f_signals}, {"chdb_shutdown", (void **)&f_shutdown},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		*all[i].to = dlsym(lib, all[i].name);
		if (!*all[i].to) return all[i].name;
	}
	f_signals(0); // Go has its own
	return NULL;
}

static conn *open_conn(char *path) {
	char *argv[] = {(char *)"clickhouse", path};
	return f_connect(2, argv);
}
static void close_conn(conn *c) { f_close(c); }
static int stop(void) { return f_shutdown(); }
static result query(conn *c, const char *q, size_t n, const char *format, const char **names, const char **values, const size_t *lengths, size_t count) {
	return f_query(*c, q, n, format, strlen(format), names, NULL, values, lengths, count);
}
static stream insert(conn *c, const char *q, size_t n, const char *format) { return f_insert(*c, q, n, format, strlen(format)); }
static int append(stream s, const void *data, size_t n) { return f_append(s, data, n); }
static result done(stream s) { return f_done(s); }
static const char *insert_error(stream s) { return f_insert_error(s); }
static void destroy_stream(stream s) { f_destroy_stream(s); }
static void destroy(result r) { f_destroy(r); }
static char *buffer(result r) { return f_buffer(r); }
static size_t length(result r) { return f_length(r); }
static const char *error_of(result r) { return f_error(r); }
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// load loads the engine; once in a process.
func load(library string) error {
	file := C.CString(library)
	defer C.free(unsafe.Pointer(file))
	if e := C.load(file); e != nil {
		return fmt.Errorf("%s: %s", library, C.GoString(e))
	}
	return nil
}

// shutdown ends the engine's threads, after the last connection is closed.
func shutdown() { C.stop() }

// connection runs one statement at a time.
type connection struct{ c *C.conn }

// connect opens a connection to the data in the folder, whose path must be absolute.
func connect(folder string) (*connection, error) {
	path := C.CString("--path=" + folder)
	defer C.free(unsafe.Pointer(path))
	c := C.open_conn(path)
	if c == nil {
		return nil, fmt.Errorf("%s: the engine does not open it", folder)
	}
	return &connection{c}, nil
}

func (c *connection) close() { C.close_conn(c.c) }

// query runs a statement; params are the values of {name:Type} in the engine's escaped text.
func (c *connection) query(text, format string, params map[string]string) ([]byte, error) {
	q, f := C.CString(text), C.CString(format)
	defer C.free(unsafe.Pointer(q))
	defer C.free(unsafe.Pointer(f))
	n := len(params)
	names, values := list(n), list(n)
	defer C.free(unsafe.Pointer(names))
	defer C.free(unsafe.Pointer(values))
	lengths := (*C.size_t)(C.malloc(C.size_t(n+1) * 8))
	defer C.free(unsafe.Pointer(lengths))
	i := 0
	for name, value := range params {
		k, v := C.CString(name), C.CString(value)
		defer C.free(unsafe.Pointer(k))
		defer C.free(unsafe.Pointer(v))
		unsafe.Slice(names, n)[i], unsafe.Slice(values, n)[i], unsafe.Slice(lengths, n)[i] = k, v, C.size_t(len(value))
		i++
	}
	return taken(C.query(c.c, q, C.size_t(len(text)), f, names, values, lengths, C.size_t(n)))
}

// list makes room for n texts.
func list(n int) **C.char {
	return (**C.char)(C.malloc(C.size_t(n+1) * C.size_t(unsafe.Sizeof(uintptr(0)))))
}

// insert runs an INSERT without its FORMAT with the data.
func (c *connection) insert(text, format string, data []byte) error {
	q, f := C.CString(text), C.CString(format)
	defer C.free(unsafe.Pointer(q))
	defer C.free(unsafe.Pointer(f))
	s := C.insert(c.c, q, C.size_t(len(text)), f)
	defer C.destroy_stream(s)
	if e := C.insert_error(s); e != nil {
		return errors.New(C.GoString(e))
	}
	if len(data) > 0 {
		C.append(s, unsafe.Pointer(&data[0]), C.size_t(len(data))) // what goes wrong, done tells
	}
	_, err := taken(C.done(s))
	return err
}

func taken(r C.result) ([]byte, error) {
	if r == nil {
		return nil, errors.New("the engine returned nothing")
	}
	defer C.destroy(r)
	if e := C.error_of(r); e != nil {
		return nil, errors.New(C.GoString(e))
	}
	return C.GoBytes(unsafe.Pointer(C.buffer(r)), C.int(C.length(r))), nil
}
