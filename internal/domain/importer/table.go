package importer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/transform"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Limits of a file.
const (
	maxColumns = 300
	maxName    = 200     // bytes of a column's name
	maxRow     = 32_000  // bytes of one row: what an event may have
	maxDepth   = 4       // of objects in lines of JSON; deeper ones stay JSON
	lookAhead  = 200     // lines of JSON whose members are the columns
	maxLineLen = 1 << 20 // bytes of one line of JSON
)

// table is a file as rows of cells.
type table struct {
	columns []string
	input   *counter
	rows    *records
	lines   *bufio.Reader
	ahead   [][]byte // lines of JSON that were read to find the columns
	first   []string // the first row, if it is data
	at      int      // line of the last row
	index   map[string]int
}

// counter counts what was read of the file.
type counter struct {
	in io.Reader
	n  int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}

// openTable begins to read a file.
func openTable(file io.Reader, l Layout) (*table, error) {
	if err := l.Validate(); err != nil {
		return nil, err
	}
	t := &table{input: &counter{in: bufio.NewReaderSize(file, 1<<16)}}
	text := transform.NewReader(t.input, encodings[l.Encoding].NewDecoder())
	var err error
	if l.Form == Lines {
		t.lines = bufio.NewReaderSize(text, 1<<16)
		err = t.members()
	} else {
		t.rows = newRecords(text, l.delimiter())
		err = t.heading(l.Header)
	}
	if err != nil {
		return nil, err
	}
	if len(t.columns) > maxColumns {
		return nil, errs.Invalid("import.file.columns", "upload", "the file has %d columns, %d are possible; leave out what is not needed", len(t.columns), maxColumns)
	}
	t.index = make(map[string]int, len(t.columns))
	for i, name := range t.columns {
		if len(name) > maxName {
			return nil, errs.Invalid("import.file.heading", "upload", "the heading of column %d has more than %d characters; does the first row really name the columns?", i+1, maxName)
		}
		if _, twice := t.index[name]; twice {
			return nil, errs.Invalid("import.file.heading_twice", "upload", "the first row names the column %q twice; rename one", name)
		}
		t.index[name] = i
	}
	return t, nil
}

func (t *table) heading(named bool) error {
	row, err := t.rows.next()
	if errors.Is(err, io.EOF) {
		return errs.Invalid("import.file.empty", "upload", "the file has no rows")
	}
	if pe, ok := errors.AsType[*csv.ParseError](err); ok {
		return errs.Invalid("import.file.unreadable", "upload", "line %d cannot be read: %v", pe.Line, pe.Err)
	}
	if err != nil {
		return err
	}
	for i, cell := range row {
		name := strings.TrimSpace(cell)
		if !named || name == "" {
			name = strconv.Itoa(i + 1)
		}
		t.columns = append(t.columns, name)
	}
	if !named {
		t.first = slices.Clone(row)
	}
	return nil
}

// members finds the columns of lines of JSON: the members of the first objects.
func (t *table) members() error {
	seen := map[string]bool{}
	for len(t.ahead) < lookAhead {
		line, err := t.line()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		t.ahead = append(t.ahead, line)
		cells := map[string]string{}
		if flatten(line, cells) != nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(cells)) {
			if !seen[name] {
				seen[name] = true
				t.columns = append(t.columns, name)
			}
		}
	}
	if len(t.columns) == 0 {
		return errs.Invalid("import.file.lines", "upload", "none of the first lines is a JSON object; one object stands on each line")
	}
	return nil
}

// line returns the next line as it stands.
func (t *table) line() ([]byte, error) {
	line, err := readLine(t.lines)
	if len(line) == 0 && err != nil {
		return nil, err
	}
	if len(line) > maxLineLen {
		return nil, errs.Invalid("import.line.too_long", "upload", "a line is longer than %d KB; is this really one JSON object a line?", maxLineLen>>10)
	}
	return line, nil
}

// flatten makes cells of an object: {"address":{"city":"Kyoto"}} has the cell "address.city".
func flatten(line []byte, into map[string]string) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber() // digits stay as they are
	var object map[string]any
	if err := d.Decode(&object); err != nil || object == nil {
		return errors.Join(errFault("json"), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errFault("json")
	}
	cells(object, "", 1, into)
	return nil
}

func cells(object map[string]any, prefix string, depth int, into map[string]string) {
	for k, v := range object {
		name := prefix + k
		switch v := v.(type) {
		case nil:
			into[name] = ""
		case string:
			into[name] = v
		case json.Number:
			into[name] = v.String()
		case bool:
			into[name] = strconv.FormatBool(v)
		case map[string]any:
			if depth < maxDepth {
				cells(v, name+".", depth+1, into)
				continue
			}
			into[name] = asJSON(v)
		default:
			into[name] = asJSON(v)
		}
	}
}

func asJSON(v any) string {
	raw, _ := json.Marshal(v) // it was JSON before
	return string(raw)
}

// errFault is why a row cannot be taken: a code below import.row.
type errFault string

func (e errFault) Error() string { return "import.row." + string(e) }

// next returns the cells of the next row, in the order of columns; they are valid until the next call. An errFault is about this row alone; the cells that could
// be read come with it.
func (t *table) next() ([]string, error) {
	if t.rows != nil {
		return t.record()
	}
	for {
		var line []byte
		if len(t.ahead) > 0 {
			line, t.ahead = t.ahead[0], t.ahead[1:]
		} else {
			var err error
			if line, err = t.line(); err != nil {
				return nil, err
			}
		}
		t.at++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		found := map[string]string{}
		if err := flatten(line, found); err != nil {
			return []string{strings.TrimSpace(string(line))}, errFault("json")
		}
		out := make([]string, len(t.columns))
		size := 0
		for name, cell := range found {
			size += len(cell)
			if i, ok := t.index[name]; ok {
				out[i] = cell
			}
		}
		return out, sound(out, size)
	}
}

func (t *table) record() ([]string, error) {
	row := t.first
	if t.first = nil; row != nil {
		t.at = 1
	} else {
		var err error
		row, err = t.rows.next()
		if pe, ok := errors.AsType[*csv.ParseError](err); ok {
			t.at = pe.StartLine
			return row, errFault("quotes")
		}
		if err != nil {
			return nil, err
		}
		t.at = t.rows.line()
	}
	size := 0
	for _, cell := range row {
		size += len(cell)
	}
	if len(row) > len(t.columns) && strings.Join(row[len(t.columns):], "") == "" {
		row = row[:len(t.columns)] // spreadsheets leave empty cells behind
	}
	if len(row) != len(t.columns) {
		return row, errFault("columns")
	}
	return row, sound(row, size)
}

// sound reports cells that cannot be kept.
func sound(row []string, size int) error {
	if size > maxRow {
		return errFault("too_large")
	}
	for _, cell := range row {
		if strings.ContainsRune(cell, utf8.RuneError) || strings.ContainsRune(cell, 0) || !utf8.ValidString(cell) {
			return errFault("encoding")
		}
	}
	return nil
}
