package channel_test

import (
	"testing"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

func TestRefusalsAreReadForWhatTheyMean(t *testing.T) {
	for _, c := range []struct {
		code, words string
		want        channel.Class
	}{
		{"550 5.1.1", "The email account that you tried to reach does not exist", channel.Hard},
		{"5.1.1", "", channel.Hard},
		{"550 5.1.10", "RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", channel.Hard},
		{"550", "Unknown user taro@docomo.example", channel.Hard},
		{"554", "delivery error: dd This user doesn't have a yahoo.example account (x@yahoo.example) [0]", channel.Hard},
		{"", "Sorry, no mailbox here by that name. (#5.1.1)", channel.Hard},
		{"", "Sorry, I couldn't find any host named nowhere.example. (#5.1.2)", channel.Hard},
		{"5.4.4", "Host or domain name not found", channel.Hard},
		{"556 5.1.10", "Recipient address has null MX", channel.Hard},
		{"552 5.2.2", "mailbox full", channel.Full},
		{"452 4.2.2", "The email account that you tried to reach is over quota", channel.Full},
		{"550", "user@example.com: mailbox is full", channel.Full},
		{"421 4.7.0", "Our system has detected an unusual rate of unsolicited mail", channel.Block},
		{"550 5.7.1", "Service unavailable; Client host [203.0.113.9] blocked using Spamhaus", channel.Block},
		{"550 5.7.26", "Unauthenticated email is not accepted due to domain's DMARC policy", channel.Block},
		{"554", "Message rejected as spam by Content Filtering.", channel.Block},
		{"550 5.7.1", "Recipient unknown, or so the policy has it", channel.Block},
		{"4.4.7", "delivery time expired", channel.Soft},
		{"451 4.3.0", "Temporary lookup failure", channel.Soft},
		{"5.4.1", "no answer from host", channel.Soft},
		{"450", "4.2.0 try again later", channel.Soft},
		{"554", "transaction failed", channel.Other},
		{"", "", channel.Other},
	} {
		if got := channel.Classify(c.code, c.words); got != c.want {
			t.Errorf("%q %q is %s, want %s", c.code, c.words, got, c.want)
		}
	}
	if got := channel.CodeOf("550 5.1.1 <a@b.example>: no"); got != "550 5.1.1" {
		t.Errorf("code %q", got)
	}
}
