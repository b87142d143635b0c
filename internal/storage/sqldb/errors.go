package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/mattn/go-sqlite3"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// IsUnique reports whether err is the violation of a unique index or primary key.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505"
	}
	if e, ok := errors.AsType[sqlite3.Error](err); ok {
		switch e.ExtendedCode {
		case sqlite3.ErrConstraintUnique, sqlite3.ErrConstraintPrimaryKey, sqlite3.ErrConstraintRowID:
			return true
		}
	}
	return false
}

// classify gives an engine's error its kind. Errors that already have one, and those of the context, pass.
func classify(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrNoRows) {
		return err
	}
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return classifyPostgres(e, err)
	}
	if e, ok := errors.AsType[sqlite3.Error](err); ok {
		return classifySQLite(e, err)
	}
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[net.Error](err)
	if connect || network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, pgx.ErrTxClosed) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "closed pool") {
		return errs.Unavailable("sqldb.connection", "the record database cannot be reached; try again shortly").With(err)
	}
	return err
}

func classifyPostgres(e *pgconn.PgError, err error) error {
	switch e.Code {
	case "23505":
		return errs.Conflict("sqldb.unique", "this already exists").With(err)
	case "23503":
		return errs.Conflict("sqldb.reference", "something else still refers to this, or what it refers to is gone").With(err)
	case "40001", "40P01", "55P03":
		return errs.Unavailable("sqldb.busy", "the record database is busy with a conflicting change; try again shortly").With(err)
	case "53100":
		return errs.Unavailable("sqldb.disk_full", "the record database's disk is full; free some space").With(err)
	case "57P01", "57P02", "57P03", "25006":
		return errs.Unavailable("sqldb.connection", "the record database is restarting; try again shortly").With(err)
	}
	switch e.Code[:min(len(e.Code), 2)] {
	case "08", "53":
		return errs.Unavailable("sqldb.connection", "the record database cannot take the request now; try again shortly").With(err)
	}
	return err
}

func classifySQLite(e sqlite3.Error, err error) error {
	if IsUnique(err) {
		return errs.Conflict("sqldb.unique", "this already exists").With(err)
	}
	if e.ExtendedCode == sqlite3.ErrConstraintForeignKey {
		return errs.Conflict("sqldb.reference", "something else still refers to this, or what it refers to is gone").With(err)
	}
	switch e.Code {
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return errs.Unavailable("sqldb.busy", "another process is writing to the record database; try again shortly").With(err)
	case sqlite3.ErrFull:
		return errs.Unavailable("sqldb.disk_full", "the disk of the data folder is full; free some space").With(err)
	}
	return err
}

// retryable reports whether running the transaction again can help.
func retryable(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "40001" || e.Code == "40P01"
	}
	if e, ok := errors.AsType[sqlite3.Error](err); ok {
		return e.Code == sqlite3.ErrBusy
	}
	return err != nil && pgconn.SafeToRetry(err) // nothing reached the server, as after its restart
}
