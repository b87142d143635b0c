// Command kizuna is the whole product: `kizuna serve` runs it, the other commands help to run it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/kizuna-cx/kizuna/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := app.Main(ctx, os.Args[1:], app.IO{In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	os.Exit(code)
}
