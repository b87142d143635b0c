package event

import "time"

// Rejection is an event, or a whole request, that intake refused. It is kept for a few days, so that whoever sends it
// can find out why. It is no event: nothing but people reads it.
type Rejection struct {
	ID        string // "rej_..."; sorts by time
	Workspace string
	Source    string // id of the source whose write key was used
	Time      time.Time
	Index     int    // place in the batch, -1 for a whole request
	MessageID string // as sent, if it could be read
	Type      string // as sent, if it could be read
	Name      string // as sent, if it could be read
	Code      string // stable, e.g. "event.name.missing"
	Reason    string // in words, with the remedy
}
