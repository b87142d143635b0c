package importer

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Layout says how a file is to be read.
type Layout struct {
	Form      string `json:"form"`      // delimited or lines (one JSON object each)
	Encoding  string `json:"encoding"`  // one of Encodings
	Delimiter string `json:"delimiter"` // one of Delimiters; of a delimited file
	Header    bool   `json:"header"`    // the first row names the columns; without, they are 1, 2, 3 ...
}

// The forms.
const (
	Delimited = "delimited"
	Lines     = "lines"
)

// encodings are the ways of writing text that files come in. Spreadsheets of Chinese and Japanese offices still write the old ones.
var encodings = map[string]encoding.Encoding{
	"utf-8":     unicode.UTF8BOM,
	"utf-16":    unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"gb18030":   simplifiedchinese.GB18030,
	"shift_jis": japanese.ShiftJIS,
}

// Encodings lists the encodings that can be chosen.
func Encodings() []string { return []string{"utf-8", "gb18030", "shift_jis", "utf-16"} }

// delimiters are what stands between columns, most likely first.
var delimiters = []struct {
	name string
	char rune
}{{"comma", ','}, {"tab", '\t'}, {"semicolon", ';'}, {"pipe", '|'}, {"space", Whitespace}}

// Delimiters lists the delimiters that can be chosen.
func Delimiters() []string {
	out := make([]string, len(delimiters))
	for i, d := range delimiters {
		out[i] = d.name
	}
	return out
}

// Validate reports what is wrong with a layout.
func (l Layout) Validate() error {
	if encodings[l.Encoding] == nil {
		return errs.Invalid("import.layout.encoding", "layout.encoding", "use one of %s", strings.Join(Encodings(), ", "))
	}
	switch l.Form {
	case Lines:
		return nil
	case Delimited:
		if l.delimiter() == 0 {
			return errs.Invalid("import.layout.delimiter", "layout.delimiter", "use one of %s", strings.Join(Delimiters(), ", "))
		}
		return nil
	}
	return errs.Invalid("import.layout.form", "layout.form", "use delimited or lines")
}

func (l Layout) delimiter() rune {
	for _, d := range delimiters {
		if d.name == l.Delimiter {
			return d.char
		}
	}
	return 0
}

// headSize is how much of a file is looked at to find out how it is laid out.
const headSize = 256 << 10

// Sniff finds out how a file is laid out by its beginning.
func Sniff(file io.Reader) (Layout, error) {
	head, err := io.ReadAll(io.LimitReader(file, headSize))
	if err != nil {
		return Layout{}, err
	}
	if i := bytes.LastIndexByte(head, '\n'); len(head) == headSize && i > 0 {
		head = head[:i+1] // not in the middle of a character
	}
	l := Layout{Encoding: sniffEncoding(head)}
	text, err := encodings[l.Encoding].NewDecoder().Bytes(head)
	if err != nil {
		return Layout{}, err
	}
	sample := string(text)
	if strings.TrimSpace(sample) == "" {
		return Layout{}, errs.Invalid("import.file.empty", "upload", "the file has no rows")
	}
	if strings.HasPrefix(strings.TrimSpace(sample), "{") {
		l.Form, l.Header = Lines, true
		return l, nil
	}
	l.Form = Delimited
	l.Delimiter = sniffDelimiter(sample)
	if first, err := newRecords(strings.NewReader(sample), l.delimiter()).next(); err == nil {
		l.Header = looksLikeHeader(first)
	}
	return l, nil
}

// sniffEncoding tells encodings apart. Whatever is valid UTF-8 is that. Of the others, Chinese text read as Shift_JIS is full of half-width
// katakana (0xA1 to 0xDF are letters of their own there), which nobody writes in such numbers.
func sniffEncoding(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return "utf-16"
	case utf8.Valid(head):
		return "utf-8"
	}
	japanese, jBad, half := decoded(head, "shift_jis")
	_, cBad, _ := decoded(head, "gb18030")
	if jBad <= cBad && half*4 < japanese || cBad > jBad+japanese/10 {
		return "shift_jis"
	}
	return "gb18030"
}

// decoded counts the letters beyond ASCII of a text in an encoding, those that it does not know, and half-width katakana.
func decoded(head []byte, name string) (letters, bad, half int) {
	text, _ := encodings[name].NewDecoder().Bytes(head) // what is not known comes out as U+FFFD
	for _, r := range string(text) {
		switch {
		case r == utf8.RuneError:
			bad++
			letters++
		case r >= 0xFF61 && r <= 0xFF9F:
			half++
			letters++
		case r > 0x7F:
			letters++
		}
	}
	return letters, bad, half
}

// sniffDelimiter takes what cuts most of the first rows into the same number of columns, more than one.
func sniffDelimiter(sample string) string {
	best, most := delimiters[0].name, 0
	for _, d := range delimiters {
		rows := newRecords(strings.NewReader(sample), d.char)
		counts := map[int]int{}
		for range 50 {
			fields, err := rows.next()
			if err != nil {
				break
			}
			counts[len(fields)]++
		}
		same, columns := 0, 0
		for n, times := range counts {
			if times > same || times == same && n > columns {
				same, columns = times, n
			}
		}
		if d.char == Whitespace && most > 0 {
			continue // a blank stands in most texts
		}
		if columns > 1 && same*columns > most {
			best, most = d.name, same*columns
		}
	}
	return best
}

// looksLikeHeader reports whether a row names columns: no cell of it is a number, a time or an address.
func looksLikeHeader(row []string) bool {
	for _, cell := range row {
		if _, number := readNumber(cell); number || strings.Contains(cell, "@") {
			return false
		}
		if _, moment := new(moments).read(cell, Time, nil); moment {
			return false
		}
	}
	return strings.Join(row, "") != ""
}

// records reads the rows of delimited text.
type records struct {
	csv   *csv.Reader
	lines *bufio.Reader // columns between blanks
	at    int
}

func newRecords(r io.Reader, delimiter rune) *records {
	if delimiter == Whitespace {
		return &records{lines: bufio.NewReaderSize(r, 1<<16)}
	}
	c := csv.NewReader(r)
	c.Comma, c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord = delimiter, -1, true, true
	return &records{csv: c}
}

// next returns the next row that is not blank. It is valid until the next call.
func (r *records) next() ([]string, error) {
	if r.csv != nil {
		return r.csv.Read()
	}
	for {
		text, err := readLine(r.lines)
		if len(text) == 0 && err != nil {
			return nil, err
		}
		r.at++
		if fields := strings.Fields(string(text)); len(fields) > 0 {
			return fields, nil
		}
	}
}

// line is where the last row began, from 1.
func (r *records) line() int {
	if r.csv == nil {
		return r.at
	}
	n, _ := r.csv.FieldPos(0)
	return n
}
