package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/lifecycle"
)

// role is a part of the work that a process does.
type role string

// The roles. Any number of processes may collect and serve the API. Of those that work or send one does so at a time, and another takes over if it ends: the
// order of events, the file of the event store and the rates of sending accounts are one.
const (
	everywhere  role = ""        // what each process needs
	collectRole role = "collect" // intake, links in mails, returned mail
	apiRole     role = "api"     // console and /api/v1
	workerRole  role = "worker"  // the pipeline and everything that follows from events, time and staff's orders; keeps the event store
	sendRole    role = "send"    // the outbox
)

var allRoles = []role{collectRole, apiRole, workerRole, sendRole}

// placed is a service with the role that runs it.
type placed struct {
	of role
	lifecycle.Named
}

func place(of role, name string, s lifecycle.Service) placed {
	return placed{of, lifecycle.Named{Name: name, Service: s}}
}

// Peers is how several processes make one installation. Zero: this process is alone.
type Peers struct {
	Roles  []role // none: all
	Listen string // host:port at which the other processes reach this one
	URL    string // the same as they see it
}

func (p *Peers) setRoles(text string) error {
	p.Roles = nil
	for part := range strings.SplitSeq(text, ",") {
		r := role(strings.TrimSpace(part))
		switch {
		case r == "all":
			p.Roles = append(p.Roles, allRoles...)
		case slices.Contains(allRoles, r):
			p.Roles = append(p.Roles, r)
		default:
			return fmt.Errorf("no role %q; there are collect, api, worker, send and all", r)
		}
	}
	return nil
}

// several reports whether other processes share the installation.
func (c *Config) several() bool { return len(c.Peers.Roles) > 0 || c.Peers.Listen != "" }

// does reports whether this process has the role.
func (c *Config) does(r role) bool {
	return r == everywhere || len(c.Peers.Roles) == 0 || slices.Contains(c.Peers.Roles, r)
}

func (c *Config) validatePeers() error {
	if !c.several() {
		return nil
	}
	var all []error
	if !strings.HasPrefix(c.Database, "postgres") {
		all = append(all, errors.New("--roles: several processes share their records in PostgreSQL; set KIZUNA_DATABASE_URL"))
	}
	if c.LogServers.URL == "" {
		all = append(all, errors.New("--roles: several processes share a log outside of them; set KIZUNA_LOG_URL"))
	}
	if c.Files.URL == "" && (c.does(apiRole) || c.does(workerRole)) {
		all = append(all, errors.New("--roles: what one process takes as an upload another works on; set KIZUNA_FILES_URL to a bucket, or to a folder that all of them mount"))
	}
	if os.Getenv("KIZUNA_MASTER_KEY") == "" {
		all = append(all, errors.New("--roles: all processes need the same KIZUNA_MASTER_KEY, base64 of 32 bytes"))
	}
	if c.does(workerRole) {
		host, port, err := net.SplitHostPort(c.Peers.Listen)
		switch {
		case err != nil:
			all = append(all, fmt.Errorf("--peer-listen %q: a worker serves events to the other processes; want host:port on a private network, e.g. 10.0.0.5:8482", c.Peers.Listen))
		case c.Peers.URL == "":
			if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
				if host, err = os.Hostname(); err != nil {
					all = append(all, fmt.Errorf("KIZUNA_PEER_URL: name the address at which others reach this process: %w", err))
				}
			}
			c.Peers.URL = "http://" + net.JoinHostPort(host, port)
		}
		if u, err := url.Parse(c.Peers.URL); c.Peers.URL != "" && (err != nil || u.Scheme != "http" || u.Host == "") {
			all = append(all, fmt.Errorf("KIZUNA_PEER_URL %q: want http://host:port", c.Peers.URL))
		}
	}
	return errors.Join(all...)
}

// of returns the services of the roles, in the order of starting.
func (a *application) of(roles ...role) []lifecycle.Named {
	var out []lifecycle.Named
	for _, s := range a.services {
		if slices.Contains(roles, s.of) {
			out = append(out, s.Named)
		}
	}
	return out
}

// startRoles starts what this process does. What one process at a time does begins once it is this one's turn; failed gets the error that ends it.
func (a *application) startRoles(ctx context.Context, failed func(error)) error {
	if !a.c.several() {
		return a.start(ctx, a.of(append([]role{everywhere}, allRoles...)...)...)
	}
	if err := a.start(ctx, a.of(everywhere)...); err != nil { // the log comes first
		return err
	}
	if err := a.hearOthers(); err != nil {
		return err
	}
	if a.c.does(collectRole) {
		if err := a.start(ctx, a.of(collectRole)...); err != nil {
			return err
		}
	}
	for _, r := range []role{workerRole, sendRole} {
		if a.c.does(r) {
			o := a.owner(r)
			o.Run = func(ctx context.Context) {
				if err := o.turns(ctx); err != nil {
					failed(fmt.Errorf("%s: %w", r, err))
				}
			}
			if err := a.start(ctx, lifecycle.Named{Name: string(r) + " turn", Service: o}); err != nil {
				return err
			}
		}
	}
	return nil
}
