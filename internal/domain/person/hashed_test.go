package person_test

import (
	"cmp"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kizuna-cx/kizuna/internal/domain/event"
	"github.com/kizuna-cx/kizuna/internal/domain/person"
	"github.com/kizuna-cx/kizuna/internal/domain/person/persontest"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb"
	"github.com/kizuna-cx/kizuna/internal/storage/sqldb/sqldbtest"
)

func sha(s string) string   { h := sha256.Sum256([]byte(s)); return hex.EncodeToString(h[:]) }
func md5of(s string) string { h := md5.Sum([]byte(s)); return hex.EncodeToString(h[:]) }

// traitsOf reads the traits of an identify event.
func traitsOf(e event.Event) map[string]any {
	out := map[string]any{}
	if e.Type == event.Identify && len(e.Properties) > 0 {
		_ = json.Unmarshal(e.Properties, &out) // written by the test
	}
	return out
}

// untold takes the address out of the traits.
func untold(e event.Event) event.Event {
	traits := traitsOf(e)
	delete(traits, "email")
	e.Properties = persontest.Object(traits)
	return e
}

// encoded adds one identifier as an advertising platform hands it on.
func encoded(e event.Event, kind, value, encoding string) event.Event {
	e.Context = persontest.Object(map[string]any{"externalIds": []map[string]any{{"type": kind, "id": value, "collection": "users", "encoding": encoding}}})
	return e
}

func TestEdge37_HashedAndPlainFormAreOneIdentifier(t *testing.T) {
	mail, phone := "ada@example.com", "+491701234567"
	plainMail := identify("plain", 10, "u1", "", map[string]any{"email": " Ada@Example.com "})
	plainPhone := identify("plain", 10, "u1", "", map[string]any{"phone": "0170 1234567"})
	for _, tc := range []struct {
		name  string
		plain event.Event
		hash  event.Event
	}{
		{"trait with SHA-256 of a mail", plainMail, identify("hash", 5, "", "a1", map[string]any{"email": sha(mail)})},
		{"identifier with MD5 of a mail", plainMail, encoded(track("hash", 5, "", "a1"), "email", md5of(mail), "md5")},
		{"upper-case digits", plainMail, encoded(track("hash", 5, "", "a1"), "email", fmt.Sprintf("%X", sha256.Sum256([]byte(mail))), "SHA256")},
		{"number as E.164", plainPhone, identify("hash", 5, "", "a1", map[string]any{"phone": sha(phone)})},
		{"number without the plus", plainPhone, encoded(track("hash", 5, "", "a1"), "phone", sha(phone[1:]), "sha256")},
		{"MD5 of a number", plainPhone, encoded(track("hash", 5, "", "a1"), "phone", md5of(phone), "")},
	} {
		for _, order := range []string{"hash first", "plain first", "together", "hash used before"} {
			t.Run(tc.name+"/"+order, func(t *testing.T) {
				w := world(t)
				switch order {
				case "hash first":
					w.Deliver(tc.hash)
					w.Deliver(tc.plain)
				case "plain first":
					w.Deliver(tc.plain)
					w.Deliver(tc.hash)
				case "together":
					w.Deliver(tc.hash, tc.plain)
				case "hash used before":
					w.Deliver(identify("other", 0, "", "a9", map[string]any{"email": sha("someone@else.example")}))
					w.Deliver(tc.hash)
					w.Deliver(tc.plain)
					one(t, w, 2)
				}
				p := w.Who("user_id", "u1")
				same(t, "device", w.Who("anonymous_id", "a1").ID, p.ID)
				same(t, "event that came hashed", w.Owner("hash"), p.Num)
				kind, value := "email", mail
				if p.Email() == "" {
					kind, value = "phone", phone
				}
				same(t, "identifiers", len(p.Identifiers), 3) // user, address once, device
				same(t, "by the address", w.Who(kind, value).ID, p.ID)
				same(t, "by its hash", w.Who(kind, sha(value)).ID, p.ID)
				if person.Hashed(p.Email()) || person.Hashed(p.Phone()) {
					t.Fatal("somebody would write to a hash")
				}
				w.Deliver(track("later", 20, "", "a1"), identify("later still", 21, "", "a2", map[string]any{kind: sha(value)}))
				same(t, "later by the hash", w.Owner("later still"), p.Num)
			})
		}
	}
}

func TestEdge37_WhatIsNoHashOfTheAddressMatchesNothing(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "u1", "", map[string]any{"email": "ada@example.com"}))
	for i, e := range []event.Event{
		encoded(track("salted", 1, "", "a1"), "email", sha("salt"+"ada@example.com"), "sha256"),
		encoded(track("keyed", 1, "", "a2"), "email", sha("ada@example.com"), "hmac-sha256"), // an encoding that is not known
		encoded(track("wrong", 1, "", "a3"), "email", sha("ada@example.com"), "md5"),
		encoded(track("kind", 1, "", "a4"), "user_id", sha("u1"), "sha256"), // only addresses have spellings
		encoded(track("other kind", 1, "", "a5"), "phone", sha("ada@example.com"), "sha256"),
	} {
		w.Deliver(e)
		one(t, w, int64(2+i))
	}
	// The hash of nothing, and of what clients send for nothing, identify nobody.
	for i, junk := range []string{sha(""), md5of(""), sha("null"), md5of("undefined")} {
		w.Deliver(identify(fmt.Sprintf("junk%d", i), 2, "", fmt.Sprintf("j%d", i), map[string]any{"email": junk}))
		one(t, w, int64(7+i))
	}
	// A salted hash still is one and the same thing.
	w.Deliver(encoded(track("salted again", 3, "", "a6"), "email", sha("salt"+"ada@example.com"), "sha256"))
	same(t, "the same salted hash", w.Owner("salted again"), w.Owner("salted"))
}

func TestEdge37_SomebodyWhoIsKnownByAHashAloneIsNotMadeAgain(t *testing.T) {
	w := world(t)
	w.Deliver(identify("m1", 0, "", "a1", map[string]any{"email": sha("ada@example.com")}))
	p := w.Who("email", "ada@example.com")
	same(t, "address", p.Email(), "")
	same(t, "status", p.Status, person.Known)
	_, err := w.Service.Create(t.Context(), persontest.WS, person.NewPerson{Identifiers: []event.Identifier{{Kind: "email", Value: "Ada@example.com"}}})
	if !errs.Is(err, errs.KindConflict) {
		t.Fatalf("made a second person for one address: %v", err)
	}
}

// Whatever the order of arrival, hashes and the addresses they are of give the same people as if the addresses had come each time.
func TestEdge37_AnyOrderAndSpellingGivesTheSamePeople(t *testing.T) {
	db := sqldbtest.Open(t, engine)
	rapid.Check(t, func(rt *rapid.T) {
		events := history(rt)
		var plain []event.Event // the same history with addresses throughout
		for i := range events {
			e := events[i]
			plain = append(plain, e)
			if mail, ok := traitsOf(e)["email"].(string); ok {
				plain[i] = encoded(untold(e), "email", mail, "none")
				switch rapid.IntRange(0, 2).Draw(rt, "spelling") {
				case 0:
					events[i] = plain[i]
				case 1:
					events[i] = encoded(untold(e), "email", sha(mail), "sha256")
				case 2:
					events[i] = encoded(untold(e), "email", md5of(mail), "md5")
				}
			}
		}
		// Each address turns up in the open at the end, so that both histories know its name.
		for m := range 3 {
			e := identify(fmt.Sprintf("z%d", m), 60*24*61+m, "", "", map[string]any{"email": fmt.Sprintf("e%d@example.com", m)})
			events, plain = append(events, e), append(plain, e)
		}
		inTime := func(a, b event.Event) int {
			return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.MessageID, b.MessageID))
		}
		slices.SortFunc(plain, inTime)
		clean(t, db)
		w := worldOn(t, db)
		for _, e := range plain {
			w.Keep(w.Record(e))
		}
		w.Settle()
		want := picture(t, w)

		clean(t, db)
		w = worldOn(t, db)
		for _, e := range rapid.Permutation(events).Draw(rt, "order") {
			w.Keep(w.Record(e))
			if rapid.IntRange(0, 3).Draw(rt, "settle") == 0 {
				w.Settle()
			}
		}
		w.Settle()
		if diff := gocmp.Diff(want, picture(t, w)); diff != "" {
			rt.Fatalf("hashes give other people than addresses (-addresses +hashes):\n%s", diff)
		}
	})
}

// TestEdgesOnPostgres runs the edge cases there as well; those left out take thousands of events.
func TestEdgesOnPostgres(t *testing.T) {
	sqldbtest.Open(t, sqldb.Postgres) // skips if there is none
	engine = sqldb.Postgres
	defer func() { engine = sqldb.SQLite }()
	for name, f := range map[string]func(*testing.T){
		"01": TestEdge01_AnonThenIdentify, "01b": TestEdge01_AnonThenIdentifyOfKnownUserMergesWhole, "02": TestEdge02_IdentifyBeforeAnonEventsArrive,
		"03": TestEdge03_AnonAndIdentifyInParallel, "04": TestEdge04_TwoDevicesOneUser, "05": TestEdge05_SharedDeviceBThenC, "05b": TestEdge05_ADeviceThatGoesBackAndForth,
		"06": TestEdge06_LogoutWithoutReset, "07": TestEdge07_ResetThenNewAnonSameGAClient, "08": TestEdge08_KioskIsFlaggedShared, "09": TestEdge09_EmailSharedByCouple,
		"10": TestEdge10_UserChangesEmail, "11": TestEdge11_PhoneNumberIsRecycled, "13": TestEdge13_EmailVariants, "14": TestEdge14_PhoneWithAndWithoutCountryCode,
		"15": TestEdge15_SelfAlias, "16": TestEdge16_AliasBothIdentified, "16b": TestEdge16_AnEventOfBeforeTheAliasArrivesAfterIt, "17": TestEdge17_AliasChainAndCycle, "18": TestEdge18_AliasBeforeIdentify,
		"18b": TestEdge18_AliasOverUserKnownLaterButEarlierInTime, "20": TestEdge20_RandomAnonymousIdPerServerEvent, "21": TestEdge21_ThreeProfilesBridgedByOneEvent,
		"22": TestEdge22_TransitiveChainInOneBatch, "23": TestEdge23_TheWinnerDoesNotDependOnTheOrder, "24": TestEdge24_DuplicateOfAMergingEvent, "26": TestEdge26_UnmergeRestoresTraitsAndDoesNotMergeAgain,
		"27": TestEdge27_SplitOffTheIdentifierThePersonWasMadeFrom, "28": TestEdge28_AMergeWithSomebodyErasedBringsNothingBack, "29": TestEdge29_ReplayOfTheArchiveAfterAnUnbind, "29b": TestEdge29_ReplayOfTheArchiveAfterAnErasure, "30": TestEdge30_ObserversDecideOnConsentInsideTheMerge,
		"31": TestEdge31_LimitLoweredAfterProfilesExceedIt, "32": TestEdge32_SameValueUnderTwoKindsDoesNotJoin, "33": TestEdge33_TwoWorkspacesSameIdentifiers,
		"34": TestEdge34_FutureClockDevice, "35": TestEdge35_CrashBetweenPeopleAndEventStore, "35b": TestEdge35_CrashAfterATask,
		"36": TestEdge36_UnbindCascadesToChildren, "36b": TestEdge36_UnboundAndBoundAgain, "37": TestEdge37_HashedAndPlainFormAreOneIdentifier,
		"37b": TestEdge37_WhatIsNoHashOfTheAddressMatchesNothing, "37c": TestEdge37_SomebodyWhoIsKnownByAHashAloneIsNotMadeAgain,
	} {
		t.Run(name, f)
	}
}
