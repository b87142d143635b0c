package event

import (
	"bytes"
	"errors"
	"fmt"
)

// Vault seals events on their way to the log, each under a key of its subject, and opens them again. *shred.Ring is one.
type Vault interface {
	// Seal appends plain to dst as one frame.
	Seal(dst []byte, subject string, plain []byte) []byte
	// Open reads the frame at the beginning of data and returns what follows. The error of a key that was destroyed is the one that Erased
	// recognises; rest is nil if the end of a damaged frame cannot be told.
	Open(data []byte) (plain, rest []byte, err error)
	// Framed reports whether data begins with a frame.
	Framed(data []byte) bool
	// Erased reports whether an error of Open means that the key was destroyed.
	Erased(err error) bool
}

// Subject names whose key an event is sealed under: the person it names, else the user id, else the anonymous id, else itself. It is made of what the
// envelope says, since intake cannot wait to learn whose event it is; erasure finds the subjects of a person in what was stored (SubjectOf).
func Subject(e *Event) string {
	return SubjectOf(e.Workspace, e.PersonID, e.UserID, e.AnonymousID, e.MessageID)
}

// SubjectOf is Subject for the parts of an envelope.
func SubjectOf(ws, person, user, anonymous, message string) string {
	switch {
	case person != "":
		return ws + "/p/" + person
	case user != "":
		return ws + "/u/" + user
	case anonymous != "":
		return ws + "/a/" + anonymous
	}
	return ws + "/m/" + message
}

// DecodeRecord reads the payload of one log record, as DecodeBatch does, with its frames opened. In the place of an event whose key was
// destroyed stands a zero Event, so that the others keep their index; erased counts them. vault may be nil if nothing is sealed.
func DecodeRecord(data []byte, vault Vault) (events []Event, erased int, err error) {
	if vault == nil {
		events, err = DecodeBatch(data)
		return events, 0, err
	}
	var bad []error
	for n := 1; len(data) > 0; n++ {
		var line []byte
		if !vault.Framed(data) { // written by a version that did not seal
			line, data, _ = bytes.Cut(data, []byte{'\n'})
			if len(line) == 0 {
				continue
			}
		} else {
			plain, rest, err := vault.Open(data)
			if err != nil && !vault.Erased(err) {
				bad = append(bad, fmt.Errorf("frame %d: %w", n, err))
				if data = rest; rest == nil {
					break
				}
				continue
			}
			data = rest
			if err != nil {
				events = append(events, Event{})
				erased++
				continue
			}
			line = bytes.TrimSuffix(plain, []byte{'\n'})
		}
		events = append(events, Event{})
		if err := decodeLine(line, &events[len(events)-1]); err != nil {
			events = events[:len(events)-1]
			if len(bad) < maxDecodeErrors {
				bad = append(bad, fmt.Errorf("event %d: %w", n, err))
			}
		}
	}
	return events, erased, errors.Join(bad...)
}

// EncodeSealed writes events as items for the log, each sealed for its subject.
func EncodeSealed(events []Event, vault Vault) ([][]byte, error) {
	items := make([][]byte, len(events))
	for i := range events {
		line, err := EncodeBatch(events[i : i+1])
		if err != nil {
			return nil, err
		}
		items[i] = AppendSealed(nil, &events[i], line, vault)
	}
	return items, nil
}

// AppendSealed appends a line made by AppendLine of e, sealed; as it is if there is no vault.
func AppendSealed(dst []byte, e *Event, line []byte, vault Vault) []byte {
	if vault == nil {
		return append(dst, line...)
	}
	return vault.Seal(dst, Subject(e), line)
}
