package email

import (
	"crypto/x509"
	"errors"
	"net"
	"net/mail"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Security says how the connection is protected.
type Security string

// The ways. Only Required and Implicit check who the server is, and Opportunistic does so if there is a password to protect.
const (
	Required      Security = "required"      // STARTTLS, or nothing is sent
	Opportunistic Security = "opportunistic" // STARTTLS if the server offers it and it works
	Implicit      Security = "implicit"      // TLS from the first byte, usually on port 465
	None          Security = "none"
)

// Config is an account at a mail server.
type Config struct {
	Host     string   `json:"host" doc:"Name or address of the mail server." example:"smtp.example.com"`
	Port     int      `json:"port,omitempty" doc:"0 means 587, or 465 with implicit TLS." minimum:"0" maximum:"65535"`
	Security Security `json:"security,omitempty" doc:"How the connection is encrypted; empty means required." enum:"required,opportunistic,implicit,none"`
	Username string   `json:"username,omitempty" doc:"Empty: the server asks for no authentication."`
	Password string   `json:"password,omitempty" secret:"true" doc:"Password or API key."`
	// AllowClearAuth permits the password on an unencrypted connection to this machine, and to no other.
	AllowClearAuth bool   `json:"allow_clear_auth,omitempty" doc:"Allow the password without encryption if the server runs on this machine."`
	CACert         string `json:"ca_cert,omitempty" doc:"Certificates (PEM) to trust beside the system's, for servers with a certificate of their own."`
	MinTLS         string `json:"min_tls,omitempty" doc:"Oldest version of TLS that is good enough; empty means 1.2." enum:"1.2,1.3"`
	IPVersion      string `json:"ip_version,omitempty" doc:"4 or 6 to connect by that version of the Internet Protocol alone; empty: whichever answers first." enum:"4,6"`
	ServerName     string `json:"server_name,omitempty" doc:"Name in the server's certificate if it differs from the host."`
	HelloName      string `json:"hello_name,omitempty" doc:"Name by which this machine greets the server; empty: its address."`
	ReturnPath     string `json:"return_path,omitempty" doc:"Where undeliverable mail is returned to; empty: the sender. {id} becomes the message's id and {to} the recipient, as in bounce+{id}@example.com."`
	MaxConnections int    `json:"max_connections,omitempty" doc:"Connections open at the same time; 0: as many as messages are handed over at once." minimum:"0" maximum:"1000"`
	MaxMessages    int    `json:"max_messages,omitempty" doc:"Messages over one connection; 0 means 500." minimum:"0"`
	IdleSeconds    int    `json:"idle_seconds,omitempty" doc:"Unused connections are closed after this time; 0 means 30." minimum:"0" maximum:"3600"`
	ConnectSeconds int    `json:"connect_seconds,omitempty" doc:"Time limit for connecting, encrypting and signing in; 0 means 30." minimum:"0" maximum:"600"`
	ReplySeconds   int    `json:"reply_seconds,omitempty" doc:"Time limit for each reply, and for each 64 KB of a message; 0 means 60." minimum:"0" maximum:"600"`
	AcceptSeconds  int    `json:"accept_seconds,omitempty" doc:"Time limit for the reply to a whole message; too short a limit makes it unknown whether the mail arrived. 0 means 300." minimum:"0" maximum:"1200"`
}

// Validate returns everything wrong with the configuration, joined.
func (c *Config) Validate() error {
	var all []error
	add := func(code, field, format string, args ...any) {
		all = append(all, errs.Invalid("channel.email."+code, field, format, args...))
	}
	switch {
	case strings.TrimSpace(c.Host) == "":
		add("host_missing", "host", "name the mail server")
	case len(c.Host) > 255 || strings.ContainsAny(c.Host, " \t\r\n/@\x00"):
		add("host_invalid", "host", "%q is not the name of a server; write it like smtp.example.com", c.Host)
	}
	if c.Port < 0 || c.Port > 65535 {
		add("port_invalid", "port", "ports go from 1 to 65535")
	}
	switch c.Security {
	case "", Required, Opportunistic, Implicit, None:
	default:
		add("security_unknown", "security", "use %s, %s, %s or %s", Required, Opportunistic, Implicit, None)
	}
	if c.MinTLS != "" && c.MinTLS != "1.2" && c.MinTLS != "1.3" {
		add("tls_version_unknown", "min_tls", "use 1.2 or 1.3, or leave it empty")
	}
	if c.IPVersion != "" && c.IPVersion != "4" && c.IPVersion != "6" {
		add("ip_version_unknown", "ip_version", "use 4 or 6, or leave it empty for whichever answers first")
	}
	if c.Username == "" && c.Password != "" {
		add("username_missing", "username", "a password needs a user name")
	}
	if strings.ContainsRune(c.Username+c.Password, 0) {
		add("credentials_invalid", "password", "user name and password cannot hold a zero byte")
	}
	if c.CACert != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(c.CACert)) {
		add("certificate_invalid", "ca_cert", "there is no certificate in this; paste a PEM block that begins with -----BEGIN CERTIFICATE-----")
	}
	for _, f := range []struct{ field, v string }{{"server_name", c.ServerName}, {"hello_name", c.HelloName}} {
		if len(f.v) > 255 || strings.ContainsAny(f.v, " \t\r\n<>\x00") {
			add("name_invalid", f.field, "%q is not the name of a machine", f.v)
		}
	}
	if c.ReturnPath != "" {
		if _, err := c.envelope("msg_1", "a@example.com"); err != nil {
			add("return_path_invalid", "return_path", "%q is not a mail address; write it like bounce+{id}@example.com", c.ReturnPath)
		}
	}
	for _, f := range []struct {
		field  string
		v, max int
	}{
		{"max_connections", c.MaxConnections, 1000},
		{"max_messages", c.MaxMessages, 1 << 30},
		{"idle_seconds", c.IdleSeconds, 3600},
		{"connect_seconds", c.ConnectSeconds, 600},
		{"reply_seconds", c.ReplySeconds, 600},
		{"accept_seconds", c.AcceptSeconds, 1200},
	} {
		if f.v < 0 || f.v > f.max {
			add("out_of_range", f.field, "this must be between 0 and %d", f.max)
		}
	}
	return errors.Join(all...)
}

// filled returns a copy with the defaults in place of zeros.
func (c Config) filled() Config {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	if c.Security == "" {
		c.Security = Required
	}
	if c.Security == Implicit {
		set(&c.Port, 465)
	}
	set(&c.Port, 587)
	set(&c.MaxMessages, 500)
	set(&c.IdleSeconds, 30)
	set(&c.ConnectSeconds, 30)
	set(&c.ReplySeconds, 60)
	set(&c.AcceptSeconds, 300)
	return c
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// envelope returns the envelope sender that ReturnPath makes for a message.
func (c *Config) envelope(id, to string) (address, error) {
	path := strings.NewReplacer("{id}", verp(strings.ToLower(id)), "{to}", verp(strings.Replace(to, "@", "=", 1))).Replace(c.ReturnPath)
	return parseAddress(path)
}

// verp keeps what may stand in the local part of any address.
func verp(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=.+", r) {
			return r
		}
		return '_'
	}, s)
}

// address is a mailbox, split and checked.
type address struct {
	local, domain string // domain in ASCII
	quoted        string // local as it is written, quoted if need be
	utf8          bool   // the local part needs SMTPUTF8
}

func (a address) String() string {
	if a.domain == "" {
		return ""
	}
	return a.quoted + "@" + a.domain
}

var errAddress = errors.New("not a mail address")

// parseAddress accepts what RFC 5321 and 6531 call a Mailbox. International domains become ASCII.
func parseAddress(s string) (address, error) {
	if len(s) > 320 || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7F || r == '\uFFFD' }) {
		return address{}, errAddress
	}
	p, err := mail.ParseAddress("<" + strings.TrimSpace(s) + ">")
	if err != nil {
		return address{}, errAddress
	}
	i := strings.LastIndexByte(p.Address, '@')
	a := address{local: p.Address[:i], domain: p.Address[i+1:]}
	if ip, ok := strings.CutPrefix(a.domain, "["); ok {
		ip = strings.TrimPrefix(strings.TrimSuffix(ip, "]"), "IPv6:")
		if net.ParseIP(ip) == nil {
			return address{}, errAddress
		}
	} else if a.domain, err = idna.Lookup.ToASCII(a.domain); err != nil || a.domain == "" {
		return address{}, errAddress
	}
	if a.local == "" || len(a.local) > 64 || len(a.domain) > 255 {
		return address{}, errAddress
	}
	shown := (&mail.Address{Address: p.Address}).String()
	a.quoted = shown[1:strings.LastIndexByte(shown, '@')]
	for i := range len(a.local) {
		a.utf8 = a.utf8 || a.local[i] >= 0x80
	}
	return a, nil
}
