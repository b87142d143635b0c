package click

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// connection tells a server that is not there, which errs.KindUnavailable says, from one that refuses what it is asked.
type connection struct{ driver.Conn }

func connect(opt *clickhouse.Options) (connection, error) {
	c, err := clickhouse.Open(opt)
	return connection{c}, err
}

// away makes an error of the way to the server, or of what stands before it, one that is worth another try.
func away(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	_, lost := errors.AsType[*url.Error](err)
	if answer, ok := errors.AsType[*clickhouse.HTTPError](err); ok {
		lost = slices.Contains([]int{http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, answer.StatusCode)
	}
	if !lost && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, clickhouse.ErrAcquireConnTimeout) {
		return err
	}
	return errs.Unavailable("events.away", "the process that keeps the events does not answer; try again in a moment").With(err)
}

func (c connection) ServerVersion() (*driver.ServerVersion, error) {
	v, err := c.Conn.ServerVersion()
	return v, away(context.Background(), err)
}

func (c connection) Exec(ctx context.Context, query string, args ...any) error {
	return away(ctx, c.Conn.Exec(ctx, query, args...))
}

func (c connection) Query(ctx context.Context, query string, args ...any) (driver.Rows, error) {
	rows, err := c.Conn.Query(ctx, query, args...)
	if err != nil {
		return nil, away(ctx, err)
	}
	return many{rows, ctx}, nil
}

func (c connection) QueryRow(ctx context.Context, query string, args ...any) driver.Row {
	return one{c.Conn.QueryRow(ctx, query, args...), ctx}
}

func (c connection) PrepareBatch(ctx context.Context, query string, opts ...driver.PrepareBatchOption) (driver.Batch, error) {
	b, err := c.Conn.PrepareBatch(ctx, query, opts...)
	if err != nil {
		return nil, away(ctx, err)
	}
	return batch{b, ctx}, nil
}

type many struct {
	driver.Rows
	ctx context.Context
}

func (r many) Err() error { return away(r.ctx, r.Rows.Err()) }

type one struct {
	driver.Row
	ctx context.Context
}

func (r one) Err() error             { return away(r.ctx, r.Row.Err()) }
func (r one) Scan(into ...any) error { return away(r.ctx, r.Row.Scan(into...)) }

type batch struct {
	driver.Batch
	ctx context.Context
}

func (b batch) Send() error { return away(b.ctx, b.Batch.Send()) }
