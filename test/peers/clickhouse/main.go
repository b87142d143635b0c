// Command clickhouse is ClickHouse's query engine behind as much of its HTTP interface as its Go client needs, so that the event store's own client code
// is tested against the genuine engine where no server can be installed. The engine is libchdb.so of the npm package @chdb/lib-linux-x64-gnu.
//
//	go run ./test/peers/clickhouse --library /path/libchdb.so --listen 127.0.0.1:18123
//
// Not a server: nobody proves who they are, answers are made whole before they are sent, and sessions, compression and external tables are missing.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

func main() {
	library := flag.String("library", "", "libchdb.so")
	listen := flag.String("listen", "127.0.0.1:0", "host:port")
	data := flag.String("data", "", "folder of the data (default: one that is deleted at the end)")
	flag.Parse()
	if err := run(*library, *listen, *data); err != nil {
		log.Fatal(err)
	}
}

func run(library, listen, data string) error {
	if data == "" {
		dir, err := os.MkdirTemp("", "clickhouse")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		data = dir
	}
	if err := load(library); err != nil {
		return err
	}
	first, err := connect(data) // stays open: the engine ends with its last connection
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	s := &server{data: data}
	web := &http.Server{Handler: s}
	fmt.Printf("http://%s\n", l.Addr())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		_ = web.Shutdown(context.Background())
	}()
	if err := web.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	s.close()
	first.close()
	shutdown()
	return nil
}

// session is a connection and what was set on it.
type session struct {
	*connection
	database string
	settings map[string]string
}

type server struct {
	data string
	mu   sync.Mutex
	free []*session
}

func (s *server) take() (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.free); n > 0 {
		c := s.free[n-1]
		s.free = s.free[:n-1]
		return c, nil
	}
	c, err := connect(s.data)
	return &session{connection: c, settings: map[string]string{}}, err
}

func (s *server) give(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, c)
}

func (s *server) close() {
	for _, c := range s.free {
		c.close()
	}
}

var (
	// notSettings are the URL's parameters that say something else.
	notSettings = []string{"query", "database", "default_format", "query_id", "session_id", "session_timeout", "wait_end_of_query", "client_protocol_version"}
	insertion   = regexp.MustCompile(`(?is)^\s*INSERT\s+INTO\s.*?\sFORMAT\s+(\w+)\s*$`)
	formatted   = regexp.MustCompile(`(?is)\sFORMAT\s+\w+\s*$`)
	exception   = regexp.MustCompile(`Code: (\d+)\.`)
)

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ping" {
		_, _ = io.WriteString(w, "Ok.\n")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, err := s.answer(r, body)
	if err != nil {
		if m := exception.FindStringSubmatch(err.Error()); m != nil {
			w.Header().Set("X-ClickHouse-Exception-Code", m[1])
		}
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	_, _ = w.Write(out)
}

func (s *server) answer(r *http.Request, body []byte) ([]byte, error) {
	values := r.URL.Query()
	c, err := s.take()
	if err != nil {
		return nil, err
	}
	defer s.give(c)
	settings, params := map[string]string{}, map[string]string{}
	for k := range values {
		switch name, param := strings.CutPrefix(k, "param_"); {
		case param:
			params[name] = values.Get(k)
		case !slices.Contains(notSettings, k):
			settings[k] = values.Get(k)
		}
	}
	if err := c.set(settings); err != nil {
		return nil, err
	}
	database := values.Get("database")
	if database == "" {
		database = "default"
	}
	if database != c.database {
		if _, err := c.query("USE `"+database+"`", "Null", nil); err != nil {
			return nil, err
		}
		c.database = database
	}
	text := values.Get("query")
	if m := insertion.FindStringSubmatch(text); m != nil {
		return nil, c.insert(formatted.ReplaceAllString(text, ""), m[1], body)
	}
	if text == "" {
		text = string(body)
	}
	format := values.Get("default_format")
	if format == "" {
		format = "TabSeparated"
	}
	out, err := c.query(text, format, params)
	if revision, _ := strconv.ParseUint(values.Get("client_protocol_version"), 10, 64); err == nil && format == "Native" && revision > 0 {
		return forClient(out, revision)
	}
	return out, err
}

// forClient writes blocks again as the server writes them for a client of the revision, with what each block and column says of itself. The engine knows no
// clients and writes none of it.
func forClient(blocks []byte, revision uint64) ([]byte, error) {
	r := chproto.NewReader(bytes.NewReader(blocks))
	var out chproto.Buffer
	for {
		block := proto.Block{ServerContext: &column.ServerContext{Timezone: time.UTC}}
		if err := block.Decode(r, 0); errors.Is(err, io.EOF) {
			return out.Buf, nil
		} else if err != nil {
			return nil, err
		}
		if err := block.Encode(&out, revision); err != nil {
			return nil, err
		}
	}
}

// set makes the settings those of the request.
func (c *session) set(want map[string]string) error {
	for k := range c.settings {
		if _, ok := want[k]; !ok {
			if _, err := c.query("SET "+k+" = DEFAULT", "Null", nil); err != nil {
				return err
			}
			delete(c.settings, k)
		}
	}
	for k, v := range want {
		if c.settings[k] == v {
			continue
		}
		if _, err := c.query("SET "+k+" = '"+strings.ReplaceAll(v, "'", "\\'")+"'", "Null", nil); err != nil {
			return err
		}
		c.settings[k] = v
	}
	return nil
}
