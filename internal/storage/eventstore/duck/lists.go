package duck

import (
	"slices"
	"strconv"
	"strings"
)

// lists returns arguments for the driver, with each list as the text that DuckDB casts to it: statements say CAST(? AS UBIGINT[]). The driver
// would make a value of each element and never give it back (duckdb-go 2.10500: destroyValueSlice is deferred with the slice as it was
// before anything was in it): a hundred bytes for every person of every batch, for as long as the process lives.
func lists(args ...any) []any {
	args = slices.Clone(args)
	for i, a := range args {
		switch a := a.(type) {
		case []uint64:
			args[i] = list(a, func(to []byte, n uint64) []byte { return strconv.AppendUint(to, n, 10) })
		case []int64:
			args[i] = list(a, func(to []byte, n int64) []byte { return strconv.AppendInt(to, n, 10) })
		case []string:
			args[i] = list(a, func(to []byte, s string) []byte {
				return append(append(append(to, '"'), escaper.Replace(s)...), '"')
			})
		}
	}
	return args
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func list[T any](all []T, add func(to []byte, v T) []byte) string {
	to := make([]byte, 0, 2+12*len(all))
	to = append(to, '[')
	for i, v := range all {
		if i > 0 {
			to = append(to, ',')
		}
		to = add(to, v)
	}
	return string(append(to, ']'))
}
