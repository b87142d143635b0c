package bus

import "context"

// Trimmer is a log that can give up its oldest records before the retention does, once every reader has passed them.
// A bounded log refuses new records rather than lose old ones, so whoever bounds it must trim it.
type Trimmer interface {
	// Trim removes the records before the position. Positions are never used again.
	Trim(ctx context.Context, before uint64) error
	// Size returns the bytes that the log occupies and the bytes it may occupy, 0 for no bound.
	Size(ctx context.Context) (used, limit int64, err error)
}
