package segment

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// Status says whether a segment is in use.
type Status string

// The statuses.
const (
	Active   Status = "active"
	Archived Status = "archived" // kept with the members it had, no longer evaluated
)

// State says how far the members of a segment agree with its rule.
type State string

// The states.
const (
	Ready      State = "ready"
	Evaluating State = "evaluating" // everyone is being checked; the members approach the rule batch by batch
	Failed     State = "failed"     // the last full evaluation broke off, see Failure; touched people are still checked
)

// Cause says why somebody entered or left.
type Cause string

// The causes.
const (
	ByEvent  Cause = "event"  // something the person did or received, or a trait that changed
	ByTime   Cause = "time"   // a time window began or ended
	ByEdit   Cause = "edit"   // the segment was made, its rule changed, or it was taken from the archive
	ByMerge  Cause = "merge"  // two people turned out to be one
	ByManual Cause = "manual" // a list was changed by hand, or the segment archived
)

// Limits of what a user may write.
const (
	MaxName        = 200  // characters
	MaxDescription = 2000 // characters
)

// Segment is a rule and the people who fulfil it.
type Segment struct {
	ID          string
	Name        string // unique among the active segments of the workspace, whatever the letter case
	Description string
	Rule        json.RawMessage // as rule.Parse accepts it, in its canonical form
	RuleVersion int             // 1 for the first rule, one more with each other rule
	Rev         int64           // 1 at first, one more with each change of name, description, rule or status
	Status      Status
	State       State
	Failure     string   // why State is Failed, else empty
	Progress    Progress // of the full evaluation while State is Evaluating
	Size        uint64   // members now
	Version     uint64   // grows with every change of the members
	CreatedAt   time.Time
	UpdatedAt   time.Time // last change of name, description, rule or status
	EvaluatedAt time.Time // end of the last full evaluation, zero before the first
}

// Progress counts the people that a full evaluation has to look at. Total is 0 until they are known.
type Progress struct {
	Done, Total uint64
}

// List is a set of people that somebody uploaded.
type List struct {
	ID          string
	Name        string // unique among the lists of the workspace, whatever the letter case
	Description string
	Size        uint64
	Version     uint64 // grows with every change of the members
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Draft is what a user writes to make a segment.
type Draft struct {
	Name        string
	Description string
	Rule        json.RawMessage
}

// Patch changes what is not nil.
type Patch struct {
	Rev         int64 // that the editor saw; 0 overwrites whatever is there
	Name        *string
	Description *string
	Rule        json.RawMessage
}

// Entry names one person in an upload to a list: by the public id of the person or by an identifier.
type Entry struct {
	PersonID   string
	Identifier event.Identifier // if PersonID is empty
}

// Outcome is what became of an Entry.
type Outcome string

// The outcomes.
const (
	Added   Outcome = "added"
	Already Outcome = "already" // was a member before, or stands twice in the upload
	Removed Outcome = "removed"
	Absent  Outcome = "absent"  // was no member
	Unknown Outcome = "unknown" // nobody has this id or identifier
)

// Row answers one Entry.
type Row struct {
	Entry
	Outcome  Outcome
	ResultID string // public id of the person found, after merges; empty if unknown
}

// Set is a segment or a list, by name.
type Set struct {
	ID   string
	Name string
	List bool
}

// Change is one line of the history of a segment: a person entered or left.
type Change struct {
	Person         uint64 // number of the person, after merges
	Entered        bool   // else left
	At             time.Time
	Cause          Cause
	CauseMessageID string // the event that caused it, empty if none did
	Version        uint64 // of the segment after the change
}

// Merge is a note that Loser has become Winner.
type Merge struct {
	Loser, Winner uint64
	At            time.Time
}

// Deadline is the moment at which a person has to be looked at again though nothing happens to them.
type Deadline struct {
	Segment string
	Person  uint64
	Due     time.Time
}

func checkTexts(noun, name, description string) (string, string, error) {
	name, description = strings.TrimSpace(name), strings.TrimSpace(description)
	if name == "" {
		return "", "", errs.Invalid(noun+".name.empty", "name", "give the %s a name", noun)
	}
	if n := utf8.RuneCountInString(name); n > MaxName {
		return "", "", errs.Invalid(noun+".name.too_long", "name", "the name has %d characters; use at most %d", n, MaxName)
	}
	if n := utf8.RuneCountInString(description); n > MaxDescription {
		return "", "", errs.Invalid(noun+".description.too_long", "description", "the description has %d characters; use at most %d", n, MaxDescription)
	}
	return name, description, nil
}
