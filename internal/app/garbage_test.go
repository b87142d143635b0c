package app

import "testing"

func TestRoomForGarbageFollowsWhatHasToBeLookedThrough(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		live, scanned uint64
		want          int
	}{
		{0, 0, 200},
		{30 * mb, 25 * mb, 200},     // pointers nearly everywhere: three times what is alive
		{500 * mb, 400 * mb, 200},   // however much it is
		{45 * mb, 22 * mb, 146},     // 16 MB are blocks of the log
		{100 * mb, 10 * mb, 50},     // nearly all of it costs nothing to look through
		{100 * mb, 0, 50},           // never without room
		{20 * mb, 40 * mb, 200},     // what came since the collection is counted as scanned only
		{1000 * mb, 1000 * mb, 200}, // no overflow
	} {
		if got := growth(c.live, c.scanned); got != c.want {
			t.Errorf("%d MB alive, %d with pointers: %d %%, want %d", c.live/mb, c.scanned/mb, got, c.want)
		}
	}
}
