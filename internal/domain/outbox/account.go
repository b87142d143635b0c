package outbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// AccountStatus says whether an account is used.
type AccountStatus string

// The statuses.
const (
	AccountActive   AccountStatus = "active"
	AccountDisabled AccountStatus = "disabled"
)

// Account is a way out of the product: a channel adapter with its configuration.
type Account struct {
	ID            string
	Workspace     string
	Kind          string // channel kind, "email"
	Name          string
	Config        json.RawMessage // as the adapter's Config struct; secrets are taken in and never given out
	SecretsSet    []string        // names of the secret fields that are stored
	FromName      string
	FromAddr      string
	ReplyTo       string
	RatePerSecond float64 // messages handed over per second at most; 0: as fast as the other side takes them
	Connections   int     // messages handed over at the same time; 0: the default of 10
	Pace          Pace
	Default       bool // used for messages of this kind
	Status        AccountStatus
	CreatedAt     time.Time
	UpdatedAt     time.Time
	Rev           int64 // grows with every change; to UpdateAccount, the one that the editor saw, 0 to write over whatever is there. Not stored: it is UpdatedAt

	Trap    bool    // its mail carries a link that nobody sees; filled in for sending alone
	Inbound Inbound // how news comes back; filled in for sending alone
}

// SealedAccount is an account as it is stored: Config is empty, Sealed holds it encrypted.
type SealedAccount struct {
	Account
	Sealed []byte
}

// AccountStore keeps channel accounts.
type AccountStore interface {
	// PutAccount adds or replaces an account. If it is the default, no other account of its kind is any more.
	PutAccount(ctx context.Context, ws string, a SealedAccount) error
	// Account returns one account or not_found.
	Account(ctx context.Context, ws, id string) (SealedAccount, error)
	// Accounts returns all accounts, the oldest first.
	Accounts(ctx context.Context, ws string) ([]SealedAccount, error)
	// DefaultAccount returns the active default account of the kind, or ok false.
	DefaultAccount(ctx context.Context, ws, kind string) (a SealedAccount, ok bool, err error)
	// DeleteAccount removes an account and reports whether there was one.
	DeleteAccount(ctx context.Context, ws, id string) (bool, error)
}

// Limits of an account.
const (
	defaultConnections = 10
	maxConnections     = 100
	maxAccountName     = 80
	accountPurpose     = "account" // of the encryption
)

// secretFields returns the JSON names of the string fields that are tagged secret, at the top level of the config struct.
func secretFields(config any) []string {
	t := reflect.TypeOf(config)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var out []string
	for f := range t.Fields() {
		if f.Tag.Get("secret") != "true" {
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		out = append(out, name)
	}
	return out
}

func (s *Service) spec(kind string) (channel.Spec, error) {
	for _, spec := range s.channels {
		if spec.Kind == kind {
			return spec, nil
		}
	}
	return channel.Spec{}, errs.Invalid("outbox.account.kind_unknown", "kind", "there is no channel %q in this installation", kind)
}

// Channels returns the channel adapters of this installation.
func (s *Service) Channels() []channel.Spec { return s.channels }

// CheckChannel reports a channel that this installation does not have. Field is where it was named.
func (s *Service) CheckChannel(field, kind string) error {
	if _, err := s.spec(kind); err != nil {
		return errs.Invalid("outbox.account.kind_unknown", field, "there is no channel %q in this installation", kind)
	}
	return nil
}

// validator is a config that can check itself.
type validator interface{ Validate() error }

// decodeConfig fills the adapter's config struct strictly: a misspelt field must not be ignored.
func decodeConfig(spec channel.Spec, raw []byte) (any, error) {
	config := spec.Config()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(config); err != nil {
		if _, name, unknown := strings.Cut(err.Error(), "unknown field "); unknown { // which encoding/json has no type for
			return nil, errs.Invalid("outbox.account.config_unknown", strings.Trim(name, `"`), "accounts of the channel %s have no such setting; take it out, or look for a misspelling", spec.Kind)
		}
		field := "config"
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
			field = e.Field
		}
		return nil, errs.Invalid("outbox.account.config_invalid", field, "the configuration of channel %s cannot be read: %v", spec.Kind, err)
	}
	if v, ok := config.(validator); ok {
		if err := v.Validate(); err != nil {
			if len(errs.All(err)) > 0 {
				return nil, err
			}
			return nil, errs.Invalid("outbox.account.config_invalid", "config", "%v", err)
		}
	}
	return config, nil
}

// merge puts the secrets of old into config where it names none: forms show stored secrets as empty.
func mergeSecrets(spec channel.Spec, config, old json.RawMessage) (json.RawMessage, error) {
	fields := map[string]json.RawMessage{}
	if len(config) > 0 {
		if err := json.Unmarshal(config, &fields); err != nil {
			return nil, errs.Invalid("outbox.account.config_invalid", "config", "the configuration must be a JSON object")
		}
	}
	before := map[string]json.RawMessage{}
	if len(old) > 0 {
		if err := json.Unmarshal(old, &before); err != nil {
			return nil, fmt.Errorf("stored account configuration: %w", err)
		}
	}
	for _, name := range secretFields(spec.Config()) {
		given := string(bytes.TrimSpace(fields[name]))
		if was, ok := before[name]; ok && (given == "" || given == `""` || given == "null") {
			fields[name] = was
		}
	}
	return json.Marshal(fields)
}

// public takes the secrets out of a configuration and names those that are set.
func public(spec channel.Spec, config []byte) (shown json.RawMessage, set []string, err error) {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(config, &fields); err != nil {
		return nil, nil, fmt.Errorf("stored account configuration: %w", err)
	}
	for _, name := range secretFields(spec.Config()) {
		if v := string(fields[name]); v != "" && v != `""` && v != "null" {
			set = append(set, name)
		}
		delete(fields, name)
	}
	shown, err = json.Marshal(fields)
	return shown, set, err
}

func (a Account) validate() error {
	switch {
	case strings.TrimSpace(a.Name) == "":
		return errs.Invalid("outbox.account.name_missing", "name", "give the account a name, e.g. the provider's")
	case utf8.RuneCountInString(a.Name) > maxAccountName:
		return errs.Invalid("outbox.account.name_too_long", "name", "use at most %d characters", maxAccountName)
	case a.Kind == KindEmail && !validAddress(a.Kind, a.FromAddr):
		return errs.Invalid("outbox.account.from_invalid", "from_addr", "give the address that mail is sent from, e.g. news@example.com")
	case a.Kind == KindEmail && a.ReplyTo != "" && !validAddress(a.Kind, a.ReplyTo):
		return errs.Invalid("outbox.account.reply_to_invalid", "reply_to", "%q is no mail address", a.ReplyTo)
	case strings.ContainsAny(a.FromName, "\r\n"):
		return errs.Invalid("outbox.account.from_name_invalid", "from_name", "use a single line")
	case a.RatePerSecond < 0:
		return errs.Invalid("outbox.account.rate_invalid", "rate_per_second", "use 0 for no limit, or a positive number")
	case a.Connections < 0 || a.Connections > maxConnections:
		return errs.Invalid("outbox.account.connections_invalid", "connections", "use 1 to %d, or 0 for the default", maxConnections)
	case a.Status != AccountActive && a.Status != AccountDisabled:
		return errs.Invalid("outbox.account.status_unknown", "status", "use active or disabled")
	}
	return nil
}

// CreateAccount adds an account; the first of its kind becomes the default.
func (s *Service) CreateAccount(ctx context.Context, ws string, a Account) (Account, error) {
	a.ID = ""
	return s.putAccount(ctx, ws, a)
}

// UpdateAccount replaces an account, unless somebody has changed it since the editor saw it: errs.Conflict "outbox.account.changed". Secret fields that are empty
// keep their stored value; Kind cannot change.
func (s *Service) UpdateAccount(ctx context.Context, ws string, a Account) (Account, error) {
	if a.ID == "" {
		return Account{}, errs.NotFound("account", "")
	}
	return s.putAccount(ctx, ws, a)
}

func (s *Service) putAccount(ctx context.Context, ws string, a Account) (Account, error) {
	if a.Status == "" {
		a.Status = AccountActive
	}
	spec, err := s.spec(a.Kind)
	if err != nil {
		return Account{}, err
	}
	if err := a.validate(); err != nil {
		return Account{}, err
	}
	if a.Pace, err = a.Pace.clean(); err != nil {
		return Account{}, err
	}
	var out Account
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		a := a // the function may run again
		var old json.RawMessage
		a.Workspace, a.UpdatedAt = ws, s.clock.Now()
		if a.ID == "" {
			a.ID, a.CreatedAt = id.New("acc"), a.UpdatedAt
		} else {
			was, err := s.accounts.Account(ctx, ws, a.ID)
			if err != nil {
				return err
			}
			if a.Rev != 0 && a.Rev != was.UpdatedAt.UnixMicro() {
				return errs.Conflict("outbox.account.changed", "somebody else has changed this account meanwhile; load it again and repeat the change")
			}
			if was.Kind != a.Kind {
				return errs.Conflict("outbox.account.kind_fixed", "an account's channel cannot change; make a new account")
			}
			if old, err = s.box.Open(accountPurpose, was.Sealed); err != nil {
				return fmt.Errorf("account %s: %w", a.ID, err)
			}
			if a.CreatedAt = was.CreatedAt; !a.UpdatedAt.After(was.UpdatedAt) {
				a.UpdatedAt = was.UpdatedAt.Add(time.Microsecond) // senders notice a change by this time
			}
			a.Default = a.Default || was.Default && a.Status == AccountActive
		}
		config, err := mergeSecrets(spec, a.Config, old)
		if err != nil {
			return err
		}
		if _, err := decodeConfig(spec, config); err != nil {
			return err
		}
		if a.Status == AccountActive && !a.Default {
			_, has, err := s.accounts.DefaultAccount(ctx, ws, a.Kind)
			if err != nil {
				return err
			}
			a.Default = !has
		}
		a.Default = a.Default && a.Status == AccountActive
		if a.Config, a.SecretsSet, err = public(spec, config); err != nil {
			return err
		}
		a.Rev = a.UpdatedAt.UnixMicro()
		out = a
		if err := s.accounts.PutAccount(ctx, ws, SealedAccount{Account: a, Sealed: s.box.Seal(accountPurpose, config)}); err != nil {
			return err
		}
		return s.store.Recall(ctx, ws, nil) // what waits for this account goes by its new configuration
	})
	return out, err
}

// DeleteAccount removes an account. If it was the default, the oldest active one of its kind takes its place; messages that
// wait are sent through that, or wait for a new account.
func (s *Service) DeleteAccount(ctx context.Context, ws, id string) error {
	return s.tx.InTx(ctx, func(ctx context.Context) error {
		gone, err := s.accounts.Account(ctx, ws, id)
		if err != nil {
			return err
		}
		if _, err := s.accounts.DeleteAccount(ctx, ws, id); err != nil {
			return err
		}
		if !gone.Default {
			return nil
		}
		rest, err := s.accounts.Accounts(ctx, ws)
		if err != nil {
			return err
		}
		for _, a := range rest {
			if a.Kind == gone.Kind && a.Status == AccountActive {
				a.Default = true
				if err := s.accounts.PutAccount(ctx, ws, a); err != nil {
					return err
				}
				break
			}
		}
		return s.store.Recall(ctx, ws, nil)
	})
}

// Account returns one account without its secrets.
func (s *Service) Account(ctx context.Context, ws, id string) (Account, error) {
	a, err := s.accounts.Account(ctx, ws, id)
	if err != nil {
		return Account{}, err
	}
	return s.open(a)
}

// Accounts returns all accounts without their secrets, the oldest first.
func (s *Service) Accounts(ctx context.Context, ws string) ([]Account, error) {
	sealed, err := s.accounts.Accounts(ctx, ws)
	if err != nil {
		return nil, err
	}
	out := make([]Account, len(sealed))
	for i, a := range sealed {
		if out[i], err = s.open(a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) open(a SealedAccount) (Account, error) {
	a.Rev = a.UpdatedAt.UnixMicro()
	spec, err := s.spec(a.Kind)
	if err != nil { // the adapter is gone from the catalogue: show what there is
		return a.Account, nil
	}
	config, err := s.box.Open(accountPurpose, a.Sealed)
	if err != nil {
		return Account{}, fmt.Errorf("account %s: %w", a.ID, err)
	}
	a.Config, a.SecretsSet, err = public(spec, config)
	return a.Account, err
}

// CheckAccount connects and authenticates without sending anything.
func (s *Service) CheckAccount(ctx context.Context, ws, id string) error {
	a, err := s.accounts.Account(ctx, ws, id)
	if err != nil {
		return err
	}
	sender, err := s.makeSender(a)
	if err != nil {
		return err
	}
	defer func() { _ = sender.Close() }()
	if err := sender.Check(ctx); err != nil {
		if len(errs.All(err)) > 0 {
			return err
		}
		return errs.Unavailable("outbox.account.check_failed", "the account does not work: %v", err)
	}
	return nil
}

func (s *Service) makeSender(a SealedAccount) (channel.Sender, error) {
	spec, err := s.spec(a.Kind)
	if err != nil {
		return nil, err
	}
	raw, err := s.box.Open(accountPurpose, a.Sealed)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", a.ID, err)
	}
	config, err := decodeConfig(spec, raw)
	if err != nil {
		return nil, err
	}
	sender, err := spec.New(config)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", a.ID, err)
	}
	return sender, nil
}
