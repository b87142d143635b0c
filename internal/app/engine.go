package app

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
)

// LogServers is the log outside of the process. No URL: the log is inside the process, in the data folder.
type LogServers struct {
	natsbus.Cluster
	LimitGB int // size from which the log refuses events; the servers set it aside
}

// defaultLogLimitGB is what a log may occupy, in and outside of the process.
const defaultLogLimitGB = natsbus.DefaultMaxBytes >> 30

func (l LogServers) validate() error {
	var all []error
	for _, address := range strings.Split(l.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(address))
		if l.URL != "" && (err != nil || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) || u.Host == "") {
			all = append(all, errors.New("KIZUNA_LOG_URL: want nats://HOST:PORT or tls://HOST:PORT, several with commas between them"))
		}
	}
	if l.URL != "" && (l.Replicas < 1 || l.Replicas > 5) {
		all = append(all, fmt.Errorf("KIZUNA_LOG_REPLICAS %d: want 1 to 5; 3 lets one server die", l.Replicas))
	}
	if strings.ContainsAny(l.Stream, " \t.*>/\\") {
		all = append(all, fmt.Errorf("KIZUNA_LOG_STREAM %q: want a plain name such as KIZUNA", l.Stream))
	}
	if l.LimitGB < 1 {
		all = append(all, errors.New("KIZUNA_LOG_LIMIT_GB: want 1 or more"))
	}
	if (l.Cert == "") != (l.Key == "") {
		all = append(all, errors.New("KIZUNA_LOG_CERT and KIZUNA_LOG_KEY go together"))
	}
	for name, path := range map[string]string{"KIZUNA_LOG_CA": l.CA, "KIZUNA_LOG_CERT": l.Cert, "KIZUNA_LOG_KEY": l.Key, "KIZUNA_LOG_CREDENTIALS": l.Credentials} {
		if path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			all = append(all, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(all...)
}

// newLog returns the log that the configuration names, not started. A log that is made begins at the position first; 0 means 1.
func (c Config) newLog(log *slog.Logger, first uint64) *natsbus.Log {
	return natsbus.New(c.logOptions(log, first))
}

func (c Config) logOptions(log *slog.Logger, first uint64) natsbus.Options {
	return natsbus.Options{
		Dir: logPath(c.Data), Cluster: c.LogServers.Cluster, MaxAge: c.LogRetention, MaxBytes: int64(c.LogServers.LimitGB) << 30, First: first, Logger: log,
	}
}

// logPlace says where the log is, for messages; passwords are left out.
func (c Config) logPlace() string {
	if c.LogServers.URL == "" {
		return logPath(c.Data)
	}
	var all []string
	for _, address := range strings.Split(c.LogServers.URL, ",") {
		if u, err := url.Parse(strings.TrimSpace(address)); err == nil {
			all = append(all, u.Redacted())
		}
	}
	return strings.Join(all, ", ")
}
