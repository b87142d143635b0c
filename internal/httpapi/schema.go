package httpapi

import (
	"reflect"
	"regexp"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// namer names the schemas of the document. Shapes that are exported keep their name; those that only one operation uses are
// declared inside it and named after it, since Go does not tell local types of the same name apart.
type namer struct {
	operation string // being registered
	names     map[reflect.Type]string
}

// localNumber is what the compiler adds to the names of local types inside generic ones.
var localNumber = regexp.MustCompile(`·\d+`)

func (n *namer) name(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if known, ok := n.names[t]; ok {
		return known
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if local(t.Name()) {
		name = pascal(n.operation) + localNumber.ReplaceAllString(name, "")
	}
	n.names[t] = name
	return name
}

// local reports whether a type name, or a type that it is made of, is declared inside a function or not exported.
func local(name string) bool {
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return r == '[' || r == ']' || r == ',' }) {
		base := part[strings.LastIndex(part, ".")+1:]
		if strings.Contains(part, "httpapi.") && base != "" && unicode.IsLower(rune(base[0])) {
			return true
		}
	}
	return name != "" && unicode.IsLower(rune(name[0])) && !strings.ContainsAny(name, "[.") && reflectKinds[name] == 0
}

// reflectKinds are the names of Go's own types.
var reflectKinds = map[string]int{"bool": 1, "int": 1, "int64": 1, "uint64": 1, "float64": 1, "string": 1, "int32": 1, "uint32": 1}

func pascal(id string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(id, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}
