package natsbus

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"syscall"
)

// serverLog passes the server's messages on. Its notices tell of every start and stop and are of no interest to an
// operator, so they become debug messages. That its disk is full is told here and nowhere else: who appends gets no answer.
type serverLog struct {
	log  *slog.Logger
	full *atomic.Bool
}

func (s serverLog) say(level func(string, ...any), format string, v []any) {
	level("log server", "text", fmt.Sprintf(format, v...))
}

func (s serverLog) Errorf(format string, v ...any) {
	s.say(s.log.Error, format, v)
	if strings.Contains(fmt.Sprintf(format, v...), syscall.ENOSPC.Error()) {
		s.full.Store(true)
	}
}

func (s serverLog) Noticef(format string, v ...any) { s.say(s.log.Debug, format, v) }
func (s serverLog) Warnf(format string, v ...any)   { s.say(s.log.Warn, format, v) }
func (s serverLog) Fatalf(format string, v ...any)  { s.say(s.log.Error, format, v) }
func (s serverLog) Debugf(format string, v ...any)  { s.say(s.log.Debug, format, v) }
func (s serverLog) Tracef(format string, v ...any)  { s.say(s.log.Debug, format, v) }
