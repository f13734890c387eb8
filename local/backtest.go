package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/hearth-home/hearth/shared/backtest"
	"github.com/hearth-home/hearth/shared/house"
	"github.com/hearth-home/hearth/shared/mapping"
	"github.com/hearth-home/hearth/shared/settings"
	"github.com/hearth-home/hearth/shared/store"
)

// Backtest is which messages the rules of two files would have sent in a span.
type Backtest struct {
	Today         backtest.Result  `json:"today"`           // of hearth.yml
	Other         *backtest.Result `json:"other,omitempty"` // of another file
	NotReplayable []string         `json:"not_replayable"`  // rules of which the run says nothing
	Zone          *time.Location   `json:"-"`               // of the house
}

// Backtest runs the rules of hearth.yml, and those of another file unless that is "", over
// the stored readings with from <= time < to. It writes nothing. The platform may run at
// the same time.
func (h *Installation) Backtest(ctx context.Context, file string, from, to time.Time, show func(backtest.Progress)) (b Backtest, err error) {
	saved, err := h.SavedMappings(ctx)
	if err != nil {
		return b, err
	}
	today, err := rulesOf(h.SettingsFile(), saved, to)
	if errors.Is(err, fs.ErrNotExist) {
		f := settings.Parse(nil)
		f.Saved = saved
		today, err = compileRules(f, to), nil
	}
	if err != nil {
		return b, err
	}
	sets := []backtest.Rules{today}
	if file != "" {
		other, err := rulesOf(file, saved, to)
		if err != nil {
			return b, err
		}
		sets = append(sets, other)
	}
	b.Zone = sets[len(sets)-1].House.Zone
	b.NotReplayable = backtest.NotReplayable(sets[len(sets)-1].Rules)
	err = h.withStore(ctx, func(st *store.Store) error {
		results, err := backtest.Run(ctx, st, sets, from, to, show)
		if err == nil {
			b.Today = results[0]
		}
		if err == nil && file != "" {
			b.Other = &results[1]
		}
		return err
	})
	return b, err
}

// rulesOf reads the rules of a file, with the mappings that were saved on the page. A mistake in
// it is an error.
func rulesOf(name string, saved []string, now time.Time) (backtest.Rules, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return backtest.Rules{}, err
	}
	f := settings.Parse(text)
	f.Saved = saved
	rules := compileRules(f, now)
	if err := f.Err(); err != nil {
		return backtest.Rules{}, fmt.Errorf("%s: %w", name, err)
	}
	return rules, nil
}

// compileRules returns the rules of a file, and its quiet hours as they hold at now.
func compileRules(f *settings.File, now time.Time) backtest.Rules {
	mapping.Compile(f).CheckNames(f, f.Mistake)
	h, rules := house.Of(f, now)
	h.Silences, h.Maintenance, h.Away = nil, nil, false
	return backtest.Rules{House: *h, Rules: rules}
}
