package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/kizuna-cx/kizuna/internal/domain/sample"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
)

// Sample implements sample.Store.
type Sample struct{ db *sqldb.DB }

// NewSample returns the store of sample data on db.
func NewSample(db *sqldb.DB) *Sample { return &Sample{db} }

var _ sample.Store = (*Sample)(nil)

// inventory selects id, name and definition of everything of a noun.
var inventory = map[string]string{
	sample.Map:      `SELECT id, name, persona_id || ' ' || segment_id || ' ' || draft FROM journey_map WHERE workspace_id = $1`,
	sample.Persona:  `SELECT id, name, segment_id FROM persona WHERE workspace_id = $1`,
	sample.Series:   `SELECT id, name, draft FROM campaign_series WHERE workspace_id = $1`,
	sample.Campaign: `SELECT id, name, include || ' ' || exclude || ' ' || topic || ' ' || template || ' ' || plan FROM campaign WHERE workspace_id = $1`,
	sample.Journey:  `SELECT j.id, j.name, j.draft || ' ' || coalesce((SELECT v.graph FROM journey_version v WHERE v.workspace_id = j.workspace_id AND v.journey_id = j.id AND v.version = j.published), '') FROM journey j WHERE j.workspace_id = $1`,
	sample.Report:   `SELECT id, name, params FROM saved_report WHERE workspace_id = $1`,
	sample.Segment:  `SELECT id, name, rule FROM segment WHERE workspace_id = $1`,
	sample.Template: `SELECT t.id, v.name, '' FROM template t JOIN template_version v ON v.workspace_id = t.workspace_id AND v.template_id = t.id AND v.version = t.version WHERE t.workspace_id = $1`,
	sample.Topic:    `SELECT id, name, confirmation FROM topic WHERE workspace_id = $1`,
	sample.Account:  `SELECT id, name, '' FROM channel_account WHERE workspace_id = $1`,
	sample.Source:   `SELECT id, name, '' FROM source WHERE workspace_id = $1`,
	sample.Brand:    `SELECT CAST(max(revision) AS TEXT), '', '' FROM brand_revision WHERE workspace_id = $1 HAVING count(*) > 0`,
}

// Things implements sample.Store.
func (s *Sample) Things(ctx context.Context, ws string) ([]sample.Thing, error) {
	marks, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT noun || ' ' || id FROM sample_mark WHERE workspace_id = $1`, ws)
	if err != nil {
		return nil, err
	}
	var out []sample.Thing
	for _, noun := range sample.Nouns() {
		query := inventory[noun]
		if query == "" {
			address, err := s.site(ctx, ws)
			if err != nil {
				return nil, err
			}
			if address != "" {
				out = append(out, sample.Thing{Noun: noun, ID: address, Name: address, Sample: slices.Contains(marks, noun+" "+address)})
			}
			continue
		}
		found, err := sqldb.Collect(ctx, s.db, func(r sqldb.Row) (t sample.Thing, err error) {
			err = r.Scan(&t.ID, &t.Name, &t.Says)
			return t, err
		}, query+` ORDER BY 1`, ws)
		if err != nil {
			return nil, fmt.Errorf("things of %s: %w", noun, err)
		}
		for _, t := range found {
			t.Noun = noun
			t.Sample = slices.Contains(marks, noun+" "+t.ID)
			out = append(out, t)
		}
	}
	return out, nil
}

// site returns the address of the workspace's site.
func (s *Sample) site(ctx context.Context, ws string) (string, error) {
	found, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT settings FROM workspace WHERE id = $1`, ws)
	if err != nil || len(found) == 0 {
		return "", err
	}
	var settings struct {
		SiteURL string `json:"site_url"`
	}
	return settings.SiteURL, json.Unmarshal([]byte(found[0]), &settings)
}

// Made implements sample.Store.
func (s *Sample) Made(ctx context.Context, ws string, ids []string) (map[string]bool, error) {
	in, arg := s.db.In(2, ids)
	found, err := sqldb.Collect(ctx, s.db, sqldb.Value[string], `SELECT DISTINCT noun_id FROM audit_log WHERE workspace_id = $1 AND noun_id `+in, ws, arg)
	out := make(map[string]bool, len(found))
	for _, id := range found {
		out[id] = true
	}
	return out, err
}

// Mark implements sample.Store.
func (s *Sample) Mark(ctx context.Context, ws string, things []sample.Thing) error {
	rows := make([][]any, len(things))
	for i, t := range things {
		rows[i] = []any{ws, t.Noun, t.ID}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		_, err := s.db.Bulk(ctx, `INSERT INTO sample_mark (workspace_id, noun, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, rows)
		return err
	})
}

// Unmark implements sample.Store.
func (s *Sample) Unmark(ctx context.Context, ws string, things []sample.Thing) error {
	rows := make([][]any, len(things))
	for i, t := range things {
		rows[i] = []any{ws, t.Noun, t.ID}
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		_, err := s.db.Bulk(ctx, `DELETE FROM sample_mark WHERE workspace_id = $1 AND noun = $2 AND id = $3`, rows)
		return err
	})
}

// ofMessages deletes what was sent for things of a kind, with what came of it.
func ofMessages(kind string) []string {
	of := `(SELECT id FROM message WHERE workspace_id = $1 AND source_kind = '` + kind + `' AND source_id {ids})`
	var out []string
	for _, table := range []string{"message_body", "link_follow", "message_outcome", "bounce"} {
		out = append(out, `DELETE FROM `+table+` WHERE workspace_id = $1 AND message_id IN `+of)
	}
	return append(out,
		`DELETE FROM message_conversion WHERE workspace_id = $1 AND source_kind = '`+kind+`' AND source_id {ids}`,
		`DELETE FROM message WHERE workspace_id = $1 AND source_kind = '`+kind+`' AND source_id {ids}`,
	)
}

// below deletes the rows of tables that name a thing in a column.
func below(column string, tables ...string) []string {
	out := make([]string, len(tables))
	for i, t := range tables {
		out[i] = `DELETE FROM ` + t + ` WHERE workspace_id = $1 AND ` + column + ` {ids}`
	}
	return out
}

// versions deletes what things said before; their ids are unique among all kinds.
var versions = below("thing", "thing_version")

// drops are the statements that remove things of a noun, what belongs to them first.
var drops = map[string][]string{
	sample.Map:      slices.Concat(versions, below("id", "journey_map")),
	sample.Persona:  slices.Concat(versions, below("id", "persona")),
	sample.Series:   slices.Concat(versions, below("series_id", "campaign_run", "campaign_item"), below("id", "campaign_series")),
	sample.Campaign: slices.Concat(versions, ofMessages("campaign"), below("campaign_id", "campaign_wave", "campaign_wave_people"), below("id", "campaign")),
	sample.Journey: slices.Concat(ofMessages("journey"),
		below("journey_id", "journey_version", "journey_instance", "journey_step", "journey_count", "journey_entry", "journey_refusal", "journey_task", "journey_errand", "journey_decision"), below("id", "journey")),
	sample.Report: below("id", "saved_report"),
	// The revision tells every process to read its segments anew.
	sample.Segment: slices.Concat(versions, below("segment_id", "segment_deadline"), below("set_id", "segment_chunk"), below("id", "segment"),
		[]string{`UPDATE segment_revision SET revision = revision + 1 WHERE workspace_id = $1`}),
	sample.Template: slices.Concat(below("template_id", "template_version", "template_snippet"), below("id", "template")),
	sample.Topic:    slices.Concat(below("topic_id", "consent_record", "consent_state"), below("id", "topic")),
	sample.Account:  slices.Concat(below("account_id", "account_inbound", "mailbox_state", "returned_count", "account_alert", "sending_window"), below("id", "channel_account")),
	sample.Source:   slices.Concat(below("source", "rejection"), below("id", "source")),
	sample.Brand:    {`DELETE FROM brand_revision WHERE workspace_id = $1 AND CAST(revision AS TEXT) {ids}`},
	sample.Site:     nil,
}

// Drop implements sample.Store.
func (s *Sample) Drop(ctx context.Context, ws, noun string, ids []string) error {
	in, arg := s.db.In(2, ids)
	return s.db.InTx(ctx, func(ctx context.Context) error {
		for _, q := range drops[noun] {
			args := []any{ws}
			if strings.Contains(q, "{ids}") {
				args = append(args, arg)
			}
			if _, err := s.db.Exec(ctx, strings.ReplaceAll(q, "{ids}", in), args...); err != nil {
				return fmt.Errorf("drop %s: %w", noun, err)
			}
		}
		nin, narg := s.db.In(3, ids)
		_, err := s.db.Exec(ctx, `DELETE FROM sample_mark WHERE workspace_id = $1 AND noun = $2 AND id `+nin, ws, noun, narg)
		return err
	})
}
