package consent

import (
	"context"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/page"
)

// Store keeps topics, statements and suppressions. Every method takes part in the transaction of its context.
type Store interface {
	// InsertTopic adds a topic; a name already in use in the workspace (ignoring case) is a conflict
	// "consent.topic.name_taken".
	InsertTopic(ctx context.Context, ws string, t Topic) error
	// UpdateTopic replaces everything but CreatedAt; unknown ids are not_found, a taken name is a conflict.
	UpdateTopic(ctx context.Context, ws string, t Topic) error
	// Topic returns one topic or not_found.
	Topic(ctx context.Context, ws, id string) (Topic, error)
	// Topics returns all topics, archived ones included, in the order of their making.
	Topics(ctx context.Context, ws string) ([]Topic, error)

	// AddRecords appends to the history those records whose id is new and returns the ids added.
	AddRecords(ctx context.Context, ws string, records []Record) (added map[string]bool, err error)
	// Records returns a person's history, latest first.
	Records(ctx context.Context, ws, personID string, p page.Request) (page.Of[Record], error)
	// PutStates writes states; one that is older than what is kept for the same person, topic and channel is passed over
	// (of the same moment: a refusal replaces, a subscription is passed over).
	PutStates(ctx context.Context, ws string, states []State) error
	// States returns all states of the people.
	States(ctx context.Context, ws string, personIDs []string) ([]State, error)
	// Settings returns the settings of those people who have any.
	Settings(ctx context.Context, ws string, personIDs []string) (map[string]Settings, error)
	// PutSettings replaces a person's settings; zero ones are removed.
	PutSettings(ctx context.Context, ws, personID string, s Settings) error
	// TakeOver gives the loser's history to the winner and removes the states of both.
	TakeOver(ctx context.Context, ws, loser, winner string) error

	// Holds returns what suppresses the people, ended ones included, in the order of their making.
	Holds(ctx context.Context, ws string, personIDs []string) ([]Hold, error)
	// PutHolds adds holds; one whose id is there already is replaced.
	PutHolds(ctx context.Context, ws string, holds []Hold) error
	// TakeEndedHolds removes at most limit holds, of all workspaces, that ended at a moment or before it, those that ended first, and returns
	// whom they were on, by workspace; a person of whom there were several is named for each.
	TakeEndedHolds(ctx context.Context, at time.Time, limit int) (map[string][]string, error)
	// RemoveHolds removes a person's holds and returns how many there were.
	RemoveHolds(ctx context.Context, ws, personID string) (int, error)

	// PutSuppressions adds entries; an entry that exists keeps its reason and time, unless the new reason is stricter:
	// any reason replaces UnsubscribedAll and ListUnsubscribe. A PersonID replaces an empty or another one. It returns how many addresses were not suppressed before.
	PutSuppressions(ctx context.Context, ws string, entries []Suppression) (added int, err error)
	// RemoveSuppression removes an entry and returns it; false: there was none.
	RemoveSuppression(ctx context.Context, ws, channel, hash string) (Suppression, bool, error)
	// Suppressed returns the entries of the channel with these hashes, by hash.
	Suppressed(ctx context.Context, ws, channel string, hashes []string) (map[string]Suppression, error)
	// Suppressions lists entries, latest first.
	Suppressions(ctx context.Context, ws string, f SuppressionFilter, p page.Request) (page.Of[Suppression], error)
}
