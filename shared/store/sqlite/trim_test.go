package sqlite

import (
	"net/url"
	"testing"
)

// As long as there are few dead letters, a look at their number does not wait for another
// process that writes, and so holds up no writer either.
func TestTrimmingFewDeadLettersTakesNoLock(t *testing.T) {
	path := filled(t, 1)
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, err := pool(path, 1, nil, url.Values{"mode": {"rw"}, "_txlock": {"immediate"}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if err := s.TrimDeadLetters(t.Context(), 10, 10); err != nil {
		t.Error(err)
	}
}
