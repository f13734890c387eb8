package store_test

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

func TestClaimedHoursAreThoseThatAreStillClaimed(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		begun(t, s, "air", 1)
		begun(t, s, "power", 1)
		advance(t, s, "air", 1, 5)
		_, err1 := s.ClaimDirty(t.Context(), "air", "first", ten, hours(4)[0])
		_, err2 := s.ClaimDirty(t.Context(), "air", "second", hours(2)[0], hours(3)[0])
		got, err3 := s.Claimed(t.Context(), "air", "first")
		all, err4 := s.Rolled(t.Context())
		if err := errors.Join(err1, err2, err3, err4); err != nil || !slices.Equal(got, hours(1, 3)) || all["air"].Dirty != 4 || all["power"].Dirty != 0 {
			t.Error(got, all, err)
		}
	})
}

func TestLateHoursAreThoseOfLateValues(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		for _, at := range []time.Time{ten, ten.Add(time.Hour - 1), ten.Add(3 * time.Hour), ten.Add(9 * time.Hour)} {
			for _, name := range []string{"air", "power"} {
				if name == "power" {
					at = at.Add(time.Hour)
				}
				s.Exec(t, `insert into late_values (name, series, tags, field, time, value, suspect, arrived) values ('`+name+`', '`+name+`', '{}', 'a', `+
					strconv.FormatInt(at.UnixNano(), 10)+`, 1, false, current_timestamp)`)
			}
		}
		if got, err := s.LateHours(t.Context(), "air", ten, hours(9)[0]); err != nil || !slices.Equal(got, hours(0, 3)) {
			t.Error(got, err)
		}
		old := time.Date(1930, 2, 3, 4, 0, 0, 0, time.UTC)
		s.Exec(t, `insert into late_values (name, series, tags, field, time, value, suspect, arrived) values ('air', 'air', '{}', 'a', `+
			strconv.FormatInt(old.Add(time.Minute).UnixNano(), 10)+`, 1, false, current_timestamp)`)
		if got, err := s.LateHours(t.Context(), "air", old, old.Add(time.Hour)); err != nil || len(got) != 1 || !got[0].Equal(old) {
			t.Errorf("before 1970: %v, %v", got, err)
		}
	})
}
