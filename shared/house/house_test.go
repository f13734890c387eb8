package house

import (
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/config"
	"github.com/hearth-home/hearth/shared/rules"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/serve"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/store/sqlite"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// start returns a loader of a hearth.yml, and a store.
func start(t *testing.T, yml string) (*Loader, *store.Store) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hearth-settings"), []byte(yml), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "hearth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	env := serve.Env{Env: config.Env{Vars: map[string]string{"ALERTS_MODE": "show", "PAGE_URL": "http://page/"}, Secrets: secret.NewFolder(dir), Log: slog.New(slog.DiscardHandler)}}
	return New(env, env.Secrets.Get("hearth-settings")), st
}

func load(t *testing.T, l *Loader, st *store.Store, now time.Time) (*alert.House, *rules.Set) {
	t.Helper()
	h, set, err := l.Load(t.Context(), st, now)
	if err != nil {
		t.Fatal(err)
	}
	return h, set
}

const yml = `
house: {zone: Europe/Berlin}
quiet_hours: {from: "22:00", to: "07:00", days: [friday, sunday]}
away: 2026-06-03
rules: {air-co2-high: {above: 900}}
maintenance:
  - {room: Cellar, until: 2026-06-02}
  - {node: Pi 4, until: 2026-06-02}
  - {bridge: attic/zigbee2mqtt, until: 2026-05-30}
  - {room: Bath, from: 2026-06-04, until: 2026-06-09}
devices:
  - {device: pump, maintenance: 2026-06-02T00:00:00Z}
`

func TestTheHouseIsThatOfHearthYmlAndOfTheStore(t *testing.T) {
	l, st := start(t, yml)
	for _, u := range []store.UntilDate{
		{Kind: store.Silence, Subject: "air-co2-high/a/co2_ppm", Until: noon.Add(time.Hour), Set: noon},
		{Kind: store.Maintenance, Subject: "device/pump", Until: noon.Add(72 * time.Hour), Set: noon},
		{Kind: store.Maintenance, Subject: "room/cellar", Until: noon.Add(time.Minute), Set: noon},
	} {
		if err := st.SetUntil(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	raise(t, st, "air-co2-high/a/co2_ppm", rules.BridgeOffline+"/attic")
	h, set := load(t, l, st, noon)
	if h.Zone.String() != "Europe/Berlin" || h.Mode != alert.Show || h.URL != "http://page" || !h.Away {
		t.Errorf("%+v", h)
	}
	if q := h.QuietHours; len(q) != 1 || q[0].From != 22*time.Hour || q[0].To != 7*time.Hour || !slices.Equal(q[0].Days, []time.Weekday{time.Friday, time.Sunday}) {
		t.Errorf("quiet hours %+v", q)
	}
	midnight := time.Date(2026, 6, 1, 22, 0, 0, 0, time.UTC) // in Berlin
	want := map[string]time.Time{"device/pump": noon.Add(72 * time.Hour), "room/cellar": midnight, "node/Pi 4": midnight, "node/edge-pi-4": midnight}
	if !maps.EqualFunc(h.Maintenance, want, time.Time.Equal) {
		t.Errorf("maintenance %v, want %v", h.Maintenance, want)
	}
	if !h.Silences["air-co2-high/a/co2_ppm"].Equal(noon.Add(time.Hour)) || len(h.Active) != 2 || !maps.Equal(h.Roots, map[string]bool{"bridge-offline/attic": true}) {
		t.Errorf("silences %v, active %v, roots %v", h.Silences, h.Active, h.Roots)
	}
	if r := set.Of(rules.Metric{Measurement: "air", Field: "co2_ppm"}); len(r) != 1 || r[0].Verdict(950, false, nil) != alert.Bad {
		t.Errorf("rules %+v", r)
	}
	if !h.Maintenance["room/bath"].IsZero() {
		t.Error("maintenance holds before it begins")
	}
	if h, _ = load(t, l, st, noon.Add(71*time.Hour)); !h.Maintenance["room/bath"].Equal(time.Date(2026, 6, 8, 22, 0, 0, 0, time.UTC)) {
		t.Errorf("maintenance %v", h.Maintenance)
	}
	if h, _ = load(t, l, st, noon.Add(36*time.Hour)); h.Away || len(h.Silences) > 0 || len(h.Maintenance) != 1 {
		t.Errorf("when all but one is over: %+v", h)
	}
}

// raise stores pending alerts with these keys.
func raise(t *testing.T, st *store.Store, keys ...string) {
	t.Helper()
	err := st.MoveAlerts(t.Context(), keys, func(map[string]alert.State) (changed []alert.State, _ []alert.Message) {
		for _, key := range keys {
			rule, _, _ := strings.Cut(key, "/")
			changed = append(changed, alert.State{Key: key, Spec: alert.Spec{Rule: rule}, Phase: alert.Pending, Since: noon})
		}
		return changed, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestARuleIsAboutWhatThePageSaved: rules of hearth.yml, and limits of the mapping itself.
func TestARuleIsAboutWhatThePageSaved(t *testing.T) {
	l, st := start(t, "rules: {barrel-empty: {field: barrel.level_liters, below: 10}}")
	level := rules.Metric{Measurement: "barrel", Field: "level_liters"}
	if _, set := load(t, l, st, noon); len(set.Of(level)) != 0 {
		t.Error("a rule about what nothing declares")
	}
	saved := store.PageDevice{Topic: "garden/barrel", Mapping: "- {topic: garden/barrel, measurement: barrel, fields: {level: {path: $.lvl, unit: l, above: 200}}}\n", Since: noon}
	if err := st.SavePageDevice(t.Context(), saved, false); err != nil {
		t.Fatal(err)
	}
	if _, set := load(t, l, st, noon.Add(3*time.Second)); len(set.Of(level)) != 2 {
		t.Errorf("rules %+v", set.Of(level))
	}
}

// TestTheStoreIsReadEveryThreeSeconds, and what was read last stays while it is down.
func TestTheStoreIsReadEveryThreeSeconds(t *testing.T) {
	l, st := start(t, "")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := l.Load(ended, st, noon); err == nil {
		t.Error("nothing was read yet, and there is no error")
	}
	active := func(now time.Time) int { h, _ := load(t, l, st, now); return len(h.Active) }
	if n := active(noon); n != 0 {
		t.Error(n)
	}
	raise(t, st, "a/b")
	if n := active(noon.Add(2 * time.Second)); n != 0 {
		t.Errorf("read again after 2 s")
	}
	if n := active(noon.Add(3 * time.Second)); n != 1 {
		t.Errorf("not read again after 3 s")
	}
	if h, _, err := l.Load(ended, st, noon.Add(time.Minute)); err != nil || len(h.Active) != 1 {
		t.Errorf("while the store is down: %+v %v", h, err)
	}
}
