package hook

import (
	"testing"
	"time"
)

// The expected signature is that of the reference libraries' own test (standard-webhooks, "test sign").
func TestTheSignatureIsThatOfStandardWebhooks(t *testing.T) {
	got, err := sign("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), `{"test": 2432232314}`)
	if err != nil || got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestBackoffEndsWithinTheDay(t *testing.T) {
	var least, most time.Duration
	for n := 1; n <= len(backoff); n++ {
		least += backoff[n-1]
		most += wait("whd_x", n)
	}
	if least < giveUp/2 || most > giveUp || wait("whd_x", 99) > backoff[len(backoff)-1]*11/10 {
		t.Errorf("the waits add up to between %s and %s", least, most)
	}
}
