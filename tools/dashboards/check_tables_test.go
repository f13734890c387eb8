package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/item"
	"github.com/hearth-home/hearth/shared/store"
)

// parts are the keys of parts of devices, as the edge agent and Telegraf name them.
var parts = map[string][]string{
	"pc-case":   {"intake_temperature_celsius", "interior_temperature_celsius", "exhaust_temperature_celsius"},
	"pdu-b":     {"socket_2_power_watts"},
	"gaming-pc": {"cpu_temperature_celsius", "gpu_temperature_celsius", "gpu_usage_percent", "gpu_memory_used_bytes", "gpu_memory_total_bytes", "gpu_power_watts", "gpu_frequency_hertz", "cpu_frequency_hertz", "pico_temperature_celsius"},
	"node-0":    {"cpu_temperature_celsius", "soc_temperature_celsius", "nvme_temperature_celsius", "gpu_temperature_celsius", "npu_temperature_celsius", "memory_usage_percent", "root_disk_size_bytes", "root_disk_free_bytes", "root_disk_usage_percent", "nvme_read_bytes", "eth0_received_bytes"},
	"door-z":    {"water_leak_left"},
}

// open are the keys of measurements that take any.
var open = map[string][]string{"custom": {"level_percent"}, "telegraf": {"ping_seconds", "dns_queries"}}

// fillTables stores devices, items, runs, functions, alerts and dead letters.
func (w *world) fillTables(t *testing.T) {
	t.Helper()
	for what, fill := range map[string]func(context.Context) error{"devices": w.fillDevices, "functions": w.fillFunctions, "alerts": w.fillAlerts} {
		if err := fill(t.Context()); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func (w *world) fillDevices(ctx context.Context) error {
	var requests []store.DeviceRequest
	var settings []store.DeviceSetting
	change := store.DeviceChange{Function: "sensors", Nodes: []string{"node-0"}, Count: func([]store.EdgeSeq) []store.EdgeSeq {
		return []store.EdgeSeq{{Node: "node-0", Boot: "9f3c2a1b", Started: noon.Add(-day), Seen: noon, Upto: 1000, Highest: 1002, Missing: 3}}
	}}
	for n, d := range devices {
		requests = append(requests, store.DeviceRequest{Physical: d.kind + "/" + d.id, Kind: d.kind, Device: d.id, Name: d.id, About: json.RawMessage("{}"), Publisher: "hearth"})
		settings = append(settings, store.DeviceSetting{Device: d.id, Name: d.name, Room: d.room, Kind: d.kind})
		seen := noon.Add(-time.Duration(n) * time.Minute)
		change.States = append(change.States, store.DeviceState{Device: d.id, Metric: "online", Value: 1, Time: seen, Arrived: seen, Changed: seen.Add(-day), Quality: "ok"})
	}
	for _, s := range allSeries() {
		seen := noon.Add(-7 * time.Minute)
		for _, f := range s.fields {
			if id := s.tags["device"]; id != "" {
				change.States = append(change.States, store.DeviceState{Device: id, Metric: f.Key, Value: s.value(f, seen), Time: seen, Arrived: seen, Changed: seen.Add(-day), Quality: "ok"})
			}
		}
	}
	if _, err := w.st.AdoptDevices(ctx, requests, today.AddDate(-1, 0, 0)); err != nil {
		return err
	}
	if err := w.st.ConfigureDevices(ctx, settings, noon); err != nil {
		return err
	}
	for n, reason := range []string{"not JSON", "the time is missing"} {
		last := noon.Add(-time.Duration(n+1) * time.Hour)
		change.Dead = append(change.Dead, store.DeadLetter{ID: fmt.Sprint("letter-", n), Function: "sensors", Topic: "home/kitchen", Reason: reason,
			First: last.Add(-day), Last: last, Count: int64(n + 1), Size: 20, Sample: []byte("{"), Reported: last})
	}
	return w.st.Commit(ctx, "fill devices", store.Batch{}, func(ctx context.Context, tx *store.Tx) error { return tx.SaveDevices(ctx, change) })
}

// function is one of a household, with the hours since its latest run and with its items.
type function struct {
	name   string
	hours  int
	status string
	lists  []store.List
}

func functions() []function {
	task := func(id, title, priority string, created, changed time.Duration) item.Item {
		return item.Item{Source: "asana", Target: "Home", ID: id, Title: title, URL: "https://app.asana.com/0/1/" + id, At: noon.Add(-created),
			Attributes: map[string]string{"priority": priority, "modified_at": noon.Add(-changed).Format(time.RFC3339), "section": "To do", "due_on": "2026-12-01"}}
	}
	entry := func(source, target, id, title string, age time.Duration, attributes map[string]string) item.Item {
		return item.Item{Source: source, Target: target, ID: id, Title: title, URL: "https://example.org/" + id, At: noon.Add(-age), Attributes: attributes}
	}
	list := func(items ...item.Item) store.List {
		return store.List{Source: items[0].Source, Target: items[0].Target, Items: items, Complete: true}
	}
	alerts := map[string]string{"severity": "high", "package": "urllib3", "ecosystem": "pip", "manifest": "requirements.txt", "ghsa": "GHSA-1", "cve": "CVE-2026-1", "patched": "2.0"}
	failed := map[string]string{"workflow": "tests", "branch": "main", "conclusion": "failure", "event": "push", "run_number": "7"}
	stock := map[string]string{"model": "5", "ram": "8", "shop": "Pi Shop", "country": "US", "units": "3"}
	return []function{
		{"asana", 1, "ok", []store.List{list(task("1", "Mend the fence", "High", 9*day, 25*time.Hour), task("2", "Paint the door", "Low", 3*day, 2*time.Hour))}},
		{"weather", 0, "ok", nil}, {"stocks", 0, "partial", nil}, {"treasuries", 90, "ok", nil},
		{"feeds", 1, "ok", []store.List{list(entry("feeds", "rpilocator", "rpi-1", "Stock Alert (US): Raspberry Pi 5 - 8GB", 15*time.Hour, stock)), list(entry("feeds", "news", "n1", "Something happened", 20*time.Hour, nil))}},
		{"github", 1, "failed", []store.List{list(entry("github", "markhamlee/one", "11", "urllib3: leaks headers", 5*day, alerts)), list(entry("github", "markhamlee/one runs", "12", "tests failed on main", 2*time.Hour, failed))}},
		{"music", 1, "ok", nil}, {"health", 1, "ok", nil}, {"zigbee", 0, "ok", nil}, {"sensors", 0, "ok", nil},
		{"alert-devices", 0, "ok", nil}, {"alert-deadlines", 0, "ok", nil}, {"dashboard", 0, "ok", nil},
		{"discord", 1, "ok", []store.List{list(entry("discord", "announcements", "d1", "The server moves", 3*time.Hour, nil))}},
		{"ebay", 1, "ok", []store.List{list(entry("ebay", "raspberry pi", "e1", "Raspberry Pi 4", 6*time.Hour, map[string]string{"price": "45.00", "currency": "USD"}))}},
	}
}

// fillFunctions stores eight runs of each function, one an hour, and items with the latest.
func (w *world) fillFunctions(ctx context.Context) error {
	for _, f := range functions() {
		seen := noon.Add(-time.Duration(f.hours) * time.Hour)
		if err := w.st.SaveFunction(ctx, store.Function{Name: f.name, Schedule: "0 * * * *", Period: time.Hour, Version: "1.0", Configured: true, LastSeen: seen}); err != nil {
			return err
		}
		for age := 7; age >= 0; age-- {
			run, err := w.st.Begin(ctx, store.Run{ID: fmt.Sprint(f.name, "-", age), Function: f.name, Trigger: "cron", Started: seen.Add(-time.Duration(age) * time.Hour)}, time.Minute, nil)
			if err != nil {
				return err
			}
			run.Status, run.Took, run.Stored, run.Unchanged, run.Outcomes = "ok", 250*time.Millisecond, 12, 3, []store.Outcome{{Target: "home", Status: "ok", Readings: 12}}
			var targets []store.Target
			if age == 0 {
				if run.Status = f.status; f.status != "ok" {
					run.Error = "the upstream answered 500"
					targets = []store.Target{{Name: "home", Failing: run.Started.Add(-time.Hour), Reason: run.Error, LastOK: run.Started.Add(-2 * time.Hour)}}
				}
				if _, _, err := w.st.SaveItems(ctx, run, f.lists, nil); err != nil {
					return err
				}
			}
			if err := w.st.Finish(ctx, run, targets, store.Alerts{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// fillAlerts stores an alert in each phase.
func (w *world) fillAlerts(ctx context.Context) error {
	value, limit := 1620.0, 1500.0
	states := []alert.State{}
	var keys []string
	for n, phase := range []alert.Phase{alert.Pending, alert.Firing, alert.Unknown, alert.Resolved} {
		began := noon.Add(-time.Duration(n+1) * time.Hour)
		s := alert.State{Key: fmt.Sprintf("air-co2-high/room-%d/co2_ppm", n), Phase: phase, Text: "CO₂ is 1,620 ppm, above 1,500", Value: &value, Limit: &limit, Worst: &value, Unit: "ppm",
			Spec:    alert.Spec{Rule: "air-co2-high", Channel: alert.Climate, Severity: alert.Warning, Title: "CO₂ is high", Next: "Open a window."},
			Subject: alert.Subject{Device: "office-air", Name: "Air in the office", Room: "Office", Measurement: "air", Field: "co2_ppm"},
			Since:   began, Fired: began.Add(2 * time.Minute), Seen: noon, Episode: 1}
		if phase == alert.Resolved {
			s.Ended = noon.Add(-time.Hour)
		}
		if n == 1 {
			s.Severity = alert.Critical
		}
		states, keys = append(states, s), append(keys, s.Key)
	}
	message := alert.Message{Key: "air-co2-high/room-1@slack", Destination: alert.ToSlack, Channel: alert.Climate, Text: "CO₂ is high", Created: noon.Add(-time.Hour)}
	return w.st.MoveAlerts(ctx, keys, func(map[string]alert.State) ([]alert.State, []alert.Message) { return states, []alert.Message{message} })
}
