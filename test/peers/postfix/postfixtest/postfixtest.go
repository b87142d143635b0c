// Package postfixtest runs a real Postfix on a loopback port, for tests that should not trust our own idea of a mail
// server.
//
// Owns: a private configuration, queue and maildir in one folder; the policy that answers for recipients.
// Does not own: the system's own Postfix, which it never touches.
//
//	channel/email ─► smtpd ─► cleanup ─► qmgr ─► virtual ─► Maildir/new
//	                   └─ policy (a Go function) decides on each recipient
//
// Invariants: no mail leaves the machine, because there is no SMTP client in the configuration; every address of every
// domain is delivered to the one maildir unless the policy says otherwise.
package postfixtest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/channel/email/smtptest"
)

// Postfix is a running server.
type Postfix struct {
	Addr    string // host:port
	Host    string
	Port    int
	Maildir string // all mail arrives in its folder "new"
	CertPEM string // self-signed, for 127.0.0.1 and localhost
	Log     string // file

	dir    string
	master *exec.Cmd
	ended  chan struct{}
	stop   sync.Once
	policy *policy
}

// Missing says why Postfix cannot run here, or "".
func Missing() string {
	if os.Geteuid() != 0 {
		return "postfix needs root to start"
	}
	if _, err := exec.LookPath("postconf"); err != nil {
		return "postfix is not installed (Debian: apt-get install postfix)"
	}
	if _, err := user.Lookup("postfix"); err != nil {
		return "there is no user postfix"
	}
	return ""
}

// Start runs a Postfix until the test ends; the test is skipped if it cannot run here.
func Start(t testing.TB) *Postfix {
	t.Helper()
	if why := Missing(); why != "" {
		t.Skip(why)
	}
	dir, err := os.MkdirTemp("", "postfix")
	if err != nil {
		t.Fatal(err)
	}
	p, err := StartIn(dir)
	if err != nil {
		_ = os.RemoveAll(dir)
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			if log, err := os.ReadFile(p.Log); err == nil {
				t.Logf("the log of postfix:\n%s", log)
			}
		}
		_ = os.RemoveAll(dir)
	})
	return p
}

// lifetime is when a Postfix ends by itself, should its starter have died.
const lifetime = 30 * time.Minute

// StartIn runs a Postfix in an empty folder, whose parents other users must be able to enter. It returns once the
// server takes connections.
func StartIn(dir string) (*Postfix, error) {
	if why := Missing(); why != "" {
		return nil, errors.New(why)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	p := &Postfix{dir: dir, Maildir: filepath.Join(dir, "box", "mail"), Log: filepath.Join(dir, "log", "mail.log"), ended: make(chan struct{})}
	if p.policy, err = startPolicy(); err != nil {
		return nil, err
	}
	if err := p.start(); err != nil {
		p.policy.close()
		return nil, err
	}
	return p, nil
}

func (p *Postfix) start() error {
	if err := p.layOut(); err != nil {
		return fmt.Errorf("lay out postfix: %w", err)
	}
	etc := filepath.Join(p.dir, "etc")
	daemons, err := postconf("daemon_directory")
	if err != nil {
		return err
	}
	// A file rather than a pipe: the children inherit it, and a pipe would be waited for until the last of them has ended.
	out, err := os.Create(filepath.Join(p.dir, "log", "master.out"))
	if err != nil {
		return err
	}
	defer out.Close()
	p.master = exec.Command(filepath.Join(daemons, "master"), "-c", etc, "-d", "-e", strconv.Itoa(int(lifetime.Seconds())))
	p.master.Stdout, p.master.Stderr = out, out
	p.master.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.master.Start(); err != nil {
		return err
	}
	go func() {
		_ = p.master.Wait()
		close(p.ended)
	}()
	deadline := time.Now().Add(15 * time.Second)
	for {
		if c, err := net.DialTimeout("tcp", p.Addr, time.Second); err == nil {
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			hello := make([]byte, 3)
			_, err := c.Read(hello)
			_ = c.Close()
			if err == nil && string(hello) == "220" {
				return nil
			}
		}
		select {
		case <-p.ended:
			said, _ := os.ReadFile(out.Name())
			log, _ := os.ReadFile(p.Log)
			return fmt.Errorf("postfix ended at once: %s\n%s", said, log)
		default:
		}
		if time.Now().After(deadline) {
			_ = p.Stop()
			log, _ := os.ReadFile(p.Log)
			return fmt.Errorf("postfix does not answer: %s", log)
		}
		time.Sleep(20 * time.Millisecond) // a real process is starting
	}
}

// layOut writes the configuration.
func (p *Postfix) layOut() error {
	etc, box := filepath.Join(p.dir, "etc"), filepath.Join(p.dir, "box")
	if err := os.Chmod(p.dir, 0o755); err != nil { // postfix runs as users of its own
		return err
	}
	for _, d := range []string{etc, box, filepath.Join(p.dir, "spool"), filepath.Join(p.dir, "data"), filepath.Join(p.dir, "log")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	owner, err := ids("postfix")
	if err != nil {
		return err
	}
	if err := os.Chown(filepath.Join(p.dir, "data"), owner[0], owner[1]); err != nil {
		return err
	}
	if err := queue(filepath.Join(p.dir, "spool"), owner[0]); err != nil {
		return err
	}
	nobody, err := ids("nobody")
	if err != nil {
		return err
	}
	if err := os.Chown(box, nobody[0], nobody[1]); err != nil {
		return err
	}
	cert, key, err := smtptest.Certificate("localhost", "127.0.0.1")
	if err != nil {
		return err
	}
	p.CertPEM = string(cert)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p.Addr = l.Addr().String()
	p.Host, p.Port = "127.0.0.1", l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	for name, text := range map[string][]byte{
		"cert.pem": cert, "key.pem": key, "main.cf": []byte(p.mainCF(nobody)), "master.cf": []byte(fmt.Sprintf(masterCF, p.Addr)),
	} {
		mode := fs.FileMode(0o644)
		if name == "key.pem" {
			mode = 0o600
		}
		if err := os.WriteFile(filepath.Join(etc, name), text, mode); err != nil {
			return err
		}
	}
	return nil
}

// queue makes the folders of the queue as "postfix check" would, which takes seconds for it.
func queue(dir string, owner int) error {
	group, err := user.LookupGroup("postdrop")
	if err != nil {
		return err
	}
	drop, err := strconv.Atoi(group.Gid)
	if err != nil {
		return err
	}
	for name, mode := range map[string]fs.FileMode{
		"active": 0o700, "bounce": 0o700, "corrupt": 0o700, "defer": 0o700, "deferred": 0o700, "flush": 0o700, "hold": 0o700, "incoming": 0o700,
		"private": 0o700, "saved": 0o700, "trace": 0o700, "public": 0o710, "maildrop": 0o730 | fs.ModeSticky, "pid": 0o755,
	} {
		path, uid, gid := filepath.Join(dir, name), owner, 0
		switch name {
		case "pid":
			uid = 0
		case "public", "maildrop":
			gid = drop
		}
		if err := errors.Join(os.Mkdir(path, 0o700), os.Chown(path, uid, gid), os.Chmod(path, mode)); err != nil {
			return err
		}
	}
	return nil
}

func ids(name string) ([2]int, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return [2]int{}, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return [2]int{uid, gid}, errors.Join(err1, err2)
}

func postconf(name string) (string, error) {
	out, err := exec.Command("postconf", "-h", name).Output()
	if err != nil {
		return "", fmt.Errorf("postconf %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

func (p *Postfix) mainCF(box [2]int) string {
	return fmt.Sprintf(`compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
maillog_file = %[1]s/log/mail.log
maillog_file_prefixes = %[1]s
myhostname = mx.kizuna.example
myorigin = kizuna.example
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_transport = error:5.1.1 there are no local users
default_transport = error:5.7.1 no mail leaves this machine
relay_transport = error:5.7.1 no mail leaves this machine
virtual_transport = virtual
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:mail/
virtual_mailbox_base = %[1]s/box
virtual_mailbox_limit = 0
virtual_uid_maps = static:%[2]d
virtual_gid_maps = static:%[3]d
smtputf8_enable = yes
smtpd_tls_security_level = may
smtpd_tls_cert_file = %[1]s/etc/cert.pem
smtpd_tls_key_file = %[1]s/etc/key.pem
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_policy_service inet:%[4]s
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_soft_error_limit = 10000
smtpd_hard_error_limit = 10001
smtpd_peername_lookup = no
`, p.dir, box[0], box[1], p.policy.addr())
}

// masterCF has neither smtp nor relay: without an SMTP client nothing can leave.
const masterCF = `%s inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

// Stop ends the server and its children. It may be called twice.
func (p *Postfix) Stop() error {
	var err error
	p.stop.Do(func() {
		p.policy.close()
		_ = p.master.Process.Signal(syscall.SIGTERM)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		select {
		case <-p.ended:
		case <-ctx.Done():
			_ = syscall.Kill(-p.master.Process.Pid, syscall.SIGKILL)
			<-p.ended
			err = errors.New("postfix did not end and was killed")
		}
	})
	return err
}

// Decide sets the policy: it gets the recipient and how often it was asked for before, and returns an action of
// access(5) such as "451 4.7.1 later" or "550 5.1.1 unknown"; "" accepts. nil accepts everybody.
func (p *Postfix) Decide(policy func(recipient string, before int) string) { p.policy.set(policy) }

// Messages returns the mails that have arrived, in the order of their files' names.
func (p *Postfix) Messages() ([][]byte, error) {
	files, err := os.ReadDir(filepath.Join(p.Maildir, "new"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(files, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var out [][]byte
	for _, f := range files {
		raw, err := os.ReadFile(filepath.Join(p.Maildir, "new", f.Name()))
		if err != nil {
			return nil, err
		}
		out = append(out, raw)
	}
	return out, nil
}

// Wait returns the mails once there are at least n, and fails the test after 20 seconds.
func (p *Postfix) Wait(t testing.TB, n int) [][]byte {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got, err := p.Messages()
		if err != nil {
			t.Fatal(err)
		}
		if len(got) >= n {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d mails arrived, want %d", len(got), n)
		}
		time.Sleep(20 * time.Millisecond) // another process delivers
	}
}
