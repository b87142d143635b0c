package email

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// conn is a connection that has greeted, encrypted and signed in.
type conn struct {
	config *Config
	net    net.Conn
	r      *bufio.Reader
	ext    map[string]string // upper-case keyword to parameters
	secure bool
	sent   int  // messages
	dirty  bool // a transaction was left open: RSET comes first
	dead   bool // the server is closing, or the state is unknown

	announced *composed // its envelope is on the way, the replies are not read yet

	mu        sync.Mutex
	cancelled bool
	final     bool // the end of a message was sent: wait for its answer even if cancelled, for a while
	idle      *time.Timer
}

// grace is how much longer than its context a sender waits for the answer to a message that may have been delivered.
const grace = 5 * time.Second

// past is a deadline that is over.
var past = time.Unix(1, 0)

// arm sets the deadline of the next step.
func (c *conn) arm(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.cancelled:
		_ = c.net.SetDeadline(time.Now().Add(d))
	case c.final:
		_ = c.net.SetDeadline(time.Now().Add(min(d, grace)))
	default:
		_ = c.net.SetDeadline(past)
	}
}

// watch makes the end of ctx interrupt what the connection waits for; the result ends the watch.
func (c *conn) watch(ctx context.Context) (done func()) {
	c.mu.Lock()
	c.cancelled, c.final = false, false
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.cancelled = true
		if c.final {
			_ = c.net.SetDeadline(time.Now().Add(grace))
		} else {
			_ = c.net.SetDeadline(past)
		}
	})
	return func() {
		if !stop() { // it runs or has run: the deadline is unknown
			c.dead = true
		}
	}
}

// dialFunc opens network connections.
type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// sessionError is a connection that could not be made ready.
type sessionError struct {
	field string // of the configuration that may be wrong
	what  string
	err   error
}

func (e *sessionError) Error() string {
	if e.err == nil {
		return e.what
	}
	return e.what + ": " + e.err.Error()
}

func (e *sessionError) Unwrap() error { return e.err }

// open connects and makes the connection ready for messages.
func open(ctx context.Context, config *Config, dial dialFunc) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, seconds(config.ConnectSeconds))
	defer cancel()
	c, err := openWith(ctx, config, dial, config.Security)
	var se *sessionError
	if config.Security == Opportunistic && config.Username == "" && errors.As(err, &se) && se.what == tlsFailed && ctx.Err() == nil {
		return openWith(ctx, config, dial, None)
	}
	return c, err
}

const tlsFailed = "the encryption failed"

func openWith(ctx context.Context, config *Config, dial dialFunc, security Security) (*conn, error) {
	addr := net.JoinHostPort(strings.Trim(config.Host, "[]"), strconv.Itoa(config.Port))
	n, err := dial(ctx, "tcp"+config.IPVersion, addr) // without a version: both, as in RFC 8305
	if err != nil {
		field := "host"
		if ae := (*net.AddrError)(nil); config.IPVersion != "" && errors.As(err, &ae) {
			field = "ip_version" // the host has no address of this kind
		}
		return nil, &sessionError{field, "no connection to " + addr, err}
	}
	c := &conn{config: config, net: n}
	done := c.watch(ctx)
	err = c.ready(ctx, security)
	done()
	if err == nil && ctx.Err() != nil {
		err = &sessionError{"host", "the mail server took too long", ctx.Err()}
	}
	if err != nil {
		_ = c.net.Close()
		return nil, err
	}
	return c, nil
}

func (c *conn) ready(ctx context.Context, security Security) error {
	c.arm(seconds(c.config.ConnectSeconds))
	if security == Implicit {
		if err := c.encrypt(ctx); err != nil {
			return err
		}
	} else {
		c.r = bufio.NewReaderSize(c.net, maxReplyLine)
	}
	r, err := readReply(c.r)
	if err != nil {
		return &sessionError{"host", "the mail server did not greet", err}
	}
	if r.code != 220 {
		return &sessionError{"host", "the mail server refused the connection: " + r.String(), nil}
	}
	if err := c.hello(); err != nil {
		return err
	}
	if _, offered := c.ext["STARTTLS"]; !c.secure && (offered && security == Opportunistic || security == Required) {
		if !offered {
			return &sessionError{"security", "the mail server does not offer STARTTLS; nothing was sent", nil}
		}
		r, err := c.command("STARTTLS")
		if err != nil {
			return &sessionError{"security", tlsFailed, err}
		}
		if r.code != 220 {
			return &sessionError{"security", tlsFailed, errors.New(r.String())}
		}
		if c.r.Buffered() > 0 { // somebody in between put words into the server's mouth
			return &sessionError{"security", tlsFailed, &protocolError{"bytes between STARTTLS and the handshake"}}
		}
		if err := c.encrypt(ctx); err != nil {
			return err
		}
		if err := c.hello(); err != nil {
			return err
		}
	}
	return c.signIn()
}

func (c *conn) encrypt(ctx context.Context) error {
	name := c.config.ServerName
	if name == "" {
		name = strings.Trim(c.config.Host, "[]")
	}
	conf := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}
	if c.config.MinTLS == "1.3" {
		conf.MinVersion = tls.VersionTLS13
	}
	// Encryption that is used only where it works cannot ask for proof; with a password at stake it must.
	conf.InsecureSkipVerify = c.config.Security == Opportunistic && c.config.Username == ""
	if c.config.CACert != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		pool.AppendCertsFromPEM([]byte(c.config.CACert))
		conf.RootCAs = pool
	}
	t := tls.Client(c.net, conf)
	if err := t.HandshakeContext(ctx); err != nil {
		field, remedy := remedy(err, name)
		return &sessionError{field, tlsFailed, remedy}
	}
	c.mu.Lock()
	c.net = t
	c.mu.Unlock()
	c.r, c.secure = bufio.NewReaderSize(t, maxReplyLine), true
	return nil
}

// remedy says what to do about a failed handshake, and which field of the configuration it is about.
func remedy(err error, name string) (field string, _ error) {
	var host x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &host):
		return "server_name", fmt.Errorf("the server's certificate is not for %s; enter the name that is in it as server name: %w", name, err)
	case errors.As(err, &authority):
		return "ca_cert", fmt.Errorf("nobody this machine trusts vouches for the server's certificate; if it is the server's own, paste it as certificate to trust: %w", err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "host", fmt.Errorf("the server's certificate has expired or is not valid yet; have it renewed, and check the clocks of both machines: %w", err)
	case strings.Contains(err.Error(), "protocol version"): // crypto/tls has no type for alerts that came over TCP
		return "min_tls", fmt.Errorf("the server knows no version of TLS that is new enough; allow an older one if you must: %w", err)
	}
	return "security", err
}

func (c *conn) hello() error {
	name := c.config.HelloName
	if name == "" {
		name = literal(c.net.LocalAddr())
	}
	r, err := c.command("EHLO " + name)
	if err == nil && (r.code == 500 || r.code == 502 || r.code == 504) {
		c.ext = nil
		r, err = c.command("HELO " + name)
		r.lines = r.lines[:min(1, len(r.lines))]
	}
	if err != nil {
		return &sessionError{"host", "the mail server did not answer the greeting", err}
	}
	if r.code != 250 {
		return &sessionError{"hello_name", "the mail server refused the greeting: " + r.String(), nil}
	}
	c.ext = map[string]string{}
	for _, l := range r.lines[1:] {
		key, params, _ := strings.Cut(l, " ")
		if k, p, old := strings.Cut(key, "="); old && strings.EqualFold(k, "AUTH") { // "AUTH=LOGIN", an old spelling
			key, params = k, p+" "+params
		}
		key = strings.ToUpper(key)
		if key == "AUTH" {
			params = c.ext[key] + " " + params
		}
		c.ext[key] = params
	}
	return nil
}

// literal is the address of this end of the connection, as RFC 5321 4.1.3 writes it.
func literal(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	switch {
	case !ok:
		return "localhost"
	case t.IP.To4() != nil:
		return "[" + t.IP.String() + "]"
	}
	return "[IPv6:" + t.IP.String() + "]"
}

func (c *conn) signIn() error {
	if c.config.Username == "" {
		return nil
	}
	if !c.secure {
		t, ok := c.net.RemoteAddr().(*net.TCPAddr)
		if !c.config.AllowClearAuth || !ok || !t.IP.IsLoopback() {
			return &sessionError{"security", "the password was not sent, because the connection is not encrypted", nil}
		}
	}
	offered := strings.Fields(strings.ToUpper(c.ext["AUTH"]))
	has := func(m string) bool {
		for _, o := range offered {
			if o == m {
				return true
			}
		}
		return false
	}
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	var r reply
	var err error
	switch {
	case has("PLAIN"):
		r, err = c.command("AUTH PLAIN " + b64("\x00"+c.config.Username+"\x00"+c.config.Password))
	case has("LOGIN"):
		if r, err = c.command("AUTH LOGIN"); err == nil && r.code == 334 {
			if r, err = c.command(b64(c.config.Username)); err == nil && r.code == 334 {
				r, err = c.command(b64(c.config.Password))
			}
		}
	default:
		return &sessionError{"username", fmt.Sprintf("the mail server offers no way to sign in that we know (it offers %q, we know PLAIN and LOGIN)", strings.Join(offered, " ")), nil}
	}
	if err != nil {
		return &sessionError{"username", "the mail server did not answer the sign-in", err}
	}
	if r.code != 235 {
		return &sessionError{"password", "the mail server refused user name and password: " + r.String(), nil}
	}
	return nil
}

// command sends a line and reads the reply, within the deadline that is set.
func (c *conn) command(line string) (reply, error) {
	if _, err := c.net.Write([]byte(line + "\r\n")); err != nil {
		return reply{}, err
	}
	return readReply(c.r)
}

// quit says goodbye without waiting for an answer.
func (c *conn) quit() {
	if !c.dead {
		_ = c.net.SetDeadline(time.Now().Add(time.Second))
		_, _ = c.net.Write([]byte("QUIT\r\n"))
	}
	_ = c.net.Close()
}
