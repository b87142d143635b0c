package app

import (
	"github.com/kizuna-cx/kizuna/internal/channel"
	"github.com/kizuna-cx/kizuna/internal/channel/email"
)

// channels lists the ways to reach people. To add one, write its package and name it here.
func channels() []channel.Spec {
	return []channel.Spec{
		email.Spec(email.Options{}),
	}
}
