package local

import (
	"context"
	"sync"
	"time"

	"github.com/hearth-home/hearth/local/past"
	"github.com/hearth-home/hearth/shared/pause"
)

// pastAfter is when, after the start, series of samples that have no history yet get one:
// sensors and sources report first within a minute. A first report may lack values that are
// made of two, such as the use of a processor: the second comes after 5 s.
var pastAfter = []time.Duration{8 * time.Second, 8 * time.Second, 20 * time.Second, 30 * time.Second}

// pastPart gives the simulated sensors and the example answers of a new installation a few days
// of history. It writes only to the file of this installation, never to databases of the user.
func (p *platform) pastPart() part {
	var stop context.CancelFunc
	var done sync.WaitGroup
	return part{"history of samples", func(ctx context.Context) error {
		ctx, stop = context.WithCancel(context.WithoutCancel(ctx))
		if p.file != nil && p.simulates() {
			done.Go(func() { p.fillPast(ctx) })
		}
		return nil
	}, func(context.Context) error {
		stop()
		done.Wait()
		return nil
	}}
}

func (p *platform) fillPast(ctx context.Context) {
	for _, wait := range pastAfter {
		if !pause.For(ctx, wait) {
			return
		}
		st, err := p.open(ctx)
		if err != nil {
			continue // it is logged
		}
		if n, err := past.Fill(ctx, st, p.now()); err != nil && ctx.Err() == nil {
			p.log.Warn("the samples have only part of a history", "readings", n, "err", err)
		}
	}
}
