package importer

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"

	"github.com/kizuna-cx/kizuna/internal/domain/consent"
	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
)

func encode(t *testing.T, text, name string) string {
	t.Helper()
	enc := encodings[name]
	if name == "utf-16" {
		enc = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	}
	out, err := enc.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFilesAreReadAsTheyWereWritten(t *testing.T) {
	const (
		chinese  = "客户编号,姓名,邮箱,城市\n1001,王伟,wang@example.com,上海\n1002,李芳,li@example.com,杭州\n"
		japanese = "会員番号\t氏名\tメールアドレス\t都道府県\n1001\t佐藤 陽菜\tsato@example.jp\t京都府\n1002\t鈴木 蓮\tsuzuki@example.jp\t東京都\n"
		kanji    = "会員番号;氏名;住所\n1;佐藤一郎;東京都千代田区\n2;高橋次郎;神奈川県横浜市\n"
		english  = "id|name|note\n1|Ann|\"a|b\"\n2|Ben|\n"
	)
	for name, c := range map[string]struct {
		file string
		want Layout
		cell string // the second of the first row of data
	}{
		"utf-8":                   {chinese, Layout{Delimited, "utf-8", "comma", true}, "王伟"},
		"utf-8 with a mark":       {"\ufeff" + chinese, Layout{Delimited, "utf-8", "comma", true}, "王伟"},
		"gb18030":                 {encode(t, chinese, "gb18030"), Layout{Delimited, "gb18030", "comma", true}, "王伟"},
		"shift_jis":               {encode(t, japanese, "shift_jis"), Layout{Delimited, "shift_jis", "tab", true}, "佐藤 陽菜"},
		"shift_jis without kana":  {encode(t, kanji, "shift_jis"), Layout{Delimited, "shift_jis", "semicolon", true}, "佐藤一郎"},
		"utf-16 of a spreadsheet": {encode(t, japanese, "utf-16"), Layout{Delimited, "utf-16", "tab", true}, "佐藤 陽菜"},
		"pipes":                   {english, Layout{Delimited, "utf-8", "pipe", true}, "Ann"},
		"blanks, no header":       {" 00001 19970101  1   11.77\n 00002 19970112  5   77.00\n", Layout{Delimited, "utf-8", "space", false}, "19970101"},
		"one column":              {"email\na@b.example\n", Layout{Delimited, "utf-8", "comma", true}, ""},
		"lines":                   {`{"a":1,"b":{"c":"京"}}` + "\n", Layout{Lines, "utf-8", "", true}, "京"},
	} {
		l, err := Sniff(strings.NewReader(c.file))
		if err != nil || l != c.want {
			t.Errorf("%s: %+v %v, want %+v", name, l, err, c.want)
			continue
		}
		tab, err := openTable(strings.NewReader(c.file), l)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		row, err := tab.next()
		if err != nil || c.cell != "" && row[1] != c.cell {
			t.Errorf("%s: %q %v, want %q", name, row, err, c.cell)
		}
		if slices.ContainsFunc(tab.columns, func(s string) bool { return strings.HasPrefix(s, "\ufeff") }) {
			t.Errorf("%s: the mark stands in %q", name, tab.columns[0])
		}
	}
}

func TestColumnsAreUnderstoodInThreeLanguages(t *testing.T) {
	kinds, topics := person.DefaultScheme().Kinds, []consent.Topic{{ID: "top_old", Archived: true}, {ID: "top_news"}}
	for name, c := range map[string]struct {
		file string
		want string
	}{
		"english people":  {"Customer ID,Email Address,First Name,Postal Code,Newsletter,Created At\n7,a@b.example,Ann,00123,yes,2024-02-03\n", "identifier/user_id identifier/email trait/first_name trait/postal_code:text subscription/top_news trait/created_at:time"},
		"chinese orders":  {"会员编号,手机号,订单号,下单时间,实付金额,商品名称\nm1,13800138000,o1,2024-05-06 10:11,99.5,龙井\n", "identifier/user_id identifier/phone property/order_id:text time/:time property/total:number property/product:text event=Order Completed"},
		"japanese orders": {"会員番号,メールアドレス,注文日時,合計金額,店舗\nm1,a@b.example,2024/5/6 10:11,1200,京都店\nm2,c@d.example,不明,不明,京都店\n", "identifier/user_id identifier/email time/:time property/total:number property/店舗:text event=Order Completed"},
		"segment lines":   {`{"type":"track","event":"Seen","userId":"u","timestamp":"2024-05-06T10:11:12Z","properties":{"path":"/a","n":3}}`, "event/ property/n:number property/path:text time/:time identifier/user_id"},
		"no header":       {" 00001 19970101  1   11.77\n 00002 19970112  5   77.00\n", "identifier/user_id time/:time property/total:number event=Order Completed"},
		"day first":       {"email,dob\na@b.example,25/12/1990\nc@d.example,01/02/1991\n", "identifier/email trait/birthday:text"},
		"dates only":      {"email,last visit\na@b.example,25/12/2020\nc@d.example,01/02/2021\n", "identifier/email trait/last_visit:time_dmy"},
	} {
		l, err := Sniff(strings.NewReader(c.file))
		if err != nil {
			t.Fatal(name, err)
		}
		tab, err := openTable(strings.NewReader(c.file), l)
		if err != nil {
			t.Fatal(name, err)
		}
		values := make([][]string, len(tab.columns))
		for row, err := tab.next(); err == nil; row, err = tab.next() {
			for i, v := range row {
				if v != "" {
					values[i] = append(values[i], v)
				}
			}
		}
		p := guess(tab.columns, values, kinds, topics)
		var got []string
		for _, col := range p.Columns {
			s := string(col.To) + "/" + col.Key
			if col.Type != "" {
				s += ":" + string(col.Type)
			}
			got = append(got, s)
		}
		if p.Event != "" {
			got = append(got, "event="+p.Event)
		}
		text := strings.Join(got, " ")
		for _, plain := range []string{"first_name"} {
			text = strings.ReplaceAll(text, plain+":text", plain)
		}
		if text != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, text, c.want)
		}
		p.Basis.Source = "form"
		if err := p.Validate(names(kinds), []string{"top_news"}); err != nil {
			t.Errorf("%s: the guess is not valid: %v", name, err)
		}
	}
}

func names(kinds []person.Kind) (out []string) {
	for _, k := range kinds {
		out = append(out, k.Name)
	}
	return out
}

func TestValuesAreReadAsPeopleWriteThem(t *testing.T) {
	for in, want := range map[string]float64{
		"12": 12, "1,234": 1234, "1,234.5": 1234.5, "1.234,5": 1234.5, "12,5": 12.5, "¥1,200": 1200, "１２００円": 1200, "(3.5)": -3.5, "-7": -7, "1 234": 1234, "1.234.567": 1234567, "5e3": 5000,
	} {
		if got, ok := readNumber(in); !ok || got != want {
			t.Errorf("%q is %v %v, want %v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "NaN", "inf", "0x10", "1_000", "12a", "-", "1,2,3x"} {
		if got, ok := readNumber(in); ok {
			t.Errorf("%q was read as %v", in, got)
		}
	}
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in   string
		t    Type
		want string
	}{
		{"2024年5月6日", Time, "2024-05-05T15:00:00Z"},
		{"2024/5/6 9:07", Time, "2024-05-06T00:07:00Z"},
		{"20240506", Time, "2024-05-05T15:00:00Z"},
		{"2024-05-06T10:11:12+02:00", Time, "2024-05-06T08:11:12Z"},
		{"1714968000", Time, "2024-05-06T04:00:00Z"},
		{"06.05.2024", TimeDMY, "2024-05-05T15:00:00Z"},
		{"5/6/2024 3:04 PM", TimeMDY, "2024-05-06T06:04:00Z"},
	} {
		var m moments
		if got, ok := m.read(c.in, c.t, tokyo); !ok || got.Format(time.RFC3339) != c.want {
			t.Errorf("%q is %v %v, want %s", c.in, got, ok, c.want)
		}
	}
	for in, want := range map[string]bool{"Yes": true, "はい": true, "订阅": true, "１": true, "no": false, "いいえ": false, "退订": false} {
		if got, ok := readTruth(in); !ok || got != want {
			t.Errorf("%q is %v %v", in, got, ok)
		}
	}
}

func TestPeopleOfAFileAreCountedByTheRulesOfIdentity(t *testing.T) {
	id := func(kind, value string) event.Identifier { return event.Identifier{Kind: kind, Value: value} }
	g := newGroups()
	owners := map[event.Identifier]person.Owner{
		id("email", "known@x"): {Num: 1, ID: "per_1", UserID: "u1"},
		id("phone", "+81"):     {Num: 2, ID: "per_2"},
	}
	for _, row := range []struct {
		ids   []event.Identifier
		who   string
		apart bool
	}{
		{[]event.Identifier{id("email", "new@x")}, "", false},
		{[]event.Identifier{id("email", "new@x"), id("phone", "+1")}, "", false},
		{[]event.Identifier{id("phone", "+1"), id("user_id", "n1")}, "", false},
		{[]event.Identifier{id("email", "known@x"), id("user_id", "u1")}, "per_1", false},
		{[]event.Identifier{id("email", "known@x"), id("user_id", "u9")}, "", true}, // two users stay two
		{[]event.Identifier{id("phone", "+81"), id("email", "other@x")}, "per_2", false},
	} {
		if who, apart := g.add(row.ids, owners); who != row.who || apart != row.apart {
			t.Errorf("%v: %q %v, want %q %v", row.ids, who, apart, row.who, row.apart)
		}
	}
	if created, known := g.count(); created != 2 || known != 2 {
		t.Errorf("%d new and %d known, want 2 and 2", created, known)
	}
}

func TestRowsSayTheSameUnderTheSameNames(t *testing.T) {
	p := Plan{Event: "Seen", Currency: "jpy", Basis: Basis{Source: "form"}, Columns: []Column{
		{Name: "u", To: ToIdentifier, Key: "user_id"},
		{Name: "m", To: ToIdentifier, Key: "email"},
		{Name: "t", To: ToTime},
		{Name: "c", To: ToTrait, Key: "address.city"},
		{Name: "n", To: ToSubscription, Key: "top"},
		{Name: "x", To: ToProperty, Key: "total", Type: Number},
	}}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	r, err := p.prepare([]string{"u", "m", "t", "c", "n", "x"}, func(i event.Identifier) (event.Identifier, bool) { return i, true }, now)
	if err != nil {
		t.Fatal(err)
	}
	s, fault := r.row([]string{"7", "a@b.example", "2024-05-06", "京都", "no", "1,200"})
	if fault != nil {
		t.Fatal(fault)
	}
	made, err := s.events("ws", "job_1", "imp-x-2", p, now, now)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range made {
		got = append(got, strings.Join([]string{e.MessageID, string(e.Type), e.Name, e.UserID, e.Source, e.Time.Format("2006-01-02"), string(e.Properties)}, " "))
	}
	want := []string{
		`imp-x-2i identify  7 job_1 2024-05-06 {"address":{"city":"京都"}}`,
		`imp-x-2t track Seen 7 job_1 2024-05-06 {"currency":"JPY","total":1200}`,
		`imp-x-2s0 track Unsubscribed 7 job_1 2024-05-06 {"channel":"email","dated":true,"evidence":"","source":"form","topic":"top"}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range []struct {
		cells []string
		code  string
	}{
		{[]string{"", "", "2024-05-06", "", "", ""}, "no_identifier"},
		{[]string{"7", "", "", "", "", ""}, "no_time"},
		{[]string{"7", "", "2027-05-06", "", "", ""}, "future"},
		{[]string{"7", "", "soon, I hope", "", "", ""}, "value_time"},
		{[]string{"7", "", "2024-05-06", "", "perhaps", ""}, "subscription"},
		{[]string{"7", "", "2024-05-06", "", "", "many"}, "value_number"},
	} {
		if _, f := r.row(c.cells); f == nil || f.Code != c.code {
			t.Errorf("%v: %v, want %s", c.cells, f, c.code)
		}
	}
	for code := range words {
		for _, l := range []string{"en", "zh-Hans", "ja", "fr"} {
			if word(code, l) == "" {
				t.Errorf("%s has no words in %s", code, l)
			}
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add("a,b\n1,\"2\"\n")
	f.Add("{\"a\":{\"b\":[1]}}\n{}\n")
	f.Add("\xff\xfea\x00,\x00")
	f.Add("\x8b\x41,\x95\xb6\n")
	f.Fuzz(func(t *testing.T, file string) {
		l, err := Sniff(strings.NewReader(file))
		if err != nil {
			return
		}
		tab, err := openTable(strings.NewReader(file), l)
		if err != nil {
			return
		}
		line := 0
		for {
			row, err := tab.next()
			if errors.Is(err, io.EOF) {
				return
			}
			var fault errFault
			switch {
			case err != nil && !errors.As(err, &fault):
				return
			case err == nil && len(row) != len(tab.columns):
				t.Fatalf("%d cells, %d columns", len(row), len(tab.columns))
			case err != nil && word(string(fault), "en") == "":
				t.Fatalf("no words for %s", fault)
			case tab.at < line:
				t.Fatalf("line %d after %d", tab.at, line)
			}
			line = tab.at
		}
	})
}
