package function

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

// tick is one call, and what its jobs share.
type tick struct {
	*function
	st  *store.Store
	now time.Time
}

// tick runs all jobs under a lease. failed are the errors of single jobs; err means that no
// job was run.
func (f *function) tick(ctx context.Context, now time.Time) (failed []error, err error) {
	st, err := f.env.Open(ctx)
	if err != nil {
		return nil, err
	}
	fence, err := st.Lease(ctx, name, rand.Text(), leaseTTL)
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := st.Release(context.WithoutCancel(ctx), name, fence); e != nil && err == nil {
			err = e
		}
	}()
	t := &tick{f, st, now}
	for _, job := range []struct {
		what string
		run  func(context.Context) error
	}{
		{"delete what is old", t.prune},
	} {
		if err := job.run(ctx); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", job.what, err))
		}
	}
	return failed, nil
}
