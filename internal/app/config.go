package app

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/domain/quota"
	"github.com/kizuna-cx/kizuna/internal/kit/guard"
)

// Config is everything that can be set. The zero value plus Default is a working installation; nothing outside
// this package reads it.
type Config struct {
	Data        string // folder for everything that is kept
	Listen      string // host:port of the HTTP server
	AdminListen string // host:port of what only operators may see; empty: it is off
	PublicURL   string // how customers' browsers and mail programs reach this server; links in mails begin with it

	Database        string         // record store: sqlite:PATH or postgres://...
	EventsURL       string         // ClickHouse database with the events; empty: a DuckDB file in Data
	EventMemoryMB   int            // DuckDB's memory limit
	LogRetention    time.Duration  // how long the log keeps events that are stored
	LogServers      LogServers     // where the log is if not in this process
	Files           FileStore      // where uploaded and made files are
	Peers           Peers          // the other processes of the installation
	Quota           quota.Limits   // of each workspace that has no limits of its own
	TrustedProxies  []netip.Prefix // whose X-Forwarded-For is believed
	ScannerNetworks []netip.Prefix // from which no person opens or clicks, besides the known ones
	AllowTargets    []string       // what requests to addresses that users give may reach besides the public internet, see guard.Config
	LogLevel        string         // debug, info, warn, error
	Inbound         Inbound        // the server for mail that comes back
	TestClock       bool           // lets POST /api/v1/test/clock move time forward; never in production

	Bootstrap Bootstrap

	moving bool // the command that moves a workspace opens the stores
	// fromEvents is the ClickHouse database of the installation that is moved by this command; empty: its folder has the events.
	fromEvents string
}

// Inbound is the server for bounces, complaints and answers. No address to listen on: it is off.
type Inbound struct {
	Listen    string // host:port; the world knocks at port 25
	Domain    string // how it greets; the host of PublicURL if empty
	Cert, Key string // PEM files for STARTTLS; neither: mail comes in unencrypted, as most bounces do
}

// Bootstrap makes an unattended first start possible; it does nothing on an installation that has an owner.
type Bootstrap struct {
	Email, Password, APIKey, WriteKey string
}

// Default returns the configuration of an installation in one folder, before flags and environment.
func Default() Config {
	return Config{
		Data: "data", Listen: "127.0.0.1:8480", EventMemoryMB: 300, LogRetention: 8 * 24 * time.Hour,
		Quota: quota.Limits{}, LogLevel: "info", LogServers: LogServers{Cluster: natsbus.Cluster{Replicas: 3}, LimitGB: defaultLogLimitGB},
	}
}

// Variable describes one environment variable for `kizuna help environment` and the documentation.
type Variable struct {
	Name, Meaning string
	set           func(c *Config, value string) error
}

// Variables lists the environment variables that are read; a flag of the same meaning wins.
var Variables = []Variable{
	{"KIZUNA_DATA", "folder for everything that is kept (flag --data)", func(c *Config, v string) error { c.Data = v; return nil }},
	{"KIZUNA_LISTEN", "host:port to serve on (flag --listen)", func(c *Config, v string) error { c.Listen = v; return nil }},
	{"KIZUNA_ADMIN_LISTEN", "host:port of /metrics, /healthz, /readyz and profiles, for operators alone, e.g. 127.0.0.1:8481 (flag --admin-listen; default: off)", func(c *Config, v string) error { c.AdminListen = v; return nil }},
	{"KIZUNA_PUBLIC_URL", "address customers reach this server at, e.g. https://kizuna.example.com", func(c *Config, v string) error { c.PublicURL = v; return nil }},
	{"KIZUNA_DATABASE_URL", "record store: sqlite:PATH (default DATA/records.db) or postgres://user:password@host/db", func(c *Config, v string) error { c.Database = v; return nil }},
	{"KIZUNA_MASTER_KEY", "base64 of 32 bytes that encrypt secrets (default: DATA/master.key, made at the first start)", func(*Config, string) error { return nil }},
	{"KIZUNA_EVENTS_URL", "ClickHouse that keeps the events instead of a file, e.g. http://user:password@clickhouse:8123/kizuna (default: DATA/events.duckdb); version 25.3 or newer, by its HTTP port", func(c *Config, v string) error { c.EventsURL = v; return nil }},
	{"KIZUNA_FROM_EVENTS_URL", "for migrate-engine: the ClickHouse that keeps the events of the installation that moves, in the same form (flag --from-events)", func(c *Config, v string) error { c.fromEvents = v; return nil }},
	{"KIZUNA_EVENT_MEMORY_MB", "memory limit of DuckDB in megabytes (default 300)", func(c *Config, v string) error { return number(v, &c.EventMemoryMB) }},
	{"KIZUNA_LOG_RETENTION", "how long the log keeps stored events, e.g. 192h", func(c *Config, v string) error { return duration(v, &c.LogRetention) }},
	{"KIZUNA_LOG_LIMIT_GB", "gigabytes from which the log refuses events (default 32); servers outside set them aside", func(c *Config, v string) error { return number(v, &c.LogServers.LimitGB) }},
	{"KIZUNA_LOG_URL", "NATS servers that hold the log instead of this process, e.g. nats://n1:4222,nats://n2:4222,nats://n3:4222, with JetStream and sync_interval: always; may carry user and password", func(c *Config, v string) error { c.LogServers.URL = v; return nil }},
	{"KIZUNA_LOG_REPLICAS", "servers that hold each record of that log before it counts (default 3)", func(c *Config, v string) error { return number(v, &c.LogServers.Replicas) }},
	{"KIZUNA_LOG_STREAM", "name of that log (default KIZUNA); installations that share servers have different ones", func(c *Config, v string) error { c.LogServers.Stream = v; return nil }},
	{"KIZUNA_LOG_CA", "PEM file of who signs those servers' certificates (default: whom the system trusts)", func(c *Config, v string) error { c.LogServers.CA = v; return nil }},
	{"KIZUNA_LOG_CERT", "PEM file of the certificate that proves this process to those servers", func(c *Config, v string) error { c.LogServers.Cert = v; return nil }},
	{"KIZUNA_LOG_KEY", "PEM file of that certificate's key", func(c *Config, v string) error { c.LogServers.Key = v; return nil }},
	{"KIZUNA_LOG_CREDENTIALS", "file with a user's JWT and seed for those servers, as nsc makes it", func(c *Config, v string) error { c.LogServers.Credentials = v; return nil }},
	{"KIZUNA_FILES_URL", "where uploaded and made files are: s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=REGION, or file:FOLDER (default: file:DATA/files)", func(c *Config, v string) error { c.Files.URL = v; return nil }},
	{"KIZUNA_FILES_ACCESS_KEY", "name of the key to that bucket", func(c *Config, v string) error { c.Files.Access = v; return nil }},
	{"KIZUNA_FILES_SECRET_KEY", "the key itself", func(c *Config, v string) error { c.Files.Secret = v; return nil }},
	{"KIZUNA_ROLES", "what this process does where several make one installation: collect, api, worker, send, with commas between them, or all (flag --roles); needs PostgreSQL, KIZUNA_LOG_URL, KIZUNA_FILES_URL and the same KIZUNA_MASTER_KEY everywhere", func(c *Config, v string) error { return c.Peers.setRoles(v) }},
	{"KIZUNA_PEER_LISTEN", "host:port on a private network at which a worker serves events to the other processes, e.g. :8482 (flag --peer-listen)", func(c *Config, v string) error { c.Peers.Listen = v; return nil }},
	{"KIZUNA_PEER_URL", "the same as the others see it (default: http://HOST:PORT, with the machine's name)", func(c *Config, v string) error { c.Peers.URL = v; return nil }},
	{"KIZUNA_QUOTA_EVENTS_PER_SECOND", "events a second that each process takes in of a workspace (default: no limit, as of the next three); kizuna quota sets those of one workspace", quotaOf(quota.EventsPerSecond)},
	{"KIZUNA_QUOTA_EVENTS_PER_DAY", "events a day (UTC) that are taken in of a workspace", quotaOf(quota.EventsPerDay)},
	{"KIZUNA_QUOTA_REQUESTS_PER_SECOND", "calls a second to the API that each process answers to a workspace's keys, and as many to its people", quotaOf(quota.RequestsPerSecond)},
	{"KIZUNA_QUOTA_MESSAGES_PER_DAY", "messages a day (UTC) that go out for a workspace; the others wait for the next day", quotaOf(quota.MessagesPerDay)},
	{"KIZUNA_TRUSTED_PROXIES", "comma-separated networks whose X-Forwarded-For is believed, e.g. 10.0.0.0/8", func(c *Config, v string) error { return prefixes(v, &c.TrustedProxies) }},
	{"KIZUNA_SCANNER_NETWORKS", "comma-separated networks of mail scanners beside the known ones: what is opened or clicked from there was no person, e.g. 192.0.2.0/24", func(c *Config, v string) error { return prefixes(v, &c.ScannerNetworks) }},
	{"KIZUNA_ALLOW_TARGETS", "comma-separated targets that webhooks may reach besides public addresses: 10.2.0.0/16, hook.lan:9000, *.corp.example (flag --allow-targets)", func(c *Config, v string) error { c.AllowTargets = strings.Split(v, ","); return nil }},
	{"KIZUNA_LOG_LEVEL", "debug, info, warn or error", func(c *Config, v string) error { c.LogLevel = v; return nil }},
	{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector of OpenTelemetry traces, by OTLP/HTTP, e.g. http://collector:4318 (default: no traces are made); the other OTEL_... variables of OpenTelemetry's SDK for traces work as well, among them OTEL_SERVICE_NAME, OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG", func(*Config, string) error { return nil }},
	{"KIZUNA_INBOUND_LISTEN", "host:port on which bounces, complaints and answers are taken by SMTP, e.g. :25 (flag --inbound-listen; default: off)", func(c *Config, v string) error { c.Inbound.Listen = v; return nil }},
	{"KIZUNA_INBOUND_DOMAIN", "name by which that server greets (default: the host of KIZUNA_PUBLIC_URL)", func(c *Config, v string) error { c.Inbound.Domain = v; return nil }},
	{"KIZUNA_INBOUND_CERT", "PEM file of its certificate, for STARTTLS; read at the start", func(c *Config, v string) error { c.Inbound.Cert = v; return nil }},
	{"KIZUNA_INBOUND_KEY", "PEM file of the certificate's key", func(c *Config, v string) error { c.Inbound.Key = v; return nil }},
	{"KIZUNA_BOOTSTRAP_EMAIL", "first start: the owner's e-mail address", func(c *Config, v string) error { c.Bootstrap.Email = v; return nil }},
	{"KIZUNA_BOOTSTRAP_PASSWORD", "first start: the owner's password", func(c *Config, v string) error { c.Bootstrap.Password = v; return nil }},
	{"KIZUNA_BOOTSTRAP_API_KEY", "first start: an API key with all rights", func(c *Config, v string) error { c.Bootstrap.APIKey = v; return nil }},
	{"KIZUNA_BOOTSTRAP_WRITE_KEY", "first start: a server write key", func(c *Config, v string) error { c.Bootstrap.WriteKey = v; return nil }},
}

// FromEnvironment sets what the environment says.
func (c *Config) FromEnvironment(lookup func(string) (string, bool)) error {
	var all []error
	for _, v := range Variables {
		if value, ok := lookup(v.Name); ok && value != "" {
			if err := v.set(c, value); err != nil {
				all = append(all, fmt.Errorf("%s: %w", v.Name, err))
			}
		}
	}
	return errors.Join(all...)
}

// Validate reports everything that is wrong, and fills in what follows from the rest.
func (c *Config) Validate() error {
	var all []error
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		all = append(all, fmt.Errorf("--listen %q: want host:port, e.g. 127.0.0.1:8480", c.Listen))
	}
	if c.AdminListen != "" {
		if _, _, err := net.SplitHostPort(c.AdminListen); err != nil {
			all = append(all, fmt.Errorf("--admin-listen %q: want host:port, e.g. 127.0.0.1:8481", c.AdminListen))
		}
	}
	if c.Data == "" {
		all = append(all, errors.New("--data: name a folder"))
	}
	if c.Database == "" {
		c.Database = "sqlite:" + filepath.Join(c.Data, recordsName)
	}
	if !strings.HasPrefix(c.Database, "sqlite:") && !strings.HasPrefix(c.Database, "postgres://") && !strings.HasPrefix(c.Database, "postgresql://") {
		all = append(all, errors.New("KIZUNA_DATABASE_URL: want sqlite:PATH or postgres://USER@HOST/DATABASE"))
	}
	if c.PublicURL == "" {
		if host == "" || host == "0.0.0.0" || host == "::" {
			host = "127.0.0.1"
		}
		c.PublicURL = "http://" + net.JoinHostPort(host, port)
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	if u, err := url.Parse(c.PublicURL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		all = append(all, fmt.Errorf("KIZUNA_PUBLIC_URL %q: want http(s)://host", c.PublicURL))
	}
	if c.LogRetention < 24*time.Hour {
		all = append(all, errors.New("KIZUNA_LOG_RETENTION: at least 24h, or a short outage of a stage would lose events"))
	}
	if err := c.Quota.Validate(); err != nil {
		all = append(all, fmt.Errorf("KIZUNA_QUOTA_...: %w", err))
	}
	all = append(all, c.LogServers.validate(), c.Files.validate(), c.validatePeers(), c.validateEvents())
	if _, err := guard.New(guard.Config{Allow: c.AllowTargets}); err != nil {
		all = append(all, fmt.Errorf("KIZUNA_ALLOW_TARGETS: %w", err))
	}
	if c.Inbound.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Inbound.Listen); err != nil {
			all = append(all, fmt.Errorf("--inbound-listen %q: want host:port, e.g. :25", c.Inbound.Listen))
		}
		if u, err := url.Parse(c.PublicURL); err == nil && c.Inbound.Domain == "" {
			c.Inbound.Domain = u.Hostname()
		}
	}
	if (c.Inbound.Cert == "") != (c.Inbound.Key == "") {
		all = append(all, errors.New("KIZUNA_INBOUND_CERT and KIZUNA_INBOUND_KEY go together"))
	}
	if (c.Bootstrap.Email == "") != (c.Bootstrap.Password == "") {
		all = append(all, errors.New("KIZUNA_BOOTSTRAP_EMAIL and KIZUNA_BOOTSTRAP_PASSWORD go together"))
	}
	return errors.Join(all...)
}

func quotaOf(k quota.Kind) func(*Config, string) error {
	return func(c *Config, v string) (err error) {
		c.Quota[k], err = strconv.ParseInt(v, 10, 64)
		return err
	}
}

func duration(v string, into *time.Duration) (err error) {
	*into, err = time.ParseDuration(v)
	return err
}

func number(v string, into *int) (err error) {
	*into, err = strconv.Atoi(v)
	return err
}

func prefixes(v string, into *[]netip.Prefix) error {
	for part := range strings.SplitSeq(v, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil {
			return err
		}
		*into = append(*into, p)
	}
	return nil
}

// masterKey returns the key from the environment or the data folder, and makes one at the first start.
func masterKey(data string) ([]byte, error) {
	text := os.Getenv("KIZUNA_MASTER_KEY")
	path := filepath.Join(data, "master.key")
	if text == "" {
		raw, err := os.ReadFile(path)
		switch {
		case err == nil:
			text = string(raw)
		case errors.Is(err, os.ErrNotExist):
			key := make([]byte, 32)
			_, _ = rand.Read(key)
			text = base64.StdEncoding.EncodeToString(key)
			if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
				return nil, err
			}
		default:
			return nil, err
		}
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("the master key (KIZUNA_MASTER_KEY or %s) must be base64 of 32 bytes", path)
	}
	return key, nil
}
