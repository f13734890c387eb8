package function

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/hearth-home/hearth/shared/store"
)

const (
	canaryMeasurement = "canary"
	connectorLabel    = "connector"

	maxConnectors  = 20                 // whose canaries are stored: each is a series
	keepConnectors = 7 * 24 * time.Hour // a connector that published none for so long makes room
)

// connectors are the connectors whose canaries are stored, by id, with the time of the
// last one. They are used only while a batch holds the register.
type connectors map[string]time.Time

// read reads the connectors from the store, once.
func (c *connectors) read(ctx context.Context, st *store.Store, now time.Time) error {
	if *c != nil {
		return nil
	}
	rs, err := st.Latest(ctx, canaryMeasurement, now.Add(-keepConnectors))
	if err != nil {
		return err
	}
	*c = connectors{}
	for _, r := range rs {
		(*c)[r.Tags[connectorLabel]] = r.Time
	}
	return nil
}

// admit returns an error if so many other connectors published canaries that those of
// this one are not stored.
func (c connectors) admit(id string, now time.Time) error {
	if _, known := c[id]; !known && len(c) >= maxConnectors {
		maps.DeleteFunc(c, func(_ string, last time.Time) bool { return now.Sub(last) >= keepConnectors })
		if len(c) >= maxConnectors {
			return fmt.Errorf("canaries of %d other connectors arrived within the last %d days: what publishes them at hearth/canary/#?", maxConnectors, int(keepConnectors.Hours()/24))
		}
	}
	c[id] = now
	return nil
}
