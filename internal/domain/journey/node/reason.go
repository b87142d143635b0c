package node

import "encoding/json"

// Reason says why something happened, as a code that screens put into the reader's words, and what those words rest on. Codes are stable; the
// catalogues of the console hold the words for each (journey_reason.<code>).
type Reason struct {
	Code string `json:"code"`
	Data Data   `json:"data,omitempty"`
}

// Data is what a reason rests on: names, lengths of time, moments, figures.
type Data map[string]any

// Said is the code of reasons that were kept as a sentence, before there were codes.
const Said = "said"

// IsZero reports whether there is no reason.
func (r Reason) IsZero() bool { return r.Code == "" }

// UnmarshalJSON also reads the sentence that older rows hold instead.
func (r *Reason) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*r = ReasonOf(text)
		return nil
	}
	type plain Reason
	return json.Unmarshal(raw, (*plain)(r))
}

// ReasonOf is the reason for a sentence; none for an empty one.
func ReasonOf(text string) Reason {
	if text == "" {
		return Reason{}
	}
	return Reason{Code: Said, Data: Data{"text": text}}
}

// Because is a reason with what it rests on, given as names and values in turn; what is empty is left out.
func Because(code string, about ...any) Reason {
	r := Reason{Code: code}
	for n := 0; n+1 < len(about); n += 2 {
		if v := about[n+1]; v != nil && v != "" {
			if r.Data == nil {
				r.Data = Data{}
			}
			r.Data[about[n].(string)] = v
		}
	}
	return r
}

// Named is what an error names (errs.Error.Args), for Because.
func Named(args []string) any {
	if len(args) == 0 {
		return nil
	}
	return args
}
