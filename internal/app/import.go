package app

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/feed"
)

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, " ") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func importCommand() command {
	return command{
		name: "import", args: " FILE", summary: "bring events in from a file, through a running server's intake",
		long: `
FILE is NDJSON in the Segment batch shape (one event or one {"batch": [...]} a line) or delimited text with a header. For text say which column fills
which field of the event:

  --map userId=customer --map timestamp=date:time:%Y-%m-%d --map properties.total=amount:number --set event='Order Completed'

Fields are userId, anonymousId, event, type, name, groupId, messageId, timestamp, and paths below properties, traits and context.
Types are string, number, bool, time and time:LAYOUT (strftime or Go). Empty cells leave their field out.

The same row gets the same message id on every run, so repeating an import changes nothing. A run that was stopped or killed goes on where it was when the same
command is given again. Rows that cannot be taken are written with line and reason to the reject file.`,
		flags: func(fs *flag.FlagSet) func(context.Context, IO) error {
			o := feed.Options{}
			server := fs.String("server", envOr("KIZUNA_SERVER", "http://127.0.0.1:8480"), "`address` of the server (KIZUNA_SERVER)")
			key := fs.String("write-key", os.Getenv("KIZUNA_WRITE_KEY"), "a server write `key` (KIZUNA_WRITE_KEY)")
			format := fs.String("format", "", "ndjson or csv (default: by the file's ending)")
			delimiter := fs.String("delimiter", ",", "column separator: one character, tab or whitespace")
			noHeader := fs.Bool("no-header", false, "the first row is data; columns are named 1, 2, 3 ...")
			zone := fs.String("timezone", "UTC", "IANA `zone` of times that carry none")
			var columns, constants list
			fs.Var(&columns, "map", "`field=column[:type]` fills a field from a column; repeatable")
			fs.Var(&constants, "set", "`field=value` fills a field with a constant; repeatable")
			rejects := fs.String("rejects", "", "`file` for refused rows (default FILE.rejects.ndjson)")
			state := fs.String("state", "", "`file` that keeps the progress (default FILE.import-state)")
			return func(ctx context.Context, std IO) error {
				if fs.NArg() != 1 {
					return usageError{"name one file"}
				}
				if *key == "" {
					return usageError{"--write-key is missing: Settings, Sources shows it"}
				}
				path := fs.Arg(0)
				in, err := os.Open(path)
				if err != nil {
					return err
				}
				defer in.Close()
				info, err := in.Stat()
				if err != nil {
					return err
				}
				reader, err := openReader(in, path, *format, *delimiter, *noHeader, *zone, columns, constants)
				if err != nil {
					return err
				}
				o.Server, o.WriteKey = *server, *key
				o.Input = feed.Input{Name: filepath.Base(path), Size: info.Size()}
				o.RejectFile, o.StateFile = or(*rejects, path+".rejects.ndjson"), or(*state, path+".import-state")
				bar := newBar(std.Err, info.Size())
				o.Progress = bar.show
				o.OnWait = bar.wait
				p, err := feed.Run(ctx, reader, o)
				bar.end(p)
				if p.Rejected == 0 {
					_ = os.Remove(o.RejectFile) // empty
				}
				if err != nil {
					if p.Rows > 0 {
						return fmt.Errorf("%w\nstopped after %d rows; give the same command again to go on from there", err, p.Rows)
					}
					return err
				}
				fmt.Fprintf(std.Out, "%d rows: %d accepted, %d rejected\n", p.Rows, p.Accepted, p.Rejected)
				if p.Rejected > 0 {
					fmt.Fprintf(std.Out, "the rejected rows and their reasons are in %s\n", o.RejectFile)
				}
				return nil
			}
		},
	}
}

func openReader(in io.Reader, path, format, delimiter string, noHeader bool, zone string, columns, constants list) (importer.Reader, error) {
	if format == "" {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".ndjson", ".jsonl", ".json":
			format = "ndjson"
		case ".csv", ".tsv", ".txt":
			format = "csv"
		}
	}
	switch format {
	case "ndjson":
		if len(columns)+len(constants) > 0 {
			return nil, usageError{"--map and --set are for delimited text; NDJSON rows are events already"}
		}
		return importer.NDJSON(in), nil
	case "csv":
		f := importer.Format{NoHeader: noHeader}
		switch r, size := utf8.DecodeRuneInString(delimiter); {
		case delimiter == "whitespace":
			f.Delimiter = importer.Whitespace
		case delimiter == "tab":
			f.Delimiter = '\t'
		case size == len(delimiter) && r != '"' && r != '\n' && r != '\r' && r != utf8.RuneError:
			f.Delimiter = r
		default:
			return nil, usageError{fmt.Sprintf("--delimiter %q: want one character, tab or whitespace", delimiter)}
		}
		loc, err := time.LoadLocation(zone)
		if err != nil {
			return nil, usageError{fmt.Sprintf("--timezone %q: %v", zone, err)}
		}
		m, err := importer.ParseMapping(columns, constants, loc)
		if err != nil {
			return nil, usageError{err.Error()}
		}
		return importer.CSV(in, f, m), nil
	case "":
		return nil, usageError{"--format is needed: the file's ending tells neither ndjson nor csv"}
	}
	return nil, usageError{fmt.Sprintf("--format %q: want ndjson or csv", format)}
}

// bar shows progress: redrawn in place on a terminal, a line every few seconds elsewhere.
type bar struct {
	out      io.Writer
	size     int64
	terminal bool
	began    time.Time
	shown    time.Time
	width    int
}

func newBar(out io.Writer, size int64) *bar {
	b := &bar{out: out, size: size, began: time.Now()}
	if f, ok := out.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			b.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return b
}

func (b *bar) show(p feed.Progress) {
	every := 5 * time.Second
	if b.terminal {
		every = 100 * time.Millisecond
	}
	if time.Since(b.shown) < every {
		return
	}
	b.shown = time.Now()
	b.draw(p)
}

func (b *bar) draw(p feed.Progress) {
	share := 1.0
	if b.size > 0 {
		share = min(1, float64(p.Bytes)/float64(b.size))
	}
	rate := float64(p.Rows-p.Resumed) / max(time.Since(b.began).Seconds(), 0.001)
	line := fmt.Sprintf("%3.0f%%  %d rows  %.0f rows/s  %d rejected", share*100, p.Rows, rate, p.Rejected)
	if !b.terminal {
		fmt.Fprintln(b.out, line)
		return
	}
	const cells = 30
	full := int(share * cells)
	line = "[" + strings.Repeat("=", full) + strings.Repeat(" ", cells-full) + "] " + line
	pad := max(0, b.width-len(line))
	b.width = len(line)
	fmt.Fprint(b.out, "\r"+line+strings.Repeat(" ", pad))
}

// wait says why nothing moves, on a line of its own.
func (b *bar) wait(err error, d time.Duration) {
	if b.terminal && b.width > 0 {
		fmt.Fprintln(b.out)
	}
	b.width = 0
	fmt.Fprintf(b.out, "%v; trying again in %s\n", err, d.Round(10*time.Millisecond))
}

func (b *bar) end(p feed.Progress) {
	if p.Rows == 0 {
		return
	}
	b.draw(p)
	if b.terminal {
		fmt.Fprintln(b.out)
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func envOr(name, fallback string) string { return or(os.Getenv(name), fallback) }
