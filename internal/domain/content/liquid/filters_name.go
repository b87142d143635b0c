package liquid

import (
	"strconv"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/kit/names"
)

// prepareName checks the style once, if it is a literal.
func prepareName(args []expr) (data any, msg string) {
	if len(args) == 0 {
		return nil, ""
	}
	l, ok := args[0].(literal)
	if !ok {
		return nil, ""
	}
	switch l.v {
	case "full", "family", "given", "plain":
		return nil, ""
	}
	return nil, `name takes "full", "family", "given" or "plain"`
}

// filterName addresses a person the way the reader's language does. The input is a name, or a group of values with
// name, first_name, last_name, title and gender, as people have them.
//
//	full (the default)  en Jane Doe, Dr. Doe     zh 王伟先生   ja 山田 太郎様
//	family              en Ms. Doe, Doe          zh 王先生     ja 山田様
//	given               en Jane                  zh 伟         ja 太郎様
//	plain               the full name in the language's order, without any honorific
//
// In Japanese 様 is added unless the name already carries an honorific. In Chinese 先生 or 女士 needs a known
// gender. English needs a title for anything beyond the name. A person without a name gives nothing; add default.
func filterName(s *state, in any, args []any) any {
	n, ok := s.nameOf(in)
	if !ok {
		return nil
	}
	style := "full"
	if len(args) > 0 {
		style = s.str(args[0])
	}
	if !s.room(4 * (len(n.full) + len(n.given) + len(n.family) + len(n.title))) {
		return nil
	}
	var out string
	switch s.lang {
	case japanese:
		out = n.pick(style, " ")
		if style != "plain" {
			out = suffixed(out, "様")
		}
	case chinese:
		out = n.pick(style, "")
		if style != "plain" && style != "given" {
			switch {
			case n.title != "" && names.Han(n.title):
				out = suffixed(out, n.title)
			case n.gender == "male":
				out = suffixed(out, "先生")
			case n.gender == "female":
				out = suffixed(out, "女士")
			}
		}
	default:
		out = n.pick(style, " ")
		if n.title != "" && (style == "family" || style == "full") && !strings.HasPrefix(out, n.title) {
			if n.family != "" {
				out = n.family
			}
			out = n.title + " " + out
		}
	}
	if out == "" {
		return nil
	}
	return out
}

type personName struct{ full, given, family, title, gender string }

func (s *state) nameOf(in any) (n personName, ok bool) {
	switch v := canon(in).(type) {
	case string:
		n.full = v
	case Trusted:
		n.full = string(v)
	case map[string]any:
		if t, ok := v["traits"].(map[string]any); ok && v["name"] == nil && v["first_name"] == nil {
			v = t
		}
		get := func(keys ...string) string {
			for _, k := range keys {
				if t, ok := v[k].(string); ok && strings.TrimSpace(t) != "" {
					return strings.TrimSpace(t)
				}
			}
			return ""
		}
		n.full, n.given, n.family = get("name", "full_name"), get("first_name", "firstName", "given_name"), get("last_name", "lastName", "family_name")
		n.title = get("title", "honorific", "salutation")
		switch strings.ToLower(get("gender", "sex")) {
		case "male", "m", "男", "男性":
			n.gender = "male"
		case "female", "f", "女", "女性":
			n.gender = "female"
		}
	default:
		if in != nil {
			s.complain("not_text", "name needs a person or a text, not "+strconv.Quote(s.str(in)))
		}
		return n, false
	}
	n.full = strings.Join(strings.Fields(n.full), " ")
	return n, n.full != "" || n.given != "" || n.family != ""
}

// pick puts the parts together: family name first if it is written in Han or kana, joined by sep; otherwise given name
// first, joined by a space. A name that came in one piece stays in one piece.
func (n personName) pick(style, sep string) string {
	whole := n.full
	switch {
	case n.given == "" || n.family == "":
		if whole == "" {
			whole = n.given + n.family
		}
	case names.Han(n.family):
		whole = n.family + sep + n.given
	case whole == "":
		whole = n.given + " " + n.family
	}
	switch {
	case style == "family" && n.family != "":
		return n.family
	case style == "given" && n.given != "":
		return n.given
	}
	return whole
}

// suffixed adds an honorific unless the name already ends in one.
func suffixed(name, honorific string) string {
	if name == "" {
		return ""
	}
	for _, h := range [...]string{"様", "さま", "さん", "殿", "先生", "君", "女士", "小姐", honorific} {
		if strings.HasSuffix(name, h) && len(name) > len(h) {
			return name
		}
	}
	return name + honorific
}
