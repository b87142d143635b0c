package names

import "testing"

func TestNamesStandInTheOrderOfTheirBearers(t *testing.T) {
	for _, c := range []struct{ given, family, want string }{
		{"Jane", "Doe", "Jane Doe"},
		{"陽菜", "高橋", "高橋陽菜"},
		{"伟", "王", "王伟"},
		{"さくら", "ヤマダ", "ヤマダさくら"},
		{"Ken", "山田", "山田 Ken"},
		{"美咲", "Smith", "美咲 Smith"},
		{"Jane", "", "Jane"},
		{"", "王", "王"},
		{"", "", ""},
	} {
		if got := Full(c.given, c.family); got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.given, c.family, got, c.want)
		}
	}
}
