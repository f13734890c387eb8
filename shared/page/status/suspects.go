package status

import (
	"context"
	"errors"
	"time"

	"github.com/hearth-home/hearth/shared/catalogue"
	"github.com/hearth-home/hearth/shared/quality"
	"github.com/hearth-home/hearth/shared/store"
)

const maxDoubted = 50_000 // readings of a device that are looked through for suspect ones

// withoutSuspects returns the buckets of the headline of a device, g, without its suspect
// values. qualities is the graph of the quality of its readings.
func withoutSuspects(ctx context.Context, st *store.Store, d Device, g, qualities graph) ([]bucket, error) {
	out, q := g.buckets(), g.query
	doubted, first, last := doubtedSteps(qualities)
	if first < 0 {
		return out, nil
	}
	from, to := q.From.Add(time.Duration(first)*q.Step), q.From.Add(time.Duration(last+1)*q.Step)
	rs, err := st.BetweenAtMost(ctx, maxDoubted, q.Name, map[string]string{catalogue.DeviceLabel: d.ID}, from, to)
	tooMany := errors.Is(err, store.ErrTooMany)
	if tooMany {
		err = nil // these steps stay empty
	}
	for i := range out {
		if doubted[i] {
			out[i] = bucket{doubt: tooMany}
		}
	}
	for _, r := range rs {
		i := int(r.Time.Sub(q.From) / q.Step)
		v, ok := r.Fields[d.Main.Key]
		switch {
		case !ok || i < 0 || i >= steps || !doubted[i]:
		case quality.IsSuspect(r, d.Main.Key):
			out[i].doubt = true
		default:
			out[i].add(v, v, v, 1)
		}
	}
	return out, err
}

// doubtedSteps returns which steps have readings with suspect values, and the first and
// the last of them: -1 if there are none.
func doubtedSteps(qualities graph) (doubted []bool, first, last int) {
	doubted, first, last = make([]bool, steps), -1, -1
	for i, b := range qualities.buckets() {
		if doubted[i] = b.count > 0 && b.high >= quality.Suspect.Code(); !doubted[i] {
			continue
		}
		if last = i; first < 0 {
			first = i
		}
	}
	return doubted, first, last
}
