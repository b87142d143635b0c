package content

import (
	"context"
	"net/url"
	"strings"
)

// maxLinks is how many different links of a mail are asked; more is no letter.
const maxLinks = 100

// LinkVerdict says what answers at the end of a link.
type LinkVerdict struct {
	URL   string
	Label string // the text that people click, of its first place
	// Code is empty if all is well. "not_found", "server_error", "refused" (another status that is no success), "certificate", "certificate_expired",
	// "unknown_host", "unreachable", "timeout", "redirects" (too many), "downgrade" (from https to http), "blocked" (an address inside a private network),
	// "port", "credentials" and "malformed" are faults. "redirected" (it ends at another host, see Location) and "guarded" (the site lets no programs
	// in, so nothing is known) are worth a look.
	Code     string
	Status   int    // of HTTP; 0: no answer
	Location string // where it ends, if that is elsewhere
}

// Fault reports whether readers would end nowhere.
func (v LinkVerdict) Fault() bool {
	return v.Code != "" && v.Code != "redirected" && v.Code != "guarded"
}

// LinkChecker asks what answers at addresses, in their order. What is not known when ctx ends is left without a verdict and not returned.
type LinkChecker interface {
	CheckLinks(ctx context.Context, urls []string) ([]LinkVerdict, error)
}

// CheckLinks fills a template as Preview does, asks each different link of it over the network, and returns what answers and how many links were too
// many to ask. Links with variables lead where they would lead this reader. If neither a language nor a person is named, the links of all languages
// are asked.
func (s *Service) CheckLinks(ctx context.Context, ws string, r PreviewRequest) (verdicts []LinkVerdict, leftOut int, err error) {
	letter, err := s.Preview(ctx, ws, r)
	if err != nil {
		return nil, 0, err
	}
	labels := map[string]string{}
	var urls []string
	add := func(p Preview) {
		for _, l := range survey(p.HTML).links {
			u, err := url.Parse(l.href)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || l.href == sampleUnsubscribe {
				continue // mail and telephone links, places in the mail itself; what is broken is a finding of its own
			}
			u.Fragment = ""
			if _, seen := labels[u.String()]; !seen {
				labels[u.String()] = once(strings.TrimSpace(l.label))
				urls = append(urls, u.String())
			}
		}
	}
	add(letter)
	if _, person := r.Vars["person"]; r.Options.Locale == "" && !person {
		for _, locale := range letter.Locales {
			if locale == letter.Locale {
				continue
			}
			r.Options.Locale = locale
			other, err := s.Preview(ctx, ws, r)
			if err != nil {
				return nil, 0, err
			}
			add(other)
		}
	}
	if len(urls) > maxLinks {
		urls, leftOut = urls[:maxLinks], len(urls)-maxLinks
	}
	if len(urls) == 0 || s.links == nil {
		return nil, leftOut, nil
	}
	if verdicts, err = s.links.CheckLinks(ctx, urls); err != nil {
		return nil, 0, err
	}
	for i := range verdicts {
		verdicts[i].Label = labels[verdicts[i].URL]
	}
	return verdicts, leftOut, nil
}

// once takes back what a link says twice: a picture whose description is also written below it, or one picture for light and one for dark screens.
func once(label string) string {
	if half := len(label) / 2; half > 0 && strings.TrimSpace(label[:half]) == strings.TrimSpace(label[half:]) {
		return strings.TrimSpace(label[:half])
	}
	return label
}
