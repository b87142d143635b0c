package shred

// Limit sets how many keys a subject can have in an epoch, which are more than a test can use up.
func (r *Ring) Limit(n int) { r.most = n }
