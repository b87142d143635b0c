// Package tx lets business code say "these writes happen together" without knowing a database.
package tx

import "context"

// Runner runs fn in one transaction of the record store. The transaction travels in the context that fn
// receives; every Store method called with that context takes part. A nested call joins the outer
// transaction. fn may run more than once (serialisation failures are retried), so it must have no
// effects outside the transaction. An error from fn rolls back and is returned as it is.
type Runner interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
}
