package main

import (
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/local"
	"github.com/hearth-home/hearth/shared/backtest"
)

func TestABacktestPrintsTimesOfTheHouse(t *testing.T) {
	zone := time.FixedZone("house", 2*60*60)
	at := time.Date(2026, 10, 1, 22, 30, 0, 0, time.UTC)
	var out strings.Builder
	printBacktest(&out, local.Backtest{Zone: zone, Today: backtest.Result{Sent: 1, Messages: []backtest.Message{{At: at, Text: "CO₂ is high: Office"}}}}, "", false)
	if !strings.Contains(out.String(), "2026-10-02 00:30  CO₂ is high: Office\n") {
		t.Errorf("%s", out.String())
	}
}
