package collect

import (
	"errors"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Limits of the wire contract, in bytes of decompressed JSON and in events.
const (
	MaxEvent       = 32_768
	MaxBatch       = 512_000
	MaxBatchEvents = 2_500
)

// field is a member of an event that has a meaning of its own.
type field int

const (
	fType field = iota
	fEvent
	fName
	fCategory
	fUserID
	fAnonymousID
	fPreviousID
	fGroupID
	fMessageID
	fTimestamp
	fOriginal
	fSentAt
	fProperties
	fTraits
	fContext
	fWriteKey
	fieldCount
)

func fieldOf(key []byte) (field, bool) {
	switch string(key) {
	case `"type"`:
		return fType, true
	case `"event"`:
		return fEvent, true
	case `"name"`:
		return fName, true
	case `"category"`:
		return fCategory, true
	case `"userId"`:
		return fUserID, true
	case `"anonymousId"`:
		return fAnonymousID, true
	case `"previousId"`:
		return fPreviousID, true
	case `"groupId"`:
		return fGroupID, true
	case `"messageId"`:
		return fMessageID, true
	case `"timestamp"`:
		return fTimestamp, true
	case `"originalTimestamp"`:
		return fOriginal, true
	case `"sentAt"`:
		return fSentAt, true
	case `"properties"`:
		return fProperties, true
	case `"traits"`:
		return fTraits, true
	case `"context"`:
		return fContext, true
	case `"writeKey"`:
		return fWriteKey, true
	}
	return 0, false
}

// rawEvent is an event as it came, with its values in the scanner's output.
type rawEvent struct {
	size   int // bytes as it came
	fields [fieldCount]rawField
	extra  span // into envelope.extra
	mended bool
	fault  fault // what makes it no event at all, if anything
}

type rawField struct {
	span
	mended bool
}

type fault uint8

const (
	faultNone fault = iota
	faultNoObject
	faultTooDeep
	faultTooLarge
)

// envelope is a request body, read. It can be used again with reset.
type envelope struct {
	s        scanner
	events   []rawEvent
	extra    []span // members of events that have no known meaning, key and value
	overflow int    // events after MaxBatchEvents

	writeKey, sentAt, context, integrations span // of the batch; for a single call of its event
}

func (e *envelope) bytes(sp span) []byte { return e.s.out[sp.from:sp.to] }

func (e *envelope) reset(body []byte) {
	*e = envelope{s: e.s, events: e.events[:0], extra: e.extra[:0]}
	e.s.reset(body)
}

// parse reads a body into the envelope: one event, or a batch of them. An error is an errs.KindInvalid error that
// condemns the whole body.
func (e *envelope) parse(body []byte, single bool) error {
	e.reset(body)
	s := &e.s
	if s.next() == 0 && s.pos >= len(s.in) {
		return errs.Invalid("body.empty", "", "the body is empty; send a JSON object")
	}
	if s.next() != '{' {
		if err := s.skip(); err != nil {
			return badBody(err)
		}
		return errs.Invalid("body.no_object", "", "the body is not a JSON object")
	}
	var err error
	if single {
		err = e.single()
	} else {
		err = e.batch()
	}
	if err == nil && (s.next() != 0 || s.pos < len(s.in)) {
		err = s.fail()
	}
	if err != nil {
		return badBody(err)
	}
	return nil
}

func badBody(err error) error {
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	return errs.Invalid("body.invalid_json", "", "the body is %v; send one JSON object in UTF-8", err)
}

func (e *envelope) single() error {
	if err := e.event(); err != nil {
		return err
	}
	ev := &e.events[0]
	e.writeKey, e.sentAt = ev.fields[fWriteKey].span, ev.fields[fSentAt].span
	return nil
}

// batch reads the object around a batch. Members with no meaning there are not kept: they are about the request.
func (e *envelope) batch() error {
	s := &e.s
	s.pos++
	found := false
	for first := true; ; first = false {
		if first && s.next() == '}' {
			s.pos++
			break
		}
		keyStart := len(s.out)
		if s.next() != '"' {
			return s.fail()
		}
		if err := s.text(); err != nil {
			return err
		}
		key := string(s.out[keyStart:])
		if s.next() != ':' {
			return s.fail()
		}
		s.pos++
		var err error
		switch key {
		case `"batch"`:
			found = true
			err = e.elements()
		case `"writeKey"`:
			e.writeKey, err = e.keep()
		case `"sentAt"`:
			e.sentAt, err = e.keep()
		case `"context"`:
			e.context, err = e.keepObject("context")
		case `"integrations"`:
			e.integrations, err = e.keepObject("integrations")
		default:
			s.next()
			if err = s.value(maxDepth); errors.Is(err, errDeep) {
				err = errs.Invalid("body.too_deep", "", "the body nests deeper than %d levels outside its events", maxDepth)
			}
			s.out = s.out[:keyStart]
		}
		if err != nil {
			return err
		}
		c := s.next()
		if c != ',' && c != '}' {
			return s.fail()
		}
		s.pos++
		if c == '}' {
			break
		}
	}
	if !found {
		return errs.Invalid("body.no_batch", "batch", "the body has no \"batch\"; send {\"batch\": [events]}")
	}
	return nil
}

func (e *envelope) keep() (span, error) {
	from := len(e.s.out)
	err := e.s.value(maxDepth)
	if errors.Is(err, errDeep) {
		err = errs.Invalid("body.too_deep", "", "the body nests deeper than %d levels outside its events", maxDepth)
	}
	return span{from, len(e.s.out)}, err
}

// keepObject is keep for what every event of the batch takes on, and so must be small; null counts as absent.
func (e *envelope) keepObject(name string) (span, error) {
	sp, err := e.keep()
	if err != nil {
		return sp, err
	}
	switch e.s.out[sp.from] {
	case '{':
	case 'n':
		return span{}, nil
	default:
		return sp, errs.Invalid("body."+name+".invalid", name, "the batch's %s is not an object", name)
	}
	if n := sp.to - sp.from; n > MaxEvent {
		return sp, errs.Invalid("body."+name+".too_large", name, "the batch's %s has %d bytes, %d are allowed", name, n, MaxEvent)
	}
	return sp, nil
}

// elements reads the array of events. If it comes twice, the last one counts.
func (e *envelope) elements() error {
	s := &e.s
	e.events, e.overflow = e.events[:0], 0
	if s.next() != '[' {
		if err := s.skip(); err != nil {
			return err
		}
		return errs.Invalid("body.no_batch", "batch", "\"batch\" is not an array; send {\"batch\": [events]}")
	}
	s.pos++
	if s.next() == ']' {
		s.pos++
		return nil
	}
	for {
		if len(e.events) < MaxBatchEvents {
			if err := e.event(); err != nil {
				return err
			}
		} else {
			e.overflow++
			if err := e.pass(); err != nil {
				return err
			}
		}
		c := s.next()
		if c != ',' && c != ']' {
			return s.fail()
		}
		s.pos++
		if c == ']' {
			return nil
		}
	}
}

// pass reads a value for its syntax alone.
func (e *envelope) pass() error {
	s := &e.s
	s.next()
	start, written := s.pos, len(s.out)
	err := s.value(maxDepth)
	if errors.Is(err, errDeep) {
		s.pos = start
		err = s.skip()
	}
	s.out = s.out[:written]
	return err
}

// event reads one event.
func (e *envelope) event() error {
	s := &e.s
	e.events = append(e.events, rawEvent{})
	ev := &e.events[len(e.events)-1]
	if s.next() != '{' {
		ev.fault = faultNoObject
		return e.pass()
	}
	start, written, base := s.pos, len(s.out), len(s.members)
	s.mended = false
	err := s.fields(maxDepth)
	if err != nil && !errors.Is(err, errDeep) {
		return err
	}
	ev.mended = s.mended
	ev.extra = span{len(e.extra), len(e.extra)}
	for _, m := range s.members[base:] {
		if !m.dropped && m.end > 0 {
			e.assign(ev, m)
		}
	}
	s.members = s.members[:base]
	if err != nil {
		// What was read up to there still names the event in its rejection.
		ev.fault = faultTooDeep
		s.pos = start
		if err := s.skip(); err != nil {
			return err
		}
	}
	if ev.size = s.pos - start; ev.fault == faultNone && ev.size > MaxEvent {
		ev.fault = faultTooLarge
	}
	if ev.fault != faultNone {
		e.shrink(ev, written)
	}
	return nil
}

func (e *envelope) assign(ev *rawEvent, m member) {
	f, known := fieldOf(e.s.out[m.start:m.colon])
	if !known {
		e.extra = append(e.extra, span{m.start, m.end})
		ev.extra.to = len(e.extra)
		return
	}
	ev.fields[f] = rawField{span: m.value(), mended: m.mended}
}

// shrink frees the output of an event that is rejected anyway, but for what names it.
func (e *envelope) shrink(ev *rawEvent, written int) {
	s := &e.s
	var names [fieldCount][]byte
	for _, f := range [...]field{fMessageID, fType, fEvent, fName, fWriteKey} {
		if v := ev.fields[f]; v.to > v.from && v.to-v.from <= maxIdentifier {
			names[f] = append([]byte(nil), s.out[v.from:v.to]...)
		}
	}
	s.out = s.out[:written]
	e.extra = e.extra[:ev.extra.from]
	ev.fields, ev.extra = [fieldCount]rawField{}, span{}
	for f, v := range names {
		if v != nil {
			from := len(s.out)
			s.out = append(s.out, v...)
			ev.fields[f].span = span{from, len(s.out)}
		}
	}
}

// reason describes the fault for the sender.
func (f fault) reason(size int) (code, reason string) {
	switch f {
	case faultNoObject:
		return "event.invalid", "is not an object; an event is a JSON object"
	case faultTooDeep:
		return "event.too_deep", fmt.Sprintf("nests deeper than %d levels; flatten it", maxDepth)
	case faultTooLarge:
		return "event.too_large", fmt.Sprintf("has %d bytes, %d are allowed; send less with it", size, MaxEvent)
	}
	return "", ""
}
