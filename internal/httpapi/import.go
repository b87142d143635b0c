package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/kizuna-cx/kizuna/internal/domain/importer"
	"github.com/kizuna-cx/kizuna/internal/domain/job"
	"github.com/kizuna-cx/kizuna/internal/domain/staff"
)

// ImportLayout says how a file is read.
type ImportLayout struct {
	Form      string `json:"form" enum:"delimited,lines" doc:"columns of text, or a JSON object on each line"`
	Encoding  string `json:"encoding" enum:"utf-8,gb18030,shift_jis,utf-16"`
	Delimiter string `json:"delimiter,omitempty" enum:"comma,tab,semicolon,pipe,space,"`
	Header    bool   `json:"header" doc:"the first row names the columns; without, they are 1, 2, 3 ..."`
}

// ImportColumn says what a column of the file tells.
type ImportColumn struct {
	Name string `json:"name" minLength:"1" maxLength:"200" doc:"of the column"`
	To   string `json:"to" enum:"identifier,trait,event,time,property,subscription"`
	Key  string `json:"key,omitempty" maxLength:"100" doc:"kind of identifier, name of the trait or property, id of the topic"`
	Type string `json:"type,omitempty" enum:"text,number,bool,time,time_dmy,time_mdy,json," doc:"text if left out"`
}

// ImportPlan says what the rows of a file tell.
type ImportPlan struct {
	Columns  []ImportColumn `json:"columns" maxItems:"300" doc:"what is not named is left out"`
	Event    string         `json:"event,omitempty" maxLength:"100" doc:"name of what happened, if no column has it"`
	Currency string         `json:"currency,omitempty" maxLength:"3" doc:"of amounts, if no column has it: ISO 4217"`
	Zone     string         `json:"zone,omitempty" maxLength:"64" doc:"IANA name, of times that carry none; UTC if left out"`
	Source   string         `json:"source,omitempty" maxLength:"200" doc:"where people agreed to be written to; needed with a subscription"`
	Evidence string         `json:"evidence,omitempty" maxLength:"2000" doc:"where the proof of it is kept"`
}

// ImportLook is how a file looks and what its columns seem to tell.
type ImportLook struct {
	Layout  ImportLayout    `json:"layout"`
	Size    int64           `json:"size" doc:"bytes"`
	Columns []ImportHeading `json:"columns"`
	Plan    ImportPlan      `json:"plan" doc:"guessed by headings and values"`
	Kinds   []string        `json:"kinds" doc:"of identifiers that this workspace knows, in the order of priority"`
	Saved   []ImportMapping `json:"saved" doc:"what was kept of files with the same columns, latest changed first, at most 50"`
}

// ImportHeading is a column with what stands in its first rows.
type ImportHeading struct {
	Name    string   `json:"name"`
	Samples []string `json:"samples"`
}

// ImportCheck is what would become of a file.
type ImportCheck struct {
	Rows     int64             `json:"rows"`
	Complete bool              `json:"complete" doc:"false: the file has more rows than were looked at"`
	Accepted int64             `json:"accepted"`
	Rejected int64             `json:"rejected"`
	Created  int64             `json:"created" doc:"people who would be new"`
	Known    int64             `json:"known" doc:"people who are known already"`
	Apart    int64             `json:"apart" doc:"rows whose identifiers belong to people with different user ids; they stay two people"`
	Events   int64             `json:"events"`
	Yes      int64             `json:"yes" doc:"subscriptions"`
	No       int64             `json:"no" doc:"refusals"`
	Oldest   *time.Time        `json:"oldest,omitempty"`
	Newest   *time.Time        `json:"newest,omitempty"`
	Reasons  map[string]int64  `json:"reasons" doc:"rejected rows by reason"`
	Faults   []ImportFault     `json:"faults" doc:"the first rejected rows"`
	First    []ImportedPreview `json:"first" doc:"the first rows as they would become"`
}

// ImportFault is why a row cannot be taken.
type ImportFault struct {
	Line   int    `json:"line"`
	Code   string `json:"code" enum:"columns,quotes,json,encoding,too_large,no_identifier,identifier,value_number,value_bool,value_time,value_json,future,subscription,event_long,no_time,no_event"`
	Column string `json:"column,omitempty"`
	Value  string `json:"value,omitempty"`
}

// ImportedPreview is a row as it would become.
type ImportedPreview struct {
	Line          int                  `json:"line"`
	Person        string               `json:"person,omitempty" doc:"who it would go to; missing: somebody new"`
	Apart         bool                 `json:"apart,omitempty"`
	Identifiers   []ImportedIdentifier `json:"identifiers"`
	Traits        map[string]any       `json:"traits,omitempty"`
	Event         string               `json:"event,omitempty"`
	Time          *time.Time           `json:"time,omitempty"`
	Properties    map[string]any       `json:"properties,omitempty"`
	Subscriptions map[string]bool      `json:"subscriptions,omitempty" doc:"by topic"`
	Fault         *ImportFault         `json:"fault,omitempty" doc:"it would not be taken"`
}

// ImportedIdentifier is an identifier in its normal form.
type ImportedIdentifier struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// ImportFile is an uploaded file and what it tells.
type ImportFile struct {
	Upload string       `json:"upload" minLength:"1" doc:"id of the upload"`
	Layout ImportLayout `json:"layout"`
	Plan   ImportPlan   `json:"plan"`
}

func (f ImportFile) params() importer.PeopleParams {
	return importer.PeopleParams{Upload: f.Upload, Layout: importer.Layout(f.Layout), Plan: f.Plan.plan()}
}

func (p ImportPlan) plan() importer.Plan {
	out := importer.Plan{Event: p.Event, Currency: p.Currency, Zone: p.Zone, Basis: importer.Basis{Source: p.Source, Evidence: p.Evidence}}
	for _, c := range p.Columns {
		out.Columns = append(out.Columns, importer.Column{Name: c.Name, To: importer.Target(c.To), Key: c.Key, Type: importer.Type(c.Type)})
	}
	return out
}

func importPlanShape(p importer.Plan) ImportPlan {
	out := ImportPlan{Columns: []ImportColumn{}, Event: p.Event, Currency: p.Currency, Zone: p.Zone, Source: p.Basis.Source, Evidence: p.Basis.Evidence}
	for _, c := range p.Columns {
		out.Columns = append(out.Columns, ImportColumn{Name: c.Name, To: string(c.To), Key: c.Key, Type: string(c.Type)})
	}
	return out
}

func faultShape(line int, f importer.Fault) ImportFault {
	return ImportFault{Line: line, Code: f.Code, Column: f.Column, Value: f.Value}
}

func foreseenShape(f importer.Foreseen) ImportCheck {
	out := ImportCheck{
		Rows: f.Rows, Complete: f.Complete, Accepted: f.Accepted, Rejected: f.Rejected, Created: f.Created, Known: f.Known, Apart: f.Apart, Events: f.Events, Yes: f.Yes, No: f.No,
		Oldest: moment(f.Oldest), Newest: moment(f.Newest), Reasons: f.Reasons, Faults: []ImportFault{}, First: []ImportedPreview{},
	}
	for _, x := range f.Faults {
		out.Faults = append(out.Faults, faultShape(x.Line, x.Fault))
	}
	for _, r := range f.First {
		p := ImportedPreview{
			Line: r.Line, Person: r.Person, Apart: r.Apart, Identifiers: []ImportedIdentifier{}, Traits: r.Traits, Event: r.Event, Time: moment(r.Time), Properties: r.Properties,
			Subscriptions: r.Subscriptions,
		}
		for _, i := range r.Identifiers {
			p.Identifiers = append(p.Identifiers, ImportedIdentifier(i))
		}
		if r.Fault != nil {
			fault := faultShape(r.Line, *r.Fault)
			p.Fault = &fault
		}
		out.First = append(out.First, p)
	}
	return out
}

func (a *api) importRoutes() {
	files := func() importer.People { return a.c.Imports }
	type look struct {
		Upload string        `json:"upload" minLength:"1" doc:"id of the upload"`
		Layout *ImportLayout `json:"layout,omitempty" doc:"found out if left out"`
	}
	route(a, http.MethodPost, "/imports/look", "import-look", "How an uploaded file of people or events looks, and what its columns seem to tell", staff.ImportWrite, func(ctx context.Context, in *in[look]) (*body[ImportLook], error) {
		var l importer.Layout
		if in.Body.Layout != nil {
			l = importer.Layout(*in.Body.Layout)
		}
		found, err := files().Look(ctx, workspaceOf(ctx), in.Body.Upload, l)
		if err != nil {
			return nil, err
		}
		kinds, err := a.c.People.Kinds(ctx, workspaceOf(ctx))
		if err != nil {
			return nil, err
		}
		out := ImportLook{Layout: ImportLayout(found.Layout), Size: found.Size, Columns: []ImportHeading{}, Plan: importPlanShape(found.Plan), Saved: []ImportMapping{}}
		var names []string
		for _, c := range found.Columns {
			out.Columns = append(out.Columns, ImportHeading(c))
			names = append(names, c.Name)
		}
		saved, err := a.c.Mappings.For(ctx, workspaceOf(ctx), names)
		if err != nil {
			return nil, err
		}
		for _, m := range saved {
			out.Saved = append(out.Saved, importMappingShape(m))
		}
		for _, k := range kinds {
			out.Kinds = append(out.Kinds, k.Name)
		}
		return answer(out), nil
	})
	route(a, http.MethodPost, "/imports/check", "import-check", "What an uploaded file of people or events would do; nothing is written", staff.ImportWrite, func(ctx context.Context, in *in[ImportFile]) (*body[ImportCheck], error) {
		found, err := files().Check(ctx, workspaceOf(ctx), in.Body.params(), a.c.Clock.Now())
		if err != nil {
			return nil, err
		}
		return answer(foreseenShape(found)), nil
	})
	type named struct {
		ImportFile
		Name   string `json:"name,omitempty" maxLength:"200" doc:"of the file, for the list of jobs"`
		Locale string `json:"locale,omitempty" maxLength:"20" doc:"language of the reasons in the file of rejected rows: en, zh-Hans or ja"`
	}
	route(a, http.MethodPost, "/imports", "import-begin", "Bring the people and events of an uploaded file in, as a job", staff.ImportWrite, func(ctx context.Context, in *in[named]) (*body[Job], error) {
		p := in.Body.params()
		p.Locale = in.Body.Locale
		if err := files().Validate(ctx, workspaceOf(ctx), p); err != nil {
			return nil, err
		}
		return a.begin(ctx, "import", "person", job.Wanted{Kind: importer.PeopleImport, Key: "upload:" + in.Body.Upload, Upload: in.Body.Upload, Title: in.Body.Name, Params: p})
	}, accepted)
}
