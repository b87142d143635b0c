// Package app is the composition root: configuration, the lists of what exists (catalog.go), the wiring of the
// parts (build.go), starting and stopping them (run.go), and the commands of the binary.
//
// It is the only package that sees everything, and holds no rules of the business.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// IO is what a command reads and writes.
type IO struct {
	In       io.Reader
	Out, Err io.Writer
}

// command is one subcommand.
type command struct {
	name, args, summary string
	long                string
	flags               func(fs *flag.FlagSet) func(ctx context.Context, io IO) error
}

// Version is set by the release build.
var Version = "dev"

func commands() []command {
	return []command{serveCommand(), demoCommand(), importCommand(), backupCommand(), restoreCommand(), stopSendingCommand(), migrateCommand(), replayCommand(), quotaCommand(), doctorCommand(), openapiCommand(), versionCommand()}
}

// Main runs the command line and returns the exit code: 0, 1 for a failure, 2 for wrong usage.
func Main(ctx context.Context, args []string, io IO) int {
	if len(args) == 0 {
		usage(io.Err)
		return 2
	}
	name, rest := args[0], args[1:]
	switch name {
	case "help", "--help", "-h", "-help":
		if len(rest) == 1 {
			return help(io, rest[0])
		}
		usage(io.Out)
		return 0
	case "--version":
		name = "version"
	}
	for _, c := range commands() {
		if c.name == name {
			return run(ctx, c, rest, io)
		}
	}
	fmt.Fprintf(io.Err, "kizuna: no command %q; see kizuna --help\n", name)
	return 2
}

func run(ctx context.Context, c command, args []string, io IO) int {
	fs := flag.NewFlagSet("kizuna "+c.name, flag.ContinueOnError)
	fs.SetOutput(io.Err)
	do := c.flags(fs)
	fs.Usage = func() { commandHelp(io.Err, c, fs) }
	for _, a := range args {
		if a == "--help" || a == "-h" || a == "-help" {
			commandHelp(io.Out, c, fs)
			return 0
		}
	}
	if err := parse(fs, args); err != nil {
		return 2
	}
	err := error(nil)
	if c.args == "" && fs.NArg() > 0 {
		err = usageError{fmt.Sprintf("%q: %s takes no arguments, only flags", fs.Arg(0), c.name)}
	} else {
		err = do(ctx, io)
	}
	var wrong usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintf(io.Err, "kizuna %s: %v\n\n", c.name, err)
		commandHelp(io.Err, c, fs)
		return 2
	case errors.Is(err, errReported):
		return 1
	}
	fmt.Fprintf(io.Err, "kizuna %s: %v\n", c.name, err)
	return 1
}

// parse takes flags before and after the other arguments, which flag alone does not; everything after -- is no flag.
func parse(fs *flag.FlagSet, args []string) error {
	var rest []string
	for {
		if err := fs.Parse(args); err != nil {
			return err
		}
		left := fs.Args()
		if len(left) == 0 || len(left) < len(args) && args[len(args)-len(left)-1] == "--" {
			rest = append(rest, left...)
			break
		}
		rest, args = append(rest, left[0]), left[1:]
	}
	return fs.Parse(append([]string{"--"}, rest...)) // for Args
}

// usageError is a command line that cannot be understood.
type usageError struct{ msg string }

func (u usageError) Error() string { return u.msg }

// errReported says that the command has told the user what is wrong.
var errReported = errors.New("reported")

func usage(w io.Writer) {
	fmt.Fprint(w, "Kizuna knows each customer as one person across every channel, and talks with them.\n\nUsage: kizuna COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-14s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "\nkizuna COMMAND --help explains a command and its flags; kizuna help environment lists the variables.\n")
}

func help(io IO, topic string) int {
	if topic == "environment" {
		fmt.Fprint(io.Out, "Environment variables; a flag of the same meaning wins.\n\n")
		for _, v := range Variables {
			fmt.Fprintf(io.Out, "  %s\n        %s\n", v.Name, v.Meaning)
		}
		return 0
	}
	for _, c := range commands() {
		if c.name == topic {
			fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
			c.flags(fs)
			commandHelp(io.Out, c, fs)
			return 0
		}
	}
	fmt.Fprintf(io.Err, "kizuna: no command %q; see kizuna --help\n", topic)
	return 2
}

func commandHelp(w io.Writer, c command, fs *flag.FlagSet) {
	fmt.Fprintf(w, "kizuna %s: %s\n\nUsage: kizuna %s [flags]%s\n\n", c.name, c.summary, c.name, c.args)
	if c.long != "" {
		fmt.Fprintf(w, "%s\n\n", strings.TrimSpace(c.long))
	}
	out := fs.Output()
	fs.SetOutput(w)
	fs.PrintDefaults()
	fs.SetOutput(out)
}

func versionCommand() command {
	return command{name: "version", summary: "print the version", flags: func(*flag.FlagSet) func(context.Context, IO) error {
		return func(_ context.Context, io IO) error {
			_, err := fmt.Fprintln(io.Out, "kizuna", Version)
			return err
		}
	}}
}

// configFlags adds the flags that every command on an installation shares.
func configFlags(fs *flag.FlagSet, c *Config) {
	fs.StringVar(&c.Data, "data", c.Data, "`folder` for everything that is kept")
	fs.StringVar(&c.Listen, "listen", c.Listen, "`host:port` of the HTTP server")
	fs.StringVar(&c.AdminListen, "admin-listen", c.AdminListen, "`host:port` of metrics and profiles, for operators alone (default: off)")
	fs.StringVar(&c.PublicURL, "public-url", c.PublicURL, "`address` that links in mails begin with (default http://LISTEN)")
	fs.Func("allow-targets", "comma-separated `targets` that webhooks may reach besides public addresses", func(v string) error {
		c.AllowTargets = strings.Split(v, ",")
		return nil
	})
	fs.Func("roles", "what this process does where several make one installation: comma-separated `roles` of collect, api, worker, send, or all (default: alone)", c.Peers.setRoles)
	fs.StringVar(&c.Peers.Listen, "peer-listen", c.Peers.Listen, "`host:port` at which a worker serves events to the other processes, on a private network")
	fs.StringVar(&c.Inbound.Listen, "inbound-listen", c.Inbound.Listen, "`host:port` on which bounces, complaints and answers are taken by SMTP (default: off)")
	fs.StringVar(&c.LogLevel, "log-level", c.LogLevel, "debug, info, warn or error")
}

func newLogger(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usageError{fmt.Sprintf("--log-level %q: want debug, info, warn or error", level)}
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l})), nil
}

// defaults returns the configuration before flags; problems of the environment surface when the command runs.
func defaults() (Config, error) {
	c := Default()
	err := c.FromEnvironment(os.LookupEnv)
	return c, err
}
