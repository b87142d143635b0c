package app

import "testing"

func TestASocketIsTakenOverOnlyByTheProcessItIsMeantFor(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		fd   int
		fail bool
	}{
		"none":                 {},
		"by a restart":         {env: map[string]string{socketVariable: "9"}, fd: 9},
		"by systemd":           {env: map[string]string{"LISTEN_PID": "42", "LISTEN_FDS": "1"}, fd: 3},
		"to another process":   {env: map[string]string{"LISTEN_PID": "41", "LISTEN_FDS": "1"}},
		"more than one":        {env: map[string]string{"LISTEN_PID": "42", "LISTEN_FDS": "2"}, fail: true},
		"no number":            {env: map[string]string{socketVariable: "http"}, fail: true},
		"the standard streams": {env: map[string]string{socketVariable: "1"}, fail: true},
	} {
		fd, err := handedOver(func(k string) string { return tc.env[k] }, 42)
		if fd != tc.fd || (err != nil) != tc.fail {
			t.Errorf("%s: %d, %v", name, fd, err)
		}
	}
}
