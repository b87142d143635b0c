package staff

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/kizuna-cx/kizuna/internal/kit/clock"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/kit/id"
	"github.com/kizuna-cx/kizuna/internal/kit/page"
	"github.com/kizuna-cx/kizuna/internal/kit/tx"
)

// Config is what the service is made of.
type Config struct {
	Store Store
	Tx    tx.Runner
	Clock clock.Clock
	// Hash is the cost of passwords; zero is DefaultHash. Stored hashes of another cost are renewed at sign-in.
	Hash HashParams
	// Idle and Lifetime end sessions: so long without a request, so long after sign-in. Zero is 12 hours and 7 days.
	Idle, Lifetime time.Duration
	// LinkLifetime is how long invitations and resets are valid. Zero is 7 days.
	LinkLifetime time.Duration
	// Left is told who has left a workspace, in the transaction in which it happens; nil: nobody asks.
	Left func(ctx context.Context, ws, userID string) error
}

// Service holds the rules of staff. It is safe for concurrent use.
type Service struct {
	store        Store
	tx           tx.Runner
	clock        clock.Clock
	hasher       *hasher
	idle         time.Duration
	lifetime     time.Duration
	linkLifetime time.Duration
	left         func(ctx context.Context, ws, userID string) error
	accounts     *limiter
	addresses    *limiter
	swept        atomic.Int64 // Unix seconds of the last sweep
}

const (
	noteEvery  = time.Minute // precision of "last seen" and "last used"
	sweepEvery = time.Hour
)

// New returns the service.
func New(c Config) *Service {
	or := func(d, def time.Duration) time.Duration {
		if d == 0 {
			return def
		}
		return d
	}
	if c.Hash == (HashParams{}) {
		c.Hash = DefaultHash
	}
	return &Service{
		store: c.Store, tx: c.Tx, clock: c.Clock, hasher: newHasher(c.Hash), left: c.Left,
		idle: or(c.Idle, 12*time.Hour), lifetime: or(c.Lifetime, 7*24*time.Hour), linkLifetime: or(c.LinkLifetime, 7*24*time.Hour),
		accounts:  newLimiter(accountBurst, accountEvery, maxTracked),
		addresses: newLimiter(addressBurst, addressEvery, maxTracked),
	}
}

// newToken returns 256 random bits as text, and what is stored of them.
func newToken() (token string, hash []byte) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails (crypto/rand since Go 1.24)
	token = base64.RawURLEncoding.EncodeToString(raw)
	return token, hashToken(token)
}

// hashToken needs no salt and no cost: what it hashes is random already.
func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Act is what an audit entry says beside who, where and when.
type Act struct {
	Action string // dotted, e.g. "campaign.send"
	Noun   string
	NounID string
	Detail any // encodes to a JSON object; nil: {}. No secrets, and no more personal data than the id says.
}

// Audit writes an entry, in the transaction of ctx if there is one: call it in the transaction of the act.
func (s *Service) Audit(ctx context.Context, by Principal, a Act) error {
	detail := json.RawMessage(`{}`)
	if a.Detail != nil {
		var err error
		if detail, err = json.Marshal(a.Detail); err != nil {
			return fmt.Errorf("audit %s: %w", a.Action, err)
		}
	}
	return s.store.AppendAudit(ctx, by.Workspace, AuditEntry{
		ID: id.New("aud"), Workspace: by.Workspace, At: s.clock.Now(), ActorKind: by.Kind, ActorID: by.ID, ActorName: by.Name,
		Action: a.Action, Noun: a.Noun, NounID: a.NounID, Detail: detail, IP: by.IP,
	})
}

// AuditLog returns a page of what was done in the principal's workspace, newest first.
func (s *Service) AuditLog(ctx context.Context, by Principal, f AuditFilter, p page.Request) (page.Of[AuditEntry], error) {
	if err := by.Require(AuditRead); err != nil {
		return page.Of[AuditEntry]{}, err
	}
	return s.store.AuditLog(ctx, by.Workspace, f, p)
}

// LastActor returns the name of who did something to a thing last, empty if nobody did. Whoever may change it may know.
func (s *Service) LastActor(ctx context.Context, ws, noun, nounID string) (string, error) {
	found, err := s.store.AuditLog(ctx, ws, AuditFilter{Noun: noun, NounID: nounID}, page.Request{Limit: 1})
	if err != nil || len(found.Items) == 0 {
		return "", err
	}
	return found.Items[0].ActorName, nil
}

// Tenants is what Bootstrap needs of package workspace.
type Tenants interface {
	// Bootstrap makes sure that a workspace and the source with the write key exist and returns the oldest workspace's id.
	Bootstrap(ctx context.Context, writeKey string) (ws string, err error)
}

// Setup is what an installation is started with; every field may be empty.
type Setup struct {
	Email, Password string // the first owner; only used while there is no user
	APIKey          string // a key with all permissions is made for this secret
	WriteKey        string // a server source is made with this write key
}

// Bootstrap brings an empty installation to the point where somebody can sign in and events can come in. It may be called at every start:
// what exists stays as it is, also a key that was revoked. The password and the secret are taken as they are; whoever sets
// them owns the machine. It returns the oldest workspace's id.
func (s *Service) Bootstrap(ctx context.Context, tenants Tenants, in Setup) (ws string, err error) {
	var hash string
	if in.Email != "" {
		if in.Email, err = normalizeEmail(in.Email); err != nil {
			return "", fmt.Errorf("bootstrap: %w", err)
		}
		if in.Password == "" {
			return "", fmt.Errorf("bootstrap: %w", errs.Invalid("staff.password.length", "password", "the first owner needs a password"))
		}
		exists, err := s.store.AnyUser(ctx)
		if err != nil {
			return "", fmt.Errorf("bootstrap: %w", err)
		}
		if exists {
			in.Email = ""
		} else if hash, err = s.hasher.hash(ctx, in.Password); err != nil {
			return "", fmt.Errorf("bootstrap: %w", err)
		}
	}
	err = s.tx.InTx(ctx, func(ctx context.Context) error {
		if ws, err = tenants.Bootstrap(ctx, in.WriteKey); err != nil {
			return err
		}
		if in.Email != "" {
			if err := s.firstOwner(ctx, ws, in.Email, hash); err != nil {
				return err
			}
		}
		if in.APIKey == "" {
			return nil
		}
		if _, err := s.store.KeyByHash(ctx, hashToken(in.APIKey)); !errs.Is(err, errs.KindNotFound) {
			return err
		}
		_, _, err := s.CreateKey(ctx, System(ws), NewKey{Name: "Bootstrap", Scopes: Permissions(), Secret: in.APIKey})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("bootstrap: %w", err)
	}
	return ws, nil
}

func (s *Service) firstOwner(ctx context.Context, ws, email, hash string) error {
	exists, err := s.store.AnyUser(ctx) // again: two processes may start at once
	if err != nil || exists {
		return err
	}
	_, err = s.addUser(ctx, System(ws), User{Email: email, Name: email, PasswordHash: hash}, Owner)
	return err
}

// AnyUser reports whether the installation has a user, and so an owner.
func (s *Service) AnyUser(ctx context.Context) (bool, error) { return s.store.AnyUser(ctx) }

// SetUp makes the first owner's account on an installation that has none; an errs.KindConflict error otherwise. Unlike
// Bootstrap it is open to whoever reaches the installation first, so the password must be a good one.
func (s *Service) SetUp(ctx context.Context, tenants Tenants, email, password string) error {
	any, err := s.store.AnyUser(ctx)
	if err != nil {
		return err
	}
	if any {
		return errs.Conflict("staff.setup.done", "this installation has an owner; sign in")
	}
	if err := validPassword("password", password, email); err != nil {
		return err
	}
	_, err = s.Bootstrap(ctx, tenants, Setup{Email: email, Password: password})
	return err
}
