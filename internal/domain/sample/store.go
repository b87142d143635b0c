package sample

import "context"

// Store keeps marks and knows the things of a workspace. Every method takes part in the transaction of its context.
type Store interface {
	// Mark says that things are of the sample; again, it changes nothing.
	Mark(ctx context.Context, ws string, things []Thing) error
	// Unmark takes marks off; things without one are passed over.
	Unmark(ctx context.Context, ws string, things []Thing) error
	// Things returns everything of the nouns in the workspace, in the order of Nouns, then by id, with its definition and whether it is marked. Marks of things that
	// are not there any more are left out.
	Things(ctx context.Context, ws string) ([]Thing, error)
	// Made returns those of the ids of a noun that somebody has made through the API, by the audit log.
	Made(ctx context.Context, ws string, ids []string) (map[string]bool, error)
	// Drop removes things of one noun with all that belongs to them, their messages and figures included, and their marks. Things that are not there are passed over.
	Drop(ctx context.Context, ws, noun string, ids []string) error
}

// Ender takes things out of use by their own rules before their rows go. Ending again changes nothing; a thing that is not there is passed over.
type Ender interface {
	End(ctx context.Context, ws string, t Thing) error
}

// People lets go of people and of what a source has said.
type People interface {
	// Brought counts the people of whom something came from the source, and those of whom no other source has told anything.
	Brought(ctx context.Context, ws, source string) (people, own int64, err error)
	// Own returns the latter.
	Own(ctx context.Context, ws, source string) ([]string, error)
	// Remove lets go of people everywhere, with all their events.
	Remove(ctx context.Context, ws string, people []string, progress func(done int) error) error
	// Drop removes what a source has said of people who stay.
	Drop(ctx context.Context, ws, source string) error
	// Quiet returns once everything that was on its way has arrived.
	Quiet(ctx context.Context) error
}

// Filler makes the sample business in a workspace. It may be called again after it was cut off, and then makes nothing twice.
type Filler interface {
	// Things makes definitions and a source.
	Things(ctx context.Context, ws, locale string) error
	// Events feeds what its customers did, and tells meanwhile which share of it is done.
	Events(ctx context.Context, ws, locale string, progress func(share float64) error) error
}
