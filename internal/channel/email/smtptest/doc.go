// Package smtptest is a mail server for tests that misbehaves on command.
//
// It speaks SMTP over real TCP connections and stores what it accepts. A hook for each stage of the dialogue
// decides what the client gets to see: another reply, a slow one, a malformed one, or a dropped connection.
//
// Owns: the server's side of the dialogue, the messages it accepted, a self-signed certificate.
// Does not own: any opinion on what a client should do; tests assert that.
//
//	s := smtptest.Start(t)
//	s.On(smtptest.Rcpt, func(c smtptest.Call) smtptest.Reply {
//		if c.N == 0 {
//			return smtptest.Reply{Text: "451 4.2.0 try again later"} // the first attempt for each address
//		}
//		return smtptest.Reply{} // the ordinary answer
//	})
//
// Invariants: a message is in Messages before its 250 is written, so a client that saw the 250 finds it there.
package smtptest
