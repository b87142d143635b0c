package job

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// State says how far a job is.
type State string

// The states.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Over reports whether nothing more will happen.
func (s State) Over() bool { return s == Done || s == Failed || s == Cancelled }

// Job is one piece of long work.
type Job struct {
	ID        string
	Workspace string
	Kind      string
	Key       string // what makes it one job however often it is asked for
	Title     string // what it is about, in the words of whoever started it: a file's name
	Actor     string // id of the user or API key that started it
	ActorName string
	Params    json.RawMessage // what the kind needs to know
	State     State
	Progress
	Mark     json.RawMessage // from where the work goes on; empty: from the beginning
	Files    []File          // that came out
	Code     string          // of the error it failed with, or that it waits to try again after
	Error    string
	Attempts int // beginnings since the last Save

	Cancelled string // id of who asked for it to end; empty: nobody
	CreatedAt time.Time
	StartedAt time.Time // first; zero while queued
	UpdatedAt time.Time
	EndedAt   time.Time // zero until over
	NotBefore time.Time // when it is tried again
	Lease     string    // token of who works on it
}

// Progress is how far the work is.
type Progress struct {
	Done, Total int64            // in units of the kind, e.g. bytes read; Total 0: not known
	Figures     map[string]int64 // counts so far, by name: rows, added, rejected ...
}

// File is something that a job has made, to be fetched for KeepFiles.
type File struct {
	Key  string `json:"key"`  // names it within the job, e.g. "rejected"
	Name string `json:"name"` // under which it is saved
	Type string `json:"type"` // media type
	Size int64  `json:"size"`
}

// Outcome is what came of a job that ended well.
type Outcome struct {
	Figures map[string]int64
	Files   []File
}

// Kind is a sort of work.
type Kind struct {
	Name string
	Need staff.Permission // of whoever may see such jobs, cancel them and fetch their files
	// Do does the work, or what is left of it. Its context ends when the job is cancelled, its lease is lost or the process stops; it must return soon after.
	Do func(ctx context.Context, r *Run) (Outcome, error)
}

// Files keeps what jobs read and make. Owner is the id of a job or upload; names are plain, without folders.
type Files interface {
	// Put writes a file whole or not at all and returns its size; more than limit bytes are errs.Invalid "job.file.too_large".
	Put(ctx context.Context, ws, owner, name string, from io.Reader, limit int64) (int64, error)
	// Open returns a file and its size, or errs.NotFound.
	Open(ctx context.Context, ws, owner, name string) (io.ReadSeekCloser, int64, error)
	// Append cuts the file to its first at bytes, making it if need be, and adds data.
	Append(ctx context.Context, ws, owner, name string, at int64, data []byte) error
	// Remove removes all files of an owner; that there are none is no error.
	Remove(ctx context.Context, ws, owner string) error
	// Used returns how many bytes a workspace has in files.
	Used(ctx context.Context, ws string) (int64, error)
	// Sweep removes the files of owners that nothing was written for since then and returns how many owners there were.
	Sweep(ctx context.Context, since time.Time) (int64, error)
}

// Limits.
const (
	MaxFile      = 512 << 20           // bytes of one uploaded file
	MaxUsed      = 4 << 30             // bytes of all files of a workspace
	KeepFiles    = 7 * 24 * time.Hour  // after the last write
	KeepJobs     = 90 * 24 * time.Hour // after the end
	maxAttempts  = 5
	maxWaiting   = 100 // queued and running jobs of a workspace
	maxErrorText = 1000
)
