package email

import (
	"bytes"
	"fmt"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/kizuna-cx/kizuna/internal/channel"
)

// signed are the headers that a signature covers (RFC 6376 5.4). From, Subject and To are named once more than they occur, so that nobody can
// add a second one; the one-click headers must be covered (RFC 8058 section 4).
var signed = []string{
	"From", "From", "Subject", "Subject", "To", "To", "Reply-To", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
	"List-Unsubscribe", "List-Unsubscribe-Post",
}

// sign puts a DKIM signature of each key in front of the message, which is not dot-stuffed yet.
func sign(message []byte, keys []channel.Signer) ([]byte, error) {
	if len(keys) == 0 {
		return message, nil
	}
	var head bytes.Buffer
	for _, k := range keys {
		s, err := dkim.NewSigner(&dkim.SignOptions{
			Domain: k.Domain, Selector: k.Selector, Signer: k.Key, HeaderKeys: signed,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		})
		if err != nil {
			return nil, fmt.Errorf("sign for %s: %w", k.Domain, err)
		}
		_, err = s.Write(message)
		if cerr := s.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return nil, fmt.Errorf("sign for %s with %s: %w", k.Domain, k.Selector, err)
		}
		head.WriteString(s.Signature())
	}
	return append(head.Bytes(), message...), nil
}
