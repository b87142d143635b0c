package app

import (
	"context"

	"github.com/kizuna-cx/kizuna/internal/kit/secret"
	"github.com/kizuna-cx/kizuna/internal/kit/shred"
	"github.com/kizuna-cx/kizuna/internal/storage/sqlstore"
)

// openVault reads the keys that events are sealed under on the log.
func openVault(ctx context.Context, keys *sqlstore.LogKey, box *secret.Box) (*shred.Ring, error) {
	nodes, err := keys.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	again := func() ([]shred.Node, error) { return keys.Nodes(context.WithoutCancel(ctx)) }
	return shred.New(box.Hash("log-leaf", ""), nodes, again), nil
}
