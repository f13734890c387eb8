package rollup

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver"
)

func TestADatabaseThatIsAwayInTheMiddle(t *testing.T) {
	influx, url, bucket := testserver.OwnInflux(t)
	postgres, database := testserver.OwnPostgres(t)
	h := &house{T: t, place: servers(t, url, bucket, database)}
	h.reopen()
	h.write(series(monthsKept, "office", noon.AddDate(0, -2, 0), noon, time.Hour))
	for i, server := range []*testserver.Server{influx, postgres} {
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			defer cancel()
			for {
				_, err := h.roller.Tick(ctx, h.Store, noon.Add(time.Duration(i)*time.Hour))
				if err != nil || ctx.Err() != nil {
					failed <- err
					return
				}
			}
		}()
		for h.state(monthsKept).Upto.IsZero() { // it has begun
			time.Sleep(time.Millisecond)
		}
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := <-failed; err == nil || strings.Count(err.Error(), "\n") > 0 {
			t.Errorf("while a database is down, one error is expected: %v", err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
	h.tick(noon.Add(time.Hour))
	h.same(store.FiveMinutes, monthsKept, noon.AddDate(-1, 0, 0), noon)
	h.same(store.Hour, monthsKept, noon.AddDate(-1, 0, 0), noon)
}
