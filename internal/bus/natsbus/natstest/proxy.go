package natstest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Proxy stands between a client and a server of the cluster and treats what the server delivers badly: of all messages, records that are read and acknowledgements
// of what was appended among them, it loses some, brings some twice, and holds some back until others have overtaken them.
type Proxy struct {
	ln     net.Listener
	server string
	share  float64 // of messages that each of the three is done to

	mu    sync.Mutex
	rng   *rand.Rand
	done  map[string]int
	conns []net.Conn
	hung  chan struct{} // closed: the connections made so far are silent
	over  chan struct{}
}

// Between starts a proxy to a server of the cluster. share is how often each of the faults happens.
func (c *Cluster) Between(server int, share float64, seed uint64) (*Proxy, error) {
	u, err := url.Parse(c.nodes[server].address)
	if err != nil {
		return nil, err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{ln: ln, server: u.Host, share: share, rng: rand.New(rand.NewPCG(seed, 3)), done: map[string]int{}, hung: make(chan struct{}), over: make(chan struct{})}
	go p.accept()
	return p, nil
}

// URL is where clients connect.
func (p *Proxy) URL() string { return "nats://" + p.ln.Addr().String() }

// Done says how often what was done.
func (p *Proxy) Done() (lost, twice, late int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done["lost"], p.done["twice"], p.done["late"]
}

// Hang lets the connections made so far stay open and be silent, as those to a machine that is gone: what is written to them is not read. New ones work.
func (p *Proxy) Hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.hung)
	p.hung = make(chan struct{})
}

// hanging is a connection of which nothing is read any more once it hangs.
type hanging struct {
	net.Conn
	hung, over <-chan struct{}
}

func (h hanging) Read(b []byte) (int, error) {
	n, err := h.Conn.Read(b)
	select {
	case <-h.hung:
		<-h.over
		return 0, io.EOF
	default:
		return n, err
	}
}

// Close ends the proxy and its connections.
func (p *Proxy) Close() {
	p.ln.Close()
	close(p.over)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.DialTimeout("tcp", p.server, 5*time.Second)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		hung := p.hung
		p.mu.Unlock()
		go func() {
			_, _ = io.Copy(server, hanging{client, hung, p.over}) // ends with either connection
			server.Close()
		}()
		go func() {
			p.deliver(bufio.NewReader(hanging{server, hung, p.over}), client)
			client.Close()
		}()
	}
}

// fate draws what becomes of a message.
func (p *Proxy) fate() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.rng.Float64() / p.share
	if n >= 3 {
		return ""
	}
	what := []string{"lost", "twice", "late"}[int(n)]
	p.done[what]++
	return what
}

// deliver passes what the server says on, message by message; see https://docs.nats.io/reference/reference-protocols/nats-protocol.
func (p *Proxy) deliver(from *bufio.Reader, to io.Writer) {
	var held [][]byte
	for {
		frame, err := from.ReadBytes('\n')
		if err != nil {
			return
		}
		verb, rest, _ := bytes.Cut(bytes.TrimRight(frame, "\r\n"), []byte(" "))
		fate := ""
		switch strings.ToUpper(string(verb)) {
		case "MSG", "HMSG":
			fields := bytes.Fields(rest)
			size, err := strconv.Atoi(string(fields[len(fields)-1]))
			if err != nil {
				return
			}
			body := make([]byte, size+len("\r\n"))
			if _, err := io.ReadFull(from, body); err != nil {
				return
			}
			frame = append(frame, body...)
			fate = p.fate()
		case "INFO": // names the other servers, to which clients would go around this proxy
			var info map[string]any
			if json.Unmarshal(rest, &info) == nil {
				delete(info, "connect_urls")
				raw, _ := json.Marshal(info)
				frame = append(append([]byte("INFO "), raw...), '\r', '\n')
			}
		}
		switch fate {
		case "lost":
			continue
		case "late":
			held = append(held, frame)
			continue
		case "twice":
			frame = append(frame, frame...)
		}
		if len(held) > 2 { // they come after what was sent after them
			frame = append(frame, bytes.Join(held, nil)...)
			held = nil
		}
		if _, err := to.Write(frame); err != nil {
			return
		}
	}
}
