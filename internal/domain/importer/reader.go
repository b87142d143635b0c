package importer

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Row is one row of the input, ready for intake or refused.
type Row struct {
	Line  int             // line where the row begins, from 1
	End   int64           // bytes of input consumed up to and including this row
	Event json.RawMessage // one event in the shape of a Segment batch item; nil if Err is set
	Raw   string          // the row as it stood, for the reject file
	Err   error           // why the row cannot be an event
}

// Reader yields rows until io.EOF. Any other error means that the input itself cannot be read further.
type Reader interface {
	Next() (Row, error)
}

// maxLine bounds one NDJSON line; a batch of 2,500 full events fits.
const maxLine = 96 << 20

// NDJSON reads one JSON object a line: a single event, or a batch {"batch": [...]} whose items become rows of
// their own.
func NDJSON(r io.Reader) Reader {
	s := bufio.NewReaderSize(r, 1<<16)
	return &ndjson{in: s, ids: newIDs()}
}

type ndjson struct {
	in      *bufio.Reader
	line    int
	end     int64
	pending []Row
	ids     *ids
}

func (n *ndjson) Next() (Row, error) {
	for {
		if len(n.pending) > 0 {
			row := n.pending[0]
			n.pending = n.pending[1:]
			return row, nil
		}
		line, err := readLine(n.in)
		if len(line) == 0 && err != nil {
			return Row{}, err
		}
		n.line++
		n.end += int64(len(line))
		text := bytes.TrimSpace(line)
		if n.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(text) == 0 {
			continue
		}
		n.pending = n.rows(text)
	}
}

func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxLine {
			return nil, errs.Invalid("import.line.too_long", "file", "a line is longer than %d MB; is this really one JSON object a line?", maxLine>>20)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

func (n *ndjson) rows(text []byte) []Row {
	refuse := func(format string, args ...any) []Row {
		return []Row{{Line: n.line, End: n.end, Raw: string(text), Err: errs.Invalid("import.row.invalid", "", format, args...)}}
	}
	if !utf8.Valid(text) {
		return refuse("the line is not valid UTF-8; convert the file first")
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return refuse("not a JSON object: %v", err)
	}
	items, isBatch := fields["batch"]
	if !isBatch {
		return []Row{n.row(text, fields)}
	}
	var batch []json.RawMessage
	if err := json.Unmarshal(items, &batch); err != nil {
		return refuse("\"batch\" is not a list of events: %v", err)
	}
	rows := make([]Row, 0, len(batch))
	for i, item := range batch {
		var f map[string]json.RawMessage
		if err := json.Unmarshal(item, &f); err != nil {
			rows = append(rows, Row{Line: n.line, End: n.end, Raw: string(item), Err: errs.Invalid("import.row.invalid", fmt.Sprintf("batch[%d]", i), "not a JSON object: %v", err)})
			continue
		}
		// What the batch says for all its events holds where an event does not say otherwise.
		for _, shared := range []string{"context", "integrations", "sentAt"} {
			if v, ok := fields[shared]; ok && f[shared] == nil {
				f[shared] = v
			}
		}
		rows = append(rows, n.row(item, f))
	}
	return rows
}

func (n *ndjson) row(raw []byte, fields map[string]json.RawMessage) Row {
	row := Row{Line: n.line, End: n.end, Raw: string(raw)}
	var given string
	_ = json.Unmarshal(fields["messageId"], &given)
	if given == "" {
		fields["messageId"] = quote(n.ids.next(raw))
	}
	row.Event, row.Err = json.Marshal(fields)
	return row
}

func quote(s string) json.RawMessage {
	b, _ := json.Marshal(s) // strings always marshal
	return b
}

// ids makes message ids from the content of a row and how many equal rows came before it.
type ids struct{ seen map[[8]byte]uint32 }

func newIDs() *ids { return &ids{seen: make(map[[8]byte]uint32)} }

func (s *ids) next(row []byte) string {
	sum := sha256.Sum256(row)
	key := [8]byte(sum[:8])
	nth := s.seen[key]
	s.seen[key] = nth + 1
	h := sha256.New()
	h.Write(sum[:])
	_ = binary.Write(h, binary.BigEndian, nth) // a hash never fails
	return "imp-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// Format says how delimited text is laid out.
type Format struct {
	Delimiter rune // ',' if zero; Whitespace for runs of blanks
	NoHeader  bool // the first row is data; columns are then named 1, 2, 3 ...
}

// Whitespace as a delimiter means that columns are separated by any run of blanks.
const Whitespace = ' '

// CSV reads delimited text with the mapping. The header must name every column that the mapping uses.
func CSV(r io.Reader, f Format, m *Mapping) Reader {
	if f.Delimiter == 0 {
		f.Delimiter = ','
	}
	c := &csvReader{format: f, mapping: m, ids: newIDs(), base: 0}
	if f.Delimiter == Whitespace {
		c.lines = bufio.NewReaderSize(r, 1<<16)
	} else {
		c.csv = csv.NewReader(skipBOM(r, &c.base))
		c.csv.Comma, c.csv.FieldsPerRecord, c.csv.LazyQuotes = f.Delimiter, -1, false
	}
	return c
}

func skipBOM(r io.Reader, skipped *int64) io.Reader {
	b := bufio.NewReader(r)
	if head, _ := b.Peek(3); string(head) == "\ufeff" {
		_, _ = b.Discard(3) // Peek has shown that they are there
		*skipped = 3
	}
	return b
}

type csvReader struct {
	format  Format
	mapping *Mapping
	ids     *ids
	csv     *csv.Reader
	base    int64 // bytes before the first byte that csv counts

	lines *bufio.Reader // whitespace layout
	line  int
	end   int64

	columns map[string]int
}

// record returns the next raw record with its line and end offset.
func (c *csvReader) record() (fields []string, line int, end int64, err error) {
	if c.csv != nil {
		fields, err = c.csv.Read()
		end = c.base + c.csv.InputOffset()
		if len(fields) > 0 {
			line, _ = c.csv.FieldPos(0)
		} else if pe, ok := errors.AsType[*csv.ParseError](err); ok {
			line = pe.StartLine
		}
		return fields, line, end, err
	}
	for {
		text, err := readLine(c.lines)
		if len(text) == 0 && err != nil {
			return nil, 0, 0, err
		}
		c.line++
		c.end += int64(len(text))
		if c.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if fields := strings.Fields(string(text)); len(fields) > 0 {
			return fields, c.line, c.end, nil
		}
	}
}

func (c *csvReader) Next() (Row, error) {
	for {
		fields, line, end, err := c.record()
		row := Row{Line: line, End: end, Raw: strings.Join(fields, string(c.format.Delimiter))}
		if err != nil {
			pe, ok := errors.AsType[*csv.ParseError](err)
			if !ok {
				return Row{}, err
			}
			row.Err = errs.Invalid("import.row.invalid", "", "line %d, column %d: %v; a quote inside a quoted field is written twice", pe.Line, pe.Column, pe.Err)
			if c.columns == nil {
				return Row{}, row.Err
			}
			return row, nil
		}
		if c.columns == nil {
			if err := c.header(fields); err != nil {
				return Row{}, err
			}
			if !c.format.NoHeader {
				continue
			}
		}
		row.Event, row.Err = c.event(fields)
		return row, nil
	}
}

func (c *csvReader) header(fields []string) error {
	c.columns = make(map[string]int, len(fields))
	for i, name := range fields {
		if c.format.NoHeader {
			name = fmt.Sprint(i + 1)
		}
		name = strings.TrimSpace(name)
		if _, twice := c.columns[name]; twice {
			return errs.Invalid("import.header.duplicate", name, "the header names column %q twice; rename one", name)
		}
		c.columns[name] = i
	}
	for _, name := range c.mapping.columns() {
		if _, ok := c.columns[name]; !ok {
			return errs.Invalid("import.header.missing", name, "the mapping uses column %q, the header has %s", name, strings.Join(fields, ", "))
		}
	}
	return nil
}

func (c *csvReader) event(fields []string) (json.RawMessage, error) {
	if len(fields) != len(c.columns) {
		return nil, errs.Invalid("import.row.columns", "", "the row has %d columns, the header %d", len(fields), len(c.columns))
	}
	for i, f := range fields {
		if !utf8.ValidString(f) {
			return nil, errs.Invalid("import.row.encoding", fmt.Sprint(i+1), "column %d is not valid UTF-8; convert the file first", i+1)
		}
	}
	event, err := c.mapping.apply(func(column string) string { return fields[c.columns[column]] })
	if err != nil {
		return nil, err
	}
	if event["messageId"] == nil {
		event["messageId"] = c.ids.next([]byte(strings.Join(fields, "\x1f")))
	}
	return json.Marshal(event)
}
