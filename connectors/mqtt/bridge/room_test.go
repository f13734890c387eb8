package bridge

import "testing"

// The spool's room stays free, but a disk that others have nearly filled keeps more than one
// dead letter.
func TestRoomBesideTheSpool(t *testing.T) {
	for _, tc := range []struct{ spool, free, want int64 }{
		{1 << 30, 10 << 30, 9 << 30},    // a large disk
		{1 << 30, 400 << 20, 100 << 20}, // has less than the spool may take
		{50 << 20, 60 << 20, 15 << 20},  // nearly
		{0, 60 << 20, 60 << 20},         // a full spool
		{-5, 60 << 20, 60 << 20},
		{1 << 30, 0, 0},
	} {
		if got := roomBeside(tc.spool, tc.free); got != tc.want {
			t.Errorf("beside a spool that may take %d of %d: %d, want %d", tc.spool, tc.free, got, tc.want)
		}
	}
}
