package shared

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"time"

	"github.com/RoaringBitmap/roaring/v2/roaring64"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// call is a question on its way: the method and what it needs of the rest.
type call struct {
	Method  string
	WS      string
	SQL     string
	Args    []cell
	Batch   event.Batch
	People  []uint64
	Types   []event.Type
	Arrival event.ArrivalFilter
	Page    page.Request
	Names   []string
	Named   bool // Names is not nil
	IDs     []event.Identifier
	Limit   int
	Name    string
	Path    string
	Profile event.ProfileQuery
	Flow    event.FlowQuery
	Pick    event.FlowPick
	Since   time.Time
	Loose   bool
	Terms   []event.Term
}

// answer is what comes back.
type answer struct {
	Fault     *fault
	Number    uint64
	Own       int64
	People    []uint64
	Kept      []event.Kept
	Next      string
	Histories map[uint64][]event.Kept
	Bitmap    *roaring64.Bitmap
	Rows      [][]cell
	Mirrors   []event.Mirror
	Stats     event.Stats
	Names     []event.NameCount
	Fields    []event.Field
	Values    []event.ValueCount
	Profile   event.Profile
	Flow      event.Flow
	Traces    event.Traces
	Ages      []event.Age
}

// fault is an error on its way.
type fault struct {
	Kind             errs.Kind
	Code, Field, Msg string
	Text             string // of an error without a code
}

func faultOf(err error) *fault {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return &fault{Kind: e.Kind, Code: e.Code, Field: e.Field, Msg: e.Msg}
	}
	return &fault{Text: err.Error()}
}

func (f *fault) error() error {
	switch {
	case f == nil:
		return nil
	case f.Code != "":
		return &errs.Error{Kind: f.Kind, Code: f.Code, Field: f.Field, Msg: f.Msg}
	}
	return errors.New(f.Text)
}

// cell is one value of a row or one argument, with its type: gob knows no nil among interface values.
type cell struct {
	Kind kind
	I    int64
	U    uint64
	F    float64
	S    string
	B    []byte
	T    time.Time
	L    []cell
}

type kind uint8

const (
	isNil kind = iota
	isBool
	isInt
	isUint
	isFloat
	isText
	isBytes
	isTime
	isBig
	isList      // []any
	isTextList  // []string
	isUintList  // []uint64
	isFloatList // []float64
)

func cells(values []any) ([]cell, error) {
	out := make([]cell, len(values))
	for i, v := range values {
		var err error
		if out[i], err = toCell(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func toCell(v any) (cell, error) {
	switch v := v.(type) {
	case nil:
		return cell{}, nil
	case time.Time:
		return cell{Kind: isTime, T: v}, nil
	case []byte:
		return cell{Kind: isBytes, B: v}, nil
	case *big.Int:
		return cell{Kind: isBig, S: v.String()}, nil
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Bool:
		c := cell{Kind: isBool}
		if r.Bool() {
			c.I = 1
		}
		return c, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return cell{Kind: isInt, I: r.Int()}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return cell{Kind: isUint, U: r.Uint()}, nil
	case reflect.Float32, reflect.Float64:
		return cell{Kind: isFloat, F: r.Float()}, nil
	case reflect.String:
		return cell{Kind: isText, S: r.String()}, nil
	case reflect.Slice:
		list := cell{Kind: isList, L: make([]cell, r.Len())}
		switch r.Type().Elem().Kind() {
		case reflect.String:
			list.Kind = isTextList
		case reflect.Uint64:
			list.Kind = isUintList
		case reflect.Float64:
			list.Kind = isFloatList
		}
		for i := range list.L {
			var err error
			if list.L[i], err = toCell(r.Index(i).Interface()); err != nil {
				return cell{}, err
			}
		}
		return list, nil
	}
	return cell{}, fmt.Errorf("event store: a value of type %T cannot be sent", v)
}

func values(list []cell) []any {
	out := make([]any, len(list))
	for i, c := range list {
		out[i] = c.value()
	}
	return out
}

func (c cell) value() any {
	switch c.Kind {
	case isBool:
		return c.I == 1
	case isInt:
		return c.I
	case isUint:
		return c.U
	case isFloat:
		return c.F
	case isText:
		return c.S
	case isBytes:
		return c.B
	case isTime:
		return c.T
	case isBig:
		n, _ := new(big.Int).SetString(c.S, 10)
		return n
	case isList:
		return values(c.L)
	case isTextList:
		return each(c.L, func(c cell) string { return c.S })
	case isUintList:
		return each(c.L, func(c cell) uint64 { return c.U })
	case isFloatList:
		return each(c.L, func(c cell) float64 { return c.F })
	}
	return nil
}

func each[T any](list []cell, take func(cell) T) []T {
	out := make([]T, len(list))
	for i, c := range list {
		out[i] = take(c)
	}
	return out
}
