package sqldb

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
)

// maxStatements bounds the caches of statement texts: dynamic filters make many, and one-off texts must not pile up.
const maxStatements = 1024

type counter = atomic.Int64

// statement is a statement text made ready for an engine.
type statement struct {
	text   string // with ?n on SQLite, $n on PostgreSQL
	params int    // highest n
	reads  bool   // changes nothing for sure
}

// prepare finds the statement and binds its arguments.
func (db *DB) prepare(sql string, args []any) (*statement, []any, error) {
	st, err := db.statement(sql)
	if err != nil {
		return nil, nil, err
	}
	args, err = st.bind(args)
	return st, args, err
}

func (db *DB) statement(sql string) (*statement, error) {
	if st, ok := db.parsed.Load(sql); ok {
		return st.(*statement), nil
	}
	st, err := parse(sql, db.dialect == SQLite)
	if err != nil {
		return nil, err
	}
	if db.nparsed.Add(1) > maxStatements {
		db.parsed.Clear()
		db.nparsed.Store(1)
	}
	db.parsed.Store(sql, st)
	return st, nil
}

// parse reads a statement just far enough to find its placeholders outside of quotes and comments. With question
// set they are rewritten from $n to ?n, because SQLite takes $n for a name and numbers names by appearance.
func parse(sql string, question bool) (*statement, error) {
	st := &statement{reads: onlyReads(sql)}
	var b strings.Builder
	b.Grow(len(sql))
	for i := 0; i < len(sql); {
		end := i + 1
		switch c := sql[i]; {
		case c == '\'' || c == '"':
			end = after(sql, i+1, string(c))
		case strings.HasPrefix(sql[i:], "--"):
			end = after(sql, i+2, "\n")
		case strings.HasPrefix(sql[i:], "/*"):
			end = after(sql, i+2, "*/")
		case c == '$' && i+1 < len(sql) && '0' <= sql[i+1] && sql[i+1] <= '9':
			for end < len(sql) && '0' <= sql[end] && sql[end] <= '9' {
				end++
			}
			n, err := strconv.Atoi(sql[i+1 : end])
			if err != nil || n < 1 || n > 65535 {
				return nil, fmt.Errorf("placeholder %s is out of range in %q", sql[i:end], sql)
			}
			st.params = max(st.params, n)
			if question {
				b.WriteByte('?')
				i++
			}
		case c == '?' && question:
			return nil, fmt.Errorf("write placeholders as $1, not ?, in %q", sql)
		}
		b.WriteString(sql[i:end])
		i = end
	}
	st.text = b.String()
	return st, nil
}

// after returns the index behind the next occurrence of mark, or the end. A doubled quote inside a literal
// ends one literal and starts the next, which comes to the same.
func after(sql string, from int, mark string) int {
	if j := strings.Index(sql[from:], mark); j >= 0 {
		return from + j + len(mark)
	}
	return len(sql)
}

// onlyReads reports whether the statement surely changes nothing; only such statements go to SQLite's readers.
func onlyReads(sql string) bool {
	s := strings.TrimSpace(sql)
	for strings.HasPrefix(s, "--") {
		s = strings.TrimSpace(s[after(s, 2, "\n"):])
	}
	word, _, _ := strings.Cut(strings.Map(func(r rune) rune {
		if r == '(' || r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, s[:min(len(s), 12)]), " ")
	switch strings.ToUpper(word) {
	case "SELECT", "VALUES", "EXPLAIN":
		return true
	case "WITH":
		up := strings.ToUpper(s)
		return !strings.Contains(up, "INSERT") && !strings.Contains(up, "UPDATE") && !strings.Contains(up, "DELETE")
	}
	return false
}
