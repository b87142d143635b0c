package postfixtest

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
)

// policy answers Postfix's policy delegation protocol: name=value lines, an empty line, then action=...
type policy struct {
	l net.Listener

	mu     sync.Mutex
	decide func(recipient string, before int) string
	asked  map[string]int
	open   map[net.Conn]struct{}
	closed bool
	wg     sync.WaitGroup
}

func startPolicy() (*policy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &policy{l: l, asked: map[string]int{}, open: map[net.Conn]struct{}{}}
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			if p.closed {
				p.mu.Unlock()
				_ = c.Close()
				return
			}
			p.open[c] = struct{}{}
			p.wg.Go(func() { p.serve(c) })
			p.mu.Unlock()
		}
	})
	return p, nil
}

func (p *policy) addr() string { return p.l.Addr().String() }

func (p *policy) set(f func(string, int) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decide = f
}

func (p *policy) close() {
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		_ = c.Close()
	}
	p.mu.Unlock()
	_ = p.l.Close()
	p.wg.Wait()
}

func (p *policy) serve(c net.Conn) {
	defer func() {
		p.mu.Lock()
		delete(p.open, c)
		p.mu.Unlock()
		_ = c.Close()
	}()
	recipient := ""
	for s := bufio.NewScanner(c); s.Scan(); {
		if v, ok := strings.CutPrefix(s.Text(), "recipient="); ok {
			recipient = v
		}
		if s.Text() != "" {
			continue
		}
		if _, err := fmt.Fprintf(c, "action=%s\n\n", p.answer(recipient)); err != nil {
			return
		}
		recipient = ""
	}
}

func (p *policy) answer(recipient string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := p.asked[recipient]
	p.asked[recipient]++
	if p.decide != nil {
		if a := p.decide(recipient, before); a != "" {
			return a
		}
	}
	return "DUNNO"
}
