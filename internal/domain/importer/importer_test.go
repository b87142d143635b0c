package importer

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

func all(t *testing.T, r Reader) (rows []Row) {
	t.Helper()
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

func field0(t *testing.T, row Row, path ...string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(row.Event, &v); err != nil {
		t.Fatalf("line %d: %v (%v)", row.Line, err, row.Err)
	}
	for _, p := range path {
		v = v.(map[string]any)[p]
	}
	return v
}

func orders(t *testing.T) *Mapping {
	t.Helper()
	m, err := ParseMapping([]string{"userId=customer", "timestamp=date:time:%Y%m%d", "properties.total=amount:number"}, []string{"event=Order Completed", "properties.currency=USD"}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCSVRowsBecomeEventsWithTypedValues(t *testing.T) {
	rows := all(t, CSV(strings.NewReader("\ufeffcustomer,date,amount\nu1,19970101,11.77\nu2,19970112,\n"), Format{}, orders(t)))
	if len(rows) != 2 || rows[0].Line != 2 || rows[1].Line != 3 {
		t.Fatalf("rows %+v", rows)
	}
	if got := field0(t, rows[0], "properties", "total"); got != 11.77 {
		t.Errorf("total = %v, want the number 11.77", got)
	}
	if got := field0(t, rows[0], "timestamp"); got != "1997-01-01T00:00:00Z" {
		t.Errorf("timestamp = %v", got)
	}
	if got := field0(t, rows[0], "type"); got != "track" {
		t.Errorf("type = %v, want the default track", got)
	}
	if props := field0(t, rows[1], "properties").(map[string]any); len(props) != 1 {
		t.Errorf("an empty cell must leave its field out, got %v", props)
	}
}

func TestEqualRowsStayDistinctAndRepeatsGetTheSameIDs(t *testing.T) {
	const file = "customer,date,amount\nu1,19970101,5\nu1,19970101,5\nu2,19970101,5\n"
	ids := func(s string) (out []string) {
		for _, r := range all(t, CSV(strings.NewReader(s), Format{}, orders(t))) {
			out = append(out, field0(t, r, "messageId").(string))
		}
		return out
	}
	first, again := ids(file), ids(file+"u3,19970102,7\n")
	if first[0] == first[1] || first[0] == first[2] {
		t.Errorf("rows share an id: %v", first)
	}
	for i := range first {
		if first[i] != again[i] {
			t.Errorf("row %d changed its id after a row was appended", i)
		}
	}
}

func TestBadCSVRowsAreRefusedWithLineAndReasonAndTheRestGoesOn(t *testing.T) {
	const file = "customer,date,amount\nu1,1997,5\nu2,19970102\nu3,19970103,x\nu4,19970104,\"a\"b\nu5,19970105,1\nu\xff6,19970105,1\n"
	rows := all(t, CSV(strings.NewReader(file), Format{}, orders(t)))
	var good, bad []int
	for _, r := range rows {
		if r.Err != nil {
			bad = append(bad, r.Line)
			if r.Err.Error() == "" || r.Event != nil {
				t.Errorf("line %d: refused without a reason or with an event", r.Line)
			}
		} else {
			good = append(good, r.Line)
		}
	}
	if len(good) != 1 || good[0] != 6 || len(bad) != 5 {
		t.Errorf("good %v, bad %v", good, bad)
	}
}

func TestHeaderMustNameTheMappedColumns(t *testing.T) {
	_, err := CSV(strings.NewReader("customer,date\nu1,19970101\n"), Format{}, orders(t)).Next()
	if !errs.Is(err, errs.KindInvalid) || !strings.Contains(err.Error(), `"amount"`) {
		t.Errorf("err = %v, want one that names the missing column", err)
	}
}

func TestWhitespaceLayoutReadsFixedColumns(t *testing.T) {
	m, err := ParseMapping([]string{"userId=customer_id", "timestamp=date:time:20060102", "properties.total=dollar_value:number"}, []string{"event=Order Completed"}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	rows := all(t, CSV(strings.NewReader(" customer_id  date number_of_cds  dollar_value\n 00001 19970101  1   11.77\n\n 00002 19970112  5   77.00\n"), Format{Delimiter: Whitespace}, m))
	if len(rows) != 2 || rows[1].Line != 4 {
		t.Fatalf("rows %+v", rows)
	}
	if got := field0(t, rows[0], "userId"); got != "00001" {
		t.Errorf("userId = %v: leading zeros must stay", got)
	}
}

func TestNDJSONTakesSingleEventsAndBatches(t *testing.T) {
	file := `{"type":"track","event":"A","userId":"u1"}
{"batch":[{"type":"track","event":"B","userId":"u1","messageId":"m1"},7,{"type":"page","userId":"u2"}],"context":{"locale":"ja"}}

not json
{"batch":3}
`
	rows := all(t, NDJSON(strings.NewReader(file)))
	if len(rows) != 6 {
		t.Fatalf("%d rows, want 6: %+v", len(rows), rows)
	}
	if got := field0(t, rows[1], "messageId"); got != "m1" {
		t.Errorf("a given messageId must stay, got %v", got)
	}
	if got := field0(t, rows[3], "context", "locale"); got != "ja" {
		t.Errorf("batch context must reach its events, got %v", got)
	}
	for i, bad := range []bool{false, false, true, false, true, true} {
		if (rows[i].Err != nil) != bad {
			t.Errorf("row %d: err %v, want refused = %v", i, rows[i].Err, bad)
		}
	}
	if rows[4].Line != 4 {
		t.Errorf("line %d, want 4", rows[4].Line)
	}
}

func TestMappingErrorsNameTheFieldAndTheRemedy(t *testing.T) {
	for _, c := range []struct {
		columns, constants []string
		want               string
	}{
		{[]string{"event=name"}, nil, "userId"},
		{[]string{"userId=id", "properties=x"}, nil, "properties"},
		{[]string{"userId=id", "total=x"}, nil, "total"},
		{[]string{"userId"}, nil, "userId"},
		{[]string{"userId=id", "properties.a=x:float"}, nil, "float"},
		{[]string{"userId=id"}, []string{"userId=7"}, "userId"},
	} {
		_, err := ParseMapping(c.columns, c.constants, time.UTC)
		if !errs.Is(err, errs.KindInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseMapping(%v, %v) = %v, want an error naming %s", c.columns, c.constants, err, c.want)
		}
	}
}

func FuzzReaders(f *testing.F) {
	f.Add("customer,date,amount\nu1,19970101,5\n", true)
	f.Add("{\"type\":\"track\"}\n{\"batch\":[{}]}", false)
	f.Add("customer,date,amount\n\"", true)
	f.Fuzz(func(t *testing.T, in string, isCSV bool) {
		r := NDJSON(strings.NewReader(in))
		if isCSV {
			m, err := ParseMapping([]string{"userId=customer", "timestamp=date:time:%Y%m%d", "properties.total=amount:number"}, nil, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			r = CSV(strings.NewReader(in), Format{}, m)
		}
		var end int64
		for {
			row, err := r.Next()
			if err != nil {
				return
			}
			if (row.Event == nil) == (row.Err == nil) {
				t.Fatalf("row has neither or both of event and error: %+v", row)
			}
			if row.Event != nil && !json.Valid(row.Event) {
				t.Fatalf("event is not JSON: %s", row.Event)
			}
			if row.End < end || row.End > int64(len(in)) {
				t.Fatalf("offset went from %d to %d of %d", end, row.End, len(in))
			}
			end = row.End
		}
	})
}
