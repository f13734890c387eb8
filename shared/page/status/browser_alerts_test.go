package status

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/alert"
	"github.com/hearth-home/hearth/shared/store"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

func TestInABrowserAnAlertIsAcknowledgedAndASensorMadeToFail(t *testing.T) {
	now := time.Now() // clock: the browser's is the real one
	h := fixtureAt(t, now)
	ids, err := h.st.AdoptDevices(t.Context(), []store.DeviceRequest{{Physical: "edge/pi/office-air", Kind: "edge", Device: "office-air", Name: "Office air", About: []byte(`{"topic":"hearth/simulated/office-air"}`)}}, now)
	if err != nil || ids[0].Device != "office-air" {
		t.Fatalf("%+v, %v", ids, err)
	}
	value := state("co2_ppm", 700)
	value.Device, value.Quality, value.Time, value.Arrived, value.Changed = "office-air", "ok", now, now, now
	h.ok(saveDevices(t.Context(), h.st, store.DeviceChange{States: []store.DeviceState{value}}))
	h.raise(co2(alert.Critical, "office", "Office", 2412, now.Add(-time.Hour)))
	h.queue(alert.Message{Key: "air-co2-high/office#1@page", Destination: alert.ToPage, Channel: alert.Climate, Text: "CO₂ is high: Office air", Sample: true, Created: now})
	var mu sync.Mutex
	on := ""
	p := h.page()
	p.Now = time.Now // clock: the browser's
	p.Faults = &Faults{
		Ways: []Way{{"over", "over the limit"}, {"silent", "silent"}},
		On: func() map[string]string {
			mu.Lock()
			defer mu.Unlock()
			return map[string]string{"hearth/simulated/office-air": on}
		},
		Set: func(device, way string) error {
			mu.Lock()
			defer mu.Unlock()
			if device != "office-air" {
				return errors.New("another device")
			}
			on = way
			return nil
		},
	}
	srv := listen(t, p)
	b := browser.Start(t, srv.URL+"/status", 390, 900)
	if b.Eval("document.documentElement.scrollWidth <= document.documentElement.clientWidth") != "true" {
		t.Errorf("at 390 pixels the page is %s wide", b.Eval("document.documentElement.scrollWidth"))
	}
	b.Eval(`document.querySelector("#alerts button[data-act=ack]").click(); 1`)
	b.Until(`/acknowledged at/.test(document.querySelector("#alerts .marks")?.textContent)`)
	if s, err := h.st.AlertsOf(context.Background(), []string{"air-co2-high/office"}); err != nil || s["air-co2-high/office"].Acked.IsZero() {
		t.Errorf("the alert is %+v, %v", s, err)
	}
	b.Eval(`document.getElementById("m-office-air").open = true; document.querySelector("button[data-fault=silent]").click(); 1`)
	b.Until(`document.querySelector("#d-office-air h4").textContent.includes("switched: silent")`)
	if b.Eval(`document.getElementById("m-office-air").open`) != "true" {
		t.Error("what was folded open closed")
	}
	b.Eval(`document.querySelector("button[aria-pressed=true]").click(); 1`)
	b.Until(`!document.querySelector("#d-office-air h4").textContent.includes("switched")`)
	mu.Lock()
	if on != "" {
		t.Errorf("the fault is %q", on)
	}
	mu.Unlock()
	b.Eval(`location.href = "outbox"; 1`)
	b.Until(`/CO₂ is high: Office air/.test(document.querySelector(".message")?.textContent)`)
	h.queue(alert.Message{Key: "air-co2-high/office#2@page", Destination: alert.ToPage, Channel: alert.Climate, What: alert.Ended, Text: "Resolved: CO₂ is high", Sample: true, Created: now.Add(time.Second)})
	b.Until(`document.querySelector(".message .post").textContent.trim() === "Resolved: CO₂ is high"`)
	if b.Eval("document.documentElement.scrollWidth <= document.documentElement.clientWidth") != "true" {
		t.Errorf("at 390 pixels the outbox is %s wide", b.Eval("document.documentElement.scrollWidth"))
	}
	if len(b.Errors) != 0 {
		t.Errorf("errors in its console: %s", b.Errors)
	}
}
