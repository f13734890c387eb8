package page

import (
	"os"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/page/pagetest"
	"github.com/hearth-home/hearth/shared/testserver/browser"
)

// TestScreenshots writes pictures of the page of a sample house into the folder
// HEARTH_SCREENSHOTS: make screenshots.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("HEARTH_SCREENSHOTS")
	if dir == "" {
		t.Skip("HEARTH_SCREENSHOTS is not set: make screenshots")
	}
	afternoon := time.Date(2026, 11, 27, 22, 7, 0, 0, time.UTC) // 14:07 in the house
	full := serveAt(t, afternoon, pagetest.Full)
	full.take(t, dir,
		browser.Shot{Name: "page", Width: 1920, Height: 1080}, browser.Shot{Name: "page-dark", Width: 1920, Height: 1080, Dark: true},
		browser.Shot{Name: "tablet", Width: 1280, Height: 800}, browser.Shot{Name: "tablet-dark", Width: 1280, Height: 800, Dark: true}, browser.Shot{Name: "small", Width: 1024, Height: 768},
		browser.Shot{Name: "phone", Width: 390, Height: 844}, browser.Shot{Name: "phone-dark", Width: 390, Height: 844, Dark: true},
		browser.Shot{Name: "kiosk", Width: 1920, Height: 1080, Query: "?kiosk"}, browser.Shot{Name: "kiosk-small", Width: 1280, Height: 800, Query: "?kiosk"}, browser.Shot{Name: "night", Width: 1280, Height: 800, Query: "?kiosk", Prepare: "isNight = () => true; kioskMinute()"},
		browser.Shot{Name: "guest", Width: 1280, Height: 800, Query: "?view=guest"}, browser.Shot{Name: "past", Width: 1280, Height: 800, Query: "?at=2026-11-27T12:00:00Z"})
	full.moved.Add(int64(3 * time.Hour))
	full.take(t, dir, browser.Shot{Name: "stale", Width: 1280, Height: 800, Ready: `document.querySelector(".stale")`})
	full.moved.Add(-int64(3 * time.Hour))
	full.take(t, dir, browser.Shot{Name: "gone", Width: 1280, Height: 800, Prepare: "live.seen -= 300000; gone(true); gone = () => {}"})
	serveAt(t, afternoon, pagetest.Calm).take(t, dir, browser.Shot{Name: "well", Width: 1280, Height: 800})
	serveAt(t, afternoon, func(*pagetest.House) {}).take(t, dir, browser.Shot{Name: "first-day", Width: 1280, Height: 800})
}

func (s *served) take(t *testing.T, dir string, shots ...browser.Shot) {
	t.Helper()
	browser.Start(t, s.address, 1280, 800).Take(s.address, dir, shots...)
}
