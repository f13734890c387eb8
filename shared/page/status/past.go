package status

import (
	"context"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
)

// AlertsAt returns the alerts that were open at a time. What silenced them then is not known.
func (p *Page) AlertsAt(ctx context.Context, at time.Time) (Alerts, error) {
	st, err := p.Open(ctx)
	if err != nil {
		return Alerts{}, err
	}
	states, err := st.AlertsAt(ctx, at)
	if err != nil {
		return Alerts{}, err
	}
	zone, err := time.LoadLocation(p.zone())
	if err != nil {
		zone = time.UTC
	}
	return newCollector(p.Inputs).listAlerts(states, &alert.House{Zone: zone}, at), nil
}

func (p *Page) zone() string {
	if p.Zone == nil {
		return ""
	}
	return p.Zone()
}
